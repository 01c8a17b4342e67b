import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeReceipt, encodeReceipt, type Receipt } from '../../src/domain/receipt.ts';
import { MAX_SKIER_ID } from '../../src/domain/shard.ts';

const receipts: fc.Arbitrary<Receipt> = fc
  .record({
    skierId: fc.integer({ min: 1, max: MAX_SKIER_ID }),
    deviceId: fc.integer({ min: 0, max: MAX_SKIER_ID }),
    scannedAt: fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) }),
    eventId: fc.uuid(),
    enqueuedAt: fc.integer({ min: 0, max: Date.UTC(2200, 0) }),
    ackMs: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ ackMs, ...receipt }) => ({ ...receipt, acceptedAt: receipt.enqueuedAt + ackMs }));

describe('a receipt', () => {
  test('tells what it was made of', () => {
    fc.assert(
      fc.property(receipts, (receipt) => {
        expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt);
      }),
    );
  });

  test('goes into a URL as it is, and is pinned: devices keep them', () => {
    const receipt = {
      skierId: 4711,
      deviceId: 7,
      scannedAt: 1_767_225_600_000,
      eventId: '0190a7b2-5c3d-7e4f-8a9b-0c1d2e3f4a5b',
      enqueuedAt: 1_767_225_601_000,
      acceptedAt: 1_767_225_601_012,
    };
    expect(encodeReceipt(receipt)).toBe('AQAAEmcAAAAHAZt22qgAAZCnslw9fk-KmwwdLj9KWwGbdtqr6AAAAAw');
  });

  test('what was not made here is none', () => {
    const good = encodeReceipt(fc.sample(receipts, { numRuns: 1, seed: 1 })[0] as Receipt);
    for (const text of [
      '',
      'x',
      `${good}A`,
      good.slice(1),
      `A${good}`,
      good.replace(/^./, 'Z'),
      good.replace(/.$/, '!'),
    ])
      expect(decodeReceipt(text)).toBeUndefined();
    const noSkier = Buffer.from(good, 'base64url');
    noSkier.writeUInt32BE(0, 1);
    expect(decodeReceipt(noSkier.toString('base64url'))).toBeUndefined();
  });

  test('any text is none, or one that reads back as itself', () => {
    const texts = fc.string({ minLength: 55, maxLength: 55, unit: fc.constantFrom('A', 'B', '-', '_', '9', 'z') });
    fc.assert(
      fc.property(texts, (text) => {
        const receipt = decodeReceipt(text);
        expect(receipt === undefined || encodeReceipt(receipt) === text).toBe(true);
      }),
    );
  });
});
