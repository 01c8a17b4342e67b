import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { findProgram } from '../stack/programs.ts';
import { type ScanRequest, scanRequests } from './scans.ts';

export interface PeakOptions {
  url: string;
  deviceKey: string;
  connections: number;
  seconds: number;
  /** 1: single posts; more: batches */
  scansPerPost: number;
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

/** Posts scans as fast as one server answers: with wrk where it is installed, otherwise with autocannon. */
export async function peak(o: PeakOptions): Promise<Peak> {
  const posts = o.scansPerPost === 1 ? BODIES.single : BODIES.batch;
  const requests = [...scanRequests({ ...o, count: posts * o.scansPerPost })];
  const wrk = findProgram('wrk');
  return wrk ? withWrk(wrk, o, requests) : withAutocannon(o, requests);
}

async function withWrk(wrk: string, o: PeakOptions, requests: ScanRequest[]): Promise<Peak> {
  const [first] = requests as [ScanRequest];
  const bodies = path.join(o.folder, 'wrk-bodies.txt');
  await writeFile(bodies, requests.map(({ body }) => `${body}\n`).join(''));
  const script = path.join(o.folder, 'wrk-posts.lua');
  const headers = Object.entries(first.headers ?? {}).map(
    ([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}\n`,
  );
  await writeFile(
    script,
    `${headers.join('')}local posts, at = {}, 0
function init()
  for body in io.lines(${lua(bodies)}) do posts[#posts + 1] = wrk.format("POST", ${lua(first.path)}, nil, body) end
end
function request()
  at = at % #posts + 1
  return posts[at]
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

async function withAutocannon(o: PeakOptions, requests: ScanRequest[]): Promise<Peak> {
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
