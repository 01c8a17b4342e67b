import { lanePrefix } from '../../src/queue/lanes.ts';
import { until } from '../client/until.ts';
import type { RedisCluster, RedisClusterNode } from '../stack/redis-cluster.ts';
import type { Fault, FaultContext } from './fault.ts';
import { needsRedis } from './needs.ts';
import { whileWorkersStand } from './tools/standing-workers.ts';

/** Three masters with a replica each; a replica takes over however old its data are, or a lane would stay away. */
const CLUSTER = { args: ['--cluster-replica-validity-factor', '0'] };
/** Acked while no worker takes it: Redis alone holds it then. */
const HELD_BY_REDIS_ALONE = 1_000;
const TAKE_OVER_MS = 60_000;
const BETWEEN_MS = 3_000;

/** Its lanes get no ack until the one that was killed is back, as the replica that acks wait for; the other lanes flow. */
export const clusterFailover: Fault = {
  name: 'cluster-failover',
  summary: 'a master of a Redis Cluster killed with -9 while it holds what was acked; its replica takes over',
  canRun: needsRedis,
  stack: () => ({ redisCluster: CLUSTER, env: { QUEUE_REPLICAS: '1' } }),
  control: {
    setting: 'QUEUE_REPLICAS=0, and a replica that was away while its master took scans',
    stack: () => ({ redisCluster: CLUSTER }),
    inflict: (context) =>
      failOver(context, async (master, replica) => {
        context.mark(`kill -9 redis ${replica.port}, the replica`);
        replica.process.signal('SIGKILL'); // stopped it would still read what its socket holds
        await replica.process.ended();
        await context.untilMoreAcked(HELD_BY_REDIS_ALONE);
        await kill(context, master);
        await replica.process.restart();
      }),
  },
  inflict: (context) =>
    failOver(context, async (master) => {
      await context.untilMoreAcked(HELD_BY_REDIS_ALONE);
      await kill(context, master);
    }),
};

/** The masters take turns by the lanes that they have, until enough is acked. */
async function failOver(
  context: FaultContext,
  killMaster: (master: RedisClusterNode, replica: RedisClusterNode) => Promise<void>,
): Promise<void> {
  const { redisCluster: cluster, queuePrefix, laneCount, workers } = context.stack;
  if (!cluster) throw new Error('there is no Redis Cluster');
  for (let turn = 0; turn < 2 || !context.isEnough(); turn += 1) {
    const key = lanePrefix(queuePrefix, turn % laneCount);
    const master = await cluster.masterOf(key);
    const replica = await replicaOf(cluster, master);
    await whileWorkersStand(workers, () => killMaster(master, replica));
    await until('its replica took over', async () => ((await cluster.masterOf(key)) === replica ? true : undefined), {
      timeoutMs: TAKE_OVER_MS,
    });
    context.mark(`redis ${replica.port} took over`);
    await master.process.restart();
    await replicaOf(cluster, replica);
    context.mark(`redis ${master.port} is its replica`);
    await context.untilMoreAcked(HELD_BY_REDIS_ALONE);
    await context.wait(BETWEEN_MS);
  }
}

async function kill(context: FaultContext, master: RedisClusterNode): Promise<void> {
  context.mark(`kill -9 redis ${master.port}`);
  master.process.signal('SIGKILL');
  await master.process.ended();
}

/** @returns its replica, once that is in step */
function replicaOf(cluster: RedisCluster, master: RedisClusterNode): Promise<RedisClusterNode> {
  return until('a replica is in step', async () => (await cluster.replicasOf(master))[0], { timeoutMs: TAKE_OVER_MS });
}
