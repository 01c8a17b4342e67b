// A whole day at a moderate rate: what grows, leaks or slows down shows in the last tenth against the first.
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import type { Options } from 'k6/options';
import { prepare } from './prepare.ts';
import { READ_BACK_THRESHOLDS } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { randomSkier } from './scans.ts';
import { sendScan } from './send-scan.ts';
import { gracefulStop, readSettings, usersFor } from './settings.ts';

const settings = readSettings({ rate: 100, duration: '30m' });
const readsPerSecond = Math.max(1, Math.round(settings.rate / 2));

export const options: Options = {
  scenarios: {
    scans: {
      executor: 'constant-arrival-rate',
      exec: 'scan',
      rate: settings.rate,
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(settings.rate),
    },
    reads: {
      executor: 'constant-arrival-rate',
      exec: 'read',
      rate: readsPerSecond,
      duration: settings.duration,
      ...usersFor(readsPerSecond),
    },
  },
  thresholds: {
    'http_req_duration{op:ack,phase:first}': ['p(99)<50'],
    'http_req_duration{op:ack,phase:last}': ['p(99)<50'],
    'http_req_duration{op:read,phase:first}': ['p(99)<50'],
    'http_req_duration{op:read,phase:last}': ['p(99)<50'],
    'freshness{phase:last}': ['p(95)<2000'],
    checks: ['rate>0.9999'],
    http_req_failed: ['rate<0.0001'],
    dropped_iterations: [`rate<${settings.rate / 1000}`],
    ...READ_BACK_THRESHOLDS,
  },
};

export function setup(): Promise<Lift[]> {
  return prepare(settings);
}

export function scan(lifts: Lift[]): Promise<void> {
  const { iterationInTest } = exec.scenario;
  return sendScan({ settings, lifts, perSecond: settings.rate, iteration: iterationInTest, phase: phaseNow() });
}

/** Days of any skier: most have none or few at first, and more of them as the run goes on. */
export async function read(): Promise<void> {
  const response = await http.asyncRequest('GET', `${settings.readUrl}/v1/skiers/${randomSkier()}/days`, null, {
    headers: { Authorization: `Bearer ${settings.adminKey}` },
    tags: { name: 'GET days', op: 'read', phase: phaseNow() },
    timeout: '10s',
  });
  check(response, { 'read: 200': ({ status }) => status === 200 });
}

function phaseNow(): string {
  const { progress } = exec.scenario;
  if (progress < 0.1) return 'first';
  return progress < 0.9 ? 'middle' : 'last';
}
