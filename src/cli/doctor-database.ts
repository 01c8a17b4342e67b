import postgres, { type Sql } from 'postgres';
import { type ClockSkew, judgeClockSkew, measureSkew } from '../queue/clock-skew.ts';
import { type Finding, fail, ok, warn } from './doctor-finding.ts';
import { checkDisk } from './doctor-local.ts';

const CONNECT_TIMEOUT_S = 5;
const STATEMENT_TIMEOUT_MS = 5_000;

/** One connection for some questions. Every wait for it ends within seconds. */
export async function onDatabase<T>(url: string, ask: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: CONNECT_TIMEOUT_S,
    onnotice: () => {},
    connection: { statement_timeout: STATEMENT_TIMEOUT_MS, application_name: 'liftline doctor' },
  });
  try {
    return await ask(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

export interface ServerFacts extends ClockSkew {
  maxConnections: number;
  freeConnections: number;
  /** where the server keeps its data, when it tells */
  dataFolder: string | undefined;
}

/** What a Postgres server tells of itself. */
export async function readServerFacts(sql: Sql): Promise<ServerFacts> {
  const [row] = await sql<{ max: number; free: number; folder: string | null }[]>`
    select current_setting('max_connections')::int as max,
      (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
        - (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()))::int
        as free,
      case when pg_has_role(current_user, 'pg_read_all_settings', 'member') then current_setting('data_directory') end as folder`;
  const clock = await measureSkew(async () => {
    const [now] = await sql<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
    return now?.ms ?? Number.NaN;
  });
  return {
    ...clock,
    maxConnections: row?.max ?? 0,
    freeConnections: row?.free ?? 0,
    dataFolder: row?.folder ?? undefined,
  };
}

const SKEW_WARN_MS = 1_000;
const SKEW_FAIL_MS = 10_000;

/**
 * Ages and freshness are told on the queue's clock, so that small skew only confuses people who read logs.
 *
 * @param lockMs of a queue on Postgres: its workers keep a job's lock by their own clocks, and refuse to start as they do here
 */
export function judgeClock(check: string, skew: ClockSkew, lockMs?: number): Finding {
  const { skewMs, errorMs } = skew;
  const sureMs = Math.max(0, Math.abs(skewMs) - errorMs);
  const detail = `${(Math.abs(skewMs) / 1000).toFixed(1)} s ${skewMs > 0 ? 'behind' : 'ahead of'} this machine`;
  const fix = 'synchronise the clocks (chrony, systemd-timesyncd)';
  const forWorkers = lockMs === undefined ? undefined : judgeClockSkew(skew, lockMs);
  if (forWorkers && 'problem' in forWorkers) return fail(check, forWorkers.problem, fix);
  if (forWorkers) return warn(check, forWorkers.warning, fix);
  if (sureMs > SKEW_FAIL_MS) return fail(check, detail, fix);
  return sureMs > SKEW_WARN_MS ? warn(check, detail, fix) : ok(check, `within ${Math.ceil(sureMs + errorMs)} ms`);
}

const FREE_WARN_SHARE = 0.2;

/** @param pool what one more process would open */
export function judgeConnections(
  check: string,
  { maxConnections, freeConnections }: Pick<ServerFacts, 'maxConnections' | 'freeConnections'>,
  pool: number,
): Finding {
  const detail = `${freeConnections} of ${maxConnections} connections free, a process takes up to ${pool}`;
  const fix = 'raise max_connections, lower NODE_POOL, run fewer processes, or put a pooler in between';
  if (freeConnections < pool) return fail(check, detail, fix);
  return freeConnections < maxConnections * FREE_WARN_SHARE ? warn(check, detail, fix) : ok(check, detail);
}

/**
 * @param o.pool what one more process would open
 * @param o.lockMs see {@link judgeClock}
 * @returns the findings about the server behind a URL; its disk only when it is this machine's
 */
export async function judgeServer(
  url: string,
  facts: ServerFacts,
  { pool, lockMs }: { pool: number; lockMs?: number },
): Promise<Finding[]> {
  const { host, hostname } = new URL(url);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  const disk = isHere && facts.dataFolder ? await checkDisk(`disk of ${host}`, facts.dataFolder) : [];
  return [
    judgeClock(`clock of ${host}`, facts, lockMs),
    judgeConnections(`connections of ${host}`, facts, pool),
    ...disk,
  ];
}
