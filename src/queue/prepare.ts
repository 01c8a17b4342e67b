import { createHash } from 'node:crypto';
import { runMigrations } from 'bullmq';
import { Client } from 'pg';
import { type QueueAddress, queueKind } from './lanes.ts';

/**
 * Makes the queue's server ready for its first job; does nothing where that is done already. Redis needs nothing. On
 * Postgres: BullMQ's tables and functions in the schema of the prefix, a count of the jobs ever enqueued (BullMQ's own
 * ids come from a sequence, which skips up to 32 numbers when the server crashes: no use for a sum that must add up), and
 * the mark of the lanes' time.
 *
 * @throws Error when the server is away or refuses
 */
export async function prepareQueue(o: QueueAddress): Promise<void> {
  if (queueKind(o.queueUrl) === 'redis') return;
  const client = new Client({
    connectionString: o.queueUrl,
    connectionTimeoutMillis: 5_000,
    application_name: 'liftline queue migrations',
  });
  client.on('error', () => {}); // the query in flight fails with it
  await client.connect();
  try {
    await runMigrations(client, o.queuePrefix);
    await makeOwnTables(client, o.queuePrefix);
  } finally {
    await client.end();
  }
}

/** Slots spread the writers: one row a lane would make all adds of the lane wait for each other's commit. */
const OWN_TABLES = `
  CREATE TABLE IF NOT EXISTS liftline_enqueued (
    queue text, slot integer, jobs bigint NOT NULL, PRIMARY KEY (queue, slot)
  ) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS liftline_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), mark_ms bigint NOT NULL
  ) WITH (fillfactor = 50);
  INSERT INTO liftline_clock (mark_ms) VALUES (0) ON CONFLICT DO NOTHING;
  CREATE OR REPLACE FUNCTION liftline_count_enqueued() RETURNS trigger
  LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO liftline_enqueued AS counted (queue, slot, jobs) VALUES (NEW.queue, pg_backend_pid() % 64, 1)
    ON CONFLICT (queue, slot) DO UPDATE SET jobs = counted.jobs + 1;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE TRIGGER liftline_count_enqueued AFTER INSERT ON job
  FOR EACH ROW EXECUTE FUNCTION liftline_count_enqueued();`;

/** Written down in the schema's comment, so that a start without news takes no lock on the table of jobs. */
const MARK = `liftline ${createHash('sha256').update(OWN_TABLES).digest('hex').slice(0, 12)}`;

async function makeOwnTables(client: Client, schema: string): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`liftline queue ${schema}`]);
    const { rows } = await client.query<{ mark: string | null }>(
      `SELECT obj_description(oid, 'pg_namespace') AS mark FROM pg_namespace WHERE nspname = $1`,
      [schema],
    );
    if (rows[0]?.mark !== MARK) {
      const quoted = client.escapeIdentifier(schema);
      await client.query(`SET LOCAL search_path TO ${quoted}`);
      await client.query(OWN_TABLES);
      await client.query(`COMMENT ON SCHEMA ${quoted} IS ${client.escapeLiteral(MARK)}`);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
