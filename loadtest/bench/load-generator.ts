import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import type { LoadRequest } from '../client/closed-loop.ts';
import { requestText } from '../client/http-connection.ts';
import { findProgram } from '../stack/programs.ts';
import { scanRequests } from './scans.ts';

export interface PeakOptions {
  url: string;
  connections: number;
  seconds: number;
  /** for the generator's own files */
  folder: string;
}

export interface Peak {
  requests: number;
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  /** anything but a 2xx: a figure with any of them is none */
  refused: number;
}

/** Different bodies, over and over: made before the measurement, so that making them costs it nothing. */
const BODIES = { single: 5_000, batch: 200 };

export function generatorName(): string {
  return findProgram('wrk') ? 'wrk' : 'autocannon';
}

/**
 * Posts scans as fast as one server answers.
 *
 * @param o.scansPerPost 1: single posts; more: batches
 */
export function peak(o: PeakOptions & { deviceKey: string; scansPerPost: number }): Promise<Peak> {
  const posts = o.scansPerPost === 1 ? BODIES.single : BODIES.batch;
  return peakOf([...scanRequests({ ...o, count: posts * o.scansPerPost })], o);
}

/** Sends the requests over and over, as fast as one server answers: with wrk where it is installed, otherwise with autocannon. */
export function peakOf(requests: readonly LoadRequest[], o: PeakOptions): Promise<Peak> {
  const wrk = findProgram('wrk');
  return wrk ? withWrk(wrk, o, requests) : withAutocannon(o, requests);
}

async function withWrk(wrk: string, o: PeakOptions, requests: readonly LoadRequest[]): Promise<Peak> {
  const url = new URL(o.url);
  const texts = requests.map((request) => Buffer.from(requestText(url, request.method, request.path, request)));
  const file = path.join(o.folder, 'wrk-requests');
  await writeFile(file, Buffer.concat(texts.flatMap((text) => [Buffer.from(`${text.length}\n`), text])));
  const script = path.join(o.folder, 'wrk.lua');
  await writeFile(
    script,
    `local requests, at = {}, 0
function init()
  local file = io.open(${lua(file)}, "rb")
  for length in file:lines() do requests[#requests + 1] = file:read(tonumber(length)) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"us":%d,"refused":%d,"p50":%d,"p99":%d}', summary.requests,
    summary.duration, e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`,
  );
  const args = ['-t1', `-c${o.connections}`, `-d${o.seconds}s`, '-s', script, o.url];
  const { stdout } = await promisify(execFile)(wrk, args);
  const seen = JSON.parse(stdout.slice(stdout.lastIndexOf('{'))) as Record<
    'requests' | 'us' | 'refused' | 'p50' | 'p99',
    number
  >;
  return {
    requests: seen.requests,
    requestsPerS: (seen.requests / seen.us) * 1e6,
    p50Ms: seen.p50 / 1_000,
    p99Ms: seen.p99 / 1_000,
    refused: seen.refused,
  };
}

async function withAutocannon(o: PeakOptions, requests: readonly LoadRequest[]): Promise<Peak> {
  const result = await autocannon({
    url: o.url,
    connections: o.connections,
    duration: o.seconds,
    requests: requests.map(({ method, path: to, headers = {}, body = '' }) => ({ method, path: to, headers, body })),
  });
  return {
    requests: result.requests.total,
    requestsPerS: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    refused: result.non2xx + result.errors + result.timeouts,
  };
}

/** A Lua string; JSON's quoting is the same for what stands here. */
function lua(text: string): string {
  return JSON.stringify(text);
}
