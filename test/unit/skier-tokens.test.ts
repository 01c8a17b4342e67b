import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { signSkierToken } from '../../src/directory/skier-token.ts';
import { createSkierTokens, type SkierTokens } from '../../src/directory/skier-tokens.ts';
import { recordedLog } from '../support/recorded-log.ts';

const SECRET = 'a secret of the test, long enough for HS256';

describe('tokens that were checked', () => {
  let tokens: SkierTokens;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    tokens = createSkierTokens({ secret: SECRET, logger: recordedLog().logger });
  });
  afterEach(() => void vi.useRealTimers());

  test('are remembered for a minute, each with its skier', async () => {
    const [one, two] = [await signSkierToken(SECRET, 1, 3_600), await signSkierToken(SECRET, 2, 3_600)];
    expect(tokens.remembered(one)).toBeUndefined();
    await Promise.all([tokens.verify(one), tokens.verify(two)]);
    vi.advanceTimersByTime(59_999);
    expect([tokens.remembered(one), tokens.remembered(two)]).toEqual([1, 2]);
    vi.advanceTimersByTime(1);
    expect(tokens.remembered(one)).toBeUndefined();
  });

  test('are not remembered beyond their expiry', async () => {
    vi.setSystemTime(1_800_000_000_000);
    const token = await signSkierToken(SECRET, 1, 10);
    await tokens.verify(token);
    vi.advanceTimersByTime(9_999);
    expect(tokens.remembered(token)).toBe(1);
    vi.advanceTimersByTime(1);
    expect(tokens.remembered(token)).toBeUndefined();
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('are remembered as they are: a changed one is not', async () => {
    const token = await signSkierToken(SECRET, 1, 3_600);
    await tokens.verify(token);
    expect(tokens.remembered(`${token}A`)).toBeUndefined();
    expect(tokens.remembered(token.slice(0, -1))).toBeUndefined();
  });

  test('that are bad are not remembered', async () => {
    const token = await signSkierToken(`not ${SECRET}`, 1, 3_600);
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(tokens.remembered(token)).toBeUndefined();
  });
});
