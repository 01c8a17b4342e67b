import { expect, test } from 'vitest';
import { Brake } from '../../workers/brake.ts';
import { until } from '../support/until.ts';

const { signal } = new AbortController();

function brakeOf(scansPerS: number) {
  const moved: number[] = [];
  const passed: string[] = [];
  const brake = new Brake({ scansPerS, onMove: (lane) => moved.push(lane) });
  const pass = async (job: string, lane: number, scans: number) => {
    await brake.pass(lane, scans, signal);
    passed.push(job);
  };
  return { brake, moved, passed, pass };
}

test('lets jobs of all lanes through one after the other, at the pace that it was told', async () => {
  const { passed, pass } = brakeOf(1_000);
  const startedAt = performance.now();
  await Promise.all([pass('a', 0, 40), pass('b', 1, 20), pass('c', 0, 1)]);
  expect(passed).toEqual(['a', 'b', 'c']);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(58);
});

test('the line moves for the lanes that stand in it, and for no other', async () => {
  const { moved, passed, pass } = brakeOf(1_000);
  void pass('a', 0, 20);
  void pass('b', 2, 3_600_000);
  void pass('c', 3, 1);
  await until('two have passed', () => passed.length === 2);
  expect(passed).toEqual(['a', 'b']);
  expect(moved.toSorted((a, b) => a - b)).toEqual([0, 2, 2, 3, 3]);
});

test('without a brake nothing waits, and nothing is told: each lane speaks for itself', async () => {
  const { moved, pass } = brakeOf(0);
  await Promise.all([pass('a', 0, 1_000_000), pass('b', 1, 1_000_000)]);
  expect(moved).toEqual([]);
});

test('who is given back leaves the line', async () => {
  const { brake, moved, pass } = brakeOf(1_000);
  const givenBack = new AbortController();
  await pass('a', 0, 30);
  const waiting = brake.pass(1, 1, givenBack.signal);
  givenBack.abort(new Error('given back'));
  await expect(waiting).rejects.toThrow('given back');
  await pass('b', 2, 1);
  expect(moved).toEqual([0, 2]);
});
