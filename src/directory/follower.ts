import { DrizzleQueryError } from 'drizzle-orm';
import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { followerName } from './count-processes.ts';
import { DirectorySession } from './session.ts';
import type { DirectorySnapshot } from './snapshot.ts';
import { WakeableWait } from './wakeable-wait.ts';

/** The directory as a process sees it: always the last snapshot that could be read. */
export interface DirectoryFollower {
  /** @throws Problem `starting` before the first snapshot */
  snapshot(): DirectorySnapshot;
  hasSnapshot(): boolean;
  /**
   * Asks the directory now. Callers that come at once share one query.
   *
   * @returns a snapshot that was current at some moment after the call
   * @throws Problem `directory_unavailable` when it can't be reached; the last snapshot stays in use
   */
  reload(): Promise<DirectorySnapshot>;
  /** Calls `listener` after each change, with the new snapshot; also with the first one. */
  onChange(listener: (snapshot: DirectorySnapshot) => void): void;
  /** how long the directory has not answered; counts from the start until it first has */
  secondsSinceContact(): number;
  stop(): Promise<void>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 3_000;
/** A directory that stays away is mentioned this often. */
const REMIND_MS = 30_000;

/**
 * Follows the directory at `url` until stopped: listens for changes, and asks for the version every `pollMs`
 * milliseconds, since a notification can get lost with its connection. Returns at once, before the first snapshot, and
 * keeps trying for as long as the directory is away.
 */
export async function followDirectory(o: {
  url: string;
  logger: Logger;
  pollMs: number;
  /** what the process is, e.g. `edge`: operators count them by it */
  process: string;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}): Promise<DirectoryFollower> {
  const follower = new Follower(o);
  o.lifecycle.onStop('directory follower', () => follower.stop());
  follower.start();
  return follower;
}

/** A directory that never changes, for tests and benchmarks. */
export function staticDirectory(snapshot: DirectorySnapshot): DirectoryFollower {
  return {
    snapshot: () => snapshot,
    hasSnapshot: () => true,
    reload: () => Promise.resolve(snapshot),
    onChange: () => {},
    secondsSinceContact: () => 0,
    stop: () => Promise.resolve(),
  };
}

interface Waiter {
  resolve: (snapshot: DirectorySnapshot) => void;
  reject: (problem: Problem) => void;
}

class Follower implements DirectoryFollower {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #pollMs: number;
  readonly #name: string;
  readonly #pause = new WakeableWait();
  readonly #listeners: ((snapshot: DirectorySnapshot) => void)[] = [];
  #snapshot: DirectorySnapshot | undefined;
  #session: DirectorySession | undefined;
  #reloads: Waiter[] = [];
  #lastContact = performance.now();
  #lastReminder = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  constructor(o: { url: string; logger: Logger; pollMs: number; process: string }) {
    this.#url = o.url;
    this.#logger = o.logger;
    this.#pollMs = o.pollMs;
    this.#name = followerName(o.process);
  }

  snapshot(): DirectorySnapshot {
    if (!this.#snapshot) throw new Problem('starting', 'waiting for the directory');
    return this.#snapshot;
  }

  hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  reload(): Promise<DirectorySnapshot> {
    if (this.#stopping) return Promise.reject(new Problem('directory_unavailable', 'stopping'));
    const answer = new Promise<DirectorySnapshot>((resolve, reject) => this.#reloads.push({ resolve, reject }));
    this.#pause.wake();
    return answer;
  }

  onChange(listener: (snapshot: DirectorySnapshot) => void): void {
    this.#listeners.push(listener);
  }

  secondsSinceContact(): number {
    return (performance.now() - this.#lastContact) / 1000;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#session?.destroy();
    this.#pause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const waiting = this.#takeReloads();
      try {
        const snapshot = await this.#check();
        for (const { resolve } of waiting) resolve(snapshot);
        this.#noteContact();
      } catch (error) {
        this.#dropSession();
        const problem = new Problem('directory_unavailable', 'the directory can not be reached', { cause: error });
        for (const { reject } of waiting) reject(problem);
        if (!this.#stopping) this.#noteFailure(error);
      }
      if (!this.#stopping) await this.#pause.wait(this.#failures > 0 ? retryMs(this.#failures) : this.#pollMs);
    }
    this.#dropSession();
    for (const { reject } of this.#takeReloads()) reject(new Problem('directory_unavailable', 'stopping'));
  }

  /** Those who asked before this moment are answered by the check that begins now; later ones by the next. */
  #takeReloads(): Waiter[] {
    const taken = this.#reloads;
    this.#reloads = [];
    return taken;
  }

  async #check(): Promise<DirectorySnapshot> {
    const session = this.#session ?? (await this.#openSession());
    const version = await session.version();
    if (this.#snapshot?.version === version) return this.#snapshot;
    const snapshot = await session.load();
    if (!this.#stopping) this.#publish(snapshot);
    return snapshot;
  }

  async #openSession(): Promise<DirectorySession> {
    const session = new DirectorySession(this.#url, this.#name, () => this.#pause.wake());
    this.#session = session;
    await session.open();
    return session;
  }

  #dropSession(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #publish(snapshot: DirectorySnapshot): void {
    this.#snapshot = snapshot;
    const { version, shardCount, laneCount, nodes, resorts } = snapshot;
    this.#logger.info({ version, shardCount, laneCount, nodes: nodes.size, resorts: resorts.size }, 'directory loaded');
    for (const listener of this.#listeners) {
      try {
        listener(snapshot);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the directory failed');
      }
    }
  }

  #noteContact(): void {
    if (this.#failures > 0)
      this.#logger.info({ awayS: Math.round(this.secondsSinceContact()) }, 'the directory is back');
    this.#failures = 0;
    this.#lastReminder = Number.NEGATIVE_INFINITY;
    this.#lastContact = performance.now();
  }

  #noteFailure(error: unknown): void {
    this.#failures += 1;
    if (performance.now() - this.#lastReminder < REMIND_MS) return;
    this.#lastReminder = performance.now();
    const reason = reasonOf(error);
    if (this.#snapshot) this.#logger.warn({ reason }, 'the directory is away: serving its last snapshot');
    else this.#logger.warn({ reason }, 'waiting for the directory');
  }
}

/** Doubles from attempt to attempt; a random half, so that processes that lost it together come back one by one. */
function retryMs(failures: number): number {
  const fullMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  return fullMs * (0.5 + Math.random() / 2);
}

/** Without the SQL that drizzle puts in front. */
function reasonOf(error: unknown): string {
  const reason = error instanceof DrizzleQueryError ? error.cause : error;
  if (reason instanceof AggregateError) return reason.errors.map(reasonOf).join(', '); // one for each address of a host name
  return reason instanceof Error ? reason.message : String(reason);
}
