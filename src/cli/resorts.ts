import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { importResorts } from '../directory/import-resorts.ts';
import { listResorts } from '../directory/list-resorts.ts';
import { readResortFile, RESORT_FILE_EXAMPLE } from '../directory/resort-file.ts';
import { onDirectory } from './operator.ts';
import { CommandError, runCommand } from './run-command.ts';
import { textTable } from './text-table.ts';

const FORMAT_HELP = `
The file, with every field required; \`liftline resorts list --json\` prints what is known in the same format:

${RESORT_FILE_EXAMPLE}

Times and dates are local. A season lasts until the next one starts; one that \`seasons\` does not list starts on
seasonStartsOn, month and day. verticalM is in metres.`;

/** `liftline resorts`: what the directory knows of resorts, lifts and seasons. */
export function resortsCommand(): Command {
  const resorts = new Command('resorts').description('the resorts, their lifts and their seasons');
  resorts
    .command('import <file>')
    .description('add resorts from a JSON file, or bring them up to date: all or, when anything is wrong, none')
    .addHelpText('after', FORMAT_HELP)
    .action((file: string) =>
      runCommand(async () => {
        const rows = readResortFile(await readText(file));
        const done = await onDirectory((directory) => importResorts(directory, rows));
        process.stdout.write(`imported ${done.resorts} resorts, ${done.lifts} lifts, ${done.seasons} seasons\n`);
      }),
    );
  resorts
    .command('list')
    .description('list the resorts')
    .option('--json', 'whole, in the format that import takes')
    .action((flags: { json?: boolean }) =>
      runCommand(async () => {
        const known = await onDirectory(listResorts);
        if (flags.json) {
          process.stdout.write(`${JSON.stringify({ resorts: known }, null, 2)}\n`);
          return;
        }
        const rows = known.map((resort) => [
          String(resort.resortId),
          resort.name,
          resort.timeZone,
          `${resort.opensAt}-${resort.closesAt}`,
          String(resort.lifts.length),
          resort.seasons.map(({ season }) => season).join(' '),
        ]);
        process.stdout.write(textTable([['RESORT', 'NAME', 'TIME ZONE', 'OPEN', 'LIFTS', 'SEASONS'], ...rows]));
      }),
    );
  return resorts;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`can't read ${file} (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
