import { expect, test } from 'vitest';
import { hashDeviceKey, newDeviceKey } from '../../src/directory/device-key.ts';

test('a key is ll_dev_ and 256 random bits', () => {
  const keys = Array.from({ length: 100 }, newDeviceKey);
  for (const key of keys) expect(key).toMatch(/^ll_dev_[A-Za-z0-9_-]{43}$/);
  expect(new Set(keys).size).toBe(keys.length);
});

test('what is stored of a key is its SHA-256', () => {
  // printf %s abc | sha256sum
  expect(hashDeviceKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
