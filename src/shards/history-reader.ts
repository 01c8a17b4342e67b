import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot, NodeAddress } from '../directory/snapshot.ts';
import { Problem } from '../domain/problem.ts';
import type { Receipt } from '../domain/receipt.ts';
import { laneOf, shardOf } from '../domain/shard.ts';
import type { DayRow, DaysFilter, RideRow, RidesFilter, SeasonRow, SeasonVerticalRow } from './history-rows.ts';
import { lanesByNode } from './lanes-by-node.ts';
import type { NewRides, NewRidesFilter, Since } from './new-rides.ts';
import type { Answer } from './read-at.ts';
import type { ReadNode, ReadNodes } from './read-nodes.ts';
import {
  type ResortDayAnswer,
  readResortDay,
  readResortSkiers,
  readStoredSeasons,
  sumResortDays,
} from './resort-queries.ts';
import { findScan, type ScanFate } from './scan-fate.ts';
import type { ShardPlace } from './shard-place.ts';
import type { SkierQueries } from './skier-queries.ts';
import { isStaleMap } from './sqlstates.ts';

/**
 * The stored rides. A skier's reads ask one leaf of one shard; a resort's ask every node at once and add up, which is exact
 * since a skier lives on one shard. Everything throws Problem `node_unavailable` when a node it needs does not answer in
 * time.
 */
export interface HistoryReader {
  /** newest first, by (scannedAt, deviceId, eventId) */
  rides(skierId: number, filter: RidesFilter): Promise<Answer<RideRow[]>>;
  /** what was stored since: late scans too, whatever instant they tell of */
  newRides(skierId: number, since: Since, filter: NewRidesFilter): Promise<NewRides>;
  /** newest first, by (date, season, resortId, day) */
  days(skierId: number, filter: DaysFilter): Promise<Answer<DayRow[]>>;
  /** one local date; the days are added up from the very rides they come with */
  day(skierId: number, date: string): Promise<Answer<{ days: DayRow[]; rides: RideRow[] }>>;
  /** newest first */
  seasons(skierId: number): Promise<Answer<SeasonRow[]>>;
  /** what became of the scan of a receipt, and where it is looked for */
  fate(receipt: Receipt): Promise<{ fate: ScanFate; nodeId: number; shard: number }>;
  /** metres, or null when nothing is stored */
  dayVertical(skierId: number, resortId: number, season: number, day: number): Promise<Answer<number | null>>;
  /** newest first; all seasons unless some are named */
  verticalBySeason(skierId: number, resortIds: number[], seasons?: number[]): Promise<Answer<SeasonVerticalRow[]>>;
  resortDay(resortId: number, season: number, day: number): Promise<ResortDayAnswer>;
  resortSkiers(resortId: number, season: number, day: number): Promise<number>;
  /** seasons that any ride of the resort was stored under, ascending */
  storedSeasons(resortId: number): Promise<number[]>;
}

export function createHistoryReader(o: Sources): HistoryReader {
  const ofSkier = <T>(skierId: number, ask: AskSkier<T>) => askLeaf(o, skierId, ask);
  const ofAll = <T>(ask: AskNode<T>) => askAll(o, ask);

  return {
    rides: (skierId, filter) => ofSkier(skierId, (queries) => queries.rides(skierId, filter)),
    newRides: (skierId, since, filter) => ofSkier(skierId, (queries) => queries.newRides(skierId, since, filter)),
    days: (skierId, filter) => ofSkier(skierId, (queries) => queries.days(skierId, filter)),
    async day(skierId, date) {
      const { found: rides, at } = await ofSkier(skierId, (queries) => queries.ridesOn(skierId, date));
      return { found: { days: daysOf(rides), rides }, at };
    },
    seasons: (skierId) => ofSkier(skierId, (queries) => queries.seasons(skierId)),
    fate: (receipt) =>
      ofSkier(receipt.skierId, async (_queries, { pool, nodeId }, place) => ({
        fate: await findScan(pool, place, receipt),
        nodeId,
        shard: place.shard,
      })),
    dayVertical: (skierId, resortId, season, day) =>
      ofSkier(skierId, (queries) => queries.dayVertical(skierId, resortId, season, day)),
    verticalBySeason: (skierId, resortIds, seasons) =>
      ofSkier(skierId, (queries) => queries.verticalBySeason(skierId, resortIds, seasons)),
    resortDay: async (resortId, season, day) =>
      sumResortDays(await ofAll((node, lanes) => readResortDay(node, { resortId, season, day }, lanes))),
    resortSkiers: async (resortId, season, day) =>
      (await ofAll((node) => readResortSkiers(node.pool, resortId, season, day))).reduce((sum, n) => sum + n, 0),
    async storedSeasons(resortId) {
      const perNode = await ofAll((node) => readStoredSeasons(node.pool, resortId));
      return [...new Set(perNode.flat())].toSorted((a, b) => a - b);
    },
  };
}

interface Sources {
  directory: Pick<DirectoryFollower, 'snapshot' | 'reload'>;
  nodes: ReadNodes;
}

type AskSkier<T> = (queries: SkierQueries, node: ReadNode, place: ShardPlace) => Promise<T>;

/** Asks the skier's leaf; a node that no longer has it says so (42P01, 3F000): then the map is read anew, once. */
async function askLeaf<T>({ directory, nodes }: Sources, skierId: number, ask: AskSkier<T>): Promise<T> {
  const snapshot = directory.snapshot();
  const shard = shardOf(skierId, snapshot.shardCount);
  const attempt = (map: DirectorySnapshot) => {
    const place = { shard, lane: laneOf(shard, map.laneCount), epoch: map.epochOfShard[shard] ?? 0 };
    return nodes.of(nodeOf(map, shard)).run((on) => ask(on.skierQueries(place), on, place));
  };
  try {
    return await attempt(snapshot);
  } catch (error) {
    if (!isStaleMap(error)) throw error;
    try {
      return await attempt(await directory.reload());
    } catch (again) {
      if (!isStaleMap(again)) throw again;
      throw new Problem('node_unavailable', 'this history is being moved; ask again', { cause: again });
    }
  }
}

type AskNode<T> = (node: ReadNode, lanes: number[]) => Promise<T>;

/** @param ask gets each node that has shards, and which lanes those belong to */
function askAll<T>({ directory, nodes }: Sources, ask: AskNode<T>): Promise<T[]> {
  const map = directory.snapshot();
  return Promise.all(
    [...lanesByNode(map)].flatMap(([nodeId, lanes]) => {
      const address = map.nodes.get(nodeId);
      return address ? [nodes.of(address).run((on) => ask(on, [...lanes]))] : [];
    }),
  );
}

function nodeOf(snapshot: DirectorySnapshot, shard: number): NodeAddress {
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
