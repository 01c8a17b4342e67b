import { setTimeout as delay } from 'node:timers/promises';
import { HttpConnection, type Reply } from './http-connection.ts';
import { type Latencies, latencies } from './latencies.ts';

/** One request of a load. */
export interface LoadRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface ClosedLoopOptions<R extends LoadRequest> {
  /** several: the connections are spread over them */
  urls: readonly string[];
  connections: number;
  /** taken one by one; each connection takes the next when it has its reply */
  requests: Iterator<R>;
  onReply: (request: R, reply: Reply) => void;
  /** no reply: the connection broke or the time was up; nobody knows what the server did */
  onFailure: (request: R, error: Error) => void;
  /** ends the load after the replies that are under way */
  signal?: AbortSignal;
  timeoutMs?: number;
  /**
   * at most so many requests a second, evenly; a late one is not made up for by a burst of more than the connections. A
   * function is asked for each request
   */
  ratePerS?: number | (() => number);
}

export interface LoadResult extends Latencies {
  requests: number;
  failures: number;
  seconds: number;
  perSecond: number;
}

/** A closed loop: so many connections, each with one request under way at any time, until there are no more. */
export async function closedLoop<R extends LoadRequest>(o: ClosedLoopOptions<R>): Promise<LoadResult> {
  const samples: number[] = [];
  let failures = 0;
  const startedAt = performance.now();
  const turn = pacer(o.ratePerS);
  const work = async (connection: HttpConnection): Promise<void> => {
    while (!o.signal?.aborted) {
      const { value: request, done } = o.requests.next();
      if (done) break;
      await turn();
      const sentAt = performance.now();
      let reply: Reply;
      try {
        reply = await connection.request(request.method, request.path, request);
      } catch (error) {
        failures += 1;
        o.onFailure(request, error as Error);
        continue;
      }
      samples.push(performance.now() - sentAt);
      o.onReply(request, reply);
    }
    connection.close();
  };
  const connections = Array.from(
    { length: o.connections },
    (_, at) =>
      new HttpConnection(
        o.urls[at % o.urls.length] as string,
        o.timeoutMs === undefined ? {} : { timeoutMs: o.timeoutMs },
      ),
  );
  await Promise.all(connections.map(work));
  const seconds = (performance.now() - startedAt) / 1_000;
  const requests = samples.length;
  return { requests, failures, seconds, perSecond: requests / seconds, ...latencies(samples) };
}

/** @returns a function that resolves when the next request may leave */
function pacer(rate: ClosedLoopOptions<LoadRequest>['ratePerS']): () => Promise<void> | undefined {
  if (rate === undefined) return () => undefined;
  const ratePerS = typeof rate === 'number' ? () => rate : rate;
  let nextAt = performance.now();
  return () => {
    const now = performance.now();
    nextAt = Math.max(nextAt + 1_000 / ratePerS(), now - 100);
    return nextAt > now ? delay(nextAt - now) : undefined;
  };
}
