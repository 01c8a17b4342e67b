import { type AddressInfo, createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { connectFailingFast, ready } from '../../src/queue/redis.ts';
import { quiet } from '../support/nodes.ts';

test('all who wait for a connection share one wait, and are told together that it failed', async () => {
  const silent = createServer((socket) => void setImmediate(() => socket.destroy())).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const redis = connectFailingFast({ queueUrl: `redis://127.0.0.1:${port}`, key: 'any' }, 1_000, quiet);
  const before = redis.listenerCount('ready');
  try {
    const waiting = Array.from({ length: 30 }, () => ready(redis));
    expect(redis.listenerCount('ready')).toBe(before + 1);
    silent.close();
    const ends = await Promise.allSettled(waiting);
    expect(ends.map(({ status }) => status)).toEqual(waiting.map(() => 'rejected'));
    await expect(ready(redis)).rejects.toThrow('ECONNREFUSED');
  } finally {
    redis.disconnect();
  }
});
