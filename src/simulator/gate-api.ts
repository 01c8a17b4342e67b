import { z } from 'zod';

/** What a device says: the body of `POST /v1/scans`. */
export interface ScanBody {
  eventId: string;
  resortId: number;
  liftId: number;
  skierId: number;
  /** RFC 3339 with offset */
  scannedAt: string;
}

/** What became of one scan of a request. */
export type Answer =
  | { outcome: 'acked' }
  /** final: sending it again can't help */
  | { outcome: 'refused'; reason: string }
  /** not confirmed, and nobody knows whether it was stored: to be sent again */
  | { outcome: 'unconfirmed'; reason: string; retryAfterMs: number };

/** A base URL as a gate sees it. */
export interface GateApi {
  /** Never rejects: what went wrong is an answer, one for each scan, in order. */
  send(scans: readonly ScanBody[]): Promise<Answer[]>;
}

const results = z.object({
  results: z.array(
    z.object({ status: z.string(), error: z.object({ code: z.string(), detail: z.string().optional() }).optional() }),
  ),
});
const problem = z.object({ code: z.string() });
/** Longer than the edge's own deadline of 2 s, shorter than a gate's patience. */
const REQUEST_TIMEOUT_MS = 10_000;
const DEFAULT_RETRY_MS = 500;

export function gateApi(o: { baseUrl: string; deviceKey: string }): GateApi {
  const headers = { authorization: `Bearer ${o.deviceKey}`, 'content-type': 'application/json' };
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${o.baseUrl}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  return {
    async send(scans) {
      try {
        const [only] = scans;
        if (scans.length === 1 && only) return [await singleAnswer(await post('/v1/scans', only))];
        return await batchAnswers(await post('/v1/scans/batch', { scans }), scans.length);
      } catch (error) {
        return same(
          { outcome: 'unconfirmed', reason: networkReason(error), retryAfterMs: DEFAULT_RETRY_MS },
          scans.length,
        );
      }
    },
  };
}

async function singleAnswer(response: Response): Promise<Answer> {
  const body = await response.text();
  return response.status === 202 ? { outcome: 'acked' } : failure(response, body);
}

async function batchAnswers(response: Response, count: number): Promise<Answer[]> {
  const body = await response.text();
  const parsed = results.safeParse(tryJson(body));
  if (!parsed.success || parsed.data.results.length !== count) {
    if (response.status === 202) return same({ outcome: 'refused', reason: 'unreadable 202 reply' }, count);
    return same(failure(response, body), count);
  }
  const retryAfterMs = retryAfter(response);
  return parsed.data.results.map(({ status, error }): Answer => {
    if (status === 'accepted') return { outcome: 'acked' };
    const reason = error?.code ?? status;
    return status === 'retry' ? { outcome: 'unconfirmed', reason, retryAfterMs } : { outcome: 'refused', reason };
  });
}

function failure(response: Response, body: string): Answer {
  const parsed = problem.safeParse(tryJson(body));
  const reason = `${response.status}${parsed.success ? ` ${parsed.data.code}` : ''}`;
  const isTransient = response.status >= 500 || response.status === 429 || response.status === 408;
  return isTransient
    ? { outcome: 'unconfirmed', reason, retryAfterMs: retryAfter(response) }
    : { outcome: 'refused', reason };
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 30) * 1_000 : DEFAULT_RETRY_MS;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undici hides the reason in the cause */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'network';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.name === 'TimeoutError' ? 'timeout' : 'network';
}

function same(answer: Answer, count: number): Answer[] {
  return Array.from({ length: count }, () => answer);
}
