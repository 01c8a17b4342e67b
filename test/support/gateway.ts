import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { closedLoop, type LoadRequest } from '../../loadtest/client/closed-loop.ts';
import { type Gateway, startNginx } from '../../loadtest/stack/nginx.ts';
import type { Stack } from '../../loadtest/stack.ts';
import { goodScan } from './edge.ts';
import { findTool } from './tools.ts';

/** What tests of the gateway need; for `describe.skipIf(!gatewayAvailable)`. */
export const gatewayAvailable = (['redis', 'nginx', 'openssl'] as const).every((tool) => findTool(tool) !== undefined);

/** What two cores can do beside starting processes. */
const RATE_PER_S = 800;

const urls = (processes: readonly { url: string }[]) => processes.map(({ url }) => url);

/** nginx before every process of a stack. @param change a last change to its configuration */
export function startGateway(
  stack: Stack,
  o: { folder: string } & Pick<Parameters<typeof startNginx>[0], 'tls' | 'requestsPerS' | 'change'>,
): Promise<Gateway> {
  return startNginx({ edges: urls(stack.edges), rides: urls(stack.rides), ops: [stack.ops.url], ...o });
}

/** Posts scans until told to stop. @returns by status, and code of refusals, how many answers there were; `none`: connections that broke */
export function startPosting(
  stack: Stack,
  url: string,
): { answers: Map<string, number>; stop(): Promise<Map<string, number>> } {
  const stopping = new AbortController();
  const answers = new Map<string, number>();
  const count = (answer: string) => void answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const headers = { authorization: `Bearer ${stack.deviceKey}`, 'content-type': 'application/json' };
  function* requests(): Generator<LoadRequest> {
    for (let i = 0; ; i += 1) {
      yield { method: 'POST', path: '/v1/scans', headers, body: JSON.stringify(goodScan({ skierId: 1 + (i % 500) })) };
    }
  }
  const done = closedLoop({
    urls: [url],
    connections: 32,
    requests: requests(),
    onReply: (_request, { status, body }) =>
      count(status === 202 ? '202' : `${status} ${/"code":"(\w+)"/.exec(body)?.[1]}`),
    onFailure: () => count('none'),
    signal: stopping.signal,
    ratePerS: RATE_PER_S,
  });
  return {
    answers,
    async stop() {
      stopping.abort();
      await done;
      return answers;
    },
  };
}

/** Asks over HTTP/2. */
export async function askHttp2(
  url: string,
  certificateFile: string,
  o: { method: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<{ headers: IncomingHttpHeaders; body: string; alpn: string | undefined }> {
  const session = connectHttp2(url, { ca: await readFile(certificateFile) });
  try {
    const stream = session.request({ ':method': o.method, ':path': o.path, ...o.headers });
    stream.end(o.body);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    let body = '';
    for await (const chunk of stream) body += String(chunk);
    return { headers, body, alpn: session.alpnProtocol };
  } finally {
    session.close();
  }
}

/** @returns a request id that no other request has */
export const newRequestId = (): string => `test-${randomUUID()}`;
