import * as fc from 'fast-check';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundedText, parseSnapshot, sees } from '../../src/shards/pg-snapshot.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';

/** Mostly snapshots, and some that are almost ones; none names a transaction twice, which Postgres takes and never writes. */
const anyText = fc
  .tuple(fc.nat(20), fc.nat(25), fc.uniqueArray(fc.nat(30), { maxLength: 6 }), fc.boolean())
  .map(([xmin, xmax, xip, isSorted]) => `${xmin}:${xmax}:${(isSorted ? sorted(xip) : xip).join(',')}`);
const sorted = (xids: number[]) => xids.toSorted((a, b) => a - b);
const RUNS = { numRuns: 300 };

describe('a snapshot, as Postgres itself sees it', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await freshDatabase();
    pool = new Pool({ connectionString: database.url, max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** @returns what Postgres makes of it, or undefined when it takes it for none */
  async function visible(text: string, xids: number[]): Promise<boolean[] | undefined> {
    const { rows } = await pool
      .query<{ seen: boolean[] }>(
        `SELECT array(SELECT pg_visible_in_snapshot(xid::text::xid8, $1::pg_snapshot) FROM unnest($2::int[])
          WITH ORDINALITY AS given (xid, at) ORDER BY at) AS seen`,
        [text, xids],
      )
      .catch((error: { code?: string }) => {
        if (error.code === '22P02') return { rows: [] };
        throw error;
      });
    return rows[0]?.seen;
  }

  test('is one here exactly when it is one there, and sees the same transactions', async () => {
    const xids = Array.from({ length: 32 }, (_, i) => i + 1);
    const counted = { taken: 0, refused: 0 };
    const agrees = async (text: string) => {
      const ours = parseSnapshot(text);
      counted[ours ? 'taken' : 'refused'] += 1;
      expect(ours && xids.map((xid) => sees(ours, xid))).toEqual(await visible(text, xids));
    };
    await fc.assert(fc.asyncProperty(anyText, agrees), RUNS);
    expect(counted.taken).toBeGreaterThan(20);
    expect(counted.refused).toBeGreaterThan(20);
  });

  test('as it is written now is one, also when it was made short', async () => {
    const { rows } = await pool.query<{ now: string }>('SELECT pg_current_snapshot()::text AS now');
    const now = rows[0]?.now ?? '';
    expect(parseSnapshot(now)).toBeDefined();
    expect(parseSnapshot(boundedText(`${now.split(':')[0]}:9000000000:${'8000000000,'.repeat(40)}`))).toBeDefined();
  });
});
