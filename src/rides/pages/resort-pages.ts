import { Temporal } from 'temporal-polyfill';
import { Hono } from 'hono';
import { Problem } from '../../domain/problem.ts';
import type { Resort } from '../../directory/snapshot.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import { readDate, readId } from '../query.ts';
import type { PageOptions } from './page-options.ts';
import { resortPage, type ResortView } from './parts/resort-page.ts';
import { resortsPage } from './parts/resorts-page.ts';
import { localNow } from './resort-hours.ts';

/** How long others may keep a page whose rides still come in, and one of a day that is over. */
const KEEP_FRESH_S = 5;
const KEEP_PAST_S = 60;
/** Gates that were offline hand in what they have kept within a day or so. */
const FRESH_DAYS = 2;
/** How often an open page looks again. */
const LOOK_AGAIN_S = 10;

/** What everyone may see: the resorts, and each one's day. */
export function resortPages(o: PageOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/app/resorts', async (context) => {
    const setting = await o.render.setting(context);
    const main = resortsPage([...o.directory.snapshot().resorts.values()], setting);
    const page = { title: 'Resorts', menu: 'resorts', isSignedIn: false, updates: 'none', main } as const;
    return o.render.answer(context, page, setting, { keeping: { seconds: KEEP_PAST_S } });
  });
  app.get('/resorts/:resortId', async (context) => {
    const setting = await o.render.setting(context);
    const resort = resortOf(o, context.req.param('resortId'));
    const local = localNow(resort, setting.now);
    const asked = context.req.query('date');
    const date = asked ? readDate(asked, 'date') : local.date;
    const day = Temporal.PlainDate.from(date);
    const told = await readUnlessAway(o, resort, date);
    const view: ResortView = {
      resort,
      date,
      local,
      before: day.subtract({ days: 1 }).toString(),
      after: date < local.date ? day.add({ days: 1 }).toString() : undefined,
      told,
    };
    const isFresh = date >= Temporal.PlainDate.from(local.date).subtract({ days: FRESH_DAYS }).toString();
    const page = {
      title: `${resort.name}, ${setting.visitor.shortDate(date)}`,
      menu: 'resorts',
      isSignedIn: false,
      updates: isFresh || !told ? { everyS: LOOK_AGAIN_S } : 'none',
      main: resortPage(view, setting),
    } as const;
    if (!told)
      return o.render.answer(context, page, setting, {
        status: 503,
        keeping: 'nobody',
        headers: { 'retry-after': '1' },
      });
    const seconds = isFresh ? KEEP_FRESH_S : KEEP_PAST_S;
    return o.render.answer(context, page, setting, { keeping: told.isStale ? 'nobody' : { seconds } });
  });
  return app;
}

/** @returns undefined while a node is away: the page still says what the directory knows */
async function readUnlessAway(o: PageOptions, resort: Resort, date: string): Promise<ResortView['told']> {
  try {
    return await o.reads.resortDay(resort, date);
  } catch (error) {
    if (error instanceof Problem && error.status === 503) return undefined;
    throw error;
  }
}

function resortOf(o: PageOptions, text: string): Resort {
  const resort = o.directory.snapshot().resorts.get(readId(text, 'resort'));
  if (!resort) throw new Problem('not_found', `There is no resort ${text}`);
  return resort;
}
