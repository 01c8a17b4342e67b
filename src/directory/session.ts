import { Socket } from 'node:net';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Client } from 'pg';
import { CONNECTION_LIMITS, type DirectoryQueries } from './database.ts';
import { loadSnapshotOn, readVersion } from './load-snapshot.ts';
import { CHANGED_CHANNEL } from './schema.ts';
import type { DirectorySnapshot } from './snapshot.ts';

/** One connection that hears of changes and reads them: a follower needs no second one. */
export class DirectorySession {
  readonly #socket = new Socket();
  readonly #client: Client;
  readonly #db: DirectoryQueries;
  #ended = false;

  /**
   * @param name of the connection, see `followerName`
   * @param onNews called when the directory changed, and when the connection broke; not after {@link destroy}
   */
  constructor(url: string, name: string, onNews: () => void) {
    this.#client = new Client({
      connectionString: url,
      stream: () => this.#socket,
      ...CONNECTION_LIMITS,
      application_name: name,
    });
    const tell = () => {
      if (!this.#ended) onNews();
    };
    this.#client.on('notification', tell);
    this.#client.on('error', tell); // the next query fails and tells why
    this.#client.on('end', tell);
    this.#db = drizzle(this.#client);
  }

  /** @throws Error within seconds when there is no such server, or it does not answer */
  async open(): Promise<void> {
    await this.#client.connect();
    await this.#db.execute(sql`listen ${sql.identifier(CHANGED_CHANNEL)}`);
  }

  version(): Promise<number> {
    return readVersion(this.#db);
  }

  load(): Promise<DirectorySnapshot> {
    return loadSnapshotOn(this.#db);
  }

  /** Ends it at once, whatever it waits for: a polite end would wait for a server that may have fallen silent. */
  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}
