import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { laneOf } from '../domain/shard.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { routeDoc } from '../platform/openapi.ts';
import type { OpsOptions } from './options.ts';
import { oldestAgeMs, unfinishedJobs } from '../queue/backlog.ts';
import type { LaneBooks } from './conservation.ts';
import type { PipelineState } from './pipeline.ts';

const count = z.int().min(0);
const lane = z.object({
  lane: count,
  jobs: count.meta({ description: 'not done' }),
  waitingJobs: count,
  activeJobs: count,
  delayedJobs: count,
  failedJobs: count.meta({ description: 'until they are put back' }),
  scans: count.meta({ description: 'in these jobs' }),
  oldestAgeS: z.number().nullable().meta({ description: 'age of the oldest scan, seconds on the queue’s clock' }),
  exact: z.boolean().meta({ description: 'false when the lane is too deep to look at every job' }),
  jobsEnqueued: count.meta({ description: 'ever' }),
});
const books = z
  .object({
    enqueued: count,
    persisted: count,
    duplicate: count,
    dead: count,
    inFlight: count,
    jobsEnqueued: count,
    jobsStored: count,
    jobsUnfinished: count,
    jobsUnaccounted: count.nullable().meta({ description: 'null when a lane is too deep to be counted' }),
    isBalanced: z.boolean().nullable(),
  })
  .meta({ id: 'Conservation', description: 'enqueued = persisted + duplicate + dead + inFlight, in scans' });
const status = z
  .object({
    directory: z.object({ version: count, secondsSinceContact: z.number(), isUp: z.boolean() }),
    queue: z.object({ isUp: z.boolean() }),
    nodes: z.array(
      z.object({
        nodeId: z.int(),
        name: z.string(),
        isUp: z.boolean(),
        shards: z.array(count),
        deadLetters: count.nullable(),
      }),
    ),
    lanes: z.array(lane).nullable().meta({ description: 'null while the queue is away' }),
    conservation: books.nullable().meta({ description: 'null unless the queue and every node answer' }),
    shards: z.array(z.object({ shard: count, lane: count, nodeId: z.int(), epoch: count })),
  })
  .meta({ id: 'Status' });

/** A directory that has not answered for longer than a few of its polls. */
const DIRECTORY_AWAY_S = 15;

/** `/ops/status`: the pipeline on one page. Answers whatever is away, and says what is. */
export function statusRoutes(o: Pick<OpsOptions, 'follower' | 'pipeline'>): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/ops/status',
    describeRoute(
      routeDoc({
        summary: 'Backlog of each lane, the sums that must add up, nodes and shards',
        tag: 'Operators',
        audience: ['adminKey'],
        reply: status,
        problems: ['unauthorized', 'forbidden'],
      }),
    ),
    async (c) => c.json(statusJson(o.follower.snapshot(), o.follower.secondsSinceContact(), await o.pipeline.read())),
  );
  return app;
}

function statusJson(snapshot: DirectorySnapshot, awayS: number, state: PipelineState): z.infer<typeof status> {
  const secondsSinceContact = Math.round(awayS * 10) / 10;
  const shards = snapshot.nodeOfShard.map((nodeId, shard) => ({
    shard,
    lane: laneOf(shard, snapshot.laneCount),
    nodeId,
    epoch: snapshot.epochOfShard[shard] ?? 0,
  }));
  return {
    directory: { version: snapshot.version, secondsSinceContact, isUp: awayS < DIRECTORY_AWAY_S },
    queue: { isUp: state.lanes !== undefined },
    nodes: state.nodes.map(({ nodeId, name, ledger }) => ({
      nodeId,
      name,
      isUp: ledger !== undefined,
      shards: shards.filter((entry) => entry.nodeId === nodeId).map(({ shard }) => shard),
      deadLetters: ledger?.deadLetters ?? null,
    })),
    lanes: state.lanes?.map(laneJson) ?? null,
    conservation: state.books ? totalOf(state.books) : null,
    shards,
  };
}

function laneJson(of: NonNullable<PipelineState['lanes']>[number]): z.infer<typeof lane> {
  const { takenAt: _taken, oldestAcceptedAt: _oldest, ...rest } = of;
  const ageMs = oldestAgeMs(of);
  return { ...rest, jobs: unfinishedJobs(of), oldestAgeS: ageMs === null ? null : ageMs / 1000 };
}

function totalOf(lanes: LaneBooks[]): z.infer<typeof books> {
  const sum = (of: (lane: LaneBooks) => number) => lanes.reduce((total, entry) => total + of(entry), 0);
  const isCounted = lanes.every(({ jobsUnaccounted }) => jobsUnaccounted !== null);
  const jobsUnaccounted = isCounted ? sum((entry) => entry.jobsUnaccounted ?? 0) : null;
  return {
    enqueued: sum((entry) => entry.enqueued),
    persisted: sum((entry) => entry.persisted),
    duplicate: sum((entry) => entry.duplicate),
    dead: sum((entry) => entry.dead),
    inFlight: sum((entry) => entry.inFlight),
    jobsEnqueued: sum((entry) => entry.jobsEnqueued),
    jobsStored: sum((entry) => entry.jobsStored),
    jobsUnfinished: sum((entry) => entry.jobsUnfinished),
    jobsUnaccounted,
    isBalanced: jobsUnaccounted === null ? null : jobsUnaccounted === 0,
  };
}
