import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { print } from '../results.ts';
import type { Figure } from './figure.ts';
import { type LiveResult, liveProbe } from './live-probe.ts';
import { startPipeline } from './pipeline.ts';
import type { BenchSize } from './size.ts';

const GOAL_MS = 250;
const RATE_PER_S = 300;

/** Many listeners on one rides process, most of them silent at any time; rides stored by the statement of the workers. */
export async function live(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const { liveListeners: listeners, liveS: seconds } = size;
  const { stack } = await startPipeline(lifecycle, { rides: 1 });
  const [rides] = stack.rides;
  if (!rides) throw new Error('no rides process');
  const found = await liveProbe({
    ridesUrl: rides.url,
    ridesPid: rides.pid,
    directoryUrl: stack.directoryUrl,
    adminKey: stack.adminKey,
    listeners,
    seconds,
    ratePerS: RATE_PER_S,
  });
  await stack.stop();
  const { stored, wrong, missing, repeated, residentMB, cpuPercent } = found;
  print(`${stored} rides: ${wrong} told to somebody else, ${missing} not told, ${repeated} told twice`);
  print(`CPU of one core: ${text(cpuPercent)}; resident MB: ${text(residentMB)}`);
  if (wrong + missing > 0) throw new Error('rides went astray');
  return figures(listeners, found);
}

function figures(listeners: number, found: LiveResult): Figure[] {
  const { latency, residentMB, cpuPercent } = found;
  const many = listeners.toLocaleString('en');
  const bytes = ((residentMB.listening - residentMB.before) * 1e6) / listeners;
  return [
    {
      name: `COMMIT to the right one of ${many} listeners, p99 at ${RATE_PER_S} rides/s`,
      goal: `${GOAL_MS} ms or less`,
      measured: `${latency.p99Ms.toFixed(0)} ms (p50 ${latency.p50Ms.toFixed(0)}, longest ${latency.maxMs.toFixed(0)})`,
      isMet: latency.p99Ms <= GOAL_MS,
      detail: found,
    },
    {
      name: `memory of a listener; resident with ${many}`,
      goal: 'told',
      measured: `${(bytes / 1_000).toFixed(1)} KB; ${residentMB.listening.toFixed(0)} MB (${residentMB.before.toFixed(0)} without)`,
      isMet: true,
      detail: residentMB,
    },
    {
      name: `CPU of one core with ${many} listeners, silent; at ${RATE_PER_S} rides/s`,
      goal: 'told',
      measured: `${cpuPercent.listening.toFixed(1)} %; ${cpuPercent.telling.toFixed(1)} % (${cpuPercent.before.toFixed(1)} % without)`,
      isMet: true,
      detail: cpuPercent,
    },
  ];
}

function text(phases: Record<string, number>): string {
  return Object.entries(phases)
    .map(([phase, value]) => `${value.toFixed(1)} ${phase}`)
    .join(', ');
}
