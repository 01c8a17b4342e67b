// Nine reads for every scan, as on an evening when everyone looks at the app. RATE counts both.
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import type { Options } from 'k6/options';
import { gateOf } from './gate.ts';
import { prepare } from './prepare.ts';
import { READ_BACK_THRESHOLDS } from './read-back.ts';
import type { Lift } from './resorts.ts';
import { sendScan } from './send-scan.ts';
import { gracefulStop, readSettings, usersFor } from './settings.ts';
import { type KnownSkier, pickRead, prepareSkiers } from './skiers.ts';

const settings = readSettings({ rate: 300, duration: '1m' });
const writesPerSecond = Math.max(1, Math.round(settings.rate / 10));
const readsPerSecond = Math.max(1, settings.rate - writesPerSecond);

export const options: Options = {
  setupTimeout: '2m',
  scenarios: {
    reads: {
      executor: 'constant-arrival-rate',
      exec: 'read',
      rate: readsPerSecond,
      duration: settings.duration,
      ...usersFor(readsPerSecond),
    },
    scans: {
      executor: 'constant-arrival-rate',
      exec: 'scan',
      rate: writesPerSecond,
      duration: settings.duration,
      gracefulStop: gracefulStop(settings),
      ...usersFor(writesPerSecond),
    },
  },
  thresholds: {
    'http_req_duration{op:skier-read}': ['p(99)<50'],
    'http_req_duration{op:resort-read}': ['p(99)<200'],
    'http_req_duration{op:ack}': ['p(99)<50'],
    'checks{scenario:reads}': ['rate==1'],
    http_req_failed: ['rate==0'],
    freshness: ['p(95)<2000'],
    dropped_iterations: [`rate<${settings.rate / 1000}`],
    ...READ_BACK_THRESHOLDS,
  },
};

interface Prepared {
  lifts: Lift[];
  skiers: KnownSkier[];
}

/** Some skiers with a known history, already readable: the reads know what must come back. */
export async function setup(): Promise<Prepared> {
  const lifts = await prepare(settings);
  return { lifts, skiers: await prepareSkiers(settings, gateOf(settings, 0), lifts) };
}

export async function read({ skiers }: Prepared): Promise<void> {
  const skier = skiers[Math.floor(Math.random() * skiers.length)];
  if (skier === undefined) throw new Error('setup has prepared no skiers');
  const { name, op, path, isComplete } = pickRead();
  const response = await http.asyncRequest('GET', settings.readUrl + path(skier), null, {
    headers: { Authorization: `Bearer ${settings.adminKey}` },
    tags: { name, op },
    timeout: '10s',
  });
  const isOk = check(response, { 'read: 200': ({ status }) => status === 200 });
  if (isOk) check(response, { [`${name}: complete`]: () => isComplete(response.json(), skier) });
}

export function scan({ lifts }: Prepared): Promise<void> {
  const { iterationInTest } = exec.scenario;
  return sendScan({ settings, lifts, perSecond: writesPerSecond, iteration: iterationInTest, phase: 'mix' });
}
