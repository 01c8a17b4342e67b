import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { until } from './until.ts';

/** One server-sent event. */
export interface StreamEvent {
  event: string;
  id: string | undefined;
  data: unknown;
  retry: number | undefined;
}

/** A client of server-sent events, which keeps everything that it was told. */
export interface EventStream {
  status: number;
  headers: IncomingMessage['headers'];
  events: StreamEvent[];
  /** the id that a browser would come back with */
  lastId(): string | undefined;
  /** waits for an event of a name; the n-th, the first unless given */
  next(event: string, nth?: number): Promise<StreamEvent>;
  isOver(): boolean;
  /** the server has ended it in an orderly way */
  isWhole(): boolean;
  close(): void;
}

/** Opens a stream; other answers than 200 have no events. */
export async function openEventStream(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const outgoing = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const state = { events: [] as StreamEvent[], rest: '', isOver: false };
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const parts = (state.rest + chunk).split('\n\n');
    state.rest = parts.pop() ?? '';
    // a lone colon is a heartbeat
    state.events.push(...parts.filter((part) => part !== ':').map(parse));
  });
  response.on('error', () => {});
  response.on('close', () => {
    state.isOver = true;
  });
  const named = (event: string) => state.events.filter((one) => one.event === event);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events: state.events,
    lastId: () => state.events.findLast(({ id }) => id !== undefined)?.id,
    next: (event, nth = 1) => until(`event ${event}, number ${nth}`, () => named(event)[nth - 1]),
    isOver: () => state.isOver,
    isWhole: () => response.complete,
    close: () => outgoing.destroy(),
  };
}

function parse(text: string): StreamEvent {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const retry = fields.get('retry');
  return {
    event: fields.get('event') ?? 'message',
    id: fields.get('id'),
    data: JSON.parse(fields.get('data') ?? 'null') as unknown,
    retry: retry === undefined ? undefined : Number(retry),
  };
}
