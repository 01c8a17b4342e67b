import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const BYTES = 16;
const pool = new Uint8Array(256 * BYTES);
let at = pool.length;

function randomBytes(): Uint8Array {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  at += BYTES;
  return pool.subarray(at - BYTES, at);
}

/** @returns a UUID v7; randomness is fetched for many at once, for asking for each was a twentieth of an edge's CPU */
export function newBatchId(): string {
  return uuidv7({ rng: randomBytes });
}
