import { createHash } from 'node:crypto';

/** What `load` brings: a JSON object without its `asOf`. */
export interface LoadedAnswer<Read> {
  read: Read;
  asOf: number | null;
  content: object;
  /** fields of it in which answers of the same content may differ: they are not in the etag */
  unmarked?: object;
}

/** An answer as it is kept: what changes with every look, its `asOf`, stands apart. */
export interface KeptAnswer<Read> {
  /** what it was read from; whether it is still current is told by this */
  read: Read;
  /** milliseconds since the epoch when it was read, see `ReadAt` */
  asOf: number | null;
  /** the version of the directory whose names are in it */
  directoryVersion: number;
  /** its JSON but for the first brace, e.g. `"rides":[],"nextCursor":null}`, as bytes that are sent as they are */
  rest: Buffer<ArrayBuffer>;
  /** of its content, as it stands in the header: weak, since `asOf` is not in it */
  etag: string;
}

export function keep<Read>(loaded: LoadedAnswer<Read>, directoryVersion: number): KeptAnswer<Read> {
  const { read, asOf, content, unmarked } = loaded;
  const marked = JSON.stringify(content).slice(1);
  const rest = unmarked === undefined ? marked : `${JSON.stringify(unmarked).slice(1, -1)},${marked}`;
  return { read, asOf, directoryVersion, rest: Buffer.from(rest), etag: etagOf(marked) };
}

/** @returns an entity tag as it stands in a header: weak, for the same content may be written in several ways */
export function etagOf(text: string): string {
  return `W/"${createHash('sha1').update(text).digest('base64url')}"`;
}

/** @returns the content that was loaded, without its `asOf` */
export function contentOf({ rest }: KeptAnswer<unknown>): unknown {
  return JSON.parse(`{${rest.toString()}`);
}
