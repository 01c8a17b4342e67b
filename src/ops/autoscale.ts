import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { Problem } from '../domain/problem.ts';
import { laneOf } from '../domain/shard.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { routeDoc } from '../platform/openapi.ts';
import type { BacklogReader } from '../queue/backlog-reader.ts';
import { type LaneBacklog, oldestAgeMs } from '../queue/backlog.ts';
import { type PoolLoad, workersNeeded } from '../queue/workers-needed.ts';
import type { ReadNodes } from '../shards/read-nodes.ts';
import { type LaneIntake, readRecentIntake } from '../shards/recent-intake.ts';

const answer = z
  .object({
    workers: z.int().min(1).meta({ description: 'how many there should be; the scaler sets its own bounds' }),
    needed: z.number().meta({
      description: 'the same before it is rounded up: inflowPerS/ratePerS + backlogScans/(ratePerS × targetS)',
    }),
    backlogScans: z
      .number()
      .meta({ description: 'accepted and not yet stored, without the lanes that wait for a node' }),
    backlogS: z.number().meta({ description: 'seconds that one worker needs for them' }),
    inflowPerS: z.number().meta({ description: 'scans a second that came in during the last minute' }),
    ratePerS: z.number().meta({
      description: 'what one worker is taken to store: WORKER_RATE_PER_S, or WORKER_SCANS_PER_S where that is less',
    }),
    targetS: z.number(),
    waitingForNodes: z
      .array(z.int())
      .meta({ description: 'lanes whose node does not answer: no worker could store them' }),
  })
  .meta({ id: 'Autoscale' });

export type AutoscaleAnswer = z.infer<typeof answer>;

export interface Autoscale {
  /** @throws Problem queue_unavailable: without the backlog there is no number, and a scaler keeps what it has */
  read(): Promise<AutoscaleAnswer>;
}

export interface AutoscaleSources {
  follower: Pick<DirectoryFollower, 'snapshot'>;
  backlog: BacklogReader;
  nodes: ReadNodes;
  /** scans a second that one worker is taken to store */
  ratePerS: number;
  targetS: number;
}

/** What comes in is an average over so long. */
const WINDOW_S = 60;

/**
 * The number of workers by the rule of `liftline workers`, for schedulers that run workers on many hosts. Nothing is
 * remembered between two answers, so any copy of ops may be asked; not to flap is up to the scheduler (stabilization
 * windows), and counting what comes in, besides what waits, gives it a number that stands still under a steady load.
 *
 * The rate of a worker is what it was set to: the ledger tells what workers stored, not what they could have stored while
 * there was too little to do. Set too high, the backlog that grows makes up for it; too low, there are more workers.
 */
export function createAutoscale(o: AutoscaleSources): Autoscale {
  return {
    async read() {
      const lanes = await o.backlog.read();
      const { intake, away } = await askNodes(o, lanes);
      const open = lanes.filter(({ lane }) => !away.has(lane));
      const load: PoolLoad = {
        backlogScans: open.reduce((sum, { scans }) => sum + scans, 0),
        inflowPerS: inflowOf(open, intake),
        ratePerS: o.ratePerS,
        targetS: o.targetS,
      };
      const needed = workersNeeded(load);
      return {
        workers: Math.max(1, Math.ceil(needed)),
        needed: hundredths(needed),
        backlogScans: load.backlogScans,
        backlogS: hundredths(load.backlogScans / load.ratePerS),
        inflowPerS: hundredths(load.inflowPerS),
        ratePerS: load.ratePerS,
        targetS: load.targetS,
        waitingForNodes: [...away].toSorted((a, b) => a - b),
      };
    },
  };
}

async function askNodes({ follower, nodes }: AutoscaleSources, lanes: readonly LaneBacklog[]) {
  const snapshot = follower.snapshot();
  const sinceMs = Math.max(0, ...lanes.map(({ takenAt }) => takenAt)) - WINDOW_S * 1_000;
  const intake: LaneIntake[] = [];
  const away = new Set<number>();
  await Promise.all(
    [...snapshot.nodes.values()].map(async (address) => {
      try {
        intake.push(
          ...(await nodes.of(address).run(({ pool }) => readRecentIntake(pool, { sinceMs, windowS: WINDOW_S }))),
        );
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'node_unavailable') throw error;
        for (const lane of lanesOf(address.nodeId, snapshot)) away.add(lane);
      }
    }),
  );
  return { intake, away };
}

function lanesOf(nodeId: number, { nodeOfShard, laneCount }: DirectorySnapshot): number[] {
  return nodeOfShard.flatMap((node, shard) => (node === nodeId ? [laneOf(shard, laneCount)] : []));
}

/** What was accepted in the window is stored by now, or waits; of an older backlog the share that fell into the window. */
function inflowOf(lanes: readonly LaneBacklog[], intake: readonly LaneIntake[]): number {
  let accepted = 0;
  for (const backlog of lanes) {
    const { lane, scans } = backlog;
    const ageS = (oldestAgeMs(backlog) ?? 0) / 1_000;
    for (const entry of intake) if (entry.lane === lane) accepted += entry.scans;
    accepted += scans * Math.min(1, WINDOW_S / Math.max(ageS, WINDOW_S));
  }
  return accepted / WINDOW_S;
}

/** `/ops/autoscale`, for KEDA's metrics-api scaler and the like. */
export function autoscaleRoutes(o: { autoscale: Autoscale }): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/ops/autoscale',
    describeRoute(
      routeDoc({
        summary: 'How many workers there should be, and why',
        tag: 'Operators',
        audience: ['adminKey'],
        reply: answer,
        problems: ['unauthorized', 'forbidden', 'queue_unavailable'],
      }),
    ),
    async (c) => c.json(await o.autoscale.read()),
  );
  return app;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
