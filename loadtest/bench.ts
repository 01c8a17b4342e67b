import { Command } from 'commander';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { ackRates } from './bench/ack-rates.ts';
import { cpuSplit } from './bench/cpu-split.ts';
import type { Figure } from './bench/figure.ts';
import { freshness } from './bench/freshness.ts';
import { generatorName } from './bench/load-generator.ts';
import { live } from './bench/live.ts';
import { memory } from './bench/memory.ts';
import { persistRates } from './bench/persist-rates.ts';
import { reads } from './bench/reads.ts';
import { type BenchSize, FULL, QUICK } from './bench/size.ts';
import { describeMachine, machineLine } from './machine.ts';
import { markdownTable, print, writeResult } from './results.ts';
import { runMain } from './run-main.ts';

type Part = (size: BenchSize, lifecycle: Lifecycle) => Promise<Figure[]>;

/** Each starts a stack of its own and stops it. */
const PARTS: Record<string, Part> = {
  acks: ackRates,
  persist: persistRates,
  freshness,
  reads,
  live,
  cpu: cpuSplit,
  memory,
};

new Command('bench')
  .description('figures beside the limits and the peers that they are judged by; everything on this machine')
  .option('--quick', 'short: shows that it runs, its figures are worth little')
  .option('--only <parts>', `some of ${Object.keys(PARTS).join(',')}`)
  .action((flags: { quick?: boolean; only?: string }) => runMain((lifecycle) => bench(flags, lifecycle)))
  .parse();

async function bench(flags: { quick?: boolean; only?: string }, lifecycle: Lifecycle): Promise<number> {
  const names = flags.only?.split(',') ?? Object.keys(PARTS);
  const unknown = names.filter((name) => !(name in PARTS));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);
  const size = flags.quick ? QUICK : FULL;
  const machine = await describeMachine();
  print(`${machineLine(machine)}; load by ${generatorName()} and the project's own client`);
  const figures: Figure[] = [];
  for (const name of names) {
    print(`\n${name}`);
    figures.push(...((await PARTS[name]?.(size, lifecycle)) ?? []));
  }
  const rows = figures.map(({ name, goal, measured, isMet }) => [name, goal, measured, isMet ? 'yes' : 'no']);
  print(`\n${markdownTable([['figure', 'goal', 'measured', 'met'], ...rows])}`);
  const result = { machine, generator: generatorName(), size, isQuick: flags.quick ?? false, figures };
  print(`written to ${await writeResult('bench', result)}`);
  return 0;
}
