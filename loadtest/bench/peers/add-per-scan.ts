import { runProcess } from '../../../src/cli/run-process.ts';
import { serveHttp } from '../../../src/cli/serve-http.ts';
import { Problem } from '../../../src/domain/problem.ts';
import type { Scan } from '../../../src/domain/scan.ts';
import { createEdgeApp } from '../../../src/edge/app.ts';
import { type Enqueue, GroupCommit, type GroupCommitOptions, type Settle } from '../../../src/edge/group-commit.ts';
import { createEdgeMetrics } from '../../../src/edge/metrics.ts';
import { openProducer } from '../../../src/queue/producer.ts';

/** No grouping: one `queue.add` for each scan, as most systems do it. */
class AddPerScan extends GroupCommit {
  readonly #add: Enqueue;

  constructor(o: GroupCommitOptions) {
    super(o);
    this.#add = o.enqueue;
  }

  override add(lane: number, scan: Scan, settle: Settle): void {
    this.#add(lane, [scan]).then(settle, (error: unknown) => {
      settle(error instanceof Problem ? error : new Problem('queue_unavailable', 'not confirmed', { cause: error }));
    });
  }
}

/** The edge as it is, but for the grouping. */
await runProcess({
  name: 'edge',
  env: process.env,
  start: async (context) => {
    await serveHttp(context, {
      name: 'edge',
      build: async (directory, { laneCount }) => {
        const { config, logger, metrics } = context;
        const producer = await openProducer({ ...config, ...context, laneCount });
        const edgeMetrics = createEdgeMetrics(metrics.registry);
        const commit = new AddPerScan({
          enqueue: (lane, scans) => producer.enqueue(lane, scans),
          maxPendingScans: config.maxPendingScans,
          maxWaitMs: config.ackDeadlineMs,
          metrics: edgeMetrics,
        });
        const app = createEdgeApp({
          directory,
          commit,
          config: { skiDataApi: config.skiDataApi },
          metrics: edgeMetrics,
          logger,
        });
        return { apps: [app], ready: () => producer.isUp() || 'the queue does not answer' };
      },
    });
  },
});
