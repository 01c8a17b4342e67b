import { Pool } from 'pg';
import type { NodeAddress } from '../directory/snapshot.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import type { PoolWatch } from './pool-metrics.ts';

/** The nodes as a writer sees them: a pool each, in which no wait is without an end. */
export interface WriteNodes {
  of(address: NodeAddress): Pool;
}

export interface WriteNodesOptions {
  /** connections to each node, 1 to 100 */
  poolSize: number;
  /** what one write may take, milliseconds */
  statementTimeoutMs: number;
  /** for metrics */
  watch?: PoolWatch;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** Postgres ends a statement by itself first, and says so; a node that says nothing more is given up a moment later. */
const SILENCE_MS = 1_000;

/** Opens nothing yet. Pools of a node that got another address end when their last write has. */
export function openWriteNodes(o: WriteNodesOptions): WriteNodes {
  const open = new Map<number, { url: string; pool: Pool }>();
  o.lifecycle.onStop('write pools', async () => {
    await Promise.all([...open.values()].map(({ pool }) => pool.end()));
  });
  return {
    of(address) {
      const known = open.get(address.nodeId);
      if (known?.url === address.url) return known.pool;
      void known?.pool.end();
      const pool = openPool(address, o);
      open.set(address.nodeId, { url: address.url, pool });
      return pool;
    },
  };
}

function openPool(address: NodeAddress, o: WriteNodesOptions): Pool {
  const pool = new Pool({
    connectionString: address.url,
    max: o.poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: o.statementTimeoutMs,
    lock_timeout: o.statementTimeoutMs,
    idle_in_transaction_session_timeout: o.statementTimeoutMs,
    query_timeout: o.statementTimeoutMs + SILENCE_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'liftline worker',
    // planning the write anew each time costs more than the better estimates are worth
    options: '-c plan_cache_mode=force_generic_plan -c jit=off',
  });
  // the reason alone: pg hangs the whole client on its errors
  pool.on('error', ({ message: reason }) =>
    o.logger.warn({ reason, node: address.name }, 'an idle connection to a node broke'),
  );
  // one that breaks while a transaction holds it: its query fails as well, and unheard it would end the process
  pool.on('connect', (client) => client.on('error', () => {}));
  o.watch?.(address.name, pool);
  return pool;
}
