import createClient, { type Client, type ClientOptions } from 'openapi-fetch';
import type { paths } from './schema.ts';

/** Calls by method and path, with parameters, bodies, answers and problems typed as `/openapi.json` has them. */
export type LiftlineClient = Client<paths>;

export interface LiftlineClientOptions {
  /** where Liftline is, with its path prefix if it has one */
  baseUrl: string;
  /** a device's key, a skier's token or the admin key, asked for at each call: a token may be a new one; none for public routes */
  credential?: () => string | Promise<string>;
  /** the platform's own unless given */
  fetch?: NonNullable<ClientOptions['fetch']>;
}

/**
 * A client of Liftline for apps and devices, on `fetch` alone. A call never throws for what Liftline answers: it gives
 * `data` or `error`, and the `response`. It throws what `fetch` throws when there is no answer.
 */
export function createLiftlineClient({ credential, ...options }: LiftlineClientOptions): LiftlineClient {
  const client = createClient<paths>(options);
  if (credential) {
    client.use({
      async onRequest({ request }) {
        request.headers.set('authorization', `Bearer ${await credential()}`);
        return request;
      },
    });
  }
  return client;
}
