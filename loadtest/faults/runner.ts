import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { until } from '../client/until.ts';
import { untilDrained } from '../course/conservation.ts';
import { type Stack, startStack } from '../stack.ts';
import { startNginx } from '../stack/nginx.ts';
import { type Checker, startChecker } from './checker.ts';
import { isAsItMustBe, problemsOf, type Seen } from './checker-verdict.ts';
import type { Fault, FaultContext, FaultControl, FaultPlace } from './fault.ts';
import { type Mark, type Sample, startTimeline, type Timeline } from './timeline.ts';

export interface RunOptions {
  /** distinct scans that have to be acked, at least */
  acks: number;
  seed: string;
  /** whatever the run starts is registered here as well */
  lifecycle: Lifecycle;
  say: (text: string) => void;
}

export interface FaultRun {
  fault: string;
  summary: string;
  /** of a negative control: what differs */
  setting: string | undefined;
  seed: string;
  startedAt: string;
  /** undefined when the run did not come to its end: `problems` say why */
  seen: Seen | undefined;
  /** one sentence each; a negative control has to have some */
  problems: string[];
  /** whether it went as it must: nothing wrong, or, as a control, loss reported */
  isGood: boolean;
  samples: readonly Sample[];
  marks: readonly Mark[];
}

/** What a run is in the middle of. */
export interface Bench {
  stack: Stack;
  place: FaultPlace;
  checker: Checker;
  timeline: Timeline;
}

const SCANS_PER_S = 2_500;
const DEVICE = 'load generator';
const STOP_MS = 90_000;
const DRAIN_MS = 120_000;
/** Without a new ack for so long, a run is given up. */
const NO_ACK_MS = 60_000;
const PROGRESS_MS = 5_000;
/** For what a fault has begun, e.g. the start of a server. */
const GIVE_UP_MS = 15_000;
/** The load is under way when this share is acked. */
const WARM_UP_SHARE = 0.05;

export interface PlannedRun {
  fault: Fault;
  /** the fault's negative control is run in its stead */
  control?: FaultControl;
  /** more to do before the stack goes away; @returns what is wrong */
  afterwards?: (bench: Bench, seen: Seen) => Promise<string[]>;
}

/** Runs a fault, or its control, on a stack of its own and checks what is left. Never throws: what fails is a problem. */
export async function runFault({ fault, control, afterwards }: PlannedRun, o: RunOptions): Promise<FaultRun> {
  const lifecycle = new Lifecycle({ logger: createLogger({ level: 'warn', process: 'faults' }) });
  o.lifecycle.onStop(fault.name, () => lifecycle.stop(STOP_MS));
  const startedAt = new Date().toISOString();
  const failures: string[] = [];
  let bench: Bench | undefined;
  let seen: Seen | undefined;
  try {
    bench = await setUp(fault, control, o, lifecycle);
    seen = await loadAndCheck(bench, fault, control, o);
    failures.push(...((await afterwards?.(bench, seen)) ?? []));
  } catch (error) {
    failures.push(failureText(error));
  }
  await lifecycle.stop(STOP_MS).catch((error: unknown) => failures.push(`stopping: ${failureText(error)}`));
  return {
    fault: fault.name,
    summary: fault.summary,
    setting: control?.setting,
    seed: o.seed,
    startedAt,
    seen,
    problems: [...failures, ...(seen ? problemsOf(seen) : [])],
    isGood: failures.length === 0 && isAsItMustBe(seen, { isControl: control !== undefined }),
    samples: bench?.timeline.samples ?? [],
    marks: bench?.timeline.marks ?? [],
  };
}

async function setUp(
  fault: Fault,
  control: FaultControl | undefined,
  o: RunOptions,
  lifecycle: Lifecycle,
): Promise<Bench> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-fault-'));
  await chmod(folder, 0o711); // root's Postgres runs as another user, who must get in
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  const place: FaultPlace = { folder, lifecycle };
  const options = await (control ?? fault).stack(place);
  const stack = await startStack({ queue: 'redis', edges: 2, workers: 2, rides: 0, ...options }, lifecycle);
  if (lifecycle.isStopping) throw new Error('stopped while it started');
  const checker = startChecker();
  lifecycle.onStop('checker', () => checker.close());
  const timeline = startTimeline(stack, lifecycle, () => checker.progress());
  checker.load({
    urls: fault.isBehindNginx ? [await startGateway(stack, lifecycle)] : stack.edges.map(({ url }) => url),
    deviceKey: stack.deviceKey,
    deviceName: DEVICE,
    directoryUrl: stack.directoryUrl,
    scansPerS: fault.scansPerS ?? SCANS_PER_S,
    seed: `${o.seed}/${fault.name}`,
  });
  return { stack, place, checker, timeline };
}

