import path from 'node:path';
import { Redis } from 'ioredis';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { freePort } from '../../src/cli/free-port.ts';
import { median } from '../client/latencies.ts';
import { print } from '../results.ts';
import { type Stack, startStack } from '../stack.ts';
import { usageOf } from '../stack/process-tree.ts';
import { PROJECT } from '../stack/liftline.ts';
import { type ManagedProcess, startProcess } from '../stack/managed-process.ts';
import { type Figure, perSecond, ratioFigure } from './figure.ts';
import { type Peak, peak } from './load-generator.ts';
import type { BenchSize } from './size.ts';

const CONNECTIONS = 64;
const BATCH = 100;
/** An automatic rewrite of the append-only file in the middle of one contender's turn would be unfair. */
const NO_REWRITE = ['--auto-aof-rewrite-percentage', '0'];

interface Contender {
  name: string;
  process: ManagedProcess;
  scansPerPost: number;
}

interface Turn extends Peak {
  /** CPU of the server's process, microseconds a request: less moved by neighbours than the rate is */
  cpuUs: number;
}
/** By the contenders' names. */
type Round = Record<string, Turn>;

/** The first four rows: the edge against servers that do less, turn by turn. */
export async function ackRates(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const stack = await startStack({ queue: 'redis', workers: 0, rides: 0, redisArgs: NO_REWRITE }, lifecycle);
  const contenders = await startContenders(stack, lifecycle);
  const rounds: Round[] = [];
  for (let round = 0; round <= size.rounds; round += 1) {
    const isWarmUp = round === 0;
    const seen: Round = {};
    for (const contender of contenders) {
      seen[contender.name] = await turn(contender, stack, isWarmUp ? size.warmUpS : size.peakS);
      await forgetJobs(stack);
    }
    if (isWarmUp) continue;
    rounds.push(seen);
    print(`round ${round}: ${Object.entries(seen).map(turnText).join(', ')}`);
  }
  await stack.stop();
  return figures(rounds);
}

async function turn({ name, process, scansPerPost }: Contender, stack: Stack, seconds: number): Promise<Turn> {
  const cpuBefore = usageOf(process.pid)?.cpuUs ?? Number.NaN;
  const { deviceKey, folder } = stack;
  const seen = await peak({ url: process.url, scansPerPost, deviceKey, connections: CONNECTIONS, seconds, folder });
  if (seen.refused > 0) throw new Error(`${name} refused ${seen.refused} requests`);
  return { ...seen, cpuUs: ((usageOf(process.pid)?.cpuUs ?? Number.NaN) - cpuBefore) / seen.requests };
}

function turnText([name, { requestsPerS, cpuUs }]: [string, Turn]): string {
  return `${name} ${perSecond(requestsPerS)} (${cpuUs.toFixed(0)} µs)`;
}

async function startContenders(stack: Stack, lifecycle: Lifecycle): Promise<Contender[]> {
  const edge = stack.edges[0] as ManagedProcess;
  const peer = async (name: string): Promise<Contender> => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const process = await startProcess(
      {
        name,
        command: globalThis.process.execPath,
        args: [path.join(import.meta.dirname, 'peers', `${name}.ts`)],
        cwd: PROJECT,
        env: { ...stack.env, QUEUE_PREFIX: 'peer', PORT: new URL(url).port },
        url,
        logFile: path.join(stack.folder, `${name}.log`),
        ready: async () => void (await fetch(url, { method: 'POST', body: '{}' })),
      },
      lifecycle,
    );
    return { name, process, scansPerPost: 1 };
  };
  return [
    { name: 'edge', process: edge, scansPerPost: 1 },
    await peer('bare-hono'),
    await peer('bare-http'),
    await peer('add-per-scan'),
    { name: 'edge-batches', process: edge, scansPerPost: BATCH },
  ];
}

/** Nobody works here: without this the queue would hold the backlog of all turns before. */
async function forgetJobs(stack: Stack): Promise<void> {
  const redis = new Redis(stack.queueUrl);
  await redis.flushall();
  redis.disconnect();
}

function figures(rounds: Round[]): Figure[] {
  const ratesOf = (name: string) => rounds.map((round) => round[name]?.requestsPerS ?? Number.NaN);
  const edge = ratesOf('edge');
  const over = (name: string) => edge.map((rate, round) => rate / (ratesOf(name)[round] ?? Number.NaN));
  const batches = ratesOf('edge-batches').map(
    (rate, round) => (rate * BATCH) / (ratesOf('bare-http')[round] ?? Number.NaN),
  );
  const rates = Object.fromEntries(
    Object.keys(rounds[0] ?? {}).map((name) => [
      name,
      { perSecond: median(ratesOf(name)), rounds: rounds.map((round) => round[name]) },
    ]),
  );
  return [
    ratioFigure('acks/s of the edge / a bare Hono app on the same adapter', 0.85, over('bare-hono'), { rates }),
    ratioFigure('acks/s of the edge / bare node:http', 0.62, over('bare-http'), {}),
    ratioFigure('acks/s of the edge / one queue.add a scan in the same app', 2.5, over('add-per-scan'), {}),
    ratioFigure('scans/s in batches of 100 / requests/s of bare node:http', 3, batches, {}),
  ];
}
