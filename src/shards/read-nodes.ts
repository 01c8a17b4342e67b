import { CircuitState, circuitBreaker, ConsecutiveBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import { DrizzleQueryError } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import type { NodeAddress } from '../directory/snapshot.ts';
import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import type { PoolWatch } from './pool-metrics.ts';
import type { ShardPlace } from './shard-place.ts';
import { prepareSkierQueries, type SkierQueries } from './skier-queries.ts';
import { sqlStateOf } from './sqlstates.ts';

/** A node that a reader asks. */
export interface ReadNode {
  nodeId: number;
  pool: Pool;
  /** the prepared statements of one of its shards */
  skierQueries(place: ShardPlace): SkierQueries;
  /** @throws Problem `node_unavailable` when it does not answer in time; errors that Postgres itself gave as they are */
  run<T>(ask: (node: ReadNode) => Promise<T>): Promise<T>;
}

export interface ReadNodes {
  of(address: NodeAddress): ReadNode;
}

export interface ReadNodesOptions {
  /** connections to each node, 1 to 100 */
  poolSize: number;
  /** what one read may take, waiting for a connection included, milliseconds */
  timeoutMs: number;
  /** for metrics */
  watch?: PoolWatch;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

/** Consecutive failures after which a node is taken to be away, and how long until one read tries again. */
const BREAK_AFTER = 3;
const RETRY_AFTER_MS = 500;

/**
 * The nodes as the read side sees them: a pool each, every wait with an end, and no pile-up at a node that is away (after a
 * few failures reads are refused at once, and one read now and then finds out whether it is back).
 */
export function openReadNodes(o: ReadNodesOptions): ReadNodes {
  const open = new Map<number, OpenNode>();
  o.lifecycle.onStop('read pools', async () => {
    await Promise.all([...open.values()].map((opened) => opened.pool.end()));
  });
  return {
    of(address) {
      const known = open.get(address.nodeId);
      if (known?.url === address.url) return known;
      void known?.pool.end(); // the node moved: what still runs there finishes
      const opened = openReadNode(address, o);
      open.set(address.nodeId, opened);
      return opened;
    },
  };
}

interface OpenNode extends ReadNode {
  url: string;
}

function openReadNode(address: NodeAddress, o: ReadNodesOptions): OpenNode {
  const pool = new Pool({
    connectionString: address.url,
    max: o.poolSize,
    connectionTimeoutMillis: o.timeoutMs,
    query_timeout: o.timeoutMs,
    statement_timeout: o.timeoutMs,
    idle_in_transaction_session_timeout: o.timeoutMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'liftline rides',
    // a sum over a resort's day takes 10 ms; starting helpers for it took 30 more
    options: '-c max_parallel_workers_per_gather=0 -c jit=off',
  });
  // the reason alone: pg hangs the whole client on its errors
  pool.on('error', ({ message: reason }) =>
    o.logger.warn({ reason, node: address.name }, 'an idle connection to a node broke'),
  );
  o.watch?.(address.name, pool);
  const db = drizzle({ client: pool });
  const leaves = new Map<number, { place: ShardPlace; queries: SkierQueries }>();
  const breaker = circuitBreaker(
    handleWhen((error) => isAway(error)),
    { halfOpenAfter: RETRY_AFTER_MS, breaker: new ConsecutiveBreaker(BREAK_AFTER) },
  );
  const node: OpenNode = {
    url: address.url,
    nodeId: address.nodeId,
    pool,
    skierQueries(place) {
      const known = leaves.get(place.shard);
      if (known?.place.epoch === place.epoch) return known.queries;
      const queries = prepareSkierQueries(db, place);
      leaves.set(place.shard, { place, queries });
      return queries;
    },
    async run(ask) {
      try {
        // a node that may be back is asked by one read alone; the others don't wait for it
        if (breaker.state === CircuitState.HalfOpen) throw new Problem('node_unavailable', awayText(address));
        return await breaker.execute(() => within(o.timeoutMs, ask(node)));
      } catch (error) {
        if (isAway(error) || isBrokenCircuitError(error)) {
          throw new Problem('node_unavailable', awayText(address), { cause: error });
        }
        throw error instanceof DrizzleQueryError ? error.cause : error;
      }
    },
  };
  return node;
}

function awayText(address: NodeAddress): string {
  return `node ${address.name} does not answer`;
}

class TimeoutError extends Error {}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  work.catch(() => {}); // may still fail after the deadline, which has been answered by then
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A connection that broke or never came is a node that is away; of the answers of Postgres, those of a server that goes or is
 * full. A mistake of this program is neither.
 */
function isAway(error: unknown): boolean {
  if (error instanceof Problem || isBrokenCircuitError(error)) return false;
  const state = sqlStateOf(error);
  return state === undefined ? !isMistake(error) : /^(08|53|57)/.test(state);
}

function isMistake(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  return cause instanceof TypeError || cause instanceof RangeError;
}
