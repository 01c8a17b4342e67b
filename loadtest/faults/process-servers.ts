import type { ManagedProcess } from '../stack/managed-process.ts';
import { withClient } from './checker-rows.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsNginx, needsRedis } from './needs.ts';
import { killAndRestart, killNode, stopAndContinue } from './process-actions.ts';
import { untilMoreStored } from './tools/node-books.ts';
import { whileWorkersStand } from './tools/standing-workers.ts';

const AWAY_MS = 1_000;
const BETWEEN_MS = 3_000;
/** Acked while no worker takes it: Redis alone holds it then. */
const HELD_BY_REDIS_ALONE = 500;
const NODE_STOPPED_MS = 30_000;
const DIRECTORY_AWAY_MS = 15_000;
/** What is acked, and what each node stores, while the directory is away: far more than was under way when it went. */
const FLOW = 3_000;

export const edgeKill: Fault = {
  name: 'edge-kill',
  summary: 'an edge killed with -9 behind nginx every 3 s, and started again: nginx asks the other one',
  canRun: needsNginx,
  isBehindNginx: true,
  isSeamless: true,
  stack: () => ({}),
  control: {
    none: 'an edge answers after the queue’s confirmation, whatever the settings: only other code could lose',
  },
  inflict: (context) =>
    atLeastTwice(context, async (turn) => {
      const { edges } = context.stack;
      const edge = edges[turn % edges.length] as ManagedProcess;
      context.mark(`kill -9 ${edge.name}`);
      await killAndRestart(edge, AWAY_MS);
      await context.wait(BETWEEN_MS - AWAY_MS);
    }),
};

/** It starts again on what its append-only file has. */
export const redisKill: Fault = {
  name: 'redis-kill',
  summary: 'Redis killed with -9 while it alone holds what was acked, and started again',
  canRun: needsRedis,
  stack: () => ({}),
  control: {
    setting: 'Redis without an append-only file',
    stack: () => ({ redisArgs: ['--appendonly', 'no'], env: { QUEUE_DURABILITY: 'accept-loss' } }),
  },
  inflict: (context) =>
    atLeastTwice(context, async () => {
      const { redis, workers } = context.stack;
      if (!redis) throw new Error('there is no Redis');
      await whileWorkersStand(workers, async () => {
        await context.untilMoreAcked(HELD_BY_REDIS_ALONE);
        context.mark('kill -9 redis');
        redis.process.signal('SIGKILL');
        await redis.process.ended();
      });
      await context.wait(AWAY_MS);
      await redis.process.restart();
      context.mark('redis is back');
      await context.untilMoreAcked(HELD_BY_REDIS_ALONE);
      await context.wait(BETWEEN_MS);
    }),
};

export const nodeKill: Fault = {
  name: 'node-kill',
  summary: 'a Postgres node killed with -9, all of its processes, and started again; the nodes take turns',
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({ separateServers: true }),
  control: {
    setting: 'nodes with synchronous_commit off, and a log that is written every 10 s',
    stack: () => ({
      separateServers: true,
      nodeServer: () => ({
        settings: { synchronous_commit: 'off', wal_writer_delay: '10s', wal_writer_flush_after: '1GB' },
      }),
    }),
    async inflict(context) {
      // the node's tables themselves must not be what is lost
      for (const { url } of context.stack.nodes) await withClient(url, (client) => client.query('CHECKPOINT'));
      await killNodes(context);
    },
  },
  inflict: killNodes,
};

export const nodeStop: Fault = {
  name: 'node-stop',
  summary: `a Postgres node stopped for ${NODE_STOPPED_MS / 1_000} s: it takes connections and never answers`,
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({ separateServers: true }),
  control: { none: 'a stopped server forgets nothing; `node-kill` has the control' },
  async inflict(context) {
    const node = context.stack.nodes.at(-1);
    if (!node) throw new Error('there is no node');
    context.mark(`SIGSTOP node ${node.name}`);
    await stopAndContinue(node.server, NODE_STOPPED_MS);
    context.mark(`SIGCONT node ${node.name}`);
  },
};

/** Nobody waits for the directory, so scans must go all the way while it is away. */
export const directoryDown: Fault = {
  name: 'directory-down',
  summary: `the directory killed with -9 and away for ${DIRECTORY_AWAY_MS / 1_000} s; scans go on`,
  canRun: needsRedis,
  isSeamless: true,
  stack: () => ({ separateServers: true }),
  control: { none: 'no scan is ever in the directory' },
  async inflict(context) {
    const { directoryServer, nodes } = context.stack;
    context.mark('kill -9 directory');
    await directoryServer.kill();
    const stored = nodes.map((node) => untilMoreStored(node, FLOW));
    await Promise.all([context.wait(DIRECTORY_AWAY_MS), context.untilMoreAcked(FLOW), ...stored]);
    await directoryServer.restart();
    context.mark('directory is back');
  },
};

function killNodes(context: FaultContext): Promise<void> {
  return atLeastTwice(context, async (turn) => {
    const { nodes } = context.stack;
    const node = nodes[turn % nodes.length] as (typeof nodes)[number];
    context.mark(`kill -9 node ${node.name}`);
    await killNode(node.server, AWAY_MS);
    context.mark(`node ${node.name} is back`);
    await context.wait(BETWEEN_MS);
  });
}

/** Again and again until enough is acked. */
async function atLeastTwice(context: FaultContext, act: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 0; turn < 2 || !context.isEnough(); turn += 1) await act(turn);
}
