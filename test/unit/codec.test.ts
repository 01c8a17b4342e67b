import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, MAX_SCANS_PER_BATCH } from '../../src/domain/batch.ts';
import { decodeBatch, encodeBatch, NewerBatch, UnreadableBatch } from '../../src/queue/codec.ts';

const uuid = fc.uuid();
const id = fc.integer({ min: 1, max: 2_147_483_647 });
const date = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2100-12-31'), noInvalidDate: true })
  .map((at) => at.toISOString().slice(0, 10));
const scan = fc.record({
  eventId: uuid,
  skierId: id,
  resortId: id,
  liftId: id,
  scannedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  season: fc.integer({ min: 1990, max: 2100 }),
  day: fc.integer({ min: 1, max: 366 }),
  date,
  hour: fc.integer({ min: 0, max: 23 }),
  verticalM: fc.integer({ min: 0, max: 10_000 }),
  deviceId: fc.nat(),
});
const batch: fc.Arbitrary<Batch> = fc
  .record({
    batchId: uuid,
    acceptedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    parentBatchId: fc.option(uuid, { nil: undefined }),
    scans: fc.array(scan, { minLength: 1, maxLength: 40 }),
  })
  .map(({ parentBatchId, ...rest }) => (parentBatchId === undefined ? rest : { ...rest, parentBatchId }));

const throughJson = (data: unknown): unknown => JSON.parse(JSON.stringify(data));
const example = () => fc.sample(batch, { numRuns: 1, seed: 7 })[0] as Batch;
const encoded = () => throughJson(encodeBatch(example())) as Record<string, unknown>;

describe('the batch codec', () => {
  it('gives back every batch, through JSON', () => {
    fc.assert(
      fc.property(batch, (original) => {
        expect(decodeBatch(throughJson(encodeBatch(original)))).toEqual(original);
      }),
    );
  });

  it('gives back a full batch in which all scans share most fields', () => {
    const [first] = example().scans;
    const scans = Array.from({ length: MAX_SCANS_PER_BATCH }, (_, i) => ({
      ...(first as Batch['scans'][0]),
      skierId: i + 1,
    }));
    const full = { ...example(), scans };
    const json = JSON.stringify(encodeBatch(full));
    expect(decodeBatch(JSON.parse(json))).toEqual(full);
    expect(json.length / scans.length).toBeLessThan(60);
  });

  it('ignores fields that it does not know: an older worker reads a newer edge', () => {
    fc.assert(
      fc.property(
        batch,
        fc.dictionary(
          fc.string().map((name) => `new_${name}`),
          fc.jsonValue(),
        ),
        (original, extra) => {
          expect(decodeBatch({ ...extra, ...(throughJson(encodeBatch(original)) as object) })).toEqual(original);
        },
      ),
    );
  });

  it('refuses anything else with UnreadableBatch, and never with another error', () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        expect(() => decodeBatch(data)).toThrow(UnreadableBatch);
      }),
    );
  });

  it('refuses a batch whose one field was replaced by something of another type', () => {
    const fields = Object.keys(encoded());
    fc.assert(
      fc.property(
        fc.constantFrom(...fields),
        fc.constantFrom(null, {}, true, 1.5, 'x', [], [null], ['2025-13-x']),
        (field, wrong) => {
          expect(() => decodeBatch({ ...encoded(), [field]: wrong })).toThrow(UnreadableBatch);
        },
      ),
    );
  });

  it.each([
    ['a newer version', { v: 2 }, 'version 2'],
    ['no version', { v: undefined }, 'version undefined'],
    ['too many scans', { n: MAX_SCANS_PER_BATCH + 1 }, 'n: '],
    ['no scans', { n: 0 }, 'n: '],
    ['a column that is too short', { liftId: [1] }, 'liftId: 1 values for'],
    ['a date that is none', { date: '1.12.2025' }, 'date'],
    ['an event id cut off', { eventIds: 'abc' }, 'eventIds: 3 characters'],
  ])('says why: %s', (_name, change, reason) => {
    expect(() => decodeBatch({ ...encoded(), ...change })).toThrow(reason);
  });

  it('tells what a newer program wrote from what nobody can read', () => {
    expect(() => decodeBatch({ ...encoded(), v: 2, n: 'other' })).toThrow(NewerBatch);
    for (const v of [0, -1, 1.5, '2', null, undefined, Number.MAX_VALUE]) {
      expect(() => decodeBatch({ ...encoded(), v })).toThrow(UnreadableBatch);
      expect(() => decodeBatch({ ...encoded(), v })).not.toThrow(NewerBatch);
    }
  });

  it('says why: an event id that is none', () => {
    const { eventIds } = encoded() as { eventIds: string };
    const broken = `${eventIds.slice(0, -1)}${String.fromCharCode(0)}`;
    expect(() => decodeBatch({ ...encoded(), eventIds: broken })).toThrow(/eventIds: no\. \d+ is not a UUID/);
  });

  it('leaves ranges to the database, so that one impossible scan does not take its neighbours along', () => {
    const poison = { ...example(), scans: example().scans.map((s) => ({ ...s, day: 4000, skierId: 2 ** 40 })) };
    expect(decodeBatch(throughJson(encodeBatch(poison)))).toEqual(poison);
  });
});
