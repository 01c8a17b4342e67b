import { signSkierToken } from '../../src/directory/skier-token.ts';
import { closedLoop, type LoadRequest } from '../client/closed-loop.ts';
import { untilDrained } from '../course/conservation.ts';
import { benchScans } from './scans.ts';
import type { Pipeline } from './pipeline.ts';

const SCANS_PER_POST = 500;
const DRAIN_MS = 300_000;
const TOKEN_TTL_S = 86_400;

/**
 * Gives skiers 1 to `skiers` a history, through the whole pipeline; a few may stay without.
 *
 * @throws Error when a scan was refused, or is not stored within five minutes
 */
export async function fillHistories({ stack, books }: Pipeline, skiers: number, ridesEach: number): Promise<void> {
  const source = benchScans(skiers);
  let left = skiers * ridesEach;
  const headers = { authorization: `Bearer ${stack.deviceKey}`, 'content-type': 'application/json' };
  function* posts(): Generator<LoadRequest> {
    for (; left > 0; left -= SCANS_PER_POST) {
      const scans = Array.from({ length: Math.min(left, SCANS_PER_POST) }, () => source.next().value);
      yield { method: 'POST', path: '/v1/scans/batch', headers, body: JSON.stringify({ scans }) };
    }
  }
  await closedLoop({
    urls: stack.edges.map(({ url }) => url),
    connections: 4,
    requests: posts(),
    onReply(_request, { status, body }) {
      if (status !== 202 || body.includes('"rejected"')) throw new Error(`a batch was answered ${status}`);
    },
    onFailure(_request, error) {
      throw error;
    },
  });
  await untilDrained(books, DRAIN_MS);
}

/** @returns for each of skiers 1 to `skiers` the header that lets them read, from index 1 on */
export function authorizations(tokenSecret: string, skiers: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: skiers + 1 }, async (_, skierId) =>
      skierId === 0 ? '' : `Bearer ${await signSkierToken(tokenSecret, skierId, TOKEN_TTL_S)}`,
    ),
  );
}
