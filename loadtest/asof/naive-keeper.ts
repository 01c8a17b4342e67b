import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { createLogger } from '../../src/platform/logger.ts';
import { openLink, type QueueLink } from '../../src/queue/backend.ts';
import type { Stack } from '../stack.ts';

const BETWEEN_LISTS_MS = 200;
const TIMEOUT_MS = 2_000;

const TELL = `
  UPDATE lane_as_of SET as_of = greatest(as_of, to_timestamp(told.ms / 1000))
  FROM unnest($1::smallint[], $2::float8[]) AS told (lane, ms) WHERE lane_as_of.lane = told.lane`;

/**
 * The negative control: a keeper that looks at list after list, and takes its time in between. A job that goes from one
 * that it has still to read to one that it has read already is in neither, and its scans are said to be stored.
 */
export async function keepNaively(stack: Stack, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ level: 'error', process: 'naive keeper' });
  const link = openLink({ ...stack, timeoutMs: TIMEOUT_MS, connections: 4, logger });
  const clients = stack.nodes.map(({ url }) => new Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  const lanes = Array.from({ length: stack.laneCount }, (_, lane) => lane);
  try {
    await link.ready();
    while (!signal.aborted) {
      const looks = await Promise.allSettled(lanes.map((lane) => lookNaively(link, lane)));
      // the queue may be away now and then
      const told = looks.flatMap((look, lane) => (look.status === 'fulfilled' ? [{ lane, ms: look.value }] : []));
      const values = [told.map(({ lane }) => lane), told.map(({ ms }) => ms)];
      await Promise.all(clients.map((client) => client.query(TELL, values)));
      if (told.length === 0) await delay(BETWEEN_LISTS_MS);
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await link.close();
  }
}

async function lookNaively(link: QueueLink, lane: number): Promise<number> {
  const time = Math.floor(await link.serverTimeMs(lane));
  const active = await link.queue(lane).getJobs(['active']);
  await delay(BETWEEN_LISTS_MS);
  const waiting = await link.queue(lane).getJobs(['waiting', 'delayed', 'failed']);
  const stamps = [...active, ...waiting].flatMap((job) => (job ? [job.timestamp] : []));
  return Math.min(time, ...stamps.map((stamp) => stamp - 1));
}
