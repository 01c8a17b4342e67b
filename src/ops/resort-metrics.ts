import { Gauge, type Registry } from 'prom-client';
import type { DirectoryFollower } from '../directory/follower.ts';

/**
 * Declares whether each resort is open now, by its own hours: at night all gates are silent, and that is no alarm.
 *
 * @param o.now milliseconds since the epoch; this machine's clock unless given
 */
export function registerResortMetrics(o: {
  registry: Registry;
  follower: Pick<DirectoryFollower, 'snapshot'>;
  now?: () => number;
}): void {
  const { now = Date.now } = o;
  const gauge = new Gauge({
    name: 'liftline_resort_open',
    help: '1 between the opening and the closing time of a resort, on its own clock',
    labelNames: ['resort'],
    registers: [],
    collect() {
      this.reset();
      for (const { resortId, ...hours } of o.follower.snapshot().resorts.values())
        this.set({ resort: resortId }, isOpen(hours, now()) ? 1 : 0);
    },
  });
  o.registry.registerMetric(gauge);
}

function isOpen(hours: { timeZone: string; opensAt: string; closesAt: string }, atMs: number): boolean {
  const { timeZone, opensAt, closesAt } = hours;
  const local = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const time = local.format(atMs);
  if (opensAt <= closesAt) return opensAt <= time && time < closesAt;
  return opensAt <= time || time < closesAt; // open past midnight
}
