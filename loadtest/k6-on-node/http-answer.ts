import type { IncomingMessage } from 'node:http';
import { Unsupported } from './unsupported.ts';

/** What a script gets for a request: the part of k6's Response that the stand-in has. */
export interface HttpAnswer {
  /** 0 when no answer came */
  status: number;
  /** why no answer came, or empty */
  error: string;
  body: string | null;
  /** names as k6 writes them: Retry-After */
  headers: Record<string, string>;
  /** @throws SyntaxError when the body is no JSON; Unsupported for a selector */
  json(selector?: string): unknown;
}

/** @throws Error when the connection breaks before the end */
export async function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return answer(incoming.statusCode ?? 0, '', Buffer.concat(chunks).toString('utf8'), incoming.rawHeaders);
}

export function failedAnswer(error: unknown): HttpAnswer {
  return answer(0, error instanceof Error ? error.message || error.name : String(error), null, []);
}

function answer(status: number, error: string, body: string | null, rawHeaders: readonly string[]): HttpAnswer {
  return {
    status,
    error,
    body,
    get headers() {
      return canonicalHeaders(rawHeaders);
    },
    json(selector) {
      if (selector !== undefined) throw new Unsupported('Response.json with a selector');
      return JSON.parse(body ?? '') as unknown;
    },
  };
}

/** @param raw names and values in turns */
function canonicalHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    headers[name] = name in headers ? `${headers[name]}, ${raw[at + 1]}` : (raw[at + 1] ?? '');
  }
  return headers;
}
