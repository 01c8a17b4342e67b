import type { RideJson } from '../shapes.ts';

// What a listener is told, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

/** A browser that was cut off comes back after this, unless it is told otherwise. */
const RETRY_MS = 2_000;
/** Of those who are sent away together nobody comes back before this, and all within four times of it. */
const RETURN_MS = 1_000;

/** Where a listener is. */
export interface Told {
  /** up to when what it was told is complete, milliseconds since the epoch */
  asOf: number | null;
  /** the `changesToken` to go on from; none when what it stands for has not been told yet */
  token?: string | undefined;
}

/** The first event of every stream. */
export function helloFrame(told: Told): string {
  return `retry: ${RETRY_MS}\n${asOfEvent('hello', told)}`;
}

/** In the place of what was missed, when that can't be told: the history is to be read anew. */
export function resetFrame(told: Told): string {
  return asOfEvent('reset', told);
}

export function asOfFrame(told: Told): string {
  return asOfEvent('asOf', told);
}

/** @param token of a reader who has this ride and all before; none when more follow that belong to the same position */
export function rideFrame(ride: RideJson, token: string | undefined): string {
  return `event: ride\n${idLine(token)}data: ${JSON.stringify(ride)}\n\n`;
}

/** Says that the stream ends though nothing is wrong, and when to come back: not all at once. */
export function byeFrame(): string {
  return `event: bye\nretry: ${RETURN_MS + Math.floor(Math.random() * 3 * RETURN_MS)}\ndata: {}\n\n`;
}

/** Keeps a silent connection open. */
export const HEARTBEAT = ':\n\n';

function asOfEvent(name: string, { asOf, token }: Told): string {
  const text = asOf === null ? 'null' : `"${new Date(asOf).toISOString()}"`;
  return `event: ${name}\n${idLine(token)}data: {"asOf":${text}}\n\n`;
}

function idLine(token: string | undefined): string {
  return token === undefined ? '' : `id: ${token}\n`;
}
