import type { DirectoryFollower } from '../directory/follower.ts';
import type { NodeAddress } from '../directory/snapshot.ts';
import { Problem } from '../domain/problem.ts';
import { shardOf } from '../domain/shard.ts';
import type { DayRow, DaysFilter, ResortDayTotals, RideRow, RidesFilter, SeasonRow } from './history-rows.ts';
import type { ReadNode, ReadNodes } from './read-nodes.ts';
import { readResortDay, readResortSkiers, readStoredSeasons, sumResortDays } from './resort-queries.ts';
import type { SkierQueries } from './skier-queries.ts';
import { isStaleMap } from './sqlstates.ts';

/**
 * The stored rides. A skier's reads ask one leaf of one shard; a resort's ask every node at once and add up, which is exact
 * since a skier lives on one shard. Everything throws Problem `node_unavailable` when a node it needs does not answer in
 * time.
 */
export interface HistoryReader {
  /** newest first, by (scannedAt, deviceId, eventId) */
  rides(skierId: number, filter: RidesFilter): Promise<RideRow[]>;
  /** newest first, by (date, season, resortId, day) */
  days(skierId: number, filter: DaysFilter): Promise<DayRow[]>;
  /** one local date; the days are added up from the very rides they come with */
  day(skierId: number, date: string): Promise<{ days: DayRow[]; rides: RideRow[] }>;
  /** newest first */
  seasons(skierId: number): Promise<SeasonRow[]>;
  /** metres, or null when nothing is stored */
  dayVertical(skierId: number, resortId: number, season: number, day: number): Promise<number | null>;
  /** newest first; all seasons unless some are named */
  verticalBySeason(
    skierId: number,
    resortIds: number[],
    seasons?: number[],
  ): Promise<{ season: number; verticalM: number }[]>;
  resortDay(resortId: number, season: number, day: number): Promise<ResortDayTotals>;
  resortSkiers(resortId: number, season: number, day: number): Promise<number>;
  /** seasons that any ride of the resort was stored under, ascending */
  storedSeasons(resortId: number): Promise<number[]>;
}

export function createHistoryReader(o: {
  directory: Pick<DirectoryFollower, 'snapshot' | 'reload'>;
  nodes: ReadNodes;
}): HistoryReader {
  const { directory, nodes } = o;

  /** Asks the skier's leaf; a node that no longer has it says so (42P01, 3F000): then the map is read anew, once. */
  async function ofSkier<T>(skierId: number, ask: (queries: SkierQueries) => Promise<T>): Promise<T> {
    const snapshot = directory.snapshot();
    const shard = shardOf(skierId, snapshot.shardCount);
    const attempt = (node: NodeAddress) => nodes.of(node).run((on) => ask(on.skierQueries(shard)));
    try {
      return await attempt(nodeOf(snapshot, shard));
    } catch (error) {
      if (!isStaleMap(error)) throw error;
      try {
        return await attempt(nodeOf(await directory.reload(), shard));
      } catch (again) {
        if (!isStaleMap(again)) throw again;
        throw new Problem('node_unavailable', 'this history is being moved; ask again', { cause: again });
      }
    }
  }

  async function ofAll<T>(ask: (node: ReadNode) => Promise<T>): Promise<T[]> {
    const { nodeOfShard, nodes: addresses } = directory.snapshot();
    const used = [...new Set(nodeOfShard)].map((nodeId) => addresses.get(nodeId)).filter((node) => node !== undefined);
    return Promise.all(used.map((node) => nodes.of(node).run(ask)));
  }

  return {
    rides: (skierId, filter) => ofSkier(skierId, (queries) => queries.rides(skierId, filter)),
    days: (skierId, filter) => ofSkier(skierId, (queries) => queries.days(skierId, filter)),
    async day(skierId, date) {
      const rides = await ofSkier(skierId, (queries) => queries.ridesOn(skierId, date));
      return { days: daysOf(rides), rides };
    },
    seasons: (skierId) => ofSkier(skierId, (queries) => queries.seasons(skierId)),
    dayVertical: (skierId, resortId, season, day) =>
      ofSkier(skierId, (queries) => queries.dayVertical(skierId, resortId, season, day)),
    verticalBySeason: (skierId, resortIds, seasons) =>
      ofSkier(skierId, (queries) => queries.verticalBySeason(skierId, resortIds, seasons)),
    resortDay: async (resortId, season, day) =>
      sumResortDays(await ofAll((node) => readResortDay(node.pool, resortId, season, day))),
    resortSkiers: async (resortId, season, day) =>
      (await ofAll((node) => readResortSkiers(node.pool, resortId, season, day))).reduce((sum, n) => sum + n, 0),
    async storedSeasons(resortId) {
      const perNode = await ofAll((node) => readStoredSeasons(node.pool, resortId));
      return [...new Set(perNode.flat())].toSorted((a, b) => a - b);
    },
  };
}

function nodeOf(snapshot: ReturnType<DirectoryFollower['snapshot']>, shard: number): NodeAddress {
  const node = snapshot.nodes.get(snapshot.nodeOfShard[shard] ?? -1);
  if (!node) throw new Problem('node_unavailable', `shard ${shard} has no node`);
  return node;
}

function daysOf(rides: RideRow[]): DayRow[] {
  const days = new Map<string, DayRow>();
  for (const { resortId, season, day, date, verticalM, scannedAt } of rides) {
    const key = `${resortId} ${season} ${day}`;
    const row = days.get(key);
    if (!row) {
      days.set(key, { resortId, season, day, date, rides: 1, verticalM, firstAt: scannedAt, lastAt: scannedAt });
      continue;
    }
    row.rides += 1;
    row.verticalM += verticalM;
    row.firstAt = Math.min(row.firstAt, scannedAt);
    row.lastAt = Math.max(row.lastAt, scannedAt);
  }
  return [...days.values()].toSorted((a, b) => b.season - a.season || b.resortId - a.resortId || b.day - a.day);
}
