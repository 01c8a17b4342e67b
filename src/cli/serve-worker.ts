import { setInterval } from 'node:timers';
import { Command } from 'commander';
import { runWorker } from '../../workers/run-worker.ts';
import { assureQueue } from './assure-queue.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import type { WorkerReport } from './worker-children.ts';

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
  const { config, metrics, lifecycle } = context;
  await assureQueue(config, { ...context, isWorker: true });
  const worker = await runWorker(config, context);
  if (!process.send) return;
  const report = async () => {
    const message: WorkerReport = { ready: worker.ready(), metrics: await metrics.registry.getMetricsAsJSON() };
    if (process.connected) process.send?.(message, undefined, undefined, () => {}); // whoever asked may have gone
  };
  const timer = setInterval(() => void report(), REPORT_MS);
  lifecycle.onStop('report', () => clearInterval(timer));
  await report();
}
