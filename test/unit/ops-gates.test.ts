import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { staticDirectory } from '../../src/directory/follower.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { createGateMetrics } from '../../src/edge/gate-metrics.ts';
import { registerResortMetrics } from '../../src/ops/resort-metrics.ts';
import { scanNo } from '../support/nodes.ts';

const HOUR_MS = 3_600_000;

function snapshotWith(devices: number) {
  return sampleSnapshot({
    shardCount: 2,
    laneCount: 1,
    nodes: [{ name: 'a', url: 'postgres://a.example/a' }],
    devices: Array.from({ length: devices }, (_, i) => ({ name: `gate ${i + 1}`, key: `key ${i + 1}` })),
  });
}

async function valuesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' in '), value]));
}

test('an edge tells when each gate was heard of last, by name and resort', async () => {
  const registry = new Registry();
  let now = Date.UTC(2026, 0, 10, 9);
  const note = createGateMetrics({ registry, directory: staticDirectory(snapshotWith(2)), now: () => now });
  const seen = () => valuesOf(registry, 'liftline_gate_last_scan_timestamp_seconds');
  expect(await seen()).toEqual({});
  note([scanNo(1, { deviceId: 1, resortId: 1 }), scanNo(2, { deviceId: 2, resortId: 3 })]);
  const first = now / 1000;
  now += 60_000;
  note([scanNo(3, { deviceId: 1, resortId: 1 }), scanNo(4, { deviceId: 0 }), scanNo(5, { deviceId: 77 })]);
  expect(await seen()).toEqual({ 'gate 1 in 1': first + 60, 'gate 2 in 3': first });
  now += 12 * HOUR_MS - 30_000;
  expect(await seen()).toEqual({ 'gate 1 in 1': first + 60 });
});

test('and of more gates than it may remember, it leaves out those that were silent longest', async () => {
  const registry = new Registry();
  let now = Date.UTC(2026, 0, 10, 9);
  const note = createGateMetrics({ registry, directory: staticDirectory(snapshotWith(2_005)), now: () => now });
  for (let deviceId = 2_005; deviceId > 0; deviceId -= 1) {
    now += 1_000;
    note([scanNo(deviceId, { deviceId, resortId: 1 })]);
  }
  const seen = await valuesOf(registry, 'liftline_gate_last_scan_timestamp_seconds');
  expect(Object.keys(seen)).toHaveLength(2_000);
  expect(seen['gate 1 in 1']).toBe(now / 1_000);
  expect(seen['gate 2005 in 1']).toBeUndefined();
});

test('ops tells which resorts are open, on their own clocks', async () => {
  const snapshot = snapshotWith(0);
  const [first] = [...snapshot.resorts.values()];
  if (!first) throw new Error('no resort');
  const resorts = new Map([
    [1, { ...first, resortId: 1, timeZone: 'Europe/Zurich', opensAt: '08:30', closesAt: '16:30' }],
    [2, { ...first, resortId: 2, timeZone: 'America/Denver', opensAt: '08:30', closesAt: '16:30' }],
    [3, { ...first, resortId: 3, timeZone: 'Europe/Zurich', opensAt: '18:00', closesAt: '01:00' }],
  ]);
  const registry = new Registry();
  let now = 0;
  registerResortMetrics({ registry, follower: staticDirectory({ ...snapshot, resorts }), now: () => now });
  const openAt = async (utc: string) => {
    now = Date.parse(utc);
    return Object.values(await valuesOf(registry, 'liftline_resort_open'));
  };
  expect(await openAt('2026-01-10T07:29:59Z')).toEqual([0, 0, 0]);
  expect(await openAt('2026-01-10T07:30:00Z')).toEqual([1, 0, 0]);
  expect(await openAt('2026-01-10T15:30:00Z')).toEqual([0, 1, 0]);
  expect(await openAt('2026-01-10T23:59:00Z')).toEqual([0, 0, 1]);
  expect(await openAt('2026-01-11T00:00:00Z')).toEqual([0, 0, 0]);
});
