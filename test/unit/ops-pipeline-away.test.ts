import { Registry } from 'prom-client';
import { afterAll, expect, test } from 'vitest';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { Problem } from '../../src/domain/problem.ts';
import { registerPipelineMetrics } from '../../src/ops/metrics.ts';
import { createPipeline } from '../../src/ops/pipeline.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { recordedLog } from '../support/recorded-log.ts';

const snapshot = sampleSnapshot({
  shardCount: 4,
  laneCount: 2,
  nodes: [{ name: 'node-1', url: 'postgres://127.0.0.1:1/one' }],
  devices: [],
});

const { logger } = recordedLog();
const lifecycle = new Lifecycle({ logger });
const nodes = openReadNodes({ poolSize: 1, timeoutMs: 1_000, logger, lifecycle });
afterAll(() => lifecycle.stop(5_000));

function allAway() {
  let looks = 0;
  const pipeline = createPipeline({
    follower: staticDirectory(snapshot),
    backlog: {
      read: () => {
        looks += 1;
        return Promise.reject(new Problem('queue_unavailable', 'away'));
      },
    },
    nodes,
  });
  return { pipeline, looks: () => looks };
}

test('with everything away there is a state that says so', async () => {
  expect(await allAway().pipeline.read()).toEqual({
    lanes: undefined,
    nodes: [{ nodeId: 1, name: 'node-1', ledger: undefined }],
    books: undefined,
  });
});

test('a scrape asks once for all of its numbers, and never fails', async () => {
  const { pipeline, looks } = allAway();
  const registry = new Registry();
  registerPipelineMetrics({ registry, pipeline });
  const text = await registry.metrics();
  expect(text).toContain('liftline_source_up{source="queue"} 0');
  expect(text).toContain('liftline_source_up{source="node node-1"} 0');
  expect(text).not.toMatch(/^liftline_(scans|backlog_\w+)\{/m);
  expect(looks()).toBe(1);
});

test('without a directory the metrics are there, and the numbers are not', async () => {
  const registry = new Registry();
  const follower = {
    snapshot: () => {
      throw new Problem('starting', 'waiting for the directory');
    },
  };
  const pipeline = createPipeline({ follower, backlog: { read: () => Promise.resolve([]) }, nodes });
  registerPipelineMetrics({ registry, pipeline });
  expect(await registry.metrics()).toContain('# TYPE liftline_scans gauge');
  await expect(pipeline.read()).rejects.toMatchObject({ code: 'starting' });
});
