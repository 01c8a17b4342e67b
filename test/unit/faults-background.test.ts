import { expect, test } from 'vitest';
import { withBackground } from '../../loadtest/faults/process-actions.ts';

test('who gives up waits for what was started, and tells why it gave up', async () => {
  const restart = Promise.withResolvers<void>();
  const events: string[] = [];
  const act = withBackground((background) => {
    void background.start(restart.promise.then(() => void events.push('restarted')));
    return Promise.reject(new Error('given up'));
  }).catch((error: Error) => void events.push(error.message));
  await new Promise((resolve) => setImmediate(resolve));
  expect(events).toEqual([]);
  restart.resolve();
  await act;
  expect(events).toEqual(['restarted', 'given up']);
});

test('a failure in the background can be seen at once, and is told in the end', async () => {
  const seen: boolean[] = [];
  const act = withBackground(async (background) => {
    seen.push(background.hasFailed());
    await background.start(Promise.reject(new Error('did not start')));
    seen.push(background.hasFailed());
  });
  await expect(act).rejects.toThrow('did not start');
  expect(seen).toEqual([false, true]);
});
