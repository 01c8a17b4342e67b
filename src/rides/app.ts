import { Hono } from 'hono';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { HistoryReader } from '../shards/history-reader.ts';
import { resortRoutes } from './resort-routes.ts';
import { skiDataReads } from './ski-data.ts';
import { skierRoutes } from './skier-routes.ts';

/** What the read side stands on. */
export interface RidesOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  history: HistoryReader;
  /** reads everything */
  adminKey: string;
  /** checks skiers' tokens */
  tokenSecret: string;
  /** `open`: the SkiDataAPI routes ask for no credentials */
  skiDataApi: 'keys' | 'open';
  /** whose requests `GET /statistics` tells about */
  metrics: Pick<Metrics, 'endpoints'>;
  logger: Logger;
}

/**
 * The read side: histories, days, seasons, resorts and the SkiDataAPI's reads. Stateless, and never writes.
 * Throws Problems to the error handler of the app that it is mounted on; the SkiDataAPI routes answer their own.
 */
export function createRidesApp(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.route('/', skierRoutes(o));
  app.route('/', resortRoutes(o));
  app.route('/', skiDataReads(o));
  return app;
}
