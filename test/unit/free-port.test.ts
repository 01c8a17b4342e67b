import { expect, test } from 'vitest';
import { freePort } from '../../src/cli/free-port.ts';

/** The ports that the Fetch standard blocks, from 10000 on. */
const BLOCKED = 10_080;

test('fetch refuses a port that is blocked, the control', async () => {
  await expect(fetch(`http://127.0.0.1:${BLOCKED}`)).rejects.toMatchObject({ cause: { message: 'bad port' } });
});

test('a free port is above those that fetch refuses, and below those of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, () => freePort()));
  expect(Math.min(...ports)).toBeGreaterThan(BLOCKED);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
