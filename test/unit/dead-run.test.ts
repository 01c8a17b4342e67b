import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { progressLine } from '../../src/cli/dead-progress.ts';
import { type DeadChoice, runOnDead } from '../../src/cli/dead-run.ts';
import { Problem } from '../../src/domain/problem.ts';
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
    async show(id) {
      const letter = held.get(id);
      if (!letter) throw new Problem('not_found', 'no such dead letter');
      return letter;
    },
    replay: () => Promise.reject(new Error('not asked for')),
    async discard(id) {
      held.delete(id);
    },
  };
  return { letters, left: () => held.size };
}

const DISCARD = { verb: 'discard', done: 'discarded', act: (all: DeadLetters, id: string) => all.discard(id) } as const;
const ALL: DeadChoice = { ids: [], filter: {}, limit: 100, isDryRun: false, isSure: false };

const showIds = (shown: DeadLetter[]) => `${shown.map(({ deadLetterId }) => deadLetterId).join(', ')}\n`;

const terminal = () => Object.assign(new PassThrough(), { isTTY: true });

/** Discards all of 25 on a terminal at which somebody types. @returns what was shown there */
async function discardAt(typed: string, letters: DeadLetters): Promise<string> {
  const streams = { in: terminal(), out: new PassThrough(), err: terminal() };
  streams.in.end(`${typed}\n`);
  await runOnDead(letters, DISCARD, ALL, { streams, show: () => '' });
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

describe('of those that were named, one that is gone', () => {
  const ids = ['letter 1', 'letter 99', 'letter 3'];

  /** @returns what was written, and why it failed */
  async function discardNamed(letters: DeadLetters, choice: Partial<DeadChoice>) {
    const streams = { in: new PassThrough(), out: new PassThrough(), err: new PassThrough() };
    const running = runOnDead(letters, DISCARD, { ...ALL, ids, ...choice }, { streams, show: showIds });
    const failure = await running.then(
      () => undefined,
      (error: Error) => error.message,
    );
    return { failure, out: String(streams.out.read() ?? ''), err: String(streams.err.read() ?? '') };
  }

  test('is told by its id, and does not stop the others', async () => {
    const { letters, left } = lettersOf(5);
    expect(await discardNamed(letters, {})).toEqual({
      failure: '1 could not be discarded',
      out: 'discarded letter 1\ndiscarded letter 3\n',
      err: 'letter 99: no such dead letter\ndiscarded 2\n',
    });
    expect(left()).toBe(3);
  });

  test('is told by its id in a dry run, which shows the others', async () => {
    const { letters, left } = lettersOf(5);
    expect(await discardNamed(letters, { isDryRun: true })).toEqual({
      failure: '1 could not be discarded',
      out: 'letter 1, letter 3\n',
      err: 'letter 99: no such dead letter\nwould discard 2; nothing was changed\n',
    });
    expect(left()).toBe(5);
  });

  test('is told also when all are gone', async () => {
    expect(await discardNamed(lettersOf(1).letters, {})).toEqual({
      failure: '3 could not be discarded',
      out: '',
      err: 'letter 1: no such dead letter\nletter 99: no such dead letter\nletter 3: no such dead letter\ndiscarded 0\n',
    });
  });

  test('is not what a node that is away makes of it: that stops everything before anything is done', async () => {
    const { letters, left } = lettersOf(5);
    letters.show = () => Promise.reject(new Problem('node_unavailable', 'node node-2 does not answer'));
    expect(await discardNamed(letters, {})).toEqual({
      failure: 'node node-2 does not answer',
      out: '',
      err: '',
    });
    expect(left()).toBe(5);
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
