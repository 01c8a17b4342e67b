import type { ServerResponse } from 'node:http';
import type { PgSnapshot } from '../../shards/pg-snapshot.ts';
import { byeFrame } from './frames.ts';

/** What may wait for a client that does not read; the system's own buffers hold some more. */
const MAX_WAITING_BYTES = 64 * 1_024;

/** Where a stream begins. */
export interface Start {
  skierId: number;
  shard: number;
  nodeId: number;
  epoch: number;
  /** rides that it sees are not told */
  since: PgSnapshot;
  asOf: number | null;
}

/** One who listens: an open response, and little else, for there are thousands. */
export class Listener {
  readonly start: Start;
  readonly #openedAt = performance.now();
  /** the `asOf` that it was told last */
  asOf: number | null;
  /** when it is looked after next, by `performance.now` */
  dueAt = 0;
  #writtenAt = performance.now();
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, start: Start) {
    this.#response = response;
    this.start = start;
    this.asOf = start.asOf;
  }

  /** milliseconds since it began */
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** milliseconds since anything was written */
  get silentMs(): number {
    return performance.now() - this.#writtenAt;
  }

  /** @returns false when the client reads too slowly: it is cut off then, and comes back to where it was */
  write(frames: string): boolean {
    if (this.#response.writableLength > MAX_WAITING_BYTES) {
      this.#response.destroy();
      return false;
    }
    this.#response.write(frames);
    this.#writtenAt = performance.now();
    return true;
  }

  /** Ends the stream in an orderly way. */
  end(): void {
    this.#response.end(byeFrame());
  }
}
