import type { QueueLink } from './backend.ts';

/**
 * How full Redis is, as it counts against `maxmemory` itself: without the buffers of replicas and of the append-only file.
 *
 * @returns by lane, percent of the server that has it; undefined where there is no limit, and on Postgres
 */
export async function memoryPercents(link: QueueLink, lanes: readonly number[]): Promise<(number | undefined)[]> {
  if (link.kind !== 'redis') return lanes.map(() => undefined);
  const ask = async (lane: number): Promise<number | undefined> => {
    await link.ready(lane);
    return percentOf(await link.redis(lane).info('memory'));
  };
  if (!link.isShared) return Promise.all(lanes.map(ask));
  const percent = await ask(0);
  return lanes.map(() => percent);
}

/** @param info what `INFO memory` says */
export function percentOf(info: string): number | undefined {
  const limit = field(info, 'maxmemory');
  if (limit === 0) return undefined;
  return (100 * (field(info, 'used_memory') - field(info, 'mem_not_counted_for_evict'))) / limit;
}

/** 0 for a field that this server does not tell. */
function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
