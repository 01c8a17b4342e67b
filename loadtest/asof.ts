// npm run asof -- --queue postgres
import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { wholeNumber } from '../src/cli/arguments.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { asOfProblems, showAsOf } from './asof/report.ts';
import { type AsOfReport, runAsOf } from './asof/run.ts';
import { describeMachine } from './machine.ts';
import { print, writeResult } from './results.ts';
import { runMain } from './run-main.ts';

interface Flags {
  queue: 'redis' | 'postgres';
  seconds: number;
  seed?: string;
  control: 'with' | 'only' | 'without';
}

new Command('asof')
  .description('tries to catch asOf lying: writes, trouble and reads in parallel, every answer held against the acks')
  .addOption(new Option('--queue <kind>', 'where the lanes live').choices(['redis', 'postgres']).default('redis'))
  .option('--seconds <n>', 'how long', wholeNumber(5, 3_600), 40)
  .option('--seed <text>', 'repeat the random choices of a run')
  .addOption(
    new Option('--control <which>', 'the negative control; it ends when it is caught')
      .choices(['with', 'only', 'without'])
      .default('with'),
  )
  .action((flags: Flags) => runMain((lifecycle) => main(flags, lifecycle)))
  .parse();

async function main({ queue, seconds, control, seed = randomBytes(4).toString('hex') }: Flags, lifecycle: Lifecycle) {
  const runs: AsOfReport[] = [];
  for (const isControl of kindsOf(control)) {
    print(isControl ? 'the negative control: a keeper that looks at list after list' : 'the real keeper');
    runs.push(await runAsOf({ queue, seconds, seed, isControl }, { lifecycle, say: print }));
    if (lifecycle.isStopping) return 1;
  }
  const problems = runs.flatMap(asOfProblems);
  const machine = await describeMachine();
  print(`\n${showAsOf(runs)}\nseed ${seed}`);
  print(problems.length === 0 ? 'everything as it must be' : `WRONG: ${problems.join('; ')}`);
  print(`written to ${await writeResult('asof', { machine, seed, runs, problems })}`);
  return problems.length === 0 ? 0 : 1;
}

/** @returns for each run whether it is the control */
function kindsOf(control: Flags['control']): boolean[] {
  return [...(control === 'only' ? [] : [false]), ...(control === 'without' ? [] : [true])];
}
