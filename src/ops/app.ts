import { Hono, type MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../platform/http-common.ts';
import { autoscaleRoutes } from './autoscale.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { deviceRoutes } from './devices.ts';
import { smallBody } from './json-body.ts';
import { requireOperator } from './operator.ts';
import type { OpsOptions } from './options.ts';
import { resortRoutes } from './resorts.ts';
import { skiDataSeasons } from './ski-data.ts';
import { statusRoutes } from './status.ts';

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
  app.route('/', autoscaleRoutes(o));
  app.route('/', skiDataSeasons(o));
  return app;
}

/** Answers hold new keys and the state of this moment. */
const keepNoCopy: MiddlewareHandler<HttpEnv> = async (context, next) => {
  context.header('cache-control', 'no-store');
  await next();
};
