// npm run loadtest -- steady --rate 500 --duration 30s
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { describeMachine } from '../machine.ts';
import { runMain } from '../run-main.ts';
import { drawChart } from './chart.ts';
import { MetricRegistry } from './metric-registry.ts';
import { DISCLAIMER, makeReport, type Report } from './report.ts';
import { loadScript } from './script.ts';
import { openSession } from './session.ts';
import { summarise } from './summary.ts';
import { existingTarget, type StackKind, startTarget, type Target } from './target.ts';
import { runTest } from './test-run.ts';

/** The run was measured, and failed. */
const EXIT_FAILED = 1;
/** There is no measurement: the script, the target or the command line is wrong. */
const EXIT_NOT_RUN = 2;
/** For what is under way and `teardown` after a signal; the stack has to stop after them. */
const END_MS = 60_000;
const SCRIPTS = path.resolve(import.meta.dirname, '../k6');
const RESULTS = path.resolve(import.meta.dirname, '../results');

interface Flags {
  rate?: string;
  duration?: string;
  stack?: StackKind;
  url?: string;
  env: Record<string, string>;
  results: string;
}

const program = new Command('loadtest')
  .description(`Runs a k6 script of loadtest/k6 on a stand-in of k6. ${DISCLAIMER}`)
  .argument('<script>', 'steady, burst, read-mix, offline-gates, soak, or a file')
  .option('--rate <n>', 'RATE of the script, a second')
  .option('--duration <time>', 'DURATION of the script, as 30s or 5m')
  .addOption(
    new Option('--stack [kind]', 'start what is loaded, and stop it afterwards (the default)')
      .choices(['split', 'all-in-one'])
      .preset('split')
      .conflicts('url'),
  )
  .option('--url <url>', 'load what runs there already; loopback only; DEVICE_KEY and ADMIN_KEY from the environment')
  .option('-e, --env <name=value>', 'set a variable of the script; may repeat', readVariable, {})
  .option('--results <folder>', 'where to write JSON and chart', RESULTS)
  .exitOverride()
  .action((name: string, flags: Flags) => runMain((lifecycle) => main(name, flags, lifecycle)));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_NOT_RUN; // the error was told
}

/** @returns the exit code; after a signal that is 130, whatever this returns */
async function main(name: string, flags: Flags, lifecycle: Lifecycle): Promise<number> {
  try {
    say(DISCLAIMER);
    const file = /\.[jt]s$/.test(name) ? path.resolve(name) : path.join(SCRIPTS, `${name}.ts`);
    await access(file); // before a whole stack is started for it
    const { url, stack = 'split' } = flags;
    const target = url === undefined ? await startTarget(stack, lifecycle) : existingTarget(url);
    if (lifecycle.isStopping) return EXIT_NOT_RUN;
    const { passed } = await measureAndTell(file, flags, target, lifecycle);
    return passed ? 0 : EXIT_FAILED;
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    return EXIT_NOT_RUN;
  }
}

/** A signal ends the load before its time; there is a report all the same, before the target stops. */
async function measureAndTell(file: string, flags: Flags, target: Target, lifecycle: Lifecycle): Promise<Report> {
  const stopped = new AbortController();
  const measuring = measure(file, flags, target, stopped.signal).then(async (report) => {
    say(summarise(report));
    for (const written of await writeResults(report, flags.results)) say(written);
    return report;
  });
  lifecycle.onStop('load', async () => {
    stopped.abort();
    await Promise.race([Promise.allSettled([measuring]), delay(END_MS, undefined, { ref: false })]);
  });
  return measuring;
}

async function measure(file: string, flags: Flags, target: Target, signal: AbortSignal): Promise<Report> {
  const metrics = new MetricRegistry();
  openSession({ metrics });
  const script = await loadScript(pathToFileURL(file), {
    ...(process.env as Record<string, string>), // as `k6 run` does
    ...target.env,
    ...(flags.rate === undefined ? {} : { RATE: flags.rate }),
    ...(flags.duration === undefined ? {} : { DURATION: flags.duration }),
    ...flags.env,
  });
  say(`${path.parse(file).name} runs against ${target.name}`);
  const outcome = await runTest({ script, metrics, signal });
  const machine = await describeMachine();
  return makeReport({ script: path.basename(file), target: target.name, outcome, metrics, machine });
}

/** @returns the files */
async function writeResults(report: Report, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const stamp = report.startedAt.replaceAll(/[:.]/g, '-');
  const base = path.join(folder, `${path.parse(report.script).name}-${stamp}`);
  await writeFile(`${base}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(`${base}.svg`, drawChart(report));
  return [`${base}.json`, `${base}.svg`];
}

function readVariable(text: string, before: Record<string, string>): Record<string, string> {
  const [name = '', ...value] = text.split('=');
  if (name === '' || value.length === 0) throw new InvalidArgumentError('write it as NAME=value');
  return { ...before, [name]: value.join('=') };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
