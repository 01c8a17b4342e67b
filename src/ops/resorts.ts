import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { listResorts } from '../directory/list-resorts.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { routeDoc } from '../platform/openapi.ts';
import type { OpsOptions } from './options.ts';

const resort = z
  .object({
    resortId: z.int(),
    name: z.string(),
    timeZone: z.string(),
    opensAt: z.string(),
    closesAt: z.string(),
    seasonStartsOn: z.string().meta({ description: 'usual first day of a season, MM-DD' }),
    seasons: z.array(z.object({ season: z.int(), startsOn: z.string() })),
    lifts: z.array(z.object({ liftId: z.int(), name: z.string(), verticalM: z.int() })),
  })
  .meta({ id: 'ResortDeclaration' });

/** The resorts as they are declared, in the format that `liftline resorts import` takes. */
export function resortRoutes({ directory }: Pick<OpsOptions, 'directory'>): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/ops/resorts',
    describeRoute(
      routeDoc({
        summary: 'All resorts as they are declared',
        tag: 'Operators',
        audience: ['adminKey'],
        reply: z.object({ resorts: z.array(resort) }),
        problems: ['unauthorized', 'forbidden', 'directory_unavailable'],
      }),
    ),
    async (c) => c.json({ resorts: await listResorts(directory) }),
  );
  return app;
}
