import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadCommand } from '../../src/cli/dead.ts';
import { runHere } from '../support/commands.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { scanNo, skierOn } from '../support/nodes.ts';
import { numberOf, onPool } from '../support/on-pool.ts';

let site: Installation;

/** Scans that no node takes, each in a job with a good one: dead letters, made by a real worker from a real queue. */
beforeAll(async () => {
  site = await startInstallation();
  for (const [number, shard] of [0, 1, 2, 3].entries()) {
    const skierId = skierOn(shard);
    await site.send([scanNo(number, { skierId }), scanNo(100 + number, { skierId, day: 367 })]);
  }
  await site.send([scanNo(200, { skierId: skierOn(4), resortId: -1 })]);
  await site.work();
});
afterAll(() => site.stop());

const dead = async (...args: string[]) => {
  const { code, output } = await runHere(deadCommand(), args, site.env);
  return { code, lines: output.trim().split('\n') };
};
interface Listed {
  deadLetterId: string;
  lane: number;
  shard: number;
  code: string;
}
const listed = async (...args: string[]) =>
  JSON.parse((await runHere(deadCommand(), ['list', '--json', ...args], site.env)).output) as Listed[];
const shards = async (...args: string[]) => (await listed(...args)).map(({ shard }) => shard).toSorted((a, b) => a - b);
const scans = async () => {
  const counts = await Promise.all(site.nodeUrls.map((url) => numberOf(url, 'SELECT count(*) FROM scans')));
  return counts.reduce((sum, n) => sum + n, 0);
};

test('list takes filters', async () => {
  expect(await shards()).toEqual([0, 1, 2, 3, 4]);
  expect(await shards('--lane', '1')).toEqual([1, 3]);
  expect(await shards('--shard', '2')).toEqual([2]);
  expect(await shards('--code', '23514', '--lane', '0')).toEqual([0, 2, 4]);
  expect(await shards('--code', 'unreadable')).toEqual([]);
  expect(await shards('--since', '1h')).toEqual([0, 1, 2, 3, 4]);
  expect(await shards('--before', '1h')).toEqual([]);
  expect(await shards('--since', new Date(Date.now() + 3_600_000).toISOString())).toEqual([]);
  expect(await listed('--limit', '2')).toHaveLength(2);
  const { code, lines } = await dead('list', '--shard', '3');
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^ID +LANE +SHARD +CODE/);
  expect(lines).toHaveLength(2);
  expect((await dead('list', '--since', 'yesterday')).code).toBe(1);
});

test('a dry run says what would happen, and changes nothing', async () => {
  for (const verb of ['replay', 'discard']) {
    const { code, lines } = await dead(verb, '--lane', '0', '--dry-run');
    expect(code).toBe(0);
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toBe(`would ${verb} 3; nothing was changed`);
  }
  expect(await shards()).toEqual([0, 1, 2, 3, 4]);
});

test('nothing is changed unless it is clear what, and that it is meant', async () => {
  for (const [args, line] of [
    [['discard'], /give ids, or filters/],
    [['discard', '--all', '--lane', '1'], /give ids, or filters/],
    [['discard', '--lane', '1'], /discard 2 dead letters\? Add --yes, or --dry-run/],
  ] as const) {
    const { code, lines } = await dead(...args);
    expect([code, lines]).toEqual([1, [expect.stringMatching(line)]]);
  }
  expect(await shards()).toEqual([0, 1, 2, 3, 4]);
  expect(await dead('discard', '--shard', '7', '--yes')).toEqual({ code: 0, lines: ['no dead letters match'] });
});

test('replayed while the reason is still there they die again; once it is gone they are stored', async () => {
  const [first] = await listed('--shard', '1');
  expect(await scans()).toBe(4);
  expect(await dead('replay', first?.deadLetterId ?? '')).toEqual({
    code: 0,
    lines: [`replayed ${first?.deadLetterId}`, 'replayed 1'],
  });
  expect(await shards()).toEqual([0, 2, 3, 4]);
  await site.work();
  const [again] = await listed('--shard', '1');
  expect(again?.deadLetterId).not.toBe(first?.deadLetterId);
  for (const url of site.nodeUrls)
    await onPool(url, (pool) => pool.query('ALTER DOMAIN season_day DROP CONSTRAINT season_day'));
  expect(await dead('replay', '--all', '--limit', '4', '--yes')).toEqual({
    code: 0,
    lines: ['replayed 4; more match than --limit 4: do it again afterwards'],
  });
  expect(await dead('replay', '--all', '--yes')).toEqual({ code: 0, lines: ['replayed 1'] });
  await site.work();
  expect(await scans()).toBe(8);
  expect(await shards()).toEqual([4]);
});

test('one that can not be done does not stop the others, and shows in the exit code', async () => {
  await onPool(site.nodeUrls[0] ?? '', (pool) =>
    pool.query(`INSERT INTO dead_letters (lane, batch_id, code, detail, payload, accepted_at)
      VALUES (0, gen_random_uuid(), 'unreadable', 'test', '{"v": 7}', now())`),
  );
  const { code, lines } = await dead('replay', '--all', '--yes');
  expect(code).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/^[0-9a-f-]{36}: this version can't read it either: version 7/),
    'replayed 1',
    'liftline: 1 could not be replayed',
  ]);
  await site.work();
  const { code: discarded } = await dead('discard', '--all', '--yes');
  expect(discarded).toBe(0);
  expect(await listed()).toEqual([]);
});

test('while a node is away: one line, exit code 1', async () => {
  await site.proxy.close();
  const { code, lines } = await dead('list');
  await site.proxy.open();
  expect([code, lines]).toEqual([1, [expect.stringContaining('node node-2 does not answer')]]);
});
