import { createHash } from 'node:crypto';

/** What `load` brings: a JSON object without its `asOf`. */
export interface LoadedAnswer<Read> {
  read: Read;
  asOf: number | null;
  content: object;
  /** fields of it in which answers of the same content may differ: they are not in the etag */
  unmarked?: object;
}

/** What is known of an answer besides its text. */
export interface AnswerFacts<Read> {
  /** what it was read from; whether it is still current is told by this */
  read: Read;
  /** milliseconds since the epoch when it was read, see `ReadAt` */
  asOf: number | null;
  /** the version of the directory whose names are in it */
  directoryVersion: number;
  /** of its content, as it stands in the header: weak, since `asOf` is not in it */
  etag: string;
}

/**
 * An answer as it is kept: bytes that are sent as they are. What changes with every look, its `asOf`, stands in front of
 * them; as long as that stays the same, so do the bytes.
 */
export class KeptAnswer<Read> implements AnswerFacts<Read> {
  readonly read: Read;
  readonly asOf: number | null;
  readonly directoryVersion: number;
  readonly etag: string;
  /** nobody changes them: they may still be on their way to a client */
  #bytes: Buffer<ArrayBuffer>;
  #head = '';
  #headBytes = 0;

  /** @param rest its JSON but for the first brace, e.g. `"rides":[],"nextCursor":null}` */
  constructor({ read, asOf, directoryVersion, etag }: AnswerFacts<Read>, rest: Buffer<ArrayBuffer>) {
    this.read = read;
    this.asOf = asOf;
    this.directoryVersion = directoryVersion;
    this.etag = etag;
    this.#bytes = rest;
  }

  get rest(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(this.#headBytes);
  }

  /** about what it takes in memory */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** @param head the brace and the first fields, e.g. `{"asOf":null,` */
  after(head: string): Buffer<ArrayBuffer> {
    if (head !== this.#head) {
      const start = Buffer.from(head);
      this.#bytes = Buffer.concat([start, this.rest]);
      this.#head = head;
      this.#headBytes = start.length;
    }
    return this.#bytes;
  }

  /** @returns the content that was loaded, without its `asOf` */
  content(): unknown {
    return JSON.parse(`{${this.rest.toString()}`);
  }
}

export function keep<Read>(loaded: LoadedAnswer<Read>, directoryVersion: number): KeptAnswer<Read> {
  const { read, asOf, content, unmarked } = loaded;
  const marked = JSON.stringify(content).slice(1);
  const etag = `W/"${createHash('sha1').update(marked).digest('base64url')}"`;
  const rest = unmarked === undefined ? marked : `${JSON.stringify(unmarked).slice(1, -1)},${marked}`;
  return new KeptAnswer({ read, asOf, directoryVersion, etag }, Buffer.from(rest));
}
