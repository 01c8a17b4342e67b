import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { progressLine } from '../../src/cli/dead-progress.ts';
import { runOnDead } from '../../src/cli/dead-run.ts';
import type { DeadLetter, DeadLetters } from '../../src/shards/dead-letters.ts';

function lettersOf(count: number): { letters: DeadLetters; left: () => number } {
  const held = new Map(
    Array.from({ length: count }, (_, i): [string, DeadLetter] => [
      `letter ${i}`,
      {
        deadLetterId: `letter ${i}`,
        lane: 0,
        shard: 0,
        batchId: '',
        code: '23514',
        detail: '',
        acceptedAt: 0,
        diedAt: 0,
        payload: null,
      },
    ]),
  );
  const letters: DeadLetters = {
    list: ({ limit }) => Promise.resolve([...held.values()].slice(0, limit)),
    show: (id) => Promise.resolve(held.get(id) as DeadLetter),
    replay: () => Promise.reject(new Error('not asked for')),
    async discard(id) {
      held.delete(id);
    },
  };
  return { letters, left: () => held.size };
}

const terminal = () => Object.assign(new PassThrough(), { isTTY: true });

/** Discards all of 25 on a terminal at which somebody types. @returns what was shown there */
async function discardAt(typed: string, letters: DeadLetters): Promise<string> {
  const streams = { in: terminal(), out: new PassThrough(), err: terminal() };
  streams.in.end(`${typed}\n`);
  const verb = { verb: 'discard', done: 'discarded', act: (all: DeadLetters, id: string) => all.discard(id) } as const;
  const choice = { ids: [], filter: {}, limit: 100, isDryRun: false, isSure: false };
  await runOnDead(letters, verb, choice, { streams, show: () => '' });
  return String(streams.err.read());
}

describe('discarding by filter on a terminal', () => {
  test('asks, does it when the answer is yes, and shows how far it is', async () => {
    const { letters, left } = lettersOf(25);
    const shown = await discardAt('y', letters);
    expect(shown).toContain('discard 25 dead letters? [y/N]');
    expect(shown).toContain('0 of 25');
    expect(shown.endsWith('discarded 25\n')).toBe(true);
    expect(left()).toBe(0);
  });

  test.each(['n', '', 'yep'])('changes nothing when the answer is %j', async (typed) => {
    const { letters, left } = lettersOf(25);
    await expect(discardAt(typed, letters)).rejects.toThrow('nothing was changed');
    expect(left()).toBe(25);
  });
});

test.each([
  ['a log', { isTTY: false }, 500],
  ['only a few', { isTTY: true }, 5],
])('no progress is shown for %s', (_, where, total) => {
  const written: string[] = [];
  const line = progressLine({ ...where, write: (text) => written.push(text) }, total);
  for (let i = 0; i < total; i += 1) line.at(i);
  line.end();
  expect(written).toEqual([]);
});
