import { type Directory, openDirectory } from '../../src/directory/database.ts';
import { addDevice, type NewDeviceKey } from '../../src/directory/add-device.ts';
import { type DirectoryFollower, followDirectory } from '../../src/directory/follower.ts';
import { createSkierTokens } from '../../src/directory/skier-tokens.ts';
import { importResorts } from '../../src/directory/import-resorts.ts';
import { initDirectory } from '../../src/directory/init.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import type { Scan } from '../../src/domain/scan.ts';
import { expect } from 'vitest';
import { decodeReceipt } from '../../src/domain/receipt.ts';
import { createHttpApp, replaceableApp } from '../../src/cli/http-app.ts';
import { createEdgeApp, type EdgeOptions } from '../../src/edge/app.ts';
import { DeviceQuota, type QuotaOptions } from '../../src/edge/device-quota.ts';
import { GroupCommit } from '../../src/edge/group-commit.ts';
import { createEdgeMetrics } from '../../src/edge/metrics.ts';
import { listen, type ServedApp } from '../../src/platform/http-server.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { type AdmissionLimits, openAdmission } from '../../src/queue/admission.ts';
import { openLink } from '../../src/queue/backend.ts';
import { decodeBatch } from '../../src/queue/codec.ts';
import { prepareQueue } from '../../src/queue/prepare.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { freshDatabase } from './postgres.ts';
import { recordedLog } from './recorded-log.ts';
import { until } from './until.ts';

export const TOKEN_SECRET = 'a-token-secret-of-the-tests-32-long';
export const ADMIN_KEY = 'an-admin-key-of-the-tests';
const LANES = 4;
const PREFIX = 'edge';

export interface TestEdge {
  url: string;
  app: ServedApp;
  directory: Directory;
  follower: DirectoryFollower;
  device: NewDeviceKey;
  queueAddress: { queueUrl: string; queuePrefix: string };
  laneCount: number;
  /** posts with the device's key and as JSON, unless the headers say otherwise */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** what the lanes hold, in no order */
  queued(): Promise<Scan[]>;
  metrics(): Promise<string>;
  messages(): string[];
  stop(): Promise<void>;
}

/**
 * A listening edge as its process runs it, with a directory of its own, on a queue that nobody works at.
 *
 * @param o.queueUrl a queue server; a Postgres database of its own unless given
 * @param o.quota none unless given
 * @param o.admission no bounds unless given
 */
export async function startEdge(
  o: {
    queueUrl?: string;
    maxPendingScans?: number;
    ackDeadlineMs?: number;
    skiDataApi?: 'keys' | 'open';
    quota?: QuotaOptions;
    admission?: AdmissionLimits;
  } & Pick<EdgeOptions, 'now'> = {},
): Promise<TestEdge> {
  const { logger, messages } = recordedLog();
  const lifecycle = new Lifecycle({ logger });
  const databases = [await freshDatabase(), ...(o.queueUrl === undefined ? [await freshDatabase()] : [])];
  const [directoryUrl, queueUrl] = [databases[0]?.url ?? '', o.queueUrl ?? databases[1]?.url ?? ''];
  const { directory, follower, device } = await openControlPlane(directoryUrl, lifecycle, logger);
  const address = { queueUrl, queuePrefix: PREFIX };
  await prepareQueue(address);
  const ackDeadlineMs = o.ackDeadlineMs ?? 2_000;
  const producer = await openProducer({ ...address, laneCount: LANES, ackDeadlineMs, logger, lifecycle });
  const metrics = createMetrics('edge');
  const edgeMetrics = createEdgeMetrics(metrics.registry);
  const limits = o.admission ?? { backlogAgeS: 0, backlogScans: 0, memoryPercent: 0 };
  const onChange = edgeMetrics.admissionChanged;
  const admission = await openAdmission({ ...address, laneCount: LANES, limits, logger, lifecycle, onChange });
  edgeMetrics.watchAdmission(() => admission.states());
  const commit = new GroupCommit({
    enqueue: (lane, scans) => producer.enqueue(lane, scans),
    maxPendingScans: o.maxPendingScans ?? 20_000,
    maxWaitMs: ackDeadlineMs,
    refusalOf: (lane) => admission.refusalOf(lane),
    metrics: edgeMetrics,
  });
  lifecycle.onStop('group commit', () => commit.flush());
  const edge = createEdgeApp({
    directory: follower,
    commit,
    quota: o.quota && new DeviceQuota(o.quota),
    config: {
      skiDataApi: o.skiDataApi ?? 'keys',
      tokens: createSkierTokens({ secret: TOKEN_SECRET, logger }),
      adminKey: ADMIN_KEY,
    },
    metrics: edgeMetrics,
    logger,
    ...(o.now && { now: o.now }),
  });
  const ready = () => producer.isUp() || 'the queue does not answer';
  const app = replaceableApp(createHttpApp({ apps: [edge], ready, metrics, logger, pathPrefix: '' }));
  const { url } = await listen(app, { host: '127.0.0.1', port: 0, logger, lifecycle, name: 'edge' });
  return {
    url,
    app,
    directory,
    follower,
    device,
    queueAddress: address,
    laneCount: LANES,
    post: (path, body, headers = {}) =>
      post(`${url}${path}`, body, { authorization: `Bearer ${device.key}`, ...headers }),
    queued: () => readLanes(address),
    metrics: () => metrics.registry.metrics(),
    messages,
    async stop() {
      await lifecycle.stop(5_000);
      for (const database of databases) await database.drop();
    },
  };
}

async function openControlPlane(
  directoryUrl: string,
  lifecycle: Lifecycle,
  logger: ReturnType<typeof recordedLog>['logger'],
) {
  const nodes = [{ name: 'a', url: 'postgres://a.example/a' }];
  await initDirectory({ directoryUrl, nodes, shardCount: 64, laneCount: LANES });
  const directory = openDirectory({ url: directoryUrl, lifecycle });
  await importResorts(directory, sampleResorts());
  const device = await addDevice(directory, 'gate 1');
  const follower = await followDirectory({ url: directoryUrl, logger, pollMs: 500, process: 'test', lifecycle });
  await until('the first snapshot', () => follower.hasSnapshot());
  return { directory, follower, device };
}

/** A body that is neither text nor bytes is sent as JSON. */
async function post(url: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
  });
}

async function readLanes(address: { queueUrl: string; queuePrefix: string }): Promise<Scan[]> {
  const { logger } = recordedLog();
  const link = openLink({ ...address, timeoutMs: 2_000, connections: 1, logger });
  try {
    await link.ready();
    const lanes = Array.from({ length: LANES }, (_, lane) => link.queue(lane).getJobs(['waiting', 'prioritized']));
    return (await Promise.all(lanes)).flat().flatMap((job) => decodeBatch(job.data).scans);
  } finally {
    await link.close();
  }
}

/** @returns a scan that the edge takes, 10 seconds ago, with whatever a test changes about it */
export function goodScan(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const scannedAt = new Date(Date.now() - 10_000).toISOString();
  return { eventId: crypto.randomUUID(), resortId: 1, liftId: 12, skierId: 4711, scannedAt, ...changes };
}

/** @returns what an ack of a scan must look like, for a comparison: it says when, and its receipt is that of the scan */
export function ackOf(eventId: unknown): Record<string, unknown> {
  return {
    eventId,
    status: 'accepted',
    acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    receipt: expect.toSatisfy((receipt: string) => decodeReceipt(receipt)?.eventId === eventId) as string,
  };
}
