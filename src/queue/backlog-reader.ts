import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { openLink } from './backend.ts';
import { backlogOnPostgres } from './backlog-postgres.ts';
import { backlogOnRedis } from './backlog-redis.ts';
import { withDeadline } from './deadline.ts';
import type { LaneBacklog } from './backlog.ts';
import type { QueueAddress } from './lanes.ts';

export interface BacklogReader {
  /** All lanes, in order. @throws Problem queue_unavailable within the timeout */
  read(): Promise<LaneBacklog[]>;
}

/** Opens a reader with a connection of its own; returns at once, whether the server is there or not. */
export function openBacklog(
  o: QueueAddress & { laneCount: number; timeoutMs: number; logger: Logger; lifecycle: Lifecycle },
): BacklogReader {
  const link = openLink({ ...o, connections: 1 });
  o.lifecycle.onStop('backlog reader', () => link.close());
  const lanes = Array.from({ length: o.laneCount }, (_, lane) => lane);
  const look = async () => {
    if (link.kind === 'redis') return backlogOnRedis(link, o.queuePrefix, lanes);
    await link.ready();
    return backlogOnPostgres(link.pool, lanes);
  };
  return {
    async read() {
      try {
        return await withDeadline(look(), o.timeoutMs, () => new Error(`no reply in ${o.timeoutMs} ms`));
      } catch (error) {
        throw new Problem('queue_unavailable', 'The queue does not tell its backlog.', { cause: error });
      }
    },
  };
}
