import { setTimeout as delay } from 'node:timers/promises';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { until } from '../client/until.ts';
import { type FaultProxy, startFaultProxy } from '../faults/tools/fault-proxy.ts';
import { type Stack, startStack } from '../stack.ts';
import { Acks, type Lie } from './acks.ts';
import { keepNaively } from './naive-keeper.ts';
import { read, type ReadsReport } from './reads.ts';
import { readReplica } from './replica-reads.ts';
import { makeTrouble } from './trouble.ts';
import { write } from './writes.ts';

export interface AsOfOptions {
  queue: 'redis' | 'postgres';
  seconds: number;
  seed: string;
  /** the negative control in the keeper's stead */
  isControl: boolean;
}

export interface AsOfReport extends AsOfOptions {
  acked: number;
  reports: ReadsReport[];
  trouble: Record<string, number>;
  lies: Lie[];
}

const SKIERS = 300;
/** Few enough that a lane is empty now and then: a lane that is never empty is told late, and so tells few lies. */
const SCANS_PER_S = 200;
const READS_PER_S = 150;
const REPLICA_READS_PER_S = 50;
const WITH_REPLICA = 'alpha';
const BEHIND_PROXY = 'beta';
const STARTED_MS = 60_000;

/** Random writes, trouble and reads in parallel on a stack of its own; every answer is held against the acks. */
export async function runAsOf(
  o: AsOfOptions,
  { lifecycle, say }: { lifecycle: Lifecycle; say: (text: string) => void },
): Promise<AsOfReport> {
  const { stack, proxy } = await start(o, lifecycle);
  const acks = new Acks();
  const over = new AbortController();
  lifecycle.onStop('asof', () => Promise.resolve(over.abort()));
  const common = { skiers: SKIERS, seed: o.seed, acks, signal: over.signal };
  const { deviceKey, adminKey } = stack;
  const urls = stack.edges.map(({ url }) => url);
  const sources = stack.rides.map(({ name, url }) => ({ name, url }));
  const all = Promise.all([
    read({ ...common, sources, adminKey, readsPerS: READS_PER_S }),
    makeTrouble({ stack, proxy, seed: o.seed, signal: over.signal, say }),
    write({ ...common, urls, deviceKey, scansPerS: SCANS_PER_S }),
    readReplica({ ...common, stack, node: WITH_REPLICA, readsPerS: REPLICA_READS_PER_S, lifecycle }),
    o.isControl ? keepNaively(stack, over.signal) : Promise.resolve(),
  ]);
  await Promise.race([delay(o.seconds * 1_000, undefined, { signal: over.signal }).catch(() => {}), all]);
  over.abort();
  const [{ reports, lies }, trouble, , replica] = await all;
  await stack.stop();
  const found = { reports: [...reports, replica.report], lies: [...lies, ...replica.lies] };
  return { ...o, acked: acks.acked, trouble, ...found };
}

/** Two of each, one rides process without a cache, one node behind a proxy. */
async function start(o: AsOfOptions, lifecycle: Lifecycle): Promise<{ stack: Stack; proxy: FaultProxy }> {
  let proxy: FaultProxy | undefined;
  const stack = await startStack(
    {
      queue: o.queue,
      edges: 2,
      workers: 2,
      rides: 2,
      separateServers: true,
      env: { LOCK_MS: '3000', STALL_CHECK_MS: '500', STATEMENT_TIMEOUT_MS: '3000' },
      envOf: (name): Record<string, string> => (name === 'rides-0' ? { CACHE_MB: '0' } : {}),
      async nodeUrl(name, url) {
        if (name !== BEHIND_PROXY) return url;
        proxy = await startFaultProxy(url);
        const opened = proxy;
        lifecycle.onStop('proxy', () => opened.close());
        return proxy.url;
      },
    },
    lifecycle,
  );
  if (!proxy) throw new Error(`there is no node ${BEHIND_PROXY}`);
  await until('asOf is told', () => isTold(stack), { timeoutMs: STARTED_MS });
  return { stack, proxy };
}

async function isTold(stack: Stack): Promise<true | undefined> {
  const answers = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map(async (skierId) => {
      const response = await fetch(`${stack.rides[0]?.url}/v1/skiers/${skierId}/seasons`, {
        headers: { authorization: `Bearer ${stack.adminKey}` },
      });
      return (await response.text()).startsWith('{"asOf":"');
    }),
  );
  return answers.every(Boolean) || undefined;
}
