import { Command, InvalidArgumentError } from 'commander';
import { staticDirectory } from '../directory/follower.ts';
import { readSnapshot } from '../directory/load-snapshot.ts';
import { isUuid } from '../domain/scan.ts';
import { type LaneProducer, openProducer } from '../queue/producer.ts';
import { createDeadLetters, type DeadLetter, type DeadLetters } from '../shards/dead-letters.ts';
import { openReadNodes } from '../shards/read-nodes.ts';
import { wholeNumber } from './arguments.ts';
import { findQueue, onDirectory } from './operator.ts';
import { type CommandContext, runCommand } from './run-command.ts';
import { textTable } from './text-table.ts';

const ACK_DEADLINE_MS = 5_000;
const NODE_TIMEOUT_MS = 5_000;

/** `liftline dead`: scans that could not be stored, which an operator decides about. */
export function deadCommand(): Command {
  const dead = new Command('dead').description('dead letters: scans that could not be stored, with the reason');
  dead
    .command('list')
    .description('list them, the newest first')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 10_000), 50)
    .action((flags: { limit: number }) =>
      withDeadLetters(async (letters) => {
        process.stdout.write(showLetters(await letters.list(flags)));
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
  dead
    .command('replay')
    .argument('<id...>', 'as list shows them', uuids)
    .description('put them back into their lanes, to be stored after all')
    .action((ids: string[]) => withEach(ids, 'replayed', (letters, id) => letters.replay(id)));
  dead
    .command('discard')
    .argument('<id...>', 'as list shows them', uuids)
    .description('delete them for good')
    .action((ids: string[]) => withEach(ids, 'discarded', (letters, id) => letters.discard(id)));
  return dead;
}

function withEach(ids: string[], done: string, act: (letters: DeadLetters, id: string) => Promise<void>) {
  return withDeadLetters(async (letters) => {
    for (const id of ids) {
      await act(letters, id);
      process.stdout.write(`${done} ${id}\n`);
    }
  });
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
  const rows = letters.map(({ deadLetterId, lane, code, diedAt, detail }) => [
    deadLetterId,
    String(lane),
    code,
    new Date(diedAt).toISOString(),
    detail.replaceAll(/\s+/g, ' '),
  ]);
  return textTable([['ID', 'LANE', 'CODE', 'DIED', 'REASON'], ...rows]);
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
