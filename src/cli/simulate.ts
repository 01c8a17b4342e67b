import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import { simulate, type SimulationOptions } from '../simulator/simulation.ts';
import { wholeNumber } from './arguments.ts';
import { readCredentials } from './home.ts';
import { homeFolder } from './operator.ts';
import { CommandError, runCommand } from './run-command.ts';
import { showDifferences, showReport, simulationView } from './simulation-view.ts';

interface SimulateFlags {
  url?: string;
  deviceKey?: string;
  adminKey?: string;
  resort: number;
  date?: string;
  skiers?: number;
  rate?: number;
  speed?: number;
  duration?: number;
  seed?: string;
  firstSkier: number;
  offline: number;
  again: number;
  settle: number;
}

/** `liftline simulate`: plays a ski day over HTTP and exits 1 when the skiers don't see exactly what was acked. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('play a ski day against a running Liftline and compare what skiers see with what was acked')
    .option('--url <url>', 'base URL (default: the running instance of $LIFTLINE_HOME)')
    .option('--device-key <key>', "a device's key (default: $LIFTLINE_HOME/credentials.json)")
    .option('--admin-key <key>', 'the admin key, for reading back (default: the same file)')
    .option('--resort <id>', 'where', wholeNumber(1, MAX_SKIER_ID), 1)
    .option('--date <YYYY-MM-DD>', "the day, in the resort's time (default: yesterday)", localDate)
    .option('--skiers <n>', 'how many skiers (default: 200, or what --rate needs)', wholeNumber(1, 1_000_000))
    .option('--rate <scans/s>', 'mean rate of the day; sets the speed, or the number of skiers', positiveNumber)
    .option(
      '--speed <factor>',
      'simulated seconds a second; 60 makes 8 min of a day of 8 h (default: the day takes 60 s)',
      positiveNumber,
    )
    .option('--duration <seconds>', 'how long the day takes; with --speed: when to stop', positiveNumber)
    .option('--seed <text>', 'repeat a day exactly: the same seed and options make the same event ids')
    .option('--first-skier <id>', 'skier ids count up from here', wholeNumber(1, MAX_SKIER_ID), 1)
    .option('--offline <share>', 'gates that lose their network once, 0 to 1', share, 0.1)
    .option('--again <share>', 'requests that are sent twice, 0 to 1', share, 0.02)
    .option('--settle <seconds>', 'how long the backlog may take to become visible at the end', positiveNumber, 60)
    .action((flags: SimulateFlags) => runCommand(() => runSimulate(flags)));
}

async function runSimulate(flags: SimulateFlags): Promise<void> {
  const target = await findTarget(flags);
  const early = new AbortController();
  const end = () => early.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const timer = flags.speed && flags.duration ? setTimeout(end, flags.duration * 1_000) : undefined;
  const view = simulationView(process.stdout);
  const seed = flags.seed ?? randomBytes(4).toString('hex');
  try {
    const report = await simulate({ ...target, ...simulationOptions(flags), seed, signal: early.signal }, view);
    view.end();
    showReport(process.stdout, report, { baseUrl: target.baseUrl, seed });
    showDifferences(process.stderr, report.differences);
    if (report.differences.length > 0 || (report.sent > 0 && report.acked === 0)) process.exitCode = 1;
  } finally {
    view.end();
    clearTimeout(timer);
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

type Target = Pick<SimulationOptions, 'baseUrl' | 'deviceKey' | 'adminKey'>;

/** Flags first; what they leave open comes from the running instance's file. */
async function findTarget({ url, deviceKey, adminKey }: SimulateFlags): Promise<Target> {
  if (url && deviceKey && adminKey) return { baseUrl: url.replace(/\/+$/, ''), deviceKey, adminKey };
  const home = homeFolder();
  const known = await readCredentials(home);
  if (!known) {
    throw new CommandError(
      `no credentials in ${home}: start Liftline with \`npm start\`, or give --url, --device-key and --admin-key`,
    );
  }
  return {
    baseUrl: (url ?? known.baseUrl).replace(/\/+$/, ''),
    deviceKey: deviceKey ?? known.deviceKey,
    adminKey: adminKey ?? known.adminKey,
  };
}

function simulationOptions(flags: SimulateFlags): Omit<SimulationOptions, keyof Target | 'seed' | 'signal'> {
  return {
    resortId: flags.resort,
    firstSkierId: flags.firstSkier,
    offlineShare: flags.offline,
    againShare: flags.again,
    settleMs: flags.settle * 1_000,
    ...(flags.date !== undefined && { date: flags.date }),
    ...(flags.skiers !== undefined && { skiers: flags.skiers }),
    ...(flags.rate !== undefined && { rate: flags.rate }),
    ...(flags.speed !== undefined && { speed: flags.speed }),
    ...(flags.duration !== undefined && { durationS: flags.duration }),
  };
}

function localDate(text: string): string {
  const isDate = z.iso.date().safeParse(text).success;
  if (!isDate) throw new InvalidArgumentError('It must be a date that exists, like 2026-01-31.');
  return text;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return value;
}
