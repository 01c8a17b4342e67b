import { createHash } from 'node:crypto';

/** An answer as it is kept: what changes with every look, its `asOf`, stands apart. */
export interface KeptAnswer<Read> {
  /** what it was read from; whether it is still current is told by this */
  read: Read;
  /** milliseconds since the epoch when it was read, see `ReadAt` */
  asOf: number | null;
  /** the version of the directory whose names are in it */
  directoryVersion: number;
  /** its JSON but for the first brace, e.g. `"rides":[],"nextCursor":null}` */
  rest: string;
  /** of `rest`, as it stands in the header: weak, since `asOf` is not in it */
  etag: string;
}

/** What `load` brings: a JSON object without its `asOf`. */
export interface LoadedAnswer<Read> {
  read: Read;
  asOf: number | null;
  content: object;
}

export function keep<Read>({ read, asOf, content }: LoadedAnswer<Read>, directoryVersion: number): KeptAnswer<Read> {
  const rest = JSON.stringify(content).slice(1);
  const etag = `W/"${createHash('sha1').update(rest).digest('base64url')}"`;
  return { read, asOf, directoryVersion, rest, etag };
}
