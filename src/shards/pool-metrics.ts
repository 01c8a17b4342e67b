import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';

/** Told of each pool that is opened; a pool of the same node takes the place of the one before. */
export type PoolWatch = (node: string, pool: Pool) => void;

const NAME = 'liftline_node_pool_connections';

/**
 * Declares how busy the connections to each node are. Several users of one process share the metric.
 *
 * @param user a label: rides, ops or worker
 */
export function watchPools(registry: Registry, user: string): PoolWatch {
  const known = registry.getSingleMetric(NAME);
  const gauge = known instanceof PoolGauge ? known : new PoolGauge(registry);
  return (node, pool) => gauge.pools.set(`${user} ${node}`, { user, node, pool });
}

class PoolGauge extends Gauge<'user' | 'node' | 'state'> {
  readonly pools = new Map<string, { user: string; node: string; pool: Pool }>();

  constructor(registry: Registry) {
    super({
      name: NAME,
      help: 'Connections of a process to a node: busy, idle, the most that there may be (limit), and callers waiting for one',
      labelNames: ['user', 'node', 'state'],
      registers: [registry],
    });
  }

  override get() {
    this.reset();
    for (const { user, node, pool } of this.pools.values()) {
      const { totalCount, idleCount, waitingCount } = pool;
      const states = { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount, limit: pool.options.max };
      for (const [state, count] of Object.entries(states)) this.set({ user, node, state }, count);
    }
    return super.get();
  }
}
