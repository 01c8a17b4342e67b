import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gateway } from '../../loadtest/stack/nginx.ts';
import type { ManagedProcess } from '../../loadtest/stack/managed-process.ts';
import { type Stack, startStack } from '../../loadtest/stack.ts';
import { goodScan } from '../support/edge.ts';
import { gatewayAvailable, startGateway, startPosting } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** What the load has got answered before something happens to an edge, and again after. */
const SOME = 500;
const LEAVE_MS = 1_000;

let stack: Stack;
const gateways: Gateway[] = [];

async function open(name: string, change?: (text: string) => string): Promise<Gateway> {
  const folder = path.join(stack.folder, name);
  await mkdir(folder);
  const gateway = await startGateway(stack, { folder, ...(change && { change }) });
  gateways.push(gateway);
  return gateway;
}

/** @returns the answers that the clients got, while something was done in the midst of their posts */
async function answersWhile(
  gateway: Gateway,
  act: (edge: ManagedProcess) => Promise<void>,
): Promise<Record<string, number>> {
  const load = startPosting(stack, gateway.url);
  const moreAnswers = () => {
    const before = load.answers.get('202') ?? 0;
    return until('the load runs', () => (load.answers.get('202') ?? 0) > before + SOME, 30_000);
  };
  await moreAnswers();
  for (const edge of stack.edges) {
    await act(edge);
    await until('nginx has found the edge again', () => takesScans(edge), 30_000);
    await moreAnswers();
  }
  return Object.fromEntries(await load.stop());
}

/** Whether an edge that was started again has got scans: before that, nobody may stop the other one. */
async function takesScans(edge: ManagedProcess): Promise<boolean> {
  const metrics = await (await fetch(`${edge.url}/metrics`)).text();
  return /^liftline_edge_scans_enqueued_total\{.*\} [1-9]/m.test(metrics);
}

const killAndRestart = async (edge: ManagedProcess) => {
  edge.signal('SIGKILL');
  await edge.ended();
  await edge.restart();
};

const stopAndRestart = async (edge: ManagedProcess) => {
  edge.signal('SIGTERM');
  expect(await edge.ended()).toBe(0);
  await edge.restart();
};

describe.skipIf(!gatewayAvailable)('two edges behind nginx, under load', () => {
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', edges: 2, workers: 1, rides: 1, env: { LEAVE_MS: String(LEAVE_MS) } });
  }, 120_000);
  afterAll(async () => {
    for (const gateway of gateways) await gateway.process.stop();
    await stack?.stop();
  });

  test('each killed with -9 and started again: no client sees an error', async () => {
    const gateway = await open('retry');
    expect(Object.keys(await answersWhile(gateway, killAndRestart))).toEqual(['202']);
  }, 120_000);

  test('the same without the retry: some do, which is what the retry is for', async () => {
    const gateway = await open('no-retry', (text) =>
      text.replace('proxy_next_upstream error timeout non_idempotent;', 'proxy_next_upstream off;'),
    );
    const { '202': _taken, ...errors } = await answersWhile(gateway, killAndRestart);
    expect(Object.values(errors).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  }, 120_000);

  test('each stopped by SIGTERM and started again: no client sees an error, and all was taken in order', async () => {
    const gateway = await open('rolling');
    expect(Object.keys(await answersWhile(gateway, stopAndRestart))).toEqual(['202']);
  }, 120_000);

  test('an edge that was told to stop is not ready at once, and still takes scans until it has left', async () => {
    const edge = stack.edges[0] as ManagedProcess;
    edge.signal('SIGTERM');
    const notReady = await until('it is not ready', async () => {
      const reply = await fetch(`${edge.url}/readyz`);
      const body = await reply.text();
      return reply.status === 503 && body;
    });
    expect(notReady).toContain('told to stop');
    const taken = await fetch(`${edge.url}/v1/scans`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.deviceKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(goodScan()),
    });
    expect([taken.status, taken.headers.get('connection')]).toEqual([202, 'close']);
    expect(await edge.ended()).toBe(0);
    await edge.restart();
  }, 60_000);
});
