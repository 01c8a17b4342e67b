import { type Context, Hono } from 'hono';
import { MAX_SEASON, MIN_SEASON } from '../../domain/calendar.ts';
import { Problem } from '../../domain/problem.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import { openStream } from '../live/routes.ts';
import { readDate, readInteger } from '../query.ts';
import type { PageOptions } from './page-options.ts';
import { dayPage } from './parts/day-page.ts';
import type { Page } from './parts/frame.ts';
import { seasonPage } from './parts/season-page.ts';
import { tokenOf } from './session.ts';
import { readDayView } from './day-view.ts';
import { readSeasonView } from './season-view.ts';

type ShownPage = Pick<Page, 'title' | 'main' | 'updates'>;

/** A skier's own pages: a season, each of its days, and the stream of rides that they follow. Kept nowhere. */
export function skierPages(o: PageOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/app/', (context) => context.redirect('../app', 301));
  app.get('/app', async (context) => {
    const skierId = await skierOf(context, o);
    if (skierId === undefined) return toSignIn(context, './app/sign-in');
    const asked = context.req.query('season');
    const season = asked === undefined ? undefined : readInteger(asked, 'season', MIN_SEASON, MAX_SEASON);
    const setting = await o.render.setting(context);
    const view = await readSeasonView(o, {
      skierId,
      season,
      firstWeekday: setting.visitor.weekdays[0]?.iso ?? 1,
      now: setting.now,
    });
    const title = `Season ${view.season}`;
    const updates = { liveOf: `season ${view.season}` };
    return show(context, o, { title, updates, main: seasonPage(view, setting) });
  });
  app.get('/app/days/:date', async (context) => {
    const date = readDate(context.req.param('date'), 'date');
    const skierId = await skierOf(context, o);
    if (skierId === undefined) return toSignIn(context, `../sign-in?to=days/${date}`);
    const setting = await o.render.setting(context);
    const view = await readDayView(o, { skierId, date });
    const title = setting.visitor.longDate(date);
    return show(context, o, { title, updates: { liveOf: date }, main: dayPage(view, setting) });
  });
  app.get('/app/live', async (context) => {
    const skierId = await skierOf(context, o);
    if (skierId === undefined) throw new Problem('unauthorized', 'sign in first');
    return openStream(context, o.live, skierId);
  });
  return app;
}

async function show(context: Context<HttpEnv>, o: PageOptions, page: ShownPage): Promise<Response> {
  const setting = await o.render.setting(context);
  const whole: Page = { ...page, menu: 'season', isSignedIn: true };
  return o.render.answer(context, whole, setting, { keeping: 'nobody' });
}

/** @returns who has signed in; undefined without a token, and with one that is not good any more */
async function skierOf(context: Context<HttpEnv>, o: PageOptions): Promise<number | undefined> {
  const token = tokenOf(context);
  if (token === undefined) return undefined;
  try {
    return await o.tokens.verify(token);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return undefined;
    throw error;
  }
}

function toSignIn(context: Context<HttpEnv>, to: string): Response {
  context.header('cache-control', 'private, no-store');
  return context.redirect(to, 303);
}
