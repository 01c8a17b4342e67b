import {
  assertSchemaCompatibility,
  PostgresConnection,
  PostgresQueueBackend,
  type PostgresPoolConfig,
  type QueueBaseOptions,
} from 'bullmq';
import type { Logger } from '../platform/logger.ts';

export interface PostgresOptions {
  queueUrl: string;
  schema: string;
  /** connections in the pool */
  max: number;
  /** for connecting and for each statement; a black hole must not hold a caller for longer */
  timeoutMs: number;
  logger: Logger;
}

/**
 * BullMQ's connection, mended in one point (6.7.0): the original remembers its first look at the schema for ever, even one that
 * failed, so that a process which starts while Postgres is away never recovers.
 */
export class LaneConnection extends PostgresConnection {
  #ready: Promise<void> | undefined;

  constructor(o: PostgresOptions) {
    super(poolConfig(o));
    // the reason alone: pg hangs the whole client on its errors
    this.on('error', (error: Error) => o.logger.debug({ reason: error.message }, 'a connection to the queue was lost'));
    // one that breaks while somebody holds it: its query fails as well, and unheard it would end the process
    this.pool.on('connect', (client) => client.on('error', () => {}));
  }

  override waitUntilReady(): Promise<void> {
    this.#ready ??= this.#check().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #check(): Promise<void> {
    const client = await this.pool.connect();
    try {
      await assertSchemaCompatibility(client, this.schema);
      client.release();
    } catch (error) {
      client.release(true); // it may still wait for an answer
      throw error;
    }
  }
}

function poolConfig(o: PostgresOptions): PostgresPoolConfig {
  return {
    connectionString: o.queueUrl,
    schema: o.schema,
    max: o.max,
    connectionTimeoutMillis: o.timeoutMs,
    query_timeout: o.timeoutMs,
    statement_timeout: o.timeoutMs,
    idle_in_transaction_session_timeout: o.timeoutMs,
    keepAlive: true,
    application_name: 'liftline queue',
    // short statements only: compiling one costs more than running it
    options: '-c jit=off',
  };
}

/** How long a worker sleeps at most when it hears nothing: a LISTEN connection in a black hole hears nothing for ever. */
const LONGEST_SLEEP_S = 5;

/**
 * BullMQ's backend as a worker needs it. The original, too, remembers its first look for ever: a worker that started while
 * Postgres was away would take jobs later on, and complete none.
 */
export class WorkerPostgresBackend extends PostgresQueueBackend {
  readonly #connection: LaneConnection;

  constructor(connection: LaneConnection, name: string, options: QueueBaseOptions<string>) {
    super(connection, name, options);
    this.#connection = connection;
  }

  override waitUntilReady(): Promise<void> {
    return this.#connection.waitUntilReady();
  }

  override get maximumBlockTimeout(): number {
    return LONGEST_SLEEP_S;
  }
}
