import { randomUUID } from 'node:crypto';
import { createHttpApp, replaceableApp } from '../../src/cli/http-app.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { createSkierTokens, type SkierTokens } from '../../src/directory/skier-tokens.ts';
import type { DirectorySnapshot, NodeAddress, Resort } from '../../src/directory/snapshot.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { listen } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { Waiting } from '../../src/rides/after.ts';
import { createRidesApp } from '../../src/rides/app.ts';
import { answerAtOnce } from '../../src/rides/at-once.ts';
import { AnswerCache } from '../../src/rides/cache/answer-cache.ts';
import { createCacheMetrics } from '../../src/rides/cache/metrics.ts';
import { SharedTier } from '../../src/rides/cache/shared-tier.ts';
import { Live } from '../../src/rides/live/live.ts';
import { createLiveMetrics } from '../../src/rides/live/metrics.ts';
import { ChangeFeed } from '../../src/shards/change-feed.ts';
import { createHistoryReader } from '../../src/shards/history-reader.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import type { FaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { recordedLog } from './recorded-log.ts';
import { startTwoNodes, type TwoNodes } from './two-nodes.ts';

export const ADMIN_KEY = 'an-admin-key-of-the-tests';
export const TOKEN_SECRET = 'a-secret-of-the-tests-32-characters-long';
/** Of the rides that are read here: what is away is answered within 2 s. */
export const NODE_TIMEOUT_MS = 1_500;

/** A scan as a test names it; the edge's part (calendar, lift) is done by `store`. */
export type TestScan = { skierId: number; resortId?: number; liftId: number; deviceId?: number; eventId?: string } & (
  | { at: string }
  | { seasonDay: { season: number; day: number; minutes: number } }
);

