import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { DirectorySnapshot } from '../../../src/directory/snapshot.ts';
import type { Scan } from '../../../src/domain/scan.ts';
import { laneOf, shardOf } from '../../../src/domain/shard.ts';
import { loadConfig } from '../../../src/platform/config.ts';
import { Lifecycle } from '../../../src/platform/lifecycle.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { type BatchPart, splitByNode } from '../../../src/shards/batch-part.ts';
import { openWriteNodes } from '../../../src/shards/write-nodes.ts';
import { storeParts } from '../../../src/shards/writer.ts';
import { completeScans, readDirectory } from './stored-scans.ts';

/** The worker's own write, as many jobs in each and one at a time a lane as the worker does it, but without any queue. */
interface Write {
  nodeId: number;
  parts: BatchPart[];
}

const o = z
  .object({ scans: z.number(), scansPerJob: z.number(), jobsPerWrite: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const config = loadConfig(process.env, 'worker');
const logger = createLogger({ level: 'warn', process: 'direct-writer' });
const lifecycle = new Lifecycle({ logger });
const snapshot = await readDirectory(config.directoryUrl, lifecycle);
const { nodePool: poolSize, statementTimeoutMs } = config;
const nodes = openWriteNodes({ poolSize, statementTimeoutMs, logger, lifecycle });
const lanes = plan(completeScans(o.scans, snapshot), snapshot);

const startedAt = performance.now();
await Promise.all(lanes.map((writes, lane) => writeLane(lane, writes)));
const seconds = (performance.now() - startedAt) / 1_000;
await lifecycle.stop(5_000);
process.stdout.write(JSON.stringify({ perSecond: o.scans / seconds }));

/** @returns what each lane writes, in order */
function plan(scans: Scan[], map: DirectorySnapshot): Write[][] {
  const byLane: Scan[][] = Array.from({ length: map.laneCount }, () => []);
  for (const scan of scans) byLane[laneOf(shardOf(scan.skierId, map.shardCount), map.laneCount)]?.push(scan);
  return byLane.map((ofLane) => writesOf(jobsOf(ofLane, map)));
}

function jobsOf(scans: Scan[], map: DirectorySnapshot): [number, BatchPart][] {
  const jobs: [number, BatchPart][] = [];
  for (let at = 0; at < scans.length; at += o.scansPerJob) {
    const batch = { batchId: uuidv7(), acceptedAt: Date.now(), scans: scans.slice(at, at + o.scansPerJob) };
    jobs.push(...splitByNode(batch, String(at), map));
  }
  return jobs;
}

/** A lane's shards live together: all of its jobs are for one node. */
function writesOf(jobs: [number, BatchPart][]): Write[] {
  const writes: Write[] = [];
  for (let at = 0; at < jobs.length; at += o.jobsPerWrite) {
    const together = jobs.slice(at, at + o.jobsPerWrite);
    writes.push({ nodeId: together[0]?.[0] ?? -1, parts: together.map(([, part]) => part) });
  }
  return writes;
}

async function writeLane(lane: number, writes: Write[]): Promise<void> {
  for (const { nodeId, parts } of writes) {
    const address = snapshot.nodes.get(nodeId);
    if (!address) throw new Error(`no node ${nodeId}`);
    await storeParts(nodes.of(address), lane, parts);
  }
}
