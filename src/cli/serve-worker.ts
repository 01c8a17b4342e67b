import { setInterval } from 'node:timers';
import { Command } from 'commander';
import { type RunningWorker, runWorker } from '../../workers/run-worker.ts';
import type { WorkerReport } from '../../workers/worker-report.ts';
import { assureQueue } from './assure-queue.ts';
import { type ProcessContext, runProcess } from './run-process.ts';

const REPORT_MS = 1_000;

/** `liftline worker`: stores what the lanes hold. With an IPC channel it belongs to the process that started it. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('run a worker: stores the scans of its lanes')
    .action(() =>
      runProcess({ name: 'worker', env: process.env, start: startWorker, isSupervised: process.send !== undefined }),
    );
}

async function startWorker(context: ProcessContext): Promise<void> {
  const { config } = context;
  let worker: RunningWorker | undefined;
  reportTo(process, context, () => ({ ready: worker?.ready() ?? 'starting', live: worker?.live() ?? true }));
  worker = await runWorker(config, context, () => assureQueue(config, { ...context, isWorker: true }));
}

/** From the start on: a worker that waits for the directory or the queue is to be told from one that hangs. */
function reportTo(
  parent: Pick<NodeJS.Process, 'send' | 'connected'>,
  { metrics, lifecycle }: ProcessContext,
  state: () => Omit<WorkerReport, 'metrics'>,
): void {
  if (!parent.send) return;
  const report = async () => {
    const message: WorkerReport = { ...state(), metrics: await metrics.registry.getMetricsAsJSON() };
    if (parent.connected) parent.send?.(message, undefined, undefined, () => {}); // whoever asked may have gone
  };
  const timer = setInterval(() => void report(), REPORT_MS);
  lifecycle.onStop('report', () => clearInterval(timer));
  void report();
}
