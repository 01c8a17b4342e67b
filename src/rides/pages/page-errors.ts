import type { Context, ErrorHandler, Handler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem, ProblemCode } from '../../domain/problem.ts';
import { type HttpEnv, toProblem } from '../../platform/http-common.ts';
import type { PageOptions } from './page-options.ts';
import { messagePage } from './parts/message-page.ts';
import type { Setting } from './parts/frame.ts';
import { tokenOf } from './session.ts';

/** Errors as pages, in the same frame as everything else. */
export function answerPageErrors(o: Pick<PageOptions, 'render' | 'logger'>): ErrorHandler<HttpEnv> {
  return (error, context) => problemPage(context, toProblem(error, context, o.logger), o);
}

/** Answers what no page is. */
export function unknownPage(o: Pick<PageOptions, 'render'>): Handler<HttpEnv> {
  return async (context) => {
    const setting = await o.render.setting(context);
    return answer(context, o, setting, {
      status: 404,
      title: 'There is no such page',
      text: 'The address may be incomplete.',
    });
  };
}

async function problemPage(
  context: Context<HttpEnv>,
  problem: Problem,
  o: Pick<PageOptions, 'render'>,
): Promise<Response> {
  const setting = await o.render.setting(context);
  if (problem.status === 503) {
    const again = context.req.path.split('/').at(-1) + new URL(context.req.url).search;
    return answer(context, o, setting, {
      status: 503,
      title: 'This can’t be read just now',
      text: `${WHY_AWAY[problem.code] ?? 'It is not ready yet.'} Nothing is lost, and new rides are still taken.`,
      again,
      retryAfterS: problem.retryAfterS,
    });
  }
  if (problem.code === 'internal') {
    const text = `The log has the details under ${context.get('requestId')}.`;
    return answer(context, o, setting, { status: 500, title: 'Something failed here', text });
  }
  const isUnknown = NO_SUCH_PAGE.includes(problem.status);
  const title = isUnknown ? 'There is no such page' : 'This was not accepted';
  return answer(context, o, setting, { status: isUnknown ? 404 : problem.status, title, text: `${problem.message}.` });
}

/** What does not answer, for a person. */
const WHY_AWAY: Partial<Record<ProblemCode, string>> = {
  node_unavailable: 'The database that holds it does not answer.',
  identity_unavailable: 'What checks who you are does not answer. You stay signed in.',
  overloaded: 'Too many ask at once.',
};

/** An address that can't be read or names what can't be is as good as one that nothing is at. */
const NO_SUCH_PAGE: number[] = [400, 404, 422];

interface Message {
  status: ContentfulStatusCode;
  title: string;
  text: string;
  /** where to try once more */
  again?: string;
  /** seconds until that may help */
  retryAfterS?: number | undefined;
}

/** How often an open page tries by itself, unless it was told to wait for longer. */
const TRY_AGAIN_S = 5;

function answer(
  context: Context<HttpEnv>,
  o: Pick<PageOptions, 'render'>,
  setting: Setting,
  { status, retryAfterS, ...message }: Message,
): Promise<Response> {
  const isAway = message.again !== undefined;
  return o.render.answer(
    context,
    {
      title: message.title,
      menu: context.req.path.startsWith('/app') ? 'season' : 'resorts',
      isSignedIn: tokenOf(context) !== undefined,
      updates: isAway ? { everyS: Math.max(TRY_AGAIN_S, retryAfterS ?? 0) } : 'none',
      main: messagePage(message),
    },
    setting,
    {
      status,
      keeping: 'nobody',
      ...(retryAfterS !== undefined && { headers: { 'retry-after': String(retryAfterS) } }),
    },
  );
}
