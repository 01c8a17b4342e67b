import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../src/cli/free-port.ts';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import type { LoadRequest } from '../client/closed-loop.ts';
import { median } from '../client/latencies.ts';
import { print } from '../results.ts';
import type { Stack } from '../stack.ts';
import { PROJECT } from '../stack/liftline.ts';
import { type ManagedProcess, startProcess } from '../stack/managed-process.ts';
import { usageOf } from '../stack/process-tree.ts';
import { type Figure, perSecond, ratioFigure } from './figure.ts';
import { authorizations, fillHistories } from './known-skiers.ts';
import { type Peak, peakOf } from './load-generator.ts';
import { startPipeline } from './pipeline.ts';
import type { BenchSize } from './size.ts';

const CONNECTIONS = 64;
const SKIERS = 500;
/** A page of about 6 KB. */
const RIDES_EACH = 25;

const CONTENDERS = ['cached', 'uncached', 'bare-reads'] as const;
type Contender = (typeof CONTENDERS)[number];

interface Turn extends Peak {
  /** CPU of the server's process, microseconds a request: less moved by neighbours than the rate is */
  cpuUs: number;
}

/** Histories of many skiers, each with their own token, from one process: kept, read anew, and as bytes that lie ready. */
export async function readRates(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const pipeline = await startPipeline(lifecycle, {
    rides: 2,
    envOf: (name): Record<string, string> => (name === 'rides-1' ? { CACHE_MB: '0' } : {}),
  });
  const { stack } = pipeline;
  await fillHistories(pipeline, SKIERS, RIDES_EACH);
  const requests = (await authorizations(stack.tokenSecret, SKIERS)).flatMap((authorization, skierId) =>
    skierId === 0 ? [] : [{ method: 'GET' as const, path: `/v1/skiers/${skierId}/rides`, headers: { authorization } }],
  );
  const [cached, uncached] = stack.rides as [ManagedProcess, ManagedProcess];
  const processes = { cached, uncached, 'bare-reads': await startBare(stack, requests, cached.url, lifecycle) };

  const rounds: Record<Contender, Turn>[] = [];
  for (let round = 0; round <= size.rounds; round += 1) {
    const isWarmUp = round === 0;
    const turns = {} as Record<Contender, Turn>;
    for (const name of CONTENDERS) {
      turns[name] = await turn(name, processes[name], requests, stack, isWarmUp ? size.warmUpS : size.peakS);
    }
    if (isWarmUp) continue;
    rounds.push(turns);
    print(`round ${round}: ${CONTENDERS.map((name) => turnText(name, turns[name])).join(', ')}`);
  }
  await stack.stop();
  return figures(rounds);
}

async function turn(
  name: Contender,
  process: ManagedProcess,
  requests: readonly LoadRequest[],
  stack: Stack,
  seconds: number,
): Promise<Turn> {
  const cpuBefore = usageOf(process.pid)?.cpuUs ?? Number.NaN;
  const seen = await peakOf(requests, { url: process.url, connections: CONNECTIONS, seconds, folder: stack.folder });
  if (seen.refused > 0) throw new Error(`${name} refused ${seen.refused} requests`);
  return { ...seen, cpuUs: ((usageOf(process.pid)?.cpuUs ?? Number.NaN) - cpuBefore) / seen.requests };
}

function turnText(name: Contender, { requestsPerS, cpuUs }: Turn): string {
  return `${name} ${perSecond(requestsPerS)} (${cpuUs.toFixed(0)} µs)`;
}

/** Serves what the read side answers now, headers and all. */
async function startBare(
  stack: Stack,
  requests: readonly LoadRequest[],
  from: string,
  lifecycle: Lifecycle,
): Promise<ManagedProcess> {
  const answers = [];
  for (const request of requests) {
    const response = await fetch(from + request.path, { headers: request.headers ?? {} });
    const kept = ['content-type', 'etag', 'cache-control', 'vary', 'liftline-as-of'];
    const headers = Object.fromEntries(kept.map((name) => [name, response.headers.get(name) ?? '']));
    answers.push({ path: request.path, headers, body: await response.text() });
  }
  const answersFile = path.join(stack.folder, 'answers.json');
  await writeFile(answersFile, JSON.stringify(answers));
  const url = `http://127.0.0.1:${await freePort()}`;
  return startProcess(
    {
      name: 'bare-reads',
      command: process.execPath,
      args: [path.join(import.meta.dirname, 'peers', 'bare-reads.ts')],
      cwd: PROJECT,
      env: { ...stack.env, ANSWERS_FILE: answersFile, PORT: new URL(url).port },
      url,
      logFile: path.join(stack.folder, 'bare-reads.log'),
      ready: async () => void (await fetch(url)),
    },
    lifecycle,
  );
}

function figures(rounds: readonly Record<Contender, Turn>[]): Figure[] {
  const over = (name: Contender) => rounds.map((round) => round.cached.requestsPerS / round[name].requestsPerS);
  const rates = Object.fromEntries(
    CONTENDERS.map((name) => [
      name,
      {
        perSecond: median(rounds.map((round) => round[name].requestsPerS)),
        cpuUs: median(rounds.map((round) => round[name].cpuUs)),
        rounds: rounds.map((round) => round[name]),
      },
    ]),
  );
  return [
    ratioFigure('cached reads/s / bare node:http with the same bytes', 0.6, over('bare-reads'), { rates }),
    ratioFigure('reads/s cached / uncached', 3, over('uncached'), {}),
  ];
}
