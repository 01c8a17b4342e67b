import { setTimeout as delay } from 'node:timers/promises';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { Acks } from './acks.ts';
import type { ReadsReport } from './judge.ts';
import { keepNaively } from './naive-keeper.ts';
import { countParts } from './part-watch.ts';
import { startPlaces, WITH_REPLICA } from './places.ts';
import { read, readUntilComplete } from './reads.ts';
import { openReplica, readReplica } from './replica-reads.ts';
import { makeTrouble } from './trouble.ts';
import { write } from './writes.ts';

export interface AsOfOptions {
  queue: 'redis' | 'postgres';
  seconds: number;
  seed: string;
  /** the negative control beside the keeper; the run ends when it is caught */
  isControl: boolean;
}

export interface AsOfReport extends AsOfOptions {
  acked: number;
  reports: ReadsReport[];
  trouble: Record<string, number>;
  /** parts of jobs that went back to the queue */
  parts: number;
}

/** Few enough that a lane is empty now and then: a lane that is never empty is told late. */
const SCANS_PER_S = 200;
/** A naive keeper is right as long as one old job is in hand: fewer yet. And fewer skiers, so that who misses a ride is asked. */
const CONTROL = { scansPerS: 60, skiers: 60 };
/** It ends when it is caught, on a slow machine later. */
const CONTROL_LEAST_S = 30;
/** So that a history stays on one page, also in a long run. */
const MEAN_RIDES = 60;
const LEAST_SKIERS = 300;
const RESORTS = 10;
const READS_PER_S = 150;
const REPLICA_READS_PER_S = 50;

/** Random writes, trouble and reads in parallel on a stack of its own; every answer is held against the acks. */
export async function runAsOf(
  o: AsOfOptions,
  { lifecycle, say }: { lifecycle: Lifecycle; say: (text: string) => void },
): Promise<AsOfReport> {
  const places = await startPlaces(o.queue, lifecycle);
  const { stack } = places;
  const { scansPerS, skiers } = loadOf(o);
  const replica = await openReplica({ stack, node: WITH_REPLICA, skiers, lifecycle });
  const over = new AbortController();
  lifecycle.onStop('asof', () => Promise.resolve(over.abort()));
  const acks = new Acks();
  const onLie = () => {
    if (o.isControl) over.abort();
  };
  const common = { skiers, seed: o.seed, acks, onLie, signal: over.signal };
  const urls = stack.edges.map(({ url }) => url);
  const sources = stack.rides.map(({ name, url }) => ({ name, url }));
  const asked = { ...common, sources, adminKey: stack.adminKey, resorts: RESORTS };
  const all = Promise.all([
    read({ ...asked, readsPerS: READS_PER_S }),
    readReplica({ ...common, replica, readsPerS: REPLICA_READS_PER_S }),
    makeTrouble({ ...places, isControl: o.isControl, seed: o.seed, signal: over.signal, say }),
    countParts(stack, over.signal),
    write({ ...common, urls, deviceKey: stack.deviceKey, scansPerS }),
    o.isControl ? keepNaively(stack, over.signal) : Promise.resolve(),
  ]);
  const seconds = o.isControl ? Math.max(CONTROL_LEAST_S, o.seconds) : o.seconds;
  await Promise.race([delay(seconds * 1_000, undefined, { signal: over.signal }).catch(() => {}), all]);
  over.abort();
  const [reads, ofReplica, trouble, parts] = await all;
  const last = o.isControl || lifecycle.isStopping ? [] : await readUntilComplete(asked);
  await replica.stop();
  await stack.stop();
  return { ...o, acked: acks.acked, reports: [...reads, ofReplica, ...last], trouble, parts };
}

function loadOf({ isControl, seconds }: AsOfOptions): { scansPerS: number; skiers: number } {
  if (isControl) return CONTROL;
  return { scansPerS: SCANS_PER_S, skiers: Math.max(LEAST_SKIERS, Math.ceil((SCANS_PER_S * seconds) / MEAN_RIDES)) };
}
