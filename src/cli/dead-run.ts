import { createInterface } from 'node:readline/promises';
import { Problem } from '../domain/problem.ts';
import type { DeadLetter, DeadLetterFilter, DeadLetters } from '../shards/dead-letters.ts';
import { progressLine } from './dead-progress.ts';
import { CommandError } from './run-command.ts';

/** What is done to each of the chosen dead letters. */
export interface DeadVerb {
  verb: 'replay' | 'discard';
  done: string;
  act: (letters: DeadLetters, deadLetterId: string) => Promise<void>;
}

export interface DeadChoice {
  /** named one by one; none: whatever fits the filter */
  ids: readonly string[];
  filter: DeadLetterFilter;
  limit: number;
  isDryRun: boolean;
  /** does not ask */
  isSure: boolean;
}

interface Streams {
  in: NodeJS.ReadableStream & { isTTY?: boolean };
  out: NodeJS.WritableStream;
  err: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * Replays or discards. What was named is done at once; what a filter has chosen is asked about first. One that can't be
 * done (it is gone, this version can't read it, another operator was faster) is told by its id and does not stop the others.
 *
 * @param show makes the lines of a dry run
 * @throws CommandError when nobody can be asked, the answer is no, or some could not be done (in a dry run: are gone);
 *   Problem when a node or the queue is away: those that were done by then stay done
 */
export async function runOnDead(
  letters: DeadLetters,
  { verb, done, act }: DeadVerb,
  choice: DeadChoice,
  o: { streams: Streams; show: (letters: DeadLetter[]) => string },
): Promise<void> {
  const { streams } = o;
  const isNamed = choice.ids.length > 0;
  const { chosen, gone, hasMore } = isNamed
    ? await findNamed(letters, choice.ids)
    : await findMatching(letters, choice);
  for (const id of gone) streams.err.write(`${id}: no such dead letter\n`);
  const more = hasMore ? `; more match than --limit ${choice.limit}: do it again afterwards` : '';
  let failed = gone.length;
  if (choice.isDryRun) {
    streams.out.write(o.show(chosen));
    streams.err.write(`would ${verb} ${chosen.length}; nothing was changed${more}\n`);
  } else if (chosen.length + gone.length === 0) {
    streams.err.write('no dead letters match\n');
  } else {
    if (!isNamed && !choice.isSure) await ask(streams, `${verb} ${chosen.length} dead letters?`);
    const refused = await actOnEach(letters, act, chosen, isNamed ? { streams, done } : { streams });
    streams.err.write(`${done} ${chosen.length - refused}${more}\n`);
    failed += refused;
  }
  if (failed > 0) throw new CommandError(`${failed} could not be ${done}`);
}

interface Found {
  chosen: DeadLetter[];
  /** ids that were named, and that no node has */
  gone: string[];
  hasMore: boolean;
}

async function findNamed(letters: DeadLetters, ids: readonly string[]): Promise<Found> {
  const found: Found = { chosen: [], gone: [], hasMore: false };
  for (const id of new Set(ids)) {
    const letter = await letters.show(id).catch(noneIfGone);
    if (letter) found.chosen.push(letter);
    else found.gone.push(id);
  }
  return found;
}

function noneIfGone(error: unknown): undefined {
  if (!(error instanceof Problem && error.code === 'not_found')) throw error;
}

async function findMatching(letters: DeadLetters, { filter, limit }: DeadChoice): Promise<Found> {
  const found = await letters.list({ ...filter, limit: limit + 1 });
  return { chosen: found.slice(0, limit), gone: [], hasMore: found.length > limit };
}

async function ask({ in: input, err }: Streams, question: string): Promise<void> {
  if (!input.isTTY || !err.isTTY) throw new CommandError(`${question} Add --yes, or --dry-run to see which`);
  const lines = createInterface({ input, output: err });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was changed');
  } finally {
    lines.close();
  }
}

/** @returns how many could not be done */
async function actOnEach(
  letters: DeadLetters,
  act: DeadVerb['act'],
  chosen: DeadLetter[],
  { streams, done }: { streams: Streams; done?: string },
): Promise<number> {
  const progress = progressLine(streams.err, chosen.length);
  let failed = 0;
  try {
    for (const [i, { deadLetterId }] of chosen.entries()) {
      progress.at(i);
      const refusal = await refusalOf(act(letters, deadLetterId));
      if (refusal) failed += 1;
      if (refusal) streams.err.write(`${deadLetterId}: ${refusal.message}\n`);
      else if (done) streams.out.write(`${done} ${deadLetterId}\n`);
    }
  } finally {
    progress.end();
  }
  return failed;
}

/** @returns why this one can't be done; @throws what would stop the others too */
async function refusalOf(acting: Promise<void>): Promise<Problem | undefined> {
  try {
    await acting;
    return undefined;
  } catch (error) {
    if (error instanceof Problem && (error.code === 'conflict' || error.code === 'not_found')) return error;
    throw error;
  }
}
