import { Gauge, type Registry } from 'prom-client';
import type { LanesAsOf } from '../src/shards/as-of.ts';

/** How far behind the lanes are that this process keeps: it grows while a lane, its queue or its node stands still. */
export class AsOfAge {
  readonly #byNode = new Map<string, LanesAsOf>();

  /** @param queueNowMs the clock that asOf is told on, undefined until it is known */
  constructor(registry: Registry, queueNowMs: (lane: number) => number | undefined) {
    const gauge: Gauge<'lane' | 'node'> = new Gauge({
      name: 'liftline_as_of_age_seconds',
      help: 'How long ago the lane was complete on this node, as its keeper has told it',
      labelNames: ['lane', 'node'],
      // a lane that was taken over may have two for a moment: the fresh one counts
      aggregator: 'min',
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const [node, lanes] of this.#byNode) {
          for (const [lane, asOf] of lanes) {
            const now = queueNowMs(lane);
            if (now !== undefined && asOf !== null) gauge.set({ lane, node }, Math.max(0, now - asOf) / 1_000);
          }
        }
      },
    });
  }

  /** @param lanes all that this process keeps on the node now */
  told(node: string, lanes: LanesAsOf): void {
    this.#byNode.set(node, lanes);
  }
}
