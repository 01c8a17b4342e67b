import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Context } from 'hono';
import { Problem } from '../domain/problem.ts';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';

/** What a route takes as its body. */
export interface BodyRules {
  /** bytes on the wire, and after decompression */
  maxBytes: number;
  /** media types without parameters, in lower case; any or none unless given */
  mediaTypes?: readonly string[];
  takesGzip?: boolean;
}

const UTF8 = /^utf-?8$/;

/**
 * Checks what the head says about the body: size, type and encoding.
 *
 * @returns the media type, '' where any is taken
 * @throws Problem `too_large` or `unsupported_media_type`
 */
export function checkBodyHead(context: Context<HttpEnv>, rules: BodyRules): string {
  const length = requestHeader(context, 'content-length');
  if (length !== undefined && Number(length) > rules.maxBytes) throw tooLarge(rules.maxBytes);
  const encoding = requestHeader(context, 'content-encoding');
  if (encoding !== undefined && !isTakenEncoding(encoding.toLowerCase(), rules)) {
    throw new Problem(
      'unsupported_media_type',
      rules.takesGzip ? 'the body may be gzip, nothing else' : 'the body must not be encoded',
    );
  }
  if (!rules.mediaTypes) return '';
  const type = requestHeader(context, 'content-type');
  const mediaType = type !== undefined && rules.mediaTypes.includes(type) ? type : mediaTypeOf(type ?? '');
  if (mediaType !== undefined && rules.mediaTypes.includes(mediaType)) return mediaType;
  throw new Problem('unsupported_media_type', `send ${rules.mediaTypes.join(' or ')} in UTF-8`);
}

function isTakenEncoding(encoding: string, rules: BodyRules): boolean {
  return encoding === 'identity' || (encoding === 'gzip' && rules.takesGzip === true);
}

/** @returns the type without parameters, or undefined when a parameter says that it is not UTF-8 */
function mediaTypeOf(contentType: string): string | undefined {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return charset === undefined || UTF8.test(charset.replaceAll('"', '')) ? type : undefined;
}

/**
 * Reads the body as text, decompressed, and never holds more than the bound.
 *
 * @throws Problem `too_large`, or `malformed` for broken gzip and for a client that hangs up
 */
export async function readBody(context: Context<HttpEnv>, rules: BodyRules): Promise<string> {
  const incoming = context.env?.incoming;
  const body = incoming ? await readIncoming(incoming, rules.maxBytes) : await readRequest(context, rules.maxBytes);
  const encoding = requestHeader(context, 'content-encoding');
  return encoding === undefined || encoding.toLowerCase() === 'identity'
    ? body.toString()
    : inflate(body, rules.maxBytes);
}

/** Straight from Node's stream: the adapter's own `text()` costs more and has no bound. */
function readIncoming(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (incoming.destroyed) return reject(hungUp());
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        incoming.off('data', onData); // what still comes is dropped: the adapter drains it or cuts it off
        reject(tooLarge(maxBytes));
      }
    };
    incoming.on('data', onData);
    incoming.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    incoming.on('close', () => {
      if (!incoming.readableEnded) reject(hungUp());
    });
  });
}

/** A request that came without a server, as in `app.request()`: it is in memory already. */
async function readRequest(context: Context<HttpEnv>, maxBytes: number): Promise<Buffer> {
  const body = Buffer.from(await context.req.arrayBuffer());
  if (body.length > maxBytes) throw tooLarge(maxBytes);
  return body;
}

const gunzipInThreadPool = promisify(gunzip);

async function inflate(body: Buffer, maxBytes: number): Promise<string> {
  try {
    return (await gunzipInThreadPool(body, { maxOutputLength: maxBytes })).toString();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new Problem('malformed', 'the body is not gzip', { cause });
  }
}

/** @throws Problem `malformed` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem('malformed', 'the body is not JSON', { cause });
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('too_large', `the body may have at most ${maxBytes} bytes`);
}

function hungUp(): Problem {
  return new Problem('malformed', 'the connection closed before the body was whole');
}
