import type { Context } from 'hono';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { Device, DirectorySnapshot } from '../directory/snapshot.ts';
import { laneOf, shardOf } from '../domain/shard.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import type { Logger } from '../platform/logger.ts';
import type { DeviceAuthenticator } from './authenticate.ts';
import type { DeviceQuota } from './device-quota.ts';
import type { GroupCommit } from './group-commit.ts';
import type { EdgeMetrics } from './metrics.ts';

/** What every route of the edge stands on. */
export interface Intake {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  commit: GroupCommit;
  authenticator: DeviceAuthenticator;
  /** undefined: devices may send as much as they like */
  quota: DeviceQuota | undefined;
  metrics: EdgeMetrics;
  logger: Logger;
  /** the edge's clock, milliseconds since the epoch */
  now: () => number;
}

export type EdgeContext = Context<HttpEnv>;

export function laneOfSkier(skierId: number, snapshot: DirectorySnapshot): number {
  return laneOf(shardOf(skierId, snapshot.shardCount), snapshot.laneCount);
}

/** @throws Problem `unauthorized` or `forbidden` */
export async function requireDevice(
  authorization: string | undefined,
  snapshot: DirectorySnapshot,
  authenticator: DeviceAuthenticator,
): Promise<Device> {
  const device = authenticator.deviceOf(authorization, snapshot);
  if (device) return device;
  throw await authenticator.refusalOf(authorization);
}
