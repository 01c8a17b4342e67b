// The first chair: five times the rate for 30 s, then back. DURATION is the calm before, and again after.
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { prepare } from './prepare.ts';
import { READ_BACK_THRESHOLDS } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { sendScan } from './send-scan.ts';
import { gracefulStop, readSettings, usersFor } from './settings.ts';

const settings = readSettings({ rate: 100, duration: '15s' });
const BURST = 5;
const peak = settings.rate * BURST;

export const options: Options = {
  scenarios: {
    before: {
      executor: 'constant-arrival-rate',
      rate: settings.rate,
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(settings.rate),
    },
    burst: {
      executor: 'ramping-arrival-rate',
      startTime: settings.duration,
      startRate: settings.rate,
      stages: [
        { target: peak, duration: '1s' },
        { target: peak, duration: '30s' },
        { target: settings.rate, duration: '1s' },
        { target: settings.rate, duration: settings.duration },
      ],
      gracefulStop: gracefulStop(settings),
      ...usersFor(peak),
    },
  },
  thresholds: {
    'http_req_duration{scenario:before,op:ack}': ['p(99)<50'],
    'http_req_duration{phase:burst,op:ack}': ['p(99)<500'],
    'http_req_duration{phase:after,op:ack}': ['p(99)<500'],
    // overload may be refused, early and honestly; here it shouldn't come to that
    http_req_failed: ['rate<0.01'],
    'freshness{phase:after}': ['p(95)<5000'],
    dropped_iterations: [`rate<${settings.rate / 1000}`],
    ...READ_BACK_THRESHOLDS,
  },
};

export function setup(): Promise<Lift[]> {
  return prepare(settings);
}

export default function iteration(lifts: Lift[]): Promise<void> {
  const { iterationInTest } = exec.scenario;
  return sendScan({ settings, lifts, perSecond: peak, iteration: iterationInTest, phase: phaseNow() });
}

/** What lies after the burst's 32 s is `after`. */
function phaseNow(): string {
  if (exec.scenario.name === 'before') return 'before';
  return Date.now() - exec.scenario.startTime < 32_000 ? 'burst' : 'after';
}
