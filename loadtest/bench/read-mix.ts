import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { print } from '../results.ts';
import type { ManagedProcess } from '../stack/managed-process.ts';
import { type Figure, perSecond } from './figure.ts';
import { fillHistories } from './known-skiers.ts';
import { startPipeline } from './pipeline.ts';
import { type ReadMix, readMixLoad } from './read-mix-load.ts';
import type { BenchSize } from './size.ts';

const SKIERS = 20_000;
const SEED = 'an evening in the valley';
const HIT_RATIO_GOAL = 0.8;

/**
 * Nine reads for every scan: at full speed, which also warms the cache up, and at a rate that leaves time; with a cache and
 * without one. Reads are of few skiers mostly, by a power law; scans are of all alike, for nobody takes a lift more often than
 * others because many look at them.
 */
export async function readMix(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const pipeline = await startPipeline(lifecycle, {
    rides: 2,
    envOf: (name): Record<string, string> => (name === 'rides-1' ? { CACHE_MB: '0' } : {}),
  });
  const { stack } = pipeline;
  await fillHistories(pipeline, SKIERS, size.mixRidesEach);
  const [cached, uncached] = stack.rides as [ManagedProcess, ManagedProcess];
  const run = async (name: string, rides: ManagedProcess, ratePerS?: number): Promise<ReadMix> => {
    const seen = await readMixLoad({
      edgeUrl: stack.edges[0]?.url ?? '',
      ridesUrl: rides.url,
      deviceKey: stack.deviceKey,
      tokenSecret: stack.tokenSecret,
      seed: SEED,
      skiers: SKIERS,
      seconds: size.mixS,
      followEvery: ratePerS === undefined ? 10 : 1,
      ...(ratePerS === undefined ? {} : { ratePerS }),
    });
    if (seen.refused > 0) throw new Error(`${name}: ${seen.refused} requests were refused`);
    print(`${name}: ${mixText(seen)}`);
    return seen;
  };
  const fast = { on: await run('full speed, cache on', cached), off: await run('full speed, cache off', uncached) };
  const paced = {
    on: await run('paced, cache on', cached, size.mixPerS),
    off: await run('paced, cache off', uncached, size.mixPerS),
  };
  await stack.stop();
  return [hitRatio({ fast, paced }), age([fast.on, paced.on]), latency(fast, paced)];
}

function mixText(mix: ReadMix): string {
  const { writesPerS, hitRatio: hits, age: seen } = mix;
  const rates = `${rate(mix)} read, ${perSecond(writesPerS)} written`;
  const found = `${seen.checked} answers checked for ${seen.persisted} rides: ${seen.tooOld} too old, ${seen.markedStale} marked stale`;
  return `${rates}, ${times(mix)}, hits ${(hits * 100).toFixed(1)} %, ${found}`;
}

interface OnAndOff {
  on: ReadMix;
  off: ReadMix;
}

function hitRatio(detail: { fast: OnAndOff; paced: OnAndOff }): Figure {
  const { hitRatio: value } = detail.paced.on;
  return {
    name: `read mix: answers for which no node was asked, after a warm-up (${SKIERS.toLocaleString('en')} skiers, a tenth writes)`,
    goal: `${HIT_RATIO_GOAL * 100} % or more`,
    measured: `${(value * 100).toFixed(1)} %`,
    isMet: value >= HIT_RATIO_GOAL,
    detail,
  };
}

function age(runs: readonly ReadMix[]): Figure {
  const sum = (of: keyof ReadMix['age']) => runs.reduce((total, run) => total + run.age[of], 0);
  return {
    name: 'read mix: answers that lack a ride a second after it was persisted, and are not marked stale',
    goal: '0',
    measured: `${sum('tooOld')} of ${sum('checked').toLocaleString('en')}, of ${sum('persisted').toLocaleString('en')} rides`,
    isMet: sum('tooOld') === 0 && sum('checked') > 0,
    detail: {},
  };
}

function latency(fast: OnAndOff, paced: OnAndOff): Figure {
  return {
    name: `read mix: reads at full speed; times at ${rate(paced.on)}`,
    goal: 'better than with the cache off',
    measured: `${rate(fast.on)}; ${times(paced.on)} (off: ${rate(fast.off)}; ${times(paced.off)})`,
    isMet: fast.on.reads.perSecond > fast.off.reads.perSecond && paced.on.reads.p50Ms < paced.off.reads.p50Ms,
    detail: {},
  };
}

function rate({ reads }: ReadMix): string {
  return perSecond(reads.perSecond);
}

function times({ reads }: ReadMix): string {
  return `p50 ${reads.p50Ms.toFixed(1)}, p99 ${reads.p99Ms.toFixed(1)} ms`;
}
