import type { Context, ErrorHandler, Handler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Problem } from '../../domain/problem.ts';
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
      text: 'The database that holds it does not answer. Nothing is lost, and new rides are still taken.',
      again,
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

/** An address that can't be read or names what can't be is as good as one that nothing is at. */
const NO_SUCH_PAGE: number[] = [400, 404, 422];

function answer(
  context: Context<HttpEnv>,
  o: Pick<PageOptions, 'render'>,
  setting: Setting,
  { status, ...message }: { status: ContentfulStatusCode; title: string; text: string; again?: string },
): Promise<Response> {
  const isAway = message.again !== undefined;
  return o.render.answer(
    context,
    {
      title: message.title,
      menu: context.req.path.startsWith('/app') ? 'season' : 'resorts',
      isSignedIn: tokenOf(context) !== undefined,
      updates: isAway ? { everyS: 5 } : 'none',
      main: messagePage(message),
    },
    setting,
    { status, keeping: 'nobody', ...(isAway && { headers: { 'retry-after': '1' } }) },
  );
}
