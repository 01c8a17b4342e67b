/**
 * The scans of a write: one array a column, one element a scan. Rows go in by primary key, so that two writers that meet
 * wait for each other in one direction only; of two equal scans the first is stored and gets the credit ($14 counts the
 * parts in the order in which they came). What is stored decides everything that follows: the totals are changed by the
 * rows that the insert returned, and by no others. So is the row that tells readers what has changed.
 *
 * A part of a statement: before it stands `known (part)`, the parts to be left out. Its parameters are made in `store-values.ts`: $1 by
 * `batchIds`, $2 to $14 by `scanColumns`, and in STORE_PARTS $15 to $20 by `ledgerColumns`.
 */
const STORE = `
  input AS (
    SELECT * FROM unnest($2::smallint[], $3::int[], $4::bigint[], $5::int[], $6::uuid[], $7::int[], $8::int[],
      $9::smallint[], $10::smallint[], $11::date[], $12::smallint[], $13::int[], $14::smallint[])
    WITH ORDINALITY AS scan (shard, skier_id, scanned_ms, device_id, event_id, resort_id, lift_id,
      season, day, local_date, hour, vertical_m, part, position)
  ),
  stored AS (
    INSERT INTO scans (shard, skier_id, scanned_at, device_id, event_id, resort_id, lift_id,
      season, day, local_date, hour, vertical_m, batch_id)
    SELECT shard, skier_id, to_timestamp(scanned_ms / 1000::float8), device_id, event_id, resort_id, lift_id,
      season, day, local_date, hour, vertical_m, ($1::uuid[])[part]
    FROM input WHERE part <> ALL (ARRAY(SELECT part FROM known))
    ORDER BY shard, skier_id, scanned_ms, device_id, event_id, position
    ON CONFLICT DO NOTHING
    RETURNING shard, skier_id, scanned_at, resort_id, lift_id, season, day, local_date, hour, vertical_m, batch_id
  ),
  totals AS (
    INSERT INTO skier_days AS held (shard, skier_id, resort_id, season, day, local_date, rides, vertical_m,
      first_at, last_at, lift_hours)
    SELECT shard, skier_id, resort_id, season, day, min(local_date), count(*), sum(vertical_m),
      min(scanned_at), max(scanned_at), array_agg(lift_id::bigint * 32 + hour)
    FROM stored GROUP BY shard, skier_id, resort_id, season, day ORDER BY shard, skier_id, resort_id, season, day
    ON CONFLICT (shard, skier_id, resort_id, season, day) DO UPDATE SET
      rides = held.rides + excluded.rides,
      vertical_m = held.vertical_m + excluded.vertical_m,
      first_at = least(held.first_at, excluded.first_at),
      last_at = greatest(held.last_at, excluded.last_at),
      lift_hours = held.lift_hours || excluded.lift_hours
  ),
  changed AS (
    INSERT INTO changes (skiers, resort_days, first_scanned_at)
    SELECT array(SELECT DISTINCT skier_id FROM stored),
      array(SELECT resort_id || '/' || season || '/' || day FROM (SELECT DISTINCT resort_id, season, day FROM stored) AS days),
      (SELECT min(scanned_at) FROM stored)
    WHERE EXISTS (SELECT FROM stored)
  ),
  counted AS (SELECT batch_id, count(*)::int AS persisted FROM stored GROUP BY batch_id)`;

/**
 * Stores parts of jobs and their ledger rows; as one statement it is one transaction in one round trip. One row a part: stored
 * now, it has no `coveredShards`; left alone, since its job had a ledger row, the shards that row covers. No row at all: another
 * write has stored it since this one began.
 */
export const STORE_PARTS = {
  name: 'store_parts',
  text: `
  WITH known AS (
    SELECT position::smallint AS part, batch_id, ledger.shards
    FROM unnest($1::uuid[]) WITH ORDINALITY AS given (batch_id, position) JOIN ledger USING (batch_id)
  ),${STORE},
  written AS (
    INSERT INTO ledger (batch_id, job_id, accepted_at, lane, jobs, scans, persisted, duplicate, dead, shards)
    SELECT given.batch_id, job_id, to_timestamp(accepted_ms / 1000::float8), $15, jobs, scans,
      coalesce(persisted, 0), scans - coalesce(persisted, 0), 0, shards::smallint[]
    FROM unnest($1::uuid[], $16::text[], $17::bigint[], $18::smallint[], $19::int[], $20::text[])
      WITH ORDINALITY AS given (batch_id, job_id, accepted_ms, jobs, scans, shards, position)
      LEFT JOIN counted ON counted.batch_id = given.batch_id
    WHERE position <> ALL (ARRAY(SELECT part FROM known))
    ON CONFLICT (batch_id) DO UPDATE SET
      scans = ledger.scans + excluded.scans,
      persisted = ledger.persisted + excluded.persisted,
      duplicate = ledger.duplicate + excluded.duplicate,
      shards = ledger.shards || excluded.shards
      WHERE NOT ledger.shards @> excluded.shards
    RETURNING batch_id, persisted, duplicate
  )
  SELECT batch_id, persisted, duplicate, NULL::smallint[] AS "coveredShards" FROM written
  UNION ALL SELECT batch_id, 0, 0, shards FROM known`,
};

/** Stores scans and nothing else, inside a transaction that writes the ledger itself; a row for each job that stored any. */
export const STORE_SCANS = {
  name: 'store_scans',
  text: `
  WITH known AS (SELECT 0::smallint AS part WHERE false),${STORE}
  SELECT batch_id, persisted FROM counted`,
};
