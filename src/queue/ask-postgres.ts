import { Client } from 'pg';

/**
 * Opens a connection, asks, and leaves: no wait is without an end.
 *
 * @throws Error when the server does not answer within the timeout, and whatever it answers instead
 */
export async function askPostgres<T>(
  queueUrl: string,
  timeoutMs: number,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: queueUrl,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {}); // the query in flight fails with it
  try {
    await client.connect();
    return await ask(client);
  } finally {
    await client.end().catch(() => {}); // it may never have connected
  }
}
