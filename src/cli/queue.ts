import { Command } from 'commander';
import { readSnapshot } from '../directory/load-snapshot.ts';
import { openBacklog } from '../queue/backlog-reader.ts';
import { type LaneBacklog, oldestAgeMs } from '../queue/backlog.ts';
import { type FailedJob, openFailedJobs } from '../queue/failed-jobs.ts';
import { wholeNumber } from './arguments.ts';
import { findQueue, onDirectory } from './operator.ts';
import { CommandError, type CommandContext, runCommand } from './run-command.ts';
import { textTable } from './text-table.ts';

const TIMEOUT_MS = 5_000;
/** Workers put failed jobs back every STALL_CHECK_MS (5 s): one that rests this long is not seen by any. */
const SWEPT_BY_NOW_MS = 60_000;

/** `liftline queue`: what waits between the acks and the tables. */
export function queueCommand(): Command {
  const queue = new Command('queue').description('the lanes: what waits in them, and what failed');
  queue
    .command('status')
    .description('jobs by state, scans, and the age of the oldest, for each lane')
    .option('--json', 'as JSON')
    .action((flags: { json?: true }) =>
      runQuietly(async (context) => {
        const laneCount = await readLaneCount();
        const lanes = await openBacklog({
          ...(await findQueue()),
          laneCount,
          timeoutMs: TIMEOUT_MS,
          ...context,
        }).read();
        process.stdout.write(flags.json ? toJson(statusJson(lanes)) : showStatus(lanes));
      }),
    );
  queue
    .command('failed')
    .description('jobs that failed and wait to be put back, with the reason')
    .option('--lane <n>', 'only of this lane', wholeNumber(0, 1023))
    .option('--limit <n>', 'of each lane at most so many', wholeNumber(1, 1_000), 20)
    .option('--json', 'as JSON')
    .action((flags: { lane?: number; limit: number; json?: true }) =>
      runQuietly(async (context) => {
        const lanes = chosenLanes(await readLaneCount(), flags.lane);
        const reader = openFailedJobs({ ...(await findQueue()), timeoutMs: TIMEOUT_MS, ...context });
        const jobs = await reader.list(lanes, flags.limit);
        process.stdout.write(flags.json ? toJson({ failed: jobs }) : showFailed(jobs));
      }),
    );
  return queue;
}

/** A queue that is away is told once, by the command itself. */
function runQuietly(run: (context: CommandContext) => Promise<void>): Promise<void> {
  return runCommand((context) => run({ ...context, logger: context.logger.child({}, { level: 'error' }) }));
}

async function readLaneCount(): Promise<number> {
  return (await onDirectory((directory) => directory.read(readSnapshot))).laneCount;
}

function chosenLanes(laneCount: number, lane: number | undefined): number[] {
  if (lane === undefined) return Array.from({ length: laneCount }, (_, i) => i);
  if (lane >= laneCount) throw new CommandError(`there is no lane ${lane}, only 0 to ${laneCount - 1}`);
  return [lane];
}

const toJson = (value: object) => `${JSON.stringify(value, null, 2)}\n`;

function statusJson(lanes: LaneBacklog[]): object {
  const rows = lanes.map(({ oldestAcceptedAt: _oldest, takenAt: _taken, ...lane }) => lane);
  const ages = lanes.flatMap((lane) => oldestAgeS(lane) ?? []);
  return {
    lanes: rows.map((row, i) => ({ ...row, oldestAgeS: oldestAgeS(lanes[i] as LaneBacklog) })),
    total: { ...totalOf(lanes), oldestAgeS: ages.length > 0 ? Math.max(...ages) : null },
  };
}

function totalOf(lanes: LaneBacklog[]) {
  const sum = (of: (lane: LaneBacklog) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
  return {
    waitingJobs: sum(({ waitingJobs }) => waitingJobs),
    activeJobs: sum(({ activeJobs }) => activeJobs),
    delayedJobs: sum(({ delayedJobs }) => delayedJobs),
    failedJobs: sum(({ failedJobs }) => failedJobs),
    scans: sum(({ scans }) => scans),
    exact: lanes.every(({ exact }) => exact),
    jobsEnqueued: sum(({ jobsEnqueued }) => jobsEnqueued),
  };
}

function oldestAgeS(lane: LaneBacklog): number | null {
  const ageMs = oldestAgeMs(lane);
  return ageMs === null ? null : ageMs / 1000;
}

function showStatus(lanes: LaneBacklog[]): string {
  const total = totalOf(lanes);
  const row = (name: string, counts: typeof total, ageS: number | null) => [
    name,
    ...[counts.waitingJobs, counts.activeJobs, counts.delayedJobs, counts.failedJobs].map(String),
    counts.exact ? String(counts.scans) : `~${counts.scans}`,
    ageS === null ? '-' : `${ageS.toFixed(1)} s`,
    String(counts.jobsEnqueued),
  ];
  const ages = lanes.map(oldestAgeS).filter((age) => age !== null);
  const rows = lanes.map((lane) => row(String(lane.lane), lane, oldestAgeS(lane)));
  const table = textTable([
    ['LANE', 'WAITING', 'ACTIVE', 'DELAYED', 'FAILED', 'SCANS', 'OLDEST', 'JOBS EVER'],
    ...rows,
    row('all', total, ages.length > 0 ? Math.max(...ages) : null),
  ]);
  return total.exact ? table : `${table}~ estimated: too many jobs to look at each\n`;
}

function showFailed(jobs: FailedJob[]): string {
  if (jobs.length === 0) return 'no failed jobs\n';
  const rows = jobs.map(({ lane, jobId, scans, failedForMs, ageMs, reason }) => [
    String(lane),
    jobId,
    String(scans),
    seconds(failedForMs),
    seconds(ageMs),
    reason,
  ]);
  const table = textTable([['LANE', 'JOB', 'SCANS', 'FAILED FOR', 'AGE', 'REASON'], ...rows]);
  const unseen = new Set(jobs.filter(({ failedForMs }) => failedForMs > SWEPT_BY_NOW_MS).map(({ lane }) => lane));
  const advice = unseen.size > 0 ? `nobody puts them back: start a worker for lane ${[...unseen].join(', ')}\n` : '';
  return `${table}${advice}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