/** @returns its address */
async function startGateway(stack: Stack, lifecycle: Lifecycle): Promise<string> {
  const [edges, ops] = [stack.edges.map(({ url }) => url), [stack.ops.url]];
  // nobody reads during a fault
  return (await startNginx({ folder: stack.folder, edges, ops, rides: ops, owner: lifecycle })).url;
}

async function loadAndCheck(
  bench: Bench,
  fault: Fault,
  control: FaultControl | undefined,
  o: RunOptions,
): Promise<Seen> {
  const { stack, place, checker, timeline } = bench;
  const givenUp = new AbortController();
  const watching = watchAcks(bench, fault.name, givenUp, o);
  try {
    await untilAcked(checker, o.acks * WARM_UP_SHARE, givenUp.signal);
    const context = contextOf(bench, fault, givenUp.signal, o);
    const inflicting = control?.inflict ? control.inflict(context) : fault.inflict(context);
    place.lifecycle.onStop('the fault', () => giveUp(inflicting, givenUp));
    await inflicting;
    timeline.mark('healed');
    const clearedS = timeline.watchBacklog();
    await untilAcked(checker, o.acks, givenUp.signal);
    const progress = await checker.stopLoad();
    timeline.mark('load ends');
    const endedS = timeline.nowS();
    const books = await untilDrained({ opsUrl: stack.ops.url, adminKey: stack.adminKey }, DRAIN_MS);
    const drainedS = timeline.nowS() - endedS;
    const backToZeroS = Math.max(drainedS, await until('the backlog is cleared', clearedS, { timeoutMs: DRAIN_MS }));
    o.say(`${fault.name}: drained; reading every row`);
    const findings = await checker.verify(verifyTask(stack));
    return { progress, findings, books, backToZeroS, isSeamless: !control && fault.isSeamless === true };
  } finally {
    givenUp.abort();
    await watching;
  }
}

/** Before the stack goes, so that a fault which starts something again sees it come up; what is late for that is not started. */
async function giveUp(inflicting: Promise<void>, givenUp: AbortController): Promise<void> {
  givenUp.abort(new Error('stopped'));
  await Promise.race([Promise.allSettled([inflicting]), delay(GIVE_UP_MS, undefined, { ref: false })]);
}

/** What the checker needs to read everything: the servers' own addresses. */
export function verifyTask({ directoryUrl, nodes }: Stack): Parameters<Checker['verify']>[0] {
  return { directoryUrl, primaries: nodes.map(({ name, url }) => ({ name, url })) };
}

function contextOf(bench: Bench, fault: Fault, signal: AbortSignal, o: RunOptions): FaultContext {
  const { stack, place, checker, timeline } = bench;
  const acked = () => checker.progress().acked;
  return {
    stack,
    place,
    random: seededRandom(`${o.seed}/${fault.name}/faults`),
    mark(text) {
      timeline.mark(text);
      o.say(`${fault.name}: ${text}`);
    },
    setRate: (scansPerS) => checker.setRate(scansPerS ?? fault.scansPerS ?? SCANS_PER_S),
    wait: (ms) => delay(ms, undefined, { signal }),
    acked,
    isEnough: () => acked() >= o.acks,
    untilMoreAcked: (scans) => untilAcked(checker, acked() + scans, signal),
  };
}

async function untilAcked(checker: Checker, scans: number, signal: AbortSignal): Promise<void> {
  while (checker.progress().acked < scans) {
    const failure = checker.failure();
    if (failure) throw failure;
    await delay(50, undefined, { signal });
  }
}

/** Says how far the load is, and gives the run up when nothing is acked any more. */
async function watchAcks({ checker, timeline }: Bench, name: string, givenUp: AbortController, o: RunOptions) {
  let last = { acked: 0, at: performance.now() };
  while (!givenUp.signal.aborted) {
    await delay(PROGRESS_MS, undefined, { signal: givenUp.signal }).catch(() => {}); // the run has ended
    const { acked } = checker.progress();
    const now = performance.now();
    if (acked > last.acked) last = { acked, at: now };
    if (now - last.at > NO_ACK_MS) givenUp.abort(new Error(`nothing was acked for ${NO_ACK_MS / 1_000} s`));
    const backlog = timeline.samples.at(-1)?.backlog ?? 'not known';
    if (!givenUp.signal.aborted) o.say(`${name}: ${acked} of ${o.acks} acked, backlog ${backlog}`);
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${failureText(error.cause)}` : error.message;
}
