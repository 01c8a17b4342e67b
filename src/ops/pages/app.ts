import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import { Problem } from '../../domain/problem.ts';
import { isUuid } from '../../domain/scan.ts';
import { type AssetSources, browserAssets, LIVE_SWITCH } from '../../platform/browser-assets.ts';
import { isSameSecret } from '../../platform/credentials.ts';
import { refuseForeignForms } from '../../platform/foreign-forms.ts';
import type { HttpEnv } from '../../platform/http-common.ts';
import type { DeadLetter, DeadLetters } from '../../shards/dead-letters.ts';
import { answerPage, HEADERS, MAX_FORM_BYTES, rootOf } from './frame.ts';
import { LISTED, letterList, letterPage } from './letters.ts';
import { picture } from './picture.ts';
import type { PipelineWatch } from './pipeline-view.ts';
import { OperatorSessions } from './session.ts';
import { askToSignIn, signInPages } from './sign-in.ts';

export interface OpsPagesOptions {
  adminKey: string;
  watch: PipelineWatch;
  deadLetters: DeadLetters;
}

const here = (path: string) => new URL(path, import.meta.url);
const ASSETS: AssetSources = {
  'ops.css': ['base', 'frame', 'pipeline', 'letters'].map((name) => here(`style/${name}.css`)),
  'watch.js': [LIVE_SWITCH, here('client/watch.ts')],
};
const DONE: Record<string, string> = {
  replay: 'The letter is back in its lane.',
  discard: 'The letter is discarded.',
};

/**
 * The operator's page under `/ops`: the pipeline as a picture, and dead letters to decide about. Behind a session that begins
 * with the admin key. To be mounted before the routes that ask for a bearer.
 */
export function opsPages(o: OpsPagesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  const assets = browserAssets(ASSETS);
  const sessions = new OperatorSessions(o.adminKey);
  app.route('/ops/assets', assets.routes);
  app.route('/', signInPages({ adminKey: o.adminKey, sessions, assets }));
  app.get('/ops', async (context) => {
    const formToken = sessions.formToken(context);
    if (formToken === undefined) return context.redirect('ops/sign-in', 303);
    const [view, dead] = await Promise.all([o.watch.view(), listOrNothing(o.deadLetters)]);
    const said = DONE[context.req.query('done') ?? ''];
    const main = html`<div class="title"><h1>The pipeline</h1><span data-switch><a href="ops">Look again</a></span></div>
${said !== undefined && html`<p class="said" role="status">${said}</p>`}
<div id="pipeline" data-source="ops/pipeline">${picture(view)}</div>${letterList(dead)}`;
    return answerPage(context, { title: 'Pipeline', main, formToken, isLive: true }, { assets });
  });
  app.get('/ops/pipeline', async (context) => {
    if (sessions.formToken(context) === undefined) return context.body(null, 401, HEADERS);
    const body = String(await picture(await o.watch.view()));
    return context.body(body, 200, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' });
  });
  letters(app, { ...o, sessions, assets });
  return app;
}

type Parts = OpsPagesOptions & { sessions: OperatorSessions; assets: ReturnType<typeof browserAssets> };

/** Letters are shown and decided about; a decision needs the session, its form's token, and a page of this host. */
function letters(app: Hono<HttpEnv>, { deadLetters, sessions, assets }: Parts): void {
  app.use('/ops/letters/*', refuseForeignForms, bodyLimit({ maxSize: MAX_FORM_BYTES }));
  app.get('/ops/letters/:id', async (context) => {
    const formToken = sessions.formToken(context);
    if (formToken === undefined) return askToSignIn(context, `letters/${context.req.param('id')}`);
    const found = await attempt(() => deadLetters.show(idOf(context)));
    if (found instanceof Problem) return sayProblem(context, found, { formToken, assets });
    const main = letterPage(found, formToken);
    return answerPage(context, { title: 'A dead letter', main, formToken }, { assets });
  });
  app.post('/ops/letters/:id/:verb{replay|discard}', async (context) => {
    const formToken = sessions.formToken(context);
    const { token } = await context.req.parseBody();
    if (formToken === undefined) return askToSignIn(context, `letters/${context.req.param('id')}`);
    if (typeof token !== 'string' || !isSameSecret(token, formToken)) {
      throw new Problem('forbidden', 'this form is not of this session: load the page again');
    }
    const verb = context.req.param('verb') === 'replay' ? 'replay' : 'discard';
    const done = await attempt(() => deadLetters[verb](idOf(context)));
    if (done instanceof Problem) return sayProblem(context, done, { formToken, assets });
    return context.redirect(`../../../ops?done=${verb}`, 303);
  });
}

function idOf(context: Context<HttpEnv>): string {
  const id = context.req.param('id') ?? '';
  if (!isUuid(id)) throw new Problem('not_found', 'no such dead letter');
  return id.toLowerCase();
}

async function attempt<T>(work: () => Promise<T>): Promise<T | Problem> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function sayProblem(
  context: Context<HttpEnv>,
  problem: Problem,
  { formToken, assets }: Pick<Parts, 'assets'> & { formToken: string },
): Promise<Response> {
  const status = problem.status === 404 || problem.status === 409 ? problem.status : 503;
  const main = html`<h1>Not done</h1><p class="said" role="alert">${problem.message}.</p><p><a href="${rootOf(context.req.path)}ops">Back to the pipeline</a></p>`;
  return answerPage(context, { title: 'Not done', main, formToken }, { assets, status });
}

function listOrNothing(deadLetters: DeadLetters): Promise<DeadLetter[] | undefined> {
  return deadLetters.list({ limit: LISTED }).catch(() => undefined);
}
