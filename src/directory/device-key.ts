import { createHash, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** @returns a new key: `ll_dev_` and 43 base64url characters (256 random bits) */
export function newDeviceKey(): string {
  return `ll_dev_${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * What the directory stores of a key. A plain hash is enough: a key is random and can't be guessed, and a slow hash would
 * cost every request what only passwords need.
 *
 * @returns SHA-256 of the key, 64 hex digits
 */
export function hashDeviceKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
