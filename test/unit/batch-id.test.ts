import { validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { newBatchId } from '../../src/queue/batch-id.ts';

/** More than are fetched at once. */
const MANY = 1_000;

describe('ids of batches', () => {
  const before = Date.now();
  const ids = Array.from({ length: MANY }, newBatchId);

  it('are UUIDs v7 that begin with the time', () => {
    for (const id of ids) {
      expect([validate(id), version(id)]).toEqual([true, 7]);
      const ms = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
      expect(ms).toBeGreaterThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(Date.now());
    }
  });

  it('differ in all that is random', () => {
    // behind the time there are the version, the variant and 74 random bits
    expect(new Set(ids.map((id) => id.slice(15))).size).toBe(MANY);
  });
});
