import path from 'node:path';
import postgres from 'postgres';
import { z } from 'zod';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { untilDrained } from '../course/conservation.ts';
import { print } from '../results.ts';
import type { Stack } from '../stack.ts';
import { runChild } from './child.ts';
import { type Figure, perSecond, ratioFigure } from './figure.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { scanLoad } from './scan-load.ts';
import type { BenchSize } from './size.ts';

/** Batches of gates that catch up fill the lanes with jobs of a usual size. */
const SCANS_PER_POST = 100;
const CONNECTIONS = 16;
const DRAIN_MS = 600_000;
/** One job and one insert a scan is so much slower: a tenth of the scans takes long enough. */
const PEER_SHARE = 0.1;

const peerResult = z.object({ perSecond: z.number() });

/** How a run through the queue was stored; the run without a queue writes in the same way. */
interface Persisted {
  perSecond: number;
  scansPerJob: number;
  jobsPerWrite: number;
}

interface Round {
  queue: Persisted;
  direct: number;
  perScan: number;
}

/** Rows five and six: what one worker persists, beside the same SQL without a queue, and beside one job a scan. */
export async function persistRates(size: BenchSize, lifecycle: Lifecycle): Promise<Figure[]> {
  const pipeline = await startPipeline(lifecycle, {});
  const { stack } = pipeline;
  const rounds: Round[] = [];
  for (let round = 0; round <= size.rounds; round += 1) {
    const isWarmUp = round === 0;
    const scans = isWarmUp ? size.persistScans / 10 : size.persistScans;
    const queue = await throughQueue(pipeline, scans);
    const direct = await peer('direct-writer', stack, { ...queue, scans });
    const perScan = await peer('insert-per-scan', stack, { scans: scans * PEER_SHARE });
    if (isWarmUp) continue;
    rounds.push({ queue, direct, perScan });
    print(`round ${round}: ${roundText({ queue, direct, perScan })}`);
  }
  await stack.stop();
  const over = (name: 'direct' | 'perScan') => rounds.map((round) => round.queue.perSecond / round[name]);
  return [
    ratioFigure('persisted/s by one worker / the same SQL without a queue', 0.8, over('direct'), { rounds }),
    ratioFigure('persisted/s by one worker / one job and one insert a scan', 10, over('perScan'), {}),
  ];
}

function roundText({ queue, direct, perScan }: Round): string {
  const { scansPerJob, jobsPerWrite } = queue;
  const through = `persisted ${perSecond(queue.perSecond)} (${scansPerJob} scans a job, ${jobsPerWrite} jobs a write)`;
  return `${through}, without a queue ${perSecond(direct)}, one job a scan ${perSecond(perScan)}`;
}

/** Fills the lanes while nobody works, then lets the worker run; the ledger knows when each job was stored. */
async function throughQueue({ stack, books }: Pipeline, scans: number): Promise<Persisted> {
  const [worker] = stack.workers;
  if (!worker) throw new Error('no worker');
  await worker.stop();
  const since = await serverTime(stack);
  const load = await scanLoad({
    url: stack.edges[0]?.url ?? '',
    deviceKey: stack.deviceKey,
    connections: CONNECTIONS,
    scansPerPost: SCANS_PER_POST,
    count: scans,
  });
  if (load.acked !== scans) throw new Error(`${load.acked} of ${scans} scans were acked`);
  await worker.restart();
  await untilDrained(books, DRAIN_MS);
  return storedSince(stack, since);
}

async function serverTime(stack: Stack): Promise<string> {
  const sql = postgres(stack.directoryUrl, { max: 1 });
  const [row] = await sql<{ now: string }[]>`SELECT clock_timestamp()::text AS now`;
  await sql.end();
  return row?.now ?? '';
}

/** The rate between the first and the last COMMIT; what the first one stored came before the clock ran. */
async function storedSince(stack: Stack, since: string): Promise<Persisted> {
  const commits: { at: number; scans: number; jobs: number }[] = [];
  for (const { url } of stack.nodes) {
    const sql = postgres(url, { max: 1 });
    commits.push(
      // the rows of one write have one transaction's id
      ...(await sql<{ at: number; scans: number; jobs: number }[]>`
        SELECT extract(epoch FROM max(committed_at))::float8 AS at, sum(persisted)::int AS scans, count(*)::int AS jobs
        FROM ledger WHERE committed_at > ${since} GROUP BY xmin::text`),
    );
    await sql.end();
  }
  const ordered = commits.toSorted((a, b) => a.at - b.at);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (!first || !last || first === last) throw new Error('too few commits to tell a rate');
  const sum = (of: 'scans' | 'jobs') => ordered.reduce((total, commit) => total + commit[of], 0);
  return {
    perSecond: (sum('scans') - first.scans) / (last.at - first.at),
    scansPerJob: Math.max(1, Math.round(sum('scans') / sum('jobs'))),
    jobsPerWrite: Math.max(1, Math.round(sum('jobs') / ordered.length)),
  };
}

async function peer(name: string, stack: Stack, options: object): Promise<number> {
  const script = path.join(import.meta.dirname, 'peers', `${name}.ts`);
  return peerResult.parse(await runChild(script, options, { ...stack.env })).perSecond;
}
