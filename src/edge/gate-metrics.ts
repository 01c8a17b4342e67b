import { Gauge, type Registry } from 'prom-client';
import type { DirectoryFollower } from '../directory/follower.ts';
import { OPEN_DEVICE_ID, type Scan } from '../domain/scan.ts';

/** Gates that one edge remembers: more than a resort group has. Of more, those that were silent longest are left out. */
const MAX_GATES = 2_000;

interface Seen {
  resortId: number;
  atMs: number;
}

/**
 * When each gate was heard of last, for alerts about one that has gone silent. Edges are many and stateless, and a gate's
 * scans reach all of them: counts of silent gates can't be added up over edges, times can (`max by (device)`), which is why
 * this is the one metric with a series for each device. `MAX_GATES` bounds it, and gates of half a day ago are dropped.
 *
 * @param o.now milliseconds since the epoch; this machine's clock unless given
 * @returns call it with the scans of each job that the queue has confirmed: about 30 ns a scan
 */
export function createGateMetrics(o: {
  registry: Registry;
  directory: Pick<DirectoryFollower, 'snapshot'>;
  now?: () => number;
}): (scans: readonly Scan[]) => void {
  const { now = Date.now } = o;
  const gates = new Map<number, Seen>();
  o.registry.registerMetric(lastScanGauge(gates, o.directory, now));
  return (scans) => {
    const atMs = now();
    for (const { deviceId, resortId } of scans) {
      const gate = gates.get(deviceId);
      if (gate) {
        gate.atMs = atMs;
        gate.resortId = resortId;
      } else gates.set(deviceId, { atMs, resortId });
    }
  };
}

const FORGOTTEN_AFTER_MS = 12 * 3_600_000;

function lastScanGauge(gates: Map<number, Seen>, directory: Pick<DirectoryFollower, 'snapshot'>, now: () => number) {
  return new Gauge({
    name: 'liftline_gate_last_scan_timestamp_seconds',
    help: 'When this edge last accepted a scan of a gate, by its own clock; over all edges the latest counts',
    labelNames: ['device', 'resort'],
    registers: [],
    collect() {
      this.reset();
      forget(gates, now() - FORGOTTEN_AFTER_MS);
      const names = new Map(
        [...directory.snapshot().devicesByKeyHash.values()].map(({ deviceId, name }) => [deviceId, name]),
      );
      for (const [deviceId, { resortId, atMs }] of gates) {
        const device = names.get(deviceId);
        // who posts without a key while the SkiDataAPI is open is no gate
        if (device !== undefined && deviceId !== OPEN_DEVICE_ID) this.set({ device, resort: resortId }, atMs / 1000);
      }
    },
  });
}

function forget(gates: Map<number, Seen>, beforeMs: number): void {
  for (const [deviceId, { atMs }] of gates) if (atMs < beforeMs) gates.delete(deviceId);
  if (gates.size <= MAX_GATES) return;
  const silentFirst = [...gates].toSorted(([, a], [, b]) => a.atMs - b.atMs);
  for (const [deviceId] of silentFirst.slice(0, gates.size - MAX_GATES)) gates.delete(deviceId);
}
