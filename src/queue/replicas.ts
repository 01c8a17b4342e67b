import type { Redis } from 'ioredis';

/** Of the time that a write has, the part after which `WAIT` gives up: its answer must still get here. */
const PART = 0.9;

/**
 * Runs a write and waits until replicas have it.
 *
 * `WAIT` asks about what its own connection wrote last, so both must go over the same socket: on a new one there is nothing
 * to wait for, and the server says yes at once. For the same reason `WAIT` follows the write's reply and is not sent along with
 * it: a script that the server had forgotten is sent a second time, which would come after its own `WAIT`. And the
 * server answers nothing else on a connection that waits, so connections with replicas belong to one lane.
 *
 * @param o.replicas how many replicas must have it; from 1
 * @param o.deadlineMs for both together
 * @throws Error when too few replicas confirm; the write stands, on this server alone
 */
export async function withReplicas<T>(
  redis: Redis,
  o: { replicas: number; deadlineMs: number },
  write: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const socket = redis.stream;
  const written = await write();
  const leftMs = Math.floor(o.deadlineMs * PART - (performance.now() - startedAt));
  // 0 would wait for ever
  if (leftMs < 1) throw new Error('no time is left for the replicas');
  if (redis.stream !== socket) throw new Error('the connection changed before the replicas were asked');
  const confirmed = await redis.wait(o.replicas, leftMs);
  if (confirmed < o.replicas) throw new Error(`${confirmed} of ${o.replicas} replicas confirmed in time`);
  return written;
}
