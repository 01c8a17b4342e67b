import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Browsers and `fetch` refuse some ports; the highest of those in reach is 10080. */
const LOWEST = 10_081;
/** Below the ports that systems give to outgoing connections: one of those could take it before its server listens. */
const HIGHEST = 32_767;
const TRIES = 100;

/** @returns a port of 127.0.0.1 on which nothing listens now, picked at random, since others may be looking for one too */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
