import { describe, expect, it, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/platform/config.ts';
import { parseClusterUrl } from '../../src/platform/queue-url.ts';
import { queueKind } from '../../src/queue/lanes.ts';

const HERE = { username: '', password: '', isTls: false };

describe('the URL of a Redis Cluster', () => {
  test.each([
    ['redis+cluster://a', { ...HERE, seeds: [{ host: 'a', port: 6379 }] }],
    [
      'redis+cluster://10.0.0.1:7000,10.0.0.2:7001/',
      {
        ...HERE,
        seeds: [
          { host: '10.0.0.1', port: 7000 },
          { host: '10.0.0.2', port: 7001 },
        ],
      },
    ],
    ['redis+cluster://[::1]:7000', { ...HERE, seeds: [{ host: '::1', port: 7000 }] }],
    [
      'rediss+cluster://ski:p%40ss%2C@a.example:7000,b.example',
      {
        username: 'ski',
        password: 'p@ss,',
        isTls: true,
        seeds: [
          { host: 'a.example', port: 7000 },
          { host: 'b.example', port: 6379 },
        ],
      },
    ],
    ['redis+cluster://:secret@a', { ...HERE, password: 'secret', seeds: [{ host: 'a', port: 6379 }] }],
  ])('%s', (url, address) => {
    expect(parseClusterUrl(url)).toEqual(address);
    expect(queueKind(url)).toBe('redis');
    expect(loadConfig({ DIRECTORY_URL: 'postgres://d', QUEUE_URL: url }, 'worker').queueUrl).toBe(url);
  });

  test.each([
    'redis://a:7000',
    'redis+cluster://',
    'redis+cluster://a:7000,',
    'redis+cluster://a:70000',
    'redis+cluster://a:b',
    'redis+cluster://a b',
    'redis+cluster://a/1',
    'redis+cluster://a?x=1',
    'redis+cluster://u:%zz@a',
    'http+cluster://a',
  ])('%s is none', (url) => {
    expect(parseClusterUrl(url)).toBeUndefined();
  });

  it('is explained, and no password is shown, when it is wrong', () => {
    const env = { DIRECTORY_URL: 'postgres://d', QUEUE_URL: 'redis+cluster://u:sesame@a:b' };
    expect(problemsOf(env)).toEqual([
      expect.stringMatching(/^QUEUE_URL must be .*redis\+cluster:\/\/host:port,host:port/),
    ]);
    expect(problemsOf(env).join()).not.toContain('sesame');
  });
});

describe('the settings of the queue', () => {
  it('have no replicas on Postgres: it has its own', () => {
    const worker = { DIRECTORY_URL: 'postgres://d', QUEUE_REPLICAS: '1' };
    expect(problemsOf({ ...worker, QUEUE_URL: 'redis://a' })).toEqual([]);
    expect(problemsOf({ ...worker, QUEUE_URL: 'postgres://q' })).toEqual([
      expect.stringMatching(/^QUEUE_REPLICAS \(1\) must be 0.*synchronous_standby_names/),
    ]);
  });

  it('bring back the job of a killed worker within 20 s', () => {
    const { lockMs, stallCheckMs } = loadConfig({ DIRECTORY_URL: 'postgres://d', QUEUE_URL: 'redis://a' }, 'worker');
    expect(lockMs + 2 * stallCheckMs).toBeLessThanOrEqual(20_000);
  });
});

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env, 'worker');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
