import { describe, expect, test, vi } from 'vitest';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';

function lifecycleWithLog() {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    process: 'test',
    destination: { write: (line) => void lines.push(line) },
  });
  return { lifecycle: new Lifecycle({ logger }), lines };
}

describe('a lifecycle', () => {
  test('closes what was opened last first, and waits for each', async () => {
    const { lifecycle } = lifecycleWithLog();
    const closed: string[] = [];
    lifecycle.onStop('pool', () => void closed.push('pool'));
    lifecycle.onStop('queue', async () => {
      await Promise.resolve();
      closed.push('queue');
    });
    lifecycle.onStop('listener', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      closed.push('listener');
    });
    await lifecycle.stop(1_000);
    expect(closed).toEqual(['listener', 'queue', 'pool']);
  });

  test('goes on past closers that fail, and reports the first error', async () => {
    const { lifecycle, lines } = lifecycleWithLog();
    const closed: string[] = [];
    lifecycle.onStop('pool', () => void closed.push('pool'));
    lifecycle.onStop('queue', () => Promise.reject(new Error('second')));
    lifecycle.onStop('listener', () => {
      throw new Error('first');
    });
    await expect(lifecycle.stop(1_000)).rejects.toThrow('first');
    expect(closed).toEqual(['pool']);
    expect(lines.filter((line) => line.includes('closing failed'))).toHaveLength(2);
  });

  test('calls every closer when the deadline is over, names the one that took too long, and no longer waits', async () => {
    const { lifecycle } = lifecycleWithLog();
    const pool = vi.fn<() => void>();
    lifecycle.onStop('pool', pool);
    lifecycle.onStop('worker', () => new Promise(() => {}));
    await expect(lifecycle.stop(20)).rejects.toThrow('worker did not close in time');
    expect(pool).toHaveBeenCalledOnce();
  });

  test('stops once: a second call waits for the first', async () => {
    const { lifecycle } = lifecycleWithLog();
    const close = vi.fn<() => void>();
    lifecycle.onStop('pool', close);
    expect(lifecycle.isStopping).toBe(false);
    await Promise.all([lifecycle.stop(1_000), lifecycle.stop(1)]);
    expect(lifecycle.isStopping).toBe(true);
    expect(close).toHaveBeenCalledOnce();
  });

  test('closes at once what is opened while it stops', async () => {
    const { lifecycle } = lifecycleWithLog();
    await lifecycle.stop(1_000);
    const close = vi.fn<() => void>();
    lifecycle.onStop('late', close);
    expect(close).toHaveBeenCalledOnce();
  });
});