export interface ReadSide {
  /** base URL; of a real server when it was started with `listen` */
  url: string;
  get(path: string, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** @returns the body of a reply that must be a 200 */
  json(path: string, credential?: string): Promise<unknown>;
  /** see `DirectorySnapshot` */
  installation: string;
  /** stores scans as a worker does, in one write a lane */
  store(scans: TestScan[]): Promise<void>;
  token(skierId: number): Promise<string>;
  resort(resortId: number): Resort;
  nodeOf(skierId: number): NodeAddress;
  /** between the rides and each node, by its id; `store` goes past them */
  proxies: ReadonlyMap<number, FaultProxy>;
  metrics(): Promise<string>;
  /** another process on the same nodes, with its own memory */
  again(): Promise<ReadSide>;
  stop(): Promise<void>;
}

/**
 * The rides app as a process serves it, on two nodes of its own.
 *
 * @param o.cacheBytes answers are kept; none unless given: a test that stores and reads wants to see it at once
 * @param o.tokens whose tokens are taken; those signed with TOKEN_SECRET unless given
 */
export async function startReadSide(o: ReadSideOptions = {}): Promise<ReadSide> {
  const { logger } = recordedLog();
  const nodesLifecycle = new Lifecycle({ logger });
  const two = await startTwoNodes({ logger, lifecycle: nodesLifecycle });
  const side = await serveRides(o, two);
  return {
    ...side,
    async stop() {
      await side.stop();
      await nodesLifecycle.stop(5_000);
      await two.stop();
    },
  };
}

interface ReadSideOptions {
  skiDataApi?: 'keys' | 'open';
  listen?: boolean;
  pathPrefix?: string;
  tokens?: SkierTokens;
  corsOrigins?: string[];
  maxListeners?: number;
  cacheBytes?: number;
  cacheUrl?: string;
}

async function serveRides(o: ReadSideOptions, two: TwoNodes): Promise<ReadSide> {
  const { logger } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const { snapshot } = two;
  const directory = staticDirectory(snapshot);
  const nodes = openReadNodes({ poolSize: 2, timeoutMs: NODE_TIMEOUT_MS, logger, lifecycle });
  const feedNodes = openReadNodes({ poolSize: 2, timeoutMs: NODE_TIMEOUT_MS, logger, lifecycle });
  const changes = new ChangeFeed({ directory, nodes: feedNodes, logger, lifecycle });
  const metrics = createMetrics('rides');
  const { installation } = snapshot;
  const cache = new AnswerCache({
    maxBytes: o.cacheBytes ?? 0,
    shared: o.cacheUrl === undefined ? undefined : new SharedTier({ url: o.cacheUrl, installation, logger, lifecycle }),
    directoryVersion: () => snapshot.version,
    metrics: createCacheMetrics(metrics.registry),
  });
  const history = createHistoryReader({ directory, nodes });
  const live = new Live({
    directory,
    changes,
    history,
    nodes: feedNodes,
    maxListeners: o.maxListeners ?? 100,
    metrics: createLiveMetrics(metrics.registry),
    logger,
    lifecycle,
  });
  const { corsOrigins = [], tokens = createSkierTokens({ secret: TOKEN_SECRET, logger }) } = o;
  const waiting = new Waiting({ history, changes, registry: metrics.registry });
  const rides = createRidesApp({
    directory,
    history,
    live,
    waiting,
    changes,
    cache,
    adminKey: ADMIN_KEY,
    tokens,
    skiDataApi: o.skiDataApi ?? 'keys',
    corsOrigins,
    metrics,
    logger,
  });
  const pathPrefix = o.pathPrefix ?? '';
  const app = createHttpApp({ apps: [rides], ready: () => true, metrics, logger, pathPrefix });
  const server = {
    host: '127.0.0.1',
    port: 0,
    logger,
    lifecycle,
    name: 'rides',
    pathPrefix,
    endStreams: () => {
      waiting.endAll();
      live.endAll();
    },
  };
  const served = replaceableApp(app);
  served.replace(app, answerAtOnce({ cache, tokens, corsOrigins, metrics, logger }));
  const url = o.listen ? (await listen(served, server)).url : 'http://rides.test';
  const ask = async (request: Request) => (o.listen ? fetch(request) : app.fetch(request));
  const get: ReadSide['get'] = (path, headers = {}, init = {}) =>
    ask(new Request(`${url}${path}`, { ...init, headers }));
  return {
    url,
    get,
    async json(path, credential) {
      const response = await get(path, credential === undefined ? {} : { authorization: `Bearer ${credential}` });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text) as unknown;
    },
    store: (scans) =>
      store(
        scans.map((scan) => complete(snapshot, scan)),
        two,
      ),
    token: (skierId) => signSkierToken(TOKEN_SECRET, skierId, 300),
    resort: (resortId) => snapshot.resorts.get(resortId) as Resort,
    nodeOf: (skierId) => nodeOf(snapshot, skierId),
    proxies: two.proxies,
    installation,
    metrics: () => metrics.registry.metrics(),
    again: () => serveRides(o, two),
    stop: () => lifecycle.stop(5_000),
  };
}

function nodeOf(snapshot: DirectorySnapshot, skierId: number): NodeAddress {
  const nodeId = snapshot.nodeOfShard[shardOf(skierId, snapshot.shardCount)] as number;
  return snapshot.nodes.get(nodeId) as NodeAddress;
}

function complete(snapshot: DirectorySnapshot, scan: TestScan): Scan {
  const { skierId, resortId = 1, liftId, deviceId = 1, eventId = randomUUID() } = scan;
  const { calendar, lifts } = snapshot.resorts.get(resortId) as Resort;
  const verticalM = lifts.get(liftId)?.verticalM ?? 0;
  const common = { eventId, skierId, resortId, liftId, deviceId, verticalM };
  if ('at' in scan) {
    const scannedAt = Date.parse(scan.at);
    return { ...common, scannedAt, ...calendar.locate(scannedAt) };
  }
  const { season, day, minutes } = scan.seasonDay;
  return { ...common, season, day, ...calendar.instantOf(season, day, minutes) };
}

async function store(scans: Scan[], two: TwoNodes): Promise<void> {
  const { snapshot } = two;
  const laneOfSkier = (skierId: number) => laneOf(shardOf(skierId, snapshot.shardCount), snapshot.laneCount);
  for (const [lane, ofLane] of Map.groupBy(scans, ({ skierId }) => laneOfSkier(skierId))) {
    await two.store(lane, { batchId: randomUUID(), acceptedAt: Date.now(), scans: ofLane }, '1');
  }
}
