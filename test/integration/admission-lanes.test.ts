import { afterEach, expect, test } from 'vitest';
import { laneOf, shardOf } from '../../src/domain/shard.ts';
import { startDrain } from '../support/drain-lanes.ts';
import { goodScan, startEdge, type TestEdge } from '../support/edge.ts';
import { problemOf } from '../support/replies.ts';
import { until } from '../support/until.ts';

/** The edge's queue is on Postgres here. */
let edge: TestEdge;
afterEach(() => edge.stop());

function skiersOf(lane: number, count: number): number[] {
  const skiers: number[] = [];
  for (let skierId = 1; skiers.length < count; skierId += 1) {
    if (laneOf(shardOf(skierId, 64), 4) === lane) skiers.push(skierId);
  }
  return skiers;
}

const scansOf = (lane: number, count: number) => skiersOf(lane, count).map((skierId) => goodScan({ skierId }));
const postOne = (lane: number) => edge.post('/v1/scans', scansOf(lane, 1)[0]);

test('a lane that holds too many scans is refused, the others are not, and it opens again once', async () => {
  edge = await startEdge({ admission: { backlogAgeS: 0, backlogScans: 500, memoryPercent: 0 } });
  expect((await edge.post('/v1/scans/batch', { scans: scansOf(2, 600) })).status).toBe(202);
  await until('the lane is closed', async () => (await postOne(2)).status === 503);
  const refusal = await postOne(2);
  expect(refusal.headers.get('retry-after')).toBe('10');
  expect(await problemOf(refusal)).toEqual([503, 'overloaded']);
  expect((await postOne(1)).status).toBe(202);

  const mixed = await edge.post('/v1/scans/batch', { scans: [...scansOf(1, 1), ...scansOf(2, 1)] });
  expect(mixed.status).toBe(202);
  expect(await mixed.json()).toMatchObject({
    results: [{ status: 'accepted' }, { status: 'retry', error: { code: 'overloaded' } }],
  });

  const stopDrain = startDrain(edge);
  await until('the lane is open again', async () => (await postOne(2)).status === 202, 30_000);
  await stopDrain();
  const metrics = await edge.metrics();
  expect(metrics).toContain('liftline_edge_admission_changes_total{lane="2",reason="scans",to="closed"} 1');
  expect(metrics).toContain('liftline_edge_admission_changes_total{lane="2",reason="scans",to="open"} 1');
  expect(metrics).toContain('liftline_edge_admission_closed{lane="2",reason="scans"} 0');
  expect(metrics).not.toMatch(/admission_changes_total{lane="[013]"/);
});

test('a lane whose oldest scan waits for too long is refused, until it is gone', async () => {
  edge = await startEdge({ admission: { backlogAgeS: 2, backlogScans: 0, memoryPercent: 0 } });
  expect((await postOne(3)).status).toBe(202);
  const refused = await until('the lane is closed', async () => {
    const reply = await postOne(3);
    return reply.status === 503 && reply;
  });
  expect(await problemOf(refused)).toEqual([503, 'overloaded']);
  expect((await postOne(0)).status).toBe(202);
  const stopDrain = startDrain(edge);
  await until('the lane is open again', async () => (await postOne(3)).status === 202, 30_000);
  await stopDrain();
  expect(await edge.metrics()).toContain('liftline_edge_admission_changes_total{lane="3",reason="age",to="open"} 1');
});
