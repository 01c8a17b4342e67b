import { Pool } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '../../src/platform/logger.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openBacklog } from '../../src/queue/backlog-reader.ts';
import type { Stack } from '../stack.ts';
import type { Progress } from './checker-notes.ts';

/** The run at one moment. */
export interface Sample {
  /** seconds since the load began */
  atS: number;
  /** distinct scans acked so far */
  acked: number;
  /** answers so far that left scans unconfirmed, in scans */
  unconfirmed: number;
  /** rows stored so far, by the ledgers; of a node that does not answer, as many as it last said */
  persisted: number;
  /** scans in flight; null while the queue does not answer */
  backlog: number | null;
}

export interface Mark {
  /** seconds since the load began */
  atS: number;
  text: string;
}

/** How the run went, second by second; sampled from outside, straight from queue and nodes. */
export interface Timeline {
  readonly samples: readonly Sample[];
  readonly marks: readonly Mark[];
  mark(text: string): void;
  /** seconds since the load began */
  nowS(): number;
  /**
   * @returns what tells the seconds from now until nothing was left of what is accepted now; undefined while something is.
   *   Only the latest watch goes on
   */
  watchBacklog(): () => number | undefined;
}

const EVERY_MS = 250;
const ANSWER_MS = 1_000;

/** Samples until the lifecycle stops it. */
export function startTimeline(stack: Stack, lifecycle: Lifecycle, progress: () => Progress): Timeline {
  const startedAt = performance.now();
  const nowS = () => (performance.now() - startedAt) / 1_000;
  const backlog = openBacklog({
    queueUrl: stack.queueUrl,
    queuePrefix: stack.queuePrefix,
    laneCount: stack.laneCount,
    timeoutMs: ANSWER_MS,
    logger: createLogger({ level: 'silent', process: 'faults' }), // that the queue goes away is what it is here to see
    lifecycle,
  });
  const nodes = stack.nodes.map(({ url }) => openLedger(url, lifecycle));
  const samples: Sample[] = [];
  const marks: Mark[] = [];
  let watched: { fromS: number; fromMs: number; clearedS?: number } | undefined;

  const look = async () => {
    const [lanes, ...persisted] = await Promise.all([
      backlog.read().catch(() => undefined),
      ...nodes.map((node) => node.persisted()),
    ]);
    const { acked, unconfirmed } = progress();
    samples.push({
      atS: nowS(),
      acked,
      unconfirmed: sum(Object.values(unconfirmed)),
      persisted: sum(persisted),
      backlog: lanes ? sum(lanes.map(({ scans }) => scans)) : null,
    });
    if (!lanes || !watched || watched.clearedS !== undefined) return;
    const { fromMs } = watched;
    const isClear = lanes.every(
      ({ oldestAcceptedAt: oldest, takenAt }) => takenAt > fromMs && (oldest ?? takenAt) > fromMs,
    );
    if (isClear) watched.clearedS = nowS() - watched.fromS;
  };
  repeat(look, lifecycle);
  return {
    samples,
    marks,
    nowS,
    mark: (text) => void marks.push({ atS: nowS(), text }),
    watchBacklog() {
      const watching: NonNullable<typeof watched> = { fromS: nowS(), fromMs: Date.now() };
      watched = watching;
      return () => watching.clearedS;
    },
  };
}

function repeat(work: () => Promise<void>, lifecycle: Lifecycle): void {
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      await work();
      await delay(Math.max(0, EVERY_MS - (performance.now() - startedAt)));
    }
  };
  const running = loop();
  lifecycle.onStop('timeline', async () => {
    stopping.abort();
    await running;
  });
}

/** What one node has stored; it may be away at any time. */
function openLedger(url: string, lifecycle: Lifecycle): { persisted(): Promise<number> } {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  pool.on('error', () => {}); // the next query says so
  lifecycle.onStop('ledger of a node', () => pool.end());
  let last = 0;
  return {
    async persisted() {
      try {
        const { rows } = await pool.query<{ persisted: number }>(
          'SELECT coalesce(sum(persisted), 0)::float8 AS persisted FROM ledger',
        );
        last = rows[0]?.persisted ?? last;
      } catch {
        return last;
      }
      return last;
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
