import { expect, test } from 'vitest';
import { ConfigError, loadConfig, type ProcessName } from '../../src/platform/config.ts';

const ENV = {
  DIRECTORY_URL: 'postgres://localhost/d',
  QUEUE_URL: 'redis://localhost',
  ADMIN_KEY: 'an-admin-key-of-the-tests',
  TOKEN_SECRET: 'a-token-secret-of-the-tests-32-long',
};

function problemsOf(env: Record<string, string>, process: ProcessName): string[] {
  try {
    loadConfig({ ...ENV, ...env }, process);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('leaving is a part of the drain, of the processes that leave', () => {
  const env = { LEAVE_MS: '3000', DRAIN_MS: '3000' };
  for (const process of ['edge', 'rides', 'ops'] as const) {
    expect(problemsOf(env, process)).toEqual(['LEAVE_MS (3000) must be less than DRAIN_MS (3000)']);
  }
  expect(problemsOf({ DRAIN_MS: '1000' }, 'worker')).toEqual([]);
});

test('a burst is at least a batch, so that every batch can get through', () => {
  expect(problemsOf({ DEVICE_BURST_SCANS: '999' }, 'edge')).toEqual([
    'DEVICE_BURST_SCANS must be a whole number from 1000 to 10000000, and is "999"',
  ]);
});
