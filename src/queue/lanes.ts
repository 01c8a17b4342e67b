/** Where the lanes are: the queue's server and the name under which this installation keeps its lanes there. */
export interface QueueAddress {
  /** redis://, rediss://, redis+cluster://, rediss+cluster://, postgres:// or postgresql:// */
  queueUrl: string;
  /** begins the names of all keys on Redis, and is the schema on Postgres: a letter, then letters, digits or _ */
  queuePrefix: string;
}

export type QueueKind = 'redis' | 'postgres';

/** @throws Error for a URL of any other scheme */
export function queueKind(queueUrl: string): QueueKind {
  if (/^rediss?(\+cluster)?:\/\//.test(queueUrl)) return 'redis';
  if (/^postgres(ql)?:\/\//.test(queueUrl)) return 'postgres';
  throw new Error(
    'the queue URL must begin with redis://, rediss://, redis+cluster://, rediss+cluster:// or postgres://',
  );
}

/** BullMQ's name for a lane's queue. */
export function laneQueueName(lane: number): string {
  return `lane-${lane}`;
}

/**
 * Where Redis keeps the latest time that a lane's clock has told (see `lane-time.ts`): one key for all lanes of a server, and
 * in a cluster one for each.
 */
export function clockKey(queuePrefix: string, lane: number, isCluster: boolean): string {
  return `${lanePrefix(queuePrefix, isCluster ? lane : 0)}:clock`;
}

/**
 * BullMQ's key prefix on Redis. The braces make all keys of a lane share one slot, and the lane inside of them spreads the
 * lanes over the nodes of a cluster.
 */
export function lanePrefix(queuePrefix: string, lane: number): string {
  return `{${queuePrefix}:${lane}}`;
}
