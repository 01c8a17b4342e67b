import { connect, type Socket } from 'node:net';

export interface Reply {
  status: number;
  body: string;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  body?: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * One keep-alive connection that speaks just enough HTTP/1.1, one request at a time. A load client shares the machine's
 * cores with what it measures: this costs a third of `node:http`, which builds objects that nobody here reads.
 */
export class HttpConnection {
  readonly #url: URL;
  readonly #timeoutMs: number;
  #socket: Socket | undefined;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void; timer: NodeJS.Timeout } | undefined;

  /** @param o.timeoutMs for one request, 30 s unless given */
  constructor(url: string, o: { timeoutMs?: number } = {}) {
    this.#url = new URL(url);
    this.#timeoutMs = o.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Sends a request, connecting first where needed.
   *
   * @throws Error when the connection breaks or the reply does not come in time; whether the server got it is unknown then
   */
  request(method: string, path: string, o: RequestOptions = {}): Promise<Reply> {
    if (this.#waiting) return Promise.reject(new Error('one request at a time'));
    const text = requestText(this.#url, method, path, o);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error(`no reply within ${this.#timeoutMs} ms`)), this.#timeoutMs);
      this.#waiting = { resolve, reject, timer };
      (this.#socket ??= this.#open()).write(text);
    });
  }

  close(): void {
    this.#fail(new Error('closed'));
  }

  #open(): Socket {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port || 80), noDelay: true });
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#socket === socket && this.#fail(error));
    socket.on('close', () => this.#socket === socket && this.#fail(new Error('the server closed the connection')));
    return socket;
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#receivedBytes);
    this.#received = [all];
    let reply: ReturnType<typeof parseReply>;
    try {
      reply = parseReply(all);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!reply) return;
    const waiting = this.#waiting;
    this.#reset();
    if (reply.isLast) this.#drop();
    waiting?.resolve(reply);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#reset();
    this.#drop();
    waiting?.reject(error);
  }

  #reset(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = undefined;
    this.#received = [];
    this.#receivedBytes = 0;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

/** The bytes of a request. */
export function requestText(url: URL, method: string, path: string, o: RequestOptions = {}): string {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const name in o.headers) text += `${name}: ${o.headers[name]}\r\n`;
  if (o.body === undefined) return `${text}\r\n`;
  return `${text}content-length: ${Buffer.byteLength(o.body)}\r\n\r\n${o.body}`;
}

/** @returns the reply when all of it is there; `isLast` when the server will close the connection */
function parseReply(bytes: Buffer): (Reply & { isLast: boolean }) | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  const isLast = head.includes('\r\nconnection: close');
  const bodyStart = headEnd + HEAD_END.length;
  const length = lengthOf(head, status);
  if (length === undefined) {
    const body = chunkedBody(bytes, bodyStart);
    return body === undefined ? undefined : { status, body, isLast };
  }
  if (bytes.length < bodyStart + length) return undefined;
  return { status, body: bytes.toString('utf8', bodyStart, bodyStart + length), isLast };
}

/** @returns the body's length, undefined when it comes in chunks; @throws Error for a reply without either */
function lengthOf(head: string, status: number): number | undefined {
  const at = head.indexOf('\r\ncontent-length: ');
  if (at >= 0) return Number.parseInt(head.slice(at + 18), 10);
  if (head.includes('\r\ntransfer-encoding: chunked')) return undefined;
  if (status === 204 || status === 304) return 0;
  throw new Error(`a reply without length: ${head.slice(0, 200)}`);
}

function chunkedBody(bytes: Buffer, start: number): string | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
