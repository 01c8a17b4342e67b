import { Command, InvalidArgumentError } from 'commander';
import { staticDirectory } from '../directory/follower.ts';
import { readSnapshot } from '../directory/load-snapshot.ts';
import { isUuid } from '../domain/scan.ts';
import { type LaneProducer, openProducer } from '../queue/producer.ts';
import { createDeadLetters, type DeadLetter, type DeadLetters } from '../shards/dead-letters.ts';
import { openReadNodes } from '../shards/read-nodes.ts';
import { wholeNumber } from './arguments.ts';
import { type FilterFlags, filterOf, withFilter } from './dead-filter.ts';
import { type DeadChoice, type DeadVerb, runOnDead } from './dead-run.ts';
import { findQueue, onDirectory } from './operator.ts';
import { CommandError, type CommandContext, runCommand } from './run-command.ts';
import { textTable } from './text-table.ts';

const ACK_DEADLINE_MS = 5_000;
const NODE_TIMEOUT_MS = 5_000;
const MAX_LIMIT = 10_000;

const REPLAY: DeadVerb = { verb: 'replay', done: 'replayed', act: (letters, id) => letters.replay(id) };
const DISCARD: DeadVerb = { verb: 'discard', done: 'discarded', act: (letters, id) => letters.discard(id) };

/** `liftline dead`: scans that could not be stored, which an operator decides about. */
export function deadCommand(): Command {
  const dead = new Command('dead').description('dead letters: scans that could not be stored, with the reason');
  withFilter(dead.command('list'))
    .description('list them, the newest first')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_LIMIT), 50)
    .option('--json', 'as JSON, whole')
    .action((flags: FilterFlags & { limit: number; json?: true }) =>
      withDeadLetters(async (letters) => {
        const found = await letters.list({ ...filterOf(flags), limit: flags.limit });
        process.stdout.write(flags.json ? `${JSON.stringify(found.map(readable), null, 2)}\n` : showLetters(found));
      }),
    );
  dead
    .command('show')
    .argument('<id>', 'as list shows it', uuid)
    .description('show one whole, as JSON')
    .action((id: string) =>
      withDeadLetters(async (letters) => {
        process.stdout.write(`${JSON.stringify(readable(await letters.show(id)), null, 2)}\n`);
      }),
    );
  dead.addCommand(verbCommand(REPLAY).description('put them back into their lanes, to be stored after all'));
  dead.addCommand(verbCommand(DISCARD).description('delete them for good'));
  return dead;
}

function verbCommand(verb: DeadVerb): Command {
  return withFilter(new Command(verb.verb).argument('[id...]', 'as list shows them; or choose by options', uuids))
    .option('--all', 'all of them')
    .option('--limit <n>', 'at most so many, the newest', wholeNumber(1, MAX_LIMIT), 1_000)
    .option('--dry-run', 'only show what would be done')
    .option('--yes', 'do not ask')
    .action((ids: string[] | undefined, flags: VerbFlags) =>
      withDeadLetters(async (letters) => {
        const choice = choiceOf(ids ?? [], flags);
        const streams = { in: process.stdin, out: process.stdout, err: process.stderr };
        await runOnDead(letters, verb, choice, { streams, show: showLetters });
      }),
    );
}

type VerbFlags = FilterFlags & { all?: true; limit: number; dryRun?: true; yes?: true };

/** @throws CommandError when it does not say which: a command that forgot its filter must not take all */
function choiceOf(ids: string[], flags: VerbFlags): DeadChoice {
  const filter = filterOf(flags);
  const ways = [ids.length > 0, Object.keys(filter).length > 0, flags.all === true].filter(Boolean).length;
  if (ways !== 1) throw new CommandError('give ids, or filters like --code and --lane, or --all');
  return { ids, filter, limit: flags.limit, isDryRun: flags.dryRun === true, isSure: flags.yes === true };
}

function withDeadLetters(work: (letters: DeadLetters) => Promise<void>): Promise<void> {
  return runCommand(async (context) => work(await openDeadLetters(context)));
}

async function openDeadLetters({ logger, lifecycle }: CommandContext): Promise<DeadLetters> {
  const snapshot = await onDirectory((directory) => directory.read(readSnapshot));
  const nodes = openReadNodes({ poolSize: 1, timeoutMs: NODE_TIMEOUT_MS, logger, lifecycle });
  let producer: Promise<LaneProducer> | undefined;
  const openQueue = async () =>
    openProducer({
      ...(await findQueue()),
      laneCount: snapshot.laneCount,
      ackDeadlineMs: ACK_DEADLINE_MS,
      logger,
      lifecycle,
    });
  return createDeadLetters({
    directory: staticDirectory(snapshot),
    nodes,
    async enqueue(lane, scans, parent) {
      producer ??= openQueue(); // by the first replay: everything else works while the queue is away
      return (await producer).enqueue(lane, scans, parent);
    },
  });
}

function showLetters(letters: DeadLetter[]): string {
  if (letters.length === 0) return 'no dead letters\n';
  const rows = letters.map(({ deadLetterId, lane, shard, code, diedAt, detail }) => [
    deadLetterId,
    String(lane),
    String(shard ?? '-'),
    code,
    new Date(diedAt).toISOString(),
    detail.replaceAll(/\s+/g, ' '),
  ]);
  return textTable([['ID', 'LANE', 'SHARD', 'CODE', 'DIED', 'REASON'], ...rows]);
}

function readable(letter: DeadLetter): object {
  return {
    ...letter,
    acceptedAt: new Date(letter.acceptedAt).toISOString(),
    diedAt: new Date(letter.diedAt).toISOString(),
  };
}

function uuid(text: string): string {
  if (!isUuid(text)) throw new InvalidArgumentError('It must be a UUID.');
  return text.toLowerCase();
}

function uuids(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), uuid(text)];
}
