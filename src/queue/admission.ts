import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../domain/problem.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import {
  AdmissionJudge,
  type AdmissionLimits,
  type AdmissionLook,
  type AdmissionReason,
  type AdmissionState,
} from './admission-judge.ts';
import { memoryPercents } from './admission-memory.ts';
import { openLink } from './backend.ts';
import { openBacklog } from './backlog-reader.ts';
import { withDeadline } from './deadline.ts';
import type { QueueAddress } from './lanes.ts';

export type { AdmissionLimits, AdmissionState } from './admission-judge.ts';

/** Whether the queue can take more. Known without asking: it is looked at in the background. */
export interface Admission {
  /** @returns `overloaded` with the reason when a lane takes nothing now; nothing when it is open */
  refusalOf(lane: number): Problem | undefined;
  states(): AdmissionState[];
}

const LOOK_EVERY_MS = 1_000;
/** A look at a deep backlog is work for the server: at most a twentieth of its time, whatever the look takes. */
const PAUSES_PER_LOOK = 20;
const LONGEST_PAUSE_MS = 10_000;
const LOOK_DEADLINE_MS = 2_000;
/** A backlog takes its time; asking again sooner would only be work for the edge. */
const RETRY_AFTER_S = 10;

const DETAILS: Readonly<Record<AdmissionReason, string>> = {
  age: 'scans wait for too long to be stored',
  scans: 'too many scans wait to be stored',
  memory: 'the queue is nearly full',
};

/**
 * Watches the queue on connections of its own, about once a second. Resolves after the first look, good or bad. While the
 * queue can't be read, the last judgement stands: whether it takes anything then is the producer's to say.
 *
 * @param o.onChange told when a bound closes or opens again
 */
export async function openAdmission(
  o: QueueAddress & {
    laneCount: number;
    limits: AdmissionLimits;
    logger: Logger;
    lifecycle: Lifecycle;
    onChange: (state: AdmissionState) => void;
  },
): Promise<Admission> {
  const judge = new AdmissionJudge(o.limits, o.laneCount);
  const look = openLook(o);
  const watchOnce = async (): Promise<void> => {
    try {
      for (const state of judge.judge(await look(), performance.now())) {
        const { lane, reason } = state;
        if (state.isClosed) o.logger.warn({ lane, reason }, 'the queue takes no more: scans are refused');
        else o.logger.info({ lane, reason }, 'the queue takes scans again');
        o.onChange(state);
      }
    } catch (error) {
      o.logger.debug({ err: error }, 'the backlog can not be read: the last judgement stands');
    }
  };
  const stopping = new AbortController();
  await watchOnce();
  const watching = watch(watchOnce, stopping.signal);
  o.lifecycle.onStop('admission', () => {
    stopping.abort();
    return watching;
  });
  return {
    refusalOf(lane) {
      const reason = judge.closedBy(lane);
      return (
        reason && new Problem('overloaded', `${DETAILS[reason]}; send it again later`, { retryAfterS: RETRY_AFTER_S })
      );
    },
    states: () => judge.states(),
  };
}

function openLook(o: Parameters<typeof openAdmission>[0]): () => Promise<AdmissionLook[]> {
  // the producer logs the same outages
  const quiet = { ...o, logger: o.logger.child({}, { level: 'error' }), timeoutMs: LOOK_DEADLINE_MS };
  const backlog = openBacklog(quiet);
  const link = openLink({ ...quiet, connections: 1 });
  o.lifecycle.onStop('admission memory', () => link.close());
  const lanes = Array.from({ length: o.laneCount }, (_, lane) => lane);
  const late = () => new Error(`no answer in ${LOOK_DEADLINE_MS} ms`);
  return async () => {
    const memory = withDeadline(memoryPercents(link, lanes), LOOK_DEADLINE_MS, late);
    const [backlogs, percents] = await Promise.all([backlog.read(), memory]);
    return backlogs.map((ofLane) => ({ ...ofLane, memoryPercent: percents[ofLane.lane] }));
  };
}

async function watch(watchOnce: () => Promise<void>, signal: AbortSignal): Promise<void> {
  let tookMs = 0;
  for (;;) {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(LOOK_EVERY_MS, PAUSES_PER_LOOK * tookMs));
    await delay(pauseMs, undefined, { signal }).catch(() => {}); // stopped
    if (signal.aborted) return;
    const startedAt = performance.now();
    await watchOnce();
    tookMs = performance.now() - startedAt;
  }
}
