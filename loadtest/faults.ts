// npm run faults -- worker-kill redis-kill
import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../src/cli/arguments.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { selfCheck } from './faults/checker-self-check.ts';
import { FAULTS } from './faults/fault-list.ts';
import type { Fault } from './faults/fault.ts';
import { type FaultsReport, reportPage, showNotes, showTable, withoutControlOf } from './faults/report.ts';
import { type FaultRun, type PlannedRun, runFault } from './faults/runner.ts';
import { describeMachine } from './machine.ts';
import { print, writeReport, writeResult } from './results.ts';
import { runMain } from './run-main.ts';

interface Flags {
  acks: number;
  seed?: string;
  controls: 'with' | 'only' | 'without';
}

const KNOWN = [selfCheck.fault, ...FAULTS];
/** A control has to lose something, not much. */
const CONTROL_ACKS = 10_000;
const SELF_CHECK_ACKS = 5_000;

new Command('faults')
  .description(
    'what goes wrong in production, under load; afterwards every acked scan has to be stored, once, where it belongs',
  )
  .argument('[names...]', `${KNOWN.map(({ name }) => name).join(', ')}; all of them unless named`, readName)
  .option(
    '--acks <n>',
    'distinct scans that are acked during each fault, at least',
    wholeNumber(500, 10_000_000),
    50_000,
  )
  .option('--seed <text>', 'repeat the random choices of a run')
  .addOption(new Option('--controls <which>', 'negative controls').choices(['with', 'only', 'without']).default('with'))
  .action((names: Fault[], flags: Flags) => runMain((lifecycle) => runFaults(names, flags, lifecycle)))
  .parse();

async function runFaults(named: readonly Fault[], flags: Flags, lifecycle: Lifecycle): Promise<number> {
  const seed = flags.seed ?? randomBytes(4).toString('hex');
  const chosen = named.length > 0 ? named : KNOWN;
  const notRun: FaultsReport['notRun'] = [];
  const runs: FaultRun[] = [];
  for (const fault of chosen) {
    const able = fault.canRun();
    if (able === true) {
      for (const planned of plan(fault, flags.controls)) {
        runs.push(await runOne(planned, { ...flags, seed }, lifecycle));
        if (lifecycle.isStopping) return 1; // Ctrl-C: nothing new is started
      }
    } else {
      notRun.push({ fault: fault.name, reason: able });
      print(`${fault.name} can't run here: ${able}`);
    }
  }
  const report: FaultsReport = {
    seed,
    acks: flags.acks,
    machine: await describeMachine(),
    runs,
    notRun,
    withoutControl: withoutControlOf(chosen),
  };
  print(`\n${showTable(report)}\n${showNotes(report)}`);
  print(
    `written to ${await writeResult('faults', report)} and ${await writeReport('faults', 'html', reportPage(report))}`,
  );
  return runs.length > 0 && runs.every(({ isGood }) => isGood) ? 0 : 1;
}

function plan(fault: Fault, controls: Flags['controls']): PlannedRun[] {
  if (fault === selfCheck.fault) return [selfCheck];
  const control = 'none' in fault.control ? [] : [{ fault, control: fault.control }];
  return [...(controls === 'only' ? [] : [{ fault }]), ...(controls === 'without' ? [] : control)];
}

async function runOne(planned: PlannedRun, o: { acks: number; seed: string }, lifecycle: Lifecycle): Promise<FaultRun> {
  const { fault, control } = planned;
  print(`${fault.name}: ${control ? `negative control, ${control.setting}` : fault.summary}`);
  const run = await runFault(planned, { acks: acksOf(planned, o.acks), seed: o.seed, lifecycle, say: print });
  print(run.isGood ? `${fault.name}: as it must be` : `${fault.name}: WRONG: ${run.problems.join('; ')}`);
  return run;
}

function acksOf({ fault, control }: PlannedRun, acks: number): number {
  if (fault === selfCheck.fault) return Math.min(acks, SELF_CHECK_ACKS);
  return control ? Math.min(acks, CONTROL_ACKS) : acks;
}

function readName(text: string, before: Fault[] | undefined): Fault[] {
  const found = KNOWN.find(({ name }) => name === text);
  if (!found) throw new InvalidArgumentError(`The faults are ${KNOWN.map(({ name }) => name).join(', ')}.`);
  return [...(before ?? []), found];
}
