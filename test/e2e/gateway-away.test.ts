import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../../loadtest/stack/nginx.ts';
import { type Stack, startStack } from '../../loadtest/stack.ts';
import { gatewayAvailable, startGateway } from '../support/gateway.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

let stack: Stack;
let gateway: Gateway;

/** @returns how a resort's day came, once its body is read */
async function read(target: string): Promise<{ status: number; cache: string | null; stale: string | null }> {
  const reply = await fetch(`${gateway.url}${target}`);
  await reply.text();
  const header = (name: string) => reply.headers.get(name);
  return { status: reply.status, cache: header('x-cache-status'), stale: header('liftline-stale') };
}

describe.skipIf(!gatewayAvailable)('what nginx has kept of resorts', () => {
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', workers: 1 });
    gateway = await startGateway(stack, { folder: stack.folder });
  }, 120_000);
  afterAll(async () => {
    await gateway?.process.stop();
    await stack?.stop();
  });

  test('is given while it is asked for anew, and not marked then: nothing is away', async () => {
    const given = new Set<string | null>();
    await until('it was given beyond its time', async () => {
      const { cache, stale } = await read('/v1/resorts/5/days/2025-12-24');
      expect(stale).toBeNull();
      given.add(cache);
      return given.has('STALE');
    });
    expect(given.has('HIT')).toBe(true);
  });

  test('is given while no process answers, and says so; for all else there is a problem, or a page for people', async () => {
    const target = '/v1/resorts/4/days/2025-12-24';
    expect(await read(target)).toEqual({ status: 200, cache: 'MISS', stale: null });
    await stack.rides[0]?.stop();
    await until('nobody could be asked anew', async () => {
      const { status, stale } = await read(target);
      expect(status).toBe(200);
      return stale === 'true';
    });
    expect(await problemOf(await fetch(`${gateway.url}/v1/skiers/1/days`))).toEqual([503, 'starting']);
    const page = await fetch(`${gateway.url}/app`, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('Back in a moment');
  });
});
