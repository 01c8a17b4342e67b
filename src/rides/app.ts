import { Hono } from 'hono';
import type { HttpEnv } from '../platform/http-common.ts';
import { letPagesRead } from './cors.ts';
import { liveRoutes } from './live/routes.ts';
import type { RidesOptions } from './options.ts';
import { createPages } from './pages/app.ts';
import { receiptRoutes } from './receipt-routes.ts';
import { resortRoutes } from './resort-routes.ts';
import { skiDataReads } from './ski-data.ts';
import { skierRoutes } from './skier-routes.ts';

/**
 * The read side: histories, days, seasons, resorts, the SkiDataAPI's reads, and the pages for people. Stateless, and never writes.
 * Throws Problems to the error handler of the app that it is mounted on; the SkiDataAPI routes answer their own.
 */
export function createRidesApp(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  const api = [skierRoutes(o), liveRoutes(o), receiptRoutes(o), resortRoutes(o), skiDataReads(o)];
  letPagesRead(app, api, o.corsOrigins);
  for (const routes of api) app.route('/', routes);
  app.route('/', createPages(o));
  return app;
}
