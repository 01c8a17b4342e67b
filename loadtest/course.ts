import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { wholeNumber } from '../src/cli/arguments.ts';
import { checkSums } from './course/check-sums.ts';
import { bookProblems, untilDrained } from './course/conservation.ts';
import { corrupt } from './course/corrupt.ts';
import { directoryDown, type Fault, nodeOutage, workerKills } from './course/faults.ts';
import { courseLoad } from './course/load.ts';
import { OutageWatch } from './course/outage-reads.ts';
import { type CourseReport, problemsOf, showCourse } from './course/report.ts';
import { startSplit, startWhole, type System } from './course/system.ts';
import { describeMachine } from './machine.ts';
import { print, writeResult } from './results.ts';
import { runMain } from './run-main.ts';

interface CourseFlags {
  stack: 'split' | 'all-in-one';
  requests: number;
  workers?: number;
  queue: 'redis' | 'postgres';
  killWorker?: boolean;
  nodeOutage?: number;
  directoryDown?: boolean;
  corrupt?: 'lost' | 'phantom';
  seed?: string;
}

const DRAIN_MS = 180_000;
/** The load lasts this much longer than an outage. */
const AROUND_OUTAGE_S = 30;

new Command('loadtest:course')
  .description("the course's load: every post 201 at the first try, afterwards every sum exact")
  .addOption(new Option('--stack <kind>', 'what is loaded').choices(['split', 'all-in-one']).default('split'))
  .addOption(new Option('--queue <kind>', "the split stack's queue").choices(['redis', 'postgres']).default('redis'))
  .option('--requests <n>', 'posts', wholeNumber(1, 10_000_000), 200_000)
  .option('--workers <n>', 'worker processes of the split stack', wholeNumber(1, 16))
  .option('--kill-worker', 'kill -9 each worker once during the load')
  .option('--node-outage <seconds>', 'stop one Postgres node for so long during the load', wholeNumber(1, 3_600))
  .option('--directory-down', 'stop the directory during the load, for good')
  .addOption(new Option('--corrupt <how>', 'spoil it: the run must fail').choices(['lost', 'phantom']))
  .option('--seed <text>', 'repeat a load')
  .action((flags: CourseFlags) => runMain((lifecycle) => runCourse(flags, lifecycle)))
  .parse();

async function runCourse(flags: CourseFlags, lifecycle: Lifecycle): Promise<number> {
  const seed = flags.seed ?? randomBytes(4).toString('hex');
  print(`starting ${flags.stack}, seed ${seed}`);
  const system = await startSystem(flags, lifecycle);
  const watch =
    flags.nodeOutage && system.stack ? new OutageWatch(system.readUrls[0] as string, system.stack) : undefined;
  const load = await courseLoad({
    urls: system.writeUrls,
    requests: flags.requests,
    seed,
    faults: faultsOf(flags, system, watch),
    ...(flags.nodeOutage && { ratePerS: flags.requests / (flags.nodeOutage + AROUND_OUTAGE_S) }),
    onAck: (ride) => watch?.offer(ride),
    onProgress: (answered) => print(`${answered} of ${flags.requests} answered`),
  });
  if (flags.corrupt) await corrupt(flags.corrupt, system, load.expectation);

  const endedAt = performance.now();
  const books = await untilDrained(system, DRAIN_MS);
  const drainedS = (performance.now() - endedAt) / 1_000;
  const outage = await watch?.stop();
  print(`drained ${drainedS.toFixed(1)} s after the last ack; reading every sum`);
  const { acks, rides } = load.expectation;
  const sums = await checkSums(system.readUrls, load.expectation);
  const report: CourseReport = {
    options: { ...flags, seed },
    machine: await describeMachine(),
    phases: load.phases,
    acks,
    rides,
    refusals: load.refusals,
    drainedS,
    books,
    bookProblems: bookProblems(books, load.expectation),
    reads: sums.reads,
    repeatedReads: sums.repeated,
    differences: sums.differences,
    outage,
  };
  const problems = problemsOf(report);
  print(showCourse(report, problems));
  print(`written to ${await writeResult('course', { ...report, problems })}`);
  return problems.length === 0 ? 0 : 1;
}

function startSystem(flags: CourseFlags, lifecycle: Lifecycle): Promise<System> {
  const hasFault = flags.killWorker || flags.nodeOutage || flags.directoryDown;
  if (flags.stack === 'all-in-one') {
    if (hasFault) throw new Error('faults need --stack split');
    return startWhole(lifecycle);
  }
  return startSplit(lifecycle, {
    queue: flags.queue,
    workers: flags.workers ?? (flags.killWorker ? 2 : 1),
    separateServers: Boolean(flags.nodeOutage || flags.directoryDown),
  });
}

function faultsOf(flags: CourseFlags, { stack }: System, watch: OutageWatch | undefined): Fault[] {
  if (!stack) return [];
  const planned: Fault[] = [];
  if (flags.killWorker) planned.push(...workerKills(stack));
  if (flags.directoryDown) planned.push(directoryDown(stack));
  if (flags.nodeOutage) planned.push(watched(nodeOutage(stack, flags.nodeOutage, 0.15), watch));
  return planned.map((fault) => ({
    ...fault,
    async run() {
      print(`fault: ${fault.name}`);
      await fault.run();
    },
  }));
}

function watched(fault: Fault, watch: OutageWatch | undefined): Fault {
  return {
    ...fault,
    async run() {
      watch?.enter('during');
      await fault.run();
      watch?.enter('after');
    },
  };
}
