import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type Random, seededRandom } from '../../src/simulator/random.ts';
import { killAndRestart, killNode } from '../faults/process-actions.ts';
import type { FaultProxy } from '../faults/tools/fault-proxy.ts';
import type { ServerDate } from '../faults/tools/server-date.ts';
import { whileWorkersStand } from '../faults/tools/standing-workers.ts';
import type { Stack } from '../stack.ts';
import { commitLate } from './late-commits.ts';

export interface TroubleOptions {
  stack: Stack;
  /** between everything and the last node */
  proxy: FaultProxy;
  /** of the queue's server, where it can be set */
  queueDate: ServerDate | undefined;
  /** only what a naive keeper is wrong about, again and again */
  isControl: boolean;
  seed: string;
  signal: AbortSignal;
  say: (text: string) => void;
}

const BETWEEN_MS = 300;
/** Long enough that nothing of the last pile is left. */
const BETWEEN_PILES_MS = 1_000;
const STAND_MS = { least: 300, most: 800 };
const HOLD_MS = { least: 400, most: 1_500 };
const LATE_MS = { least: 100, most: 800 };
const SILENT_MS = { least: 500, most: 3_000 };
/** How far the queue's clock is set back; asOf stands still for so long. */
const BACK_MS = { least: 500, most: 3_000 };

const PILE = 'jobs pile up';
const KINDS: Record<string, (o: TroubleOptions, random: Random) => Promise<void>> = {
  [PILE]: pileUp,
  'writes wait': holdWrites,
  'late commits': lateCommits,
  'worker kill -9': killWorker,
  'queue kill -9': killQueue,
  'queue’s clock set': setClock,
  'node away': silence,
};
/** In each round. */
const PILES = 4;

/** Whatever delays a commit, brings jobs back or takes a server away: all of it in each round, in random order, until the signal. */
export async function makeTrouble(o: TroubleOptions): Promise<Record<string, number>> {
  const random = seededRandom(`${o.seed}/trouble`);
  const all = [...Object.keys(KINDS), ...Array.from({ length: PILES - 1 }, () => PILE)];
  const kinds = o.isControl ? [PILE] : all.filter((name) => KINDS[name] !== setClock || o.queueDate);
  const done: Record<string, number> = {};
  while (!o.signal.aborted) {
    for (const name of random.shuffled(kinds)) {
      if (o.signal.aborted) break;
      if (name !== PILE) o.say(name);
      await KINDS[name]?.(o, random);
      done[name] = (done[name] ?? 0) + 1;
      await delay(o.isControl ? BETWEEN_PILES_MS : BETWEEN_MS, undefined, { signal: o.signal }).catch(() => {});
    }
  }
  return done;
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

/** Somebody else holds a node's scans, so that nobody can write there for a while. */
async function holdWrites({ stack }: TroubleOptions, random: Random): Promise<void> {
  await whileHeld([random.pick(stack.nodes)], () => delay(random.between(HOLD_MS.least, HOLD_MS.most)));
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

/** What is written is not committed for a while, and not in the order in which it was begun. */
async function lateCommits({ stack }: TroubleOptions, random: Random): Promise<void> {
  await commitLate(stack.nodes, random.between(LATE_MS.least, LATE_MS.most));
  await delay(random.between(HOLD_MS.least, HOLD_MS.most));
  await commitLate(stack.nodes, 0);
}

async function killWorker({ stack }: TroubleOptions, random: Random): Promise<void> {
  await killAndRestart(random.pick(stack.workers), 0);
}

/** The mark of the lanes' time must be there afterwards. */
async function killQueue({ stack }: TroubleOptions): Promise<void> {
  if (stack.redis) await killAndRestart(stack.redis.process, 0);
  else await killNode(stack.directoryServer, 0);
}

/** Back from where it was, or ahead to where it should be and back from there. */
async function setClock({ queueDate }: TroubleOptions, random: Random): Promise<void> {
  await queueDate?.set(0);
  await delay(random.between(HOLD_MS.least, HOLD_MS.most));
  await queueDate?.set(-random.between(BACK_MS.least, BACK_MS.most));
}

async function silence({ proxy }: TroubleOptions, random: Random): Promise<void> {
  proxy.goSilent();
  await delay(random.between(SILENT_MS.least, SILENT_MS.most));
  await proxy.close();
  await proxy.open();
}
