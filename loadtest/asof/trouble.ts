import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import { killAndRestart } from '../faults/process-actions.ts';
import type { FaultProxy } from '../faults/tools/fault-proxy.ts';
import { whileWorkersStand } from '../faults/tools/standing-workers.ts';
import type { Stack } from '../stack.ts';

export interface TroubleOptions {
  stack: Stack;
  /** between everything and the last node */
  proxy: FaultProxy;
  seed: string;
  signal: AbortSignal;
  say: (text: string) => void;
}

const BETWEEN_MS = 300;
/** Of the trouble; it is what a keeper can be wrong about. */
const PILE_SHARE = 0.6;
const STAND_MS = { least: 300, most: 800 };
const HOLD_MS = { least: 400, most: 1_500 };
const SILENT_MS = { least: 500, most: 3_000 };

/** Whatever delays a commit, brings jobs back or takes a node away, one after the other in random order until the signal. */
export async function makeTrouble(o: TroubleOptions): Promise<Record<string, number>> {
  const random = seededRandom(`${o.seed}/trouble`);
  const kinds = { 'late commits': holdCommits, 'kill -9': killWorker, 'node away': silence };
  const others = Object.keys(kinds) as (keyof typeof kinds)[];
  const done: Record<string, number> = {};
  while (!o.signal.aborted) {
    const name = random.next() < PILE_SHARE ? 'jobs pile up' : random.pick(others);
    await (name === 'jobs pile up' ? pileUp(o, random) : kinds[name](o, random));
    done[name] = (done[name] ?? 0) + 1;
    await delay(BETWEEN_MS, undefined, { signal: o.signal }).catch(() => {});
  }
  return done;
}

/** Somebody else holds a node's scans, so that nobody can commit there for a while. */
async function holdCommits({ stack }: TroubleOptions, random: Random): Promise<void> {
  await whileHeld([random.pick(stack.nodes)], () => delay(random.between(HOLD_MS.least, HOLD_MS.most)));
}

/** What is acked while the workers stand waits in the lanes; all of it moves at once, and is committed much later. */
async function pileUp({ stack }: TroubleOptions, random: Random): Promise<void> {
  const standMs = random.between(STAND_MS.least, STAND_MS.most);
  const holdMs = random.between(HOLD_MS.least, HOLD_MS.most);
  let held: Promise<void> = Promise.resolve();
  await whileWorkersStand(stack.workers, async () => {
    await delay(standMs);
    const isHeld = Promise.withResolvers<void>();
    held = whileHeld(stack.nodes, () => {
      isHeld.resolve();
      return delay(holdMs);
    });
    await Promise.race([isHeld.promise, held]);
  });
  await held;
}

async function whileHeld(nodes: readonly { url: string }[], act: () => Promise<unknown>): Promise<void> {
  const clients = nodes.map(({ url }) => new Client({ connectionString: url }));
  try {
    for (const client of clients) {
      await client.connect();
      await client.query('BEGIN');
      await client.query('LOCK TABLE scans IN SHARE MODE');
    }
    await act();
  } finally {
    await Promise.all(clients.map((client) => client.end())); // which gives up the locks
  }
}

async function killWorker({ stack, say }: TroubleOptions, random: Random): Promise<void> {
  const worker = random.pick(stack.workers);
  say(`kill -9 ${worker.name}`);
  await killAndRestart(worker, 0);
}

async function silence({ proxy, say }: TroubleOptions, random: Random): Promise<void> {
  say('a node is away');
  proxy.goSilent();
  await delay(random.between(SILENT_MS.least, SILENT_MS.most));
  await proxy.close();
  await proxy.open();
}
