import { Hono } from 'hono';
import type { DirectoryFollower } from '../directory/follower.ts';
import { Problem } from '../domain/problem.ts';
import { type HttpEnv, problemResponse } from '../platform/http-common.ts';
import type { Logger } from '../platform/logger.ts';
import { DeviceAuthenticator, type OtherCredentials } from './authenticate.ts';
import type { DeviceQuota } from './device-quota.ts';
import type { GroupCommit } from './group-commit.ts';
import type { EdgeContext, Intake } from './intake.ts';
import type { EdgeMetrics } from './metrics.ts';
import { BATCH_ROUTE, described, LIFT_RIDE_ROUTE, SCAN_ROUTE } from './openapi.ts';
import { postBatch } from './post-batch.ts';
import { postScan } from './post-scan.ts';
import { postLiftRide, type SkiDataOptions } from './ski-data.ts';

export interface EdgeOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  commit: GroupCommit;
  /** what each device may send; as much as it likes unless given */
  quota?: DeviceQuota | undefined;
  config: SkiDataOptions & OtherCredentials;
  metrics: EdgeMetrics;
  logger: Logger;
  /** milliseconds since the epoch; the machine's clock unless given */
  now?: () => number;
}

const OTHER_METHODS = ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * The write side: takes scans, answers once the queue has them. Never listens by itself, and never throws a Problem: its
 * routes answer them themselves, so it can be mounted as it is.
 */
export function createEdgeApp(o: EdgeOptions): Hono<HttpEnv> {
  const { directory, commit, quota, metrics, logger, config } = o;
  const authenticator = new DeviceAuthenticator(config);
  const intake: Intake = { directory, commit, authenticator, quota, metrics, logger, now: o.now ?? Date.now };
  const app = new Hono<HttpEnv>();
  app.post('/v1/scans', described(SCAN_ROUTE, postScan(intake)));
  app.post('/v1/scans/batch', described(BATCH_ROUTE, postBatch(intake)));
  app.post(
    '/skiers/:resortID/seasons/:seasonID/days/:dayID/skiers/:skierID',
    described(LIFT_RIDE_ROUTE, postLiftRide(intake, config)),
  );
  app.on(OTHER_METHODS, ['/v1/scans', '/v1/scans/batch'], postOnly);
  return app;
}

function postOnly(context: EdgeContext): Response {
  const problem = new Problem('method_not_allowed', 'scans are posted');
  const response = problemResponse(problem, context.get('requestId') ?? '');
  response.headers.set('allow', 'POST');
  return response;
}
