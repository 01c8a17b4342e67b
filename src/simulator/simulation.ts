import type { Difference } from './comparison.ts';
import { type FreshnessProbe, freshnessProbe } from './freshness.ts';
import { gateApi } from './gate-api.ts';
import { historyApi, type ResortInfo } from './history-api.ts';
import { play } from './player.ts';
import { readBack } from './read-back.ts';
import { planSkiDay, type SkiDay, type SkiDayOptions, yesterdayAt } from './ski-day.ts';
import { Tally } from './tally.ts';

export interface SimulationOptions extends Omit<SkiDayOptions, 'resort' | 'date'> {
  /** without a slash at its end */
  baseUrl: string;
  deviceKey: string;
  adminKey: string;
  resortId: number;
  /** the resort's local date, YYYY-MM-DD; yesterday there unless given */
  date?: string;
  /** real milliseconds the backlog may take to become visible at the end */
  settleMs: number;
  /** ends the day early; what was sent by then is still compared */
  signal: AbortSignal;
}

/** Figures at one moment. */
export interface SimulationState {
  /** rides of the whole plan */
  planned: number;
  sent: number;
  acked: number;
  refused: number;
  /** sent and never confirmed */
  unknown: number;
  /** milliseconds from ack to readable */
  freshnessP50Ms: number | undefined;
  freshnessP99Ms: number | undefined;
  freshnessSamples: number;
}

export interface SimulationReport extends SimulationState {
  resort: ResortInfo;
  date: string;
  skiers: number;
  /** who made the most rides of all that were acked */
  busiestSkierId: number | undefined;
  playedS: number;
  refusals: { reason: string; count: number }[];
  differences: Difference[];
}

/** What is about to be played. */
export interface SimulationPlan {
  resort: ResortInfo;
  date: string;
  skiers: number;
  rides: number;
  /** simulated seconds a real one */
  speed: number;
  /** how long it will play, real seconds */
  durationS: number;
}

/** What a caller may show while it runs. */
export interface SimulationObserver {
  onPlanned(plan: SimulationPlan): void;
  onProgress(state: SimulationState): void;
  onReadBack(skiersLeft: number): void;
}

const PROGRESS_MS = 1_000;

/**
 * Plays one ski day against a base URL and reads every skier back.
 *
 * @throws ReadError when the server can't be read, RangeError when the options contradict each other
 */
export async function simulate(o: SimulationOptions, observer: SimulationObserver): Promise<SimulationReport> {
  const history = historyApi(o);
  const resort = await history.resort(o.resortId);
  const date = o.date ?? yesterdayAt(resort.timeZone, Date.now());
  const day = planSkiDay({ ...o, resort, date });
  const { skiers, speed } = day.size;
  const durationS = Math.min(day.durationS, o.durationS ?? day.durationS);
  observer.onPlanned({ resort, date, skiers, rides: day.rides.length, speed, durationS });

  const tally = new Tally();
  const freshness = freshnessProbe(history, date);
  const state = () => stateOf(day, tally, freshness);
  const startedAt = performance.now();
  await playWatched(o, { day, tally, freshness }, () => observer.onProgress(state()));
  const playedS = (performance.now() - startedAt) / 1_000;

  const differences = await readBack({
    history,
    tally,
    date,
    plan: day.bySkier,
    resortId: o.resortId,
    settleMs: o.settleMs,
    isOurs: (eventId) => day.isOurs(eventId),
    onProgress: (left) => observer.onReadBack(left),
  });
  const busiestSkierId = busiest(day.bySkier, tally);
  return { ...state(), resort, date, skiers, playedS, busiestSkierId, refusals: tally.reasons(), differences };
}

interface Playing {
  day: SkiDay;
  tally: Tally;
  freshness: FreshnessProbe;
}

async function playWatched(
  o: SimulationOptions,
  { day, tally, freshness }: Playing,
  onProgress: () => void,
): Promise<void> {
  const ticker = setInterval(onProgress, PROGRESS_MS);
  try {
    await play({
      tally,
      gate: gateApi(o),
      deliveries: day.deliveries,
      resortId: o.resortId,
      speed: day.size.speed,
      signal: o.signal,
      onAck: (ride) => freshness.offer(ride),
    });
  } finally {
    clearInterval(ticker);
    await freshness.stop();
  }
  onProgress();
}

function stateOf(day: SkiDay, tally: Tally, freshness: FreshnessProbe): SimulationState {
  return {
    planned: day.rides.length,
    sent: tally.sent,
    acked: tally.count('acked'),
    refused: tally.count('refused'),
    unknown: tally.count('unknown'),
    freshnessP50Ms: freshness.quantile(0.5),
    freshnessP99Ms: freshness.quantile(0.99),
    freshnessSamples: freshness.samples(),
  };
}

function busiest(bySkier: Parameters<typeof readBack>[0]['plan'], tally: Tally): number | undefined {
  let found: { skierId: number; acked: number } | undefined;
  for (const [skierId, rides] of bySkier) {
    const acked = rides.filter((ride) => tally.outcomeOf(ride) === 'acked').length;
    if (acked > (found?.acked ?? 0)) found = { skierId, acked };
  }
  return found?.skierId;
}
