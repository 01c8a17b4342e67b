import { Hono } from 'hono';
import { browserAssets, LIVE_SWITCH } from '../../platform/browser-assets.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import type { RidesOptions } from '../options.ts';
import { answerPageErrors, unknownPage } from './page-errors.ts';
import type { PageOptions } from './page-options.ts';
import { keptReads } from '../kept-reads.ts';
import { renderer } from './render.ts';
import { resortPages } from './resort-pages.ts';
import { signInPages } from './sign-in-pages.ts';
import { skierPages } from './skier-pages.ts';
import { visitors } from './visitor.ts';

const here = (path: string) => new URL(path, import.meta.url);
const STYLES = ['base', 'frame', 'parts', 'calendar', 'charts', 'day', 'resort'];
/** Each after those that it imports. */
const SCRIPTS = ['drawing', 'as-of', 'rides', 'live'];

/**
 * The pages for people: a skier's under `/app`, a resort's under `/resorts/{id}`. Made on the server and whole without script;
 * a small script keeps them up to date while they are open.
 */
export function createPages(o: RidesOptions): Hono<HttpEnv> {
  const assets = browserAssets({
    'page.css': STYLES.map((name) => here(`style/${name}.css`)),
    'live.js': [LIVE_SWITCH, ...SCRIPTS.map((name) => here(`client/${name}.ts`))],
    'icon.svg': [here('style/icon.svg')],
  });
  const render = renderer({ assets, visitorOf: visitors() });
  const { directory, tokens, live, logger } = o;
  const options: PageOptions = { directory, tokens, live, logger, reads: keptReads(o), render };
  const app = new Hono<HttpEnv>();
  app.onError(answerPageErrors(options));
  app.route('/app/assets', assets.routes);
  app.route('/', signInPages(options));
  app.route('/', resortPages(options));
  app.route('/', skierPages(options));
  app.get('/app/*', unknownPage(options));
  return app;
}
