import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AllInOne, startAllInOne } from '../../loadtest/all-in-one.ts';
import { type Run, runLiftline } from '../support/processes.ts';
import { until } from '../support/until.ts';

describe('liftline simulate', () => {
  let liftline: AllInOne;
  beforeAll(async () => {
    liftline = await startAllInOne({ env: { WORKERS: '1' } });
  }, 90_000);
  afterAll(() => liftline?.stop());

  const simulate = (...args: string[]): Run => runLiftline(['simulate', ...args], { LIFTLINE_HOME: liftline.home });

  test('plays a day with the keys of the running instance, and everything acked is there', async () => {
    const run = simulate('--skiers', '40', '--duration', '4', '--seed', 'e2e', '--offline', '0.3', '--again', '0.1');
    expect({ code: await run.exit(60_000), output: run.output() }).toMatchObject({ code: 0 });
    const shown = run.output();
    expect(shown).toMatch(/40 skiers, \d+ rides/);
    expect(shown).toMatch(/sent \d+ · acked (\d+) of \1 · refused 0 · freshness \d+ ms/);
    expect(shown).toContain('everything acked is there, once');
    expect(shown).not.toContain('\r');
    const day = /the resort's day: (\S+)/.exec(shown)?.[1] ?? '';
    const resortDay = (await (await fetch(day)).json()) as { skiers: number; rides: number };
    expect(resortDay.skiers).toBe(40);
    expect(shown).toContain(`${resortDay.rides} rides`);
  });

  test('the same seed again stores nothing new', async () => {
    const run = simulate('--skiers', '40', '--duration', '3', '--seed', 'e2e', '--offline', '0.3', '--again', '0.1');
    expect({ code: await run.exit(60_000), output: run.output() }).toMatchObject({ code: 0 });
    const day = /the resort's day: (\S+)/.exec(run.output())?.[1] ?? '';
    const { rides } = (await (await fetch(day)).json()) as { rides: number };
    expect(run.output()).toContain(`${rides} rides`);
  });

  test('Ctrl-C ends the day early and still compares', async () => {
    const run = simulate('--skiers', '30', '--duration', '120', '--resort', '2', '--rate', '20');
    await until('something was acked', () => /acked [1-9]/.test(run.output()), 20_000);
    run.child.kill('SIGINT');
    expect({ code: await run.exit(30_000), output: run.output() }).toMatchObject({ code: 0 });
    expect(run.output()).toContain('everything acked is there, once');
  });

  test('a key that is not good: everything refused, exit 1', async () => {
    const run = simulate('--skiers', '5', '--duration', '1', '--device-key', 'll_dev_wrong');
    expect(await run.exit(30_000)).toBe(1);
    expect(run.output()).toContain('401 unauthorized');
    expect(run.output()).toContain('nothing was acked');
  });

  test.each([
    ['an unknown resort', ['--resort', '999'], /404/],
    ['nobody there', ['--url', 'http://127.0.0.1:1'], /no reply/],
    ['skiers who can not keep up', ['--skiers', '1', '--rate', '1000', '--duration', '60'], /take \d+ or more/],
    ['a flag that makes no sense', ['--skiers', 'many'], /--skiers/],
    ['a date that does not exist', ['--date', '2026-02-30'], /2026-02-30|date/i],
  ])('%s: one line and exit 1', async (_what, args, said) => {
    const run = simulate(...args);
    expect({ code: await run.exit(30_000), output: run.output() }).toMatchObject({ code: 1 });
    expect(run.output()).toMatch(said);
  });
});
