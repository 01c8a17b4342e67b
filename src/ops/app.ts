import { Hono, type MiddlewareHandler } from 'hono';
import type { Directory } from '../directory/database.ts';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import type { Logger } from '../platform/logger.ts';
import type { DeadLetters } from '../shards/dead-letters.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { deviceRoutes } from './devices.ts';
import { smallBody } from './json-body.ts';
import { requireOperator } from './operator.ts';
import { resortRoutes } from './resorts.ts';
import { skiDataSeasons } from './ski-data.ts';
import { statusRoutes } from './status.ts';
import type { Pipeline } from './pipeline.ts';

/** What the control plane's app stands on. */
export interface OpsOptions {
  /** for changes and lists */
  directory: Directory;
  /** for everything else, so that it works while the directory is away */
  follower: DirectoryFollower;
  deadLetters: DeadLetters;
  pipeline: Pipeline;
  adminKey: string;
  /** `open`: SkiDataAPI's operation 7 asks for no credentials */
  skiDataApi: 'keys' | 'open';
  logger: Logger;
}

/**
 * The control plane's face: everything under `/ops` needs the admin key. Throws Problems to the error handler of the app
 * that it is mounted on; the SkiDataAPI route answers its own.
 */
export function createOpsApp(o: OpsOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use('/ops/*', requireOperator({ adminKey: o.adminKey, directory: o.follower }), keepNoCopy, smallBody);
  app.route('/', deviceRoutes(o));
  app.route('/', resortRoutes(o));
  app.route('/', deadLetterRoutes(o));
  app.route('/', statusRoutes(o));
  app.route('/', skiDataSeasons(o));
  return app;
}

/** Answers hold new keys and the state of this moment. */
const keepNoCopy: MiddlewareHandler<HttpEnv> = async (context, next) => {
  context.header('cache-control', 'no-store');
  await next();
};
