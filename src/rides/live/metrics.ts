import { Counter, Gauge, type Registry } from 'prom-client';

export interface LiveMetrics {
  /** rides that a listener was told */
  told(rides: number): void;
  /** why this process ended a stream: `bye`, `slow` (the client did not read), `lost` (nobody knew what it had missed) */
  ended(reason: 'bye' | 'slow' | 'lost'): void;
  watch(listeners: () => number): void;
}

export function createLiveMetrics(registry: Registry): LiveMetrics {
  const told = new Counter({
    name: 'liftline_live_rides_total',
    help: 'Rides told to those who listen',
    registers: [registry],
  });
  const ended = new Counter({
    name: 'liftline_live_ended_total',
    help: 'Live streams that this process ended: bye (it stops, or the stream was old), slow (the client did not read), lost (nobody knew what it had missed)',
    labelNames: ['reason'] as const,
    registers: [registry],
  });
  return {
    told: (rides) => told.inc(rides),
    ended: (reason) => ended.inc({ reason }),
    watch(listeners) {
      const gauge = new Gauge({
        name: 'liftline_live_listeners',
        help: 'Open live streams',
        registers: [registry],
        collect() {
          gauge.set(listeners());
        },
      });
    },
  };
}
