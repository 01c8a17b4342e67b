import type { Fault } from './fault.ts';
import { nodeBlackHole } from './machine-black-hole.ts';
import { shiftedClock } from './machine-clock.ts';
import { nodeDiskFull } from './machine-node-disk-full.ts';
import { redisBrimful, redisFull } from './machine-redis-full.ts';
import { redisPowerCut } from './machine-redis-power-cut.ts';
import { redisSlowDisk } from './machine-redis-slow-disk.ts';
import { workersAway } from './process-admission.ts';
import { clusterFailover } from './process-cluster.ts';
import { mix } from './process-mix.ts';
import { oneJob } from './process-one-job.ts';
import { directoryDown, edgeKill, nodeKill, nodeStop, redisKill } from './process-servers.ts';
import { workerKill, workerStop, workerTerm } from './process-workers.ts';

/** Every fault, in the order in which they run. */
export const FAULTS: readonly Fault[] = [
  workerKill,
  oneJob,
  workerStop,
  workerTerm,
  workersAway,
  edgeKill,
  redisKill,
  redisPowerCut,
  redisSlowDisk,
  redisFull,
  redisBrimful,
  clusterFailover,
  nodeKill,
  nodeStop,
  nodeDiskFull,
  nodeBlackHole,
  directoryDown,
  shiftedClock,
  mix,
];
