// A steady rate of single scans, as on a usual day.  k6 run -e DEVICE_KEY=... -e ADMIN_KEY=... -e RATE=500 steady.ts
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { prepare } from './prepare.ts';
import { READ_BACK_THRESHOLDS } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { sendScan } from './send-scan.ts';
import { gracefulStop, readSettings, usersFor } from './settings.ts';

const settings = readSettings({ rate: 200, duration: '1m' });

export const options: Options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: settings.rate,
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(settings.rate),
    },
  },
  thresholds: {
    'http_req_duration{op:ack}': ['p(99)<50'],
    'http_req_duration{op:read-back}': ['p(99)<50'],
    http_req_failed: ['rate==0'],
    freshness: ['p(95)<2000'],
    dropped_iterations: [`rate<${settings.rate / 1000}`],
    ...READ_BACK_THRESHOLDS,
  },
};

export function setup(): Promise<Lift[]> {
  return prepare(settings);
}

export default function iteration(lifts: Lift[]): Promise<void> {
  const { iterationInTest } = exec.scenario;
  return sendScan({ settings, lifts, perSecond: settings.rate, iteration: iterationInTest, phase: 'steady' });
}
