import { Command, Option } from 'commander';
import { wholeNumber } from '../src/cli/arguments.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import { print, writeResult } from './results.ts';
import { runMain } from './run-main.ts';
import { sampleLine, type ScaleOptions, scaleProblems, showScale } from './scale/report.ts';
import { runScale } from './scale/run.ts';

new Command('loadtest:scale')
  .description('a burst that one worker can not take: the pool grows, catches up, shrinks, and loses nothing')
  .addOption(new Option('--queue <kind>', 'where the lanes live').choices(['redis', 'postgres']).default('redis'))
  .option('--max <n>', 'workers at most', wholeNumber(1, 16), 6)
  .option('--worker-scans-per-s <n>', 'what one worker may store', wholeNumber(50, 10_000), 300)
  .option('--burst-factor <n>', 'scans of the burst, as a multiple of that', wholeNumber(1, 20), 4)
  .option('--burst-s <n>', 'seconds of the burst', wholeNumber(5, 600), 30)
  .option('--quiet-ms <n>', 'as POOL_QUIET_MS', wholeNumber(1_000, 600_000), 10_000)
  .action((options: ScaleOptions) => runMain((lifecycle) => main(options, lifecycle)))
  .parse();

async function main(options: ScaleOptions, lifecycle: Lifecycle): Promise<number> {
  print('starting a stack, and a pool of one worker');
  const report = await runScale(options, { lifecycle, onSample: (sample) => print(sampleLine(sample)) });
  const problems = scaleProblems(report);
  print(showScale(report, problems));
  print(`written to ${await writeResult('scale', { ...report, problems })}`);
  return problems.length === 0 ? 0 : 1;
}
