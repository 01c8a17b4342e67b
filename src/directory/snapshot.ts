import { ResortCalendar } from '../domain/calendar.ts';

export interface Lift {
  liftId: number;
  name: string;
  /** metres, 0 to 10000 */
  verticalM: number;
}

export interface Resort {
  resortId: number;
  name: string;
  /** IANA name */
  timeZone: string;
  /** local time, HH:MM */
  opensAt: string;
  /** local time, HH:MM */
  closesAt: string;
  calendar: ResortCalendar;
  lifts: ReadonlyMap<number, Lift>;
}

export interface Device {
  /** 0 is the open SkiDataAPI */
  deviceId: number;
  name: string;
}

export interface NodeAddress {
  nodeId: number;
  name: string;
  /** `postgres://...`, with its password: never log it */
  url: string;
}

/** Everything that a process knows of the control plane, as it was at one version. Never changed once made. */
export interface DirectorySnapshot {
  /** differs after every change of the directory */
  version: number;
  /** a UUID that no other installation has */
  installation: string;
  shardCount: number;
  laneCount: number;
  nodes: ReadonlyMap<number, NodeAddress>;
  /** nodeId by shard */
  nodeOfShard: readonly number[];
  /** by shard; raised each time a shard changes its node */
  epochOfShard: readonly number[];
  resorts: ReadonlyMap<number, Resort>;
  /** the devices that may post, by the hash of each of their keys that is not revoked */
  devicesByKeyHash: ReadonlyMap<string, Device>;
}

/** The directory's rows, from whatever holds them: its tables, or the samples of a test. */
export interface DirectoryRows {
  version: number;
  installation: string;
  shardCount: number;
  laneCount: number;
  nodes: NodeAddress[];
  /** any order; one for each shard from 0 to shardCount - 1 */
  shards: { shard: number; nodeId: number; epoch: number }[];
  resorts: Omit<ResortRow, 'seasons' | 'lifts'>[];
  lifts: (Lift & { resortId: number })[];
  seasons: { resortId: number; season: number; startsOn: string }[];
  /** keys that are not revoked */
  deviceKeys: { keyHash: string; deviceId: number; name: string }[];
}

/** A resort as it is declared: by a file that is imported, or by the samples. */
export interface ResortRow {
  resortId: number;
  name: string;
  timeZone: string;
  opensAt: string;
  closesAt: string;
  /** usual first day of a season, MM-DD */
  seasonStartsOn: string;
  seasons: { season: number; startsOn: string }[];
  lifts: Lift[];
}

/** @throws Error when a shard is missing or on an unknown node, RangeError when a resort's calendar makes no sense */
export function assembleSnapshot(rows: DirectoryRows): DirectorySnapshot {
  const nodes = new Map(rows.nodes.map((node) => [node.nodeId, node]));
  const shards = inOrder(rows, nodes);
  return {
    version: rows.version,
    installation: rows.installation,
    shardCount: rows.shardCount,
    laneCount: rows.laneCount,
    nodes,
    nodeOfShard: shards.map(({ nodeId }) => nodeId),
    epochOfShard: shards.map(({ epoch }) => epoch),
    resorts: assembleResorts(rows),
    devicesByKeyHash: new Map(rows.deviceKeys.map(({ keyHash, deviceId, name }) => [keyHash, { deviceId, name }])),
  };
}

function inOrder(rows: DirectoryRows, nodes: Map<number, NodeAddress>): DirectoryRows['shards'] {
  const shards = rows.shards.toSorted((a, b) => a.shard - b.shard);
  const complete = shards.length === rows.shardCount && shards.every(({ shard }, i) => shard === i);
  if (!complete) throw new Error(`the shard map does not hold each shard from 0 to ${rows.shardCount - 1} once`);
  const astray = shards.find(({ nodeId }) => !nodes.has(nodeId));
  if (astray) throw new Error(`shard ${astray.shard} is on node ${astray.nodeId}, which does not exist`);
  return shards;
}

function assembleResorts(rows: DirectoryRows): Map<number, Resort> {
  const lifts = Map.groupBy(rows.lifts, ({ resortId }) => resortId);
  const seasons = Map.groupBy(rows.seasons, ({ resortId }) => resortId);
  return new Map(
    rows.resorts.map(({ resortId, name, timeZone, opensAt, closesAt, seasonStartsOn }) => {
      const declared = seasons.get(resortId) ?? [];
      const calendar = new ResortCalendar({ timeZone, opensAt, seasonStartsOn, seasons: declared });
      const own = (lifts.get(resortId) ?? []).map((lift) => ({
        liftId: lift.liftId,
        name: lift.name,
        verticalM: lift.verticalM,
      }));
      const byId = new Map(own.toSorted((a, b) => a.liftId - b.liftId).map((lift) => [lift.liftId, lift]));
      return [resortId, { resortId, name, timeZone, opensAt, closesAt, calendar, lifts: byId }];
    }),
  );
}
