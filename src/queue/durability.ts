import { Redis } from 'ioredis';
import { Client } from 'pg';
import { Problem } from '../domain/problem.ts';
import { queueKind } from './lanes.ts';

export type QueueDurability = 'strict' | 'accept-loss';

export interface DurabilityReport {
  /** reasons not to start, each with what to change */
  problems: string[];
  /** what the operator has accepted */
  warnings: string[];
}

const TIMEOUT_MS = 5_000;

/** What was found: `eviction` loses jobs in daily use and is never accepted; `loss` is what a crash or a power cut costs. */
interface Findings {
  eviction: string[];
  loss: string[];
}

/**
 * Whether an ack of this queue survives kill -9 and a power cut. What was measured stands in the README: without these
 * settings acked scans were lost.
 *
 * @param mode `accept-loss` turns into warnings whatever a crash may cost; evicting jobs is a problem in any mode
 * @throws Problem queue_unavailable when the server can't be asked
 */
export async function checkDurability(queueUrl: string, mode: QueueDurability): Promise<DurabilityReport> {
  const kind = queueKind(queueUrl);
  let found: Findings;
  try {
    found = kind === 'redis' ? await askRedis(queueUrl) : await askPostgres(queueUrl);
  } catch (error) {
    throw new Problem('queue_unavailable', 'The queue can not be asked how durable it is.', { cause: error });
  }
  return mode === 'strict'
    ? { problems: [...found.eviction, ...found.loss], warnings: [] }
    : { problems: found.eviction, warnings: found.loss };
}

async function askRedis(queueUrl: string): Promise<Findings> {
  const redis = new Redis(queueUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {}); // connect() rejects with it
  try {
    await redis.connect();
    const settings = await readRedisConfig(redis);
    return judgeRedis(settings);
  } finally {
    redis.disconnect();
  }
}

/** @returns an empty map when the server hides its configuration */
async function readRedisConfig(redis: Redis): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  for (const name of ['maxmemory-policy', 'appendonly', 'appendfsync']) {
    try {
      const [, value] = (await redis.config('GET', name)) as [string?, string?];
      if (value !== undefined) settings.set(name, value);
    } catch (error) {
      if (!/unknown command|NOPERM|no permissions/i.test((error as Error).message)) throw error;
    }
  }
  return settings;
}

function judgeRedis(settings: Map<string, string>): Findings {
  const hidden = 'the server hides its configuration';
  const wrong = (name: string, wanted: string, why: string) => {
    const value = settings.get(name);
    return value === wanted ? [] : [`Redis ${name} is ${value ?? `unknown (${hidden})`}, not ${wanted}: ${why}`];
  };
  return {
    eviction: wrong('maxmemory-policy', 'noeviction', 'a full server would drop jobs'),
    loss: [
      ...wrong('appendonly', 'yes', 'a killed server would lose all jobs'),
      ...wrong('appendfsync', 'always', 'a power cut would lose the last acked jobs'),
    ],
  };
}

async function askPostgres(queueUrl: string): Promise<Findings> {
  const client = new Client({
    connectionString: queueUrl,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => {}); // the query in flight fails with it
  try {
    await client.connect();
    const { rows } = await client.query<{ commit: string; fsync: string }>(
      `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync`,
    );
    const { commit, fsync } = rows[0] as { commit: string; fsync: string };
    return {
      eviction: [],
      loss: [
        ...(commit === 'off'
          ? ['Postgres synchronous_commit is off: a killed server would lose the last acked jobs']
          : []),
        ...(fsync === 'off' ? ['Postgres fsync is off: a power cut would lose or corrupt the queue'] : []),
      ],
    };
  } finally {
    await client.end().catch(() => {}); // it may never have connected
  }
}
