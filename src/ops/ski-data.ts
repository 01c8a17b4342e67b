import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { declareSeason } from '../directory/declare-season.ts';
import { MAX_SEASON, MIN_SEASON } from '../domain/calendar.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { pathParameter, routeDoc } from '../platform/openapi.ts';
import { answerSkiDataErrors, readWhole, skiDataError } from '../platform/ski-data-errors.ts';
import type { OpsOptions } from './options.ts';
import { readJson, smallBody } from './json-body.ts';
import { requireOperator } from './operator.ts';

const newSeason = z.object({ year: z.string().length(4) });

/**
 * SkiDataAPI's operation 7. A season needs the admin key unless the routes are open; declaring one again is a 201 again.
 * 503 while the directory is away, as for everything that changes the control plane.
 */
export function skiDataSeasons(o: OpsOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError(answerSkiDataErrors(o.logger));
  const isOpen = o.skiDataApi === 'open';
  const route = '/resorts/:resortID/seasons';
  if (!isOpen) app.post(route, requireOperator({ adminKey: o.adminKey, directory: o.follower }));
  app.post(
    route,
    smallBody,
    describeRoute(
      routeDoc({
        summary: 'Add a season to a resort: it starts on the usual day',
        tag: 'SkiDataAPI',
        ...(isOpen ? {} : { audience: ['adminKey'] }),
        parameters: [pathParameter('resortID', { type: 'integer' })],
        body: newSeason,
        status: 201,
        problems: ['malformed', 'unauthorized', 'forbidden', 'not_found', 'directory_unavailable'],
        errorSchema: skiDataError,
      }),
    ),
    async (c) => {
      const resortId = readWhole(c.req.param('resortID'), 'resortID', 1, MAX_SKIER_ID);
      const { year } = await readJson(c, newSeason);
      await declareSeason(o.directory, { resortId, season: readWhole(year, 'year', MIN_SEASON, MAX_SEASON) });
      return c.json({}, 201);
    },
  );
  return app;
}
