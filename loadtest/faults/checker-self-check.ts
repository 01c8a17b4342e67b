import type { Findings } from './checker.ts';
import { withClient } from './checker-rows.ts';
import { problemsOf, type Seen } from './checker-verdict.ts';
import type { Fault } from './fault.ts';
import { needsRedis } from './needs.ts';
import { type Bench, type PlannedRun, verifyTask } from './runner.ts';

/** Something that is done to the stored rows behind everybody's back. */
interface Spoiling {
  what: string;
  sql: string;
  /** what must be reported of it, and how often more than before; other counts may rise too */
  reported: { [Kind in keyof Omit<Findings, 'examples'>]?: number };
}

const SCAN_KEY = 'shard, skier_id, scanned_at, device_id, event_id';
const REST = 'batch_id, resort_id, lift_id, vertical_m, local_date, season, day, hour';

const SPOILINGS: readonly Spoiling[] = [
  {
    what: 'a stored row is deleted',
    sql: `DELETE FROM scans WHERE (${SCAN_KEY}) = (SELECT ${SCAN_KEY} FROM scans LIMIT 1)`,
    reported: { lost: 1 },
  },
  {
    what: 'a row is inserted that nobody sent',
    sql: `INSERT INTO scans (${SCAN_KEY}, ${REST})
      SELECT shard, skier_id, scanned_at, device_id, gen_random_uuid(), ${REST} FROM scans LIMIT 1`,
    reported: { phantom: 1 },
  },
  {
    what: 'a stored row names another lift',
    sql: `UPDATE scans SET lift_id = lift_id + 1 WHERE (${SCAN_KEY}) = (SELECT ${SCAN_KEY} FROM scans LIMIT 1)`,
    reported: { lost: 1, phantom: 1 },
  },
  {
    what: 'a row is copied to another shard',
    sql: `INSERT INTO scans (${SCAN_KEY}, ${REST})
      SELECT (SELECT max(shard) FROM scans), skier_id, scanned_at, device_id, event_id, ${REST}
      FROM scans WHERE shard = (SELECT min(shard) FROM scans) LIMIT 1`,
    reported: { duplicate: 1, misplaced: 1 },
  },
  {
    what: 'a total is altered',
    // of a shard that nothing above has touched
    sql: `UPDATE skier_days SET vertical_m = vertical_m + 1 WHERE (shard, skier_id, resort_id, season, day) =
      (SELECT shard, skier_id, resort_id, season, day FROM skier_days
       WHERE shard NOT IN (SELECT min(shard) FROM scans UNION SELECT max(shard) FROM scans) LIMIT 1)`,
    reported: { wrongTotals: 2 },
  },
  {
    what: 'a dead letter is written',
    sql: `INSERT INTO dead_letters (shard, lane, batch_id, code, detail, payload, accepted_at)
      VALUES (0, 0, gen_random_uuid(), 'self_check', 'written by the self-check', '{}', now())`,
    reported: { dead: 1 },
  },
];

const noFault: Fault = {
  name: 'self-check',
  summary: 'no fault; afterwards rows are deleted, invented, altered and misplaced, each of which must be reported',
  canRun: needsRedis,
  stack: () => ({}),
  control: { none: 'it is one' },
  inflict: () => Promise.resolve(),
};

/** The checker proves itself: what is spoiled has to be found, exactly as often as it was spoiled. */
export const selfCheck: PlannedRun = { fault: noFault, afterwards: spoilAll };

async function spoilAll({ stack, checker, timeline }: Bench, seen: Seen): Promise<string[]> {
  const misses: string[] = [];
  let { findings } = seen;
  for (const spoiling of SPOILINGS) {
    timeline.mark(spoiling.what);
    await spoil(stack.nodes[0]?.url ?? '', spoiling);
    const now = await checker.verify(verifyTask(stack));
    misses.push(...missesOf(spoiling, findings, now));
    findings = now;
  }
  if (problemsOf({ ...seen, findings }).length === 0) misses.push('the verdict was good over spoiled rows');
  return misses;
}

async function spoil(url: string, { what, sql }: Spoiling): Promise<void> {
  const { rowCount } = await withClient(url, (client) => client.query(sql));
  if (rowCount !== 1) throw new Error(`${what}: ${rowCount} rows, expected 1`);
}

function missesOf({ what, reported }: Spoiling, before: Findings, after: Findings): string[] {
  return Object.entries(reported).flatMap(([kind, times]) => {
    const of = kind as keyof typeof reported;
    const more = after[of] - before[of];
    return more === times ? [] : [`${what}, and the checker reported ${more} more ${kind}, not ${times}`];
  });
}
