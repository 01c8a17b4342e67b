import type { Fault, FaultContext, FaultPlace, FaultStackOptions } from './fault.ts';
import { needsRedis } from './needs.ts';
import { type FaultProxy, startFaultProxy } from './tools/fault-proxy.ts';
import { untilMoreStored } from './tools/node-books.ts';

const STATEMENT_TIMEOUT_MS = 3_000;
/** Longer than any statement, and the second try that follows. */
const SILENT_MS = 2 * STATEMENT_TIMEOUT_MS + 2_000;
const REFUSED_MS = 1_000;
const LATE_MS = 100;
const LATE_FOR_MS = 4_000;
const BETWEEN = 6_000;
/** What the other node has to store meanwhile. */
const FLOW = 1_000;
const NODE = 'beta';

/**
 * The network between everything and one node swallows what it is given, longer than a statement may take, so that
 * workers can't know whether their last COMMIT was done; then it resets all connections and refuses new ones, and at
 * last it is slow for a while.
 */
export const nodeBlackHole: Fault = {
  name: 'node-black-hole',
  summary: 'the network to one node swallows everything, then resets, then is 100 ms late each way',
  canRun: needsRedis,
  stack: throughProxy,
  inflict,
  control: { none: 'no setting completes a job before its COMMIT was confirmed' },
};

/** Of each run that is under way. */
const proxies = new WeakMap<FaultPlace, FaultProxy>();

function throughProxy(place: FaultPlace): FaultStackOptions {
  return {
    separateServers: true,
    env: { STATEMENT_TIMEOUT_MS: String(STATEMENT_TIMEOUT_MS) },
    async nodeUrl(name, url) {
      if (name !== NODE) return url;
      const proxy = await startFaultProxy(url);
      place.lifecycle.onStop(`proxy of ${NODE}`, () => proxy.close());
      proxies.set(place, proxy);
      return proxy.url;
    },
  };
}

async function inflict(context: FaultContext): Promise<void> {
  const proxy = proxies.get(context.place);
  const [other] = context.stack.nodes.filter(({ name }) => name !== NODE);
  if (!proxy || !other) throw new Error(`${NODE} is not behind a proxy`);
  do {
    await context.untilMoreAcked(BETWEEN);
    proxy.goSilent();
    context.mark(`black hole before ${NODE}`);
    await Promise.all([untilMoreStored(other, FLOW), context.wait(SILENT_MS)]);
    await proxy.close();
    context.mark(`${NODE} resets and refuses`);
    await context.wait(REFUSED_MS);
    proxy.slowDown(LATE_MS);
    await proxy.open();
    context.mark(`${NODE} is ${LATE_MS} ms late`);
    await context.wait(LATE_FOR_MS);
    proxy.slowDown(0);
    context.mark(`${NODE} is well`);
  } while (!context.isEnough());
}
