import { z } from 'zod';
import type { DirectorySnapshot } from '../../directory/snapshot.ts';
import type { ChangeFeed } from '../../shards/change-feed.ts';
import type { Position, ReadAt } from '../../shards/read-at.ts';
import type { Question, Validity } from './answer-cache.ts';

const position = z.object({ identity: z.string(), epoch: z.number(), snapshot: z.string() });

/** What is asked about a skier. */
export interface SkierAsk {
  skierId: number;
  /** tells it apart from whatever else is asked about the skier */
  what: string;
  /** the seasons that alone matter to the answer; all unless given */
  seasons?: readonly number[] | undefined;
  /** see `Question` */
  route?: string;
}

/** A question about a skier, whose answers hold until something is stored for that skier in a season that matters. */
export function skierQuestion(
  changes: Pick<ChangeFeed, 'isCurrent' | 'asOf'>,
  { skierId, what, seasons, route }: SkierAsk,
  load: () => Promise<{ at: ReadAt; content: object; unmarked?: object }>,
): Question<Position> {
  return {
    key: skierKey(skierId, what),
    kind: 'skier',
    route,
    validity: validityOf(changes, skierId, seasons),
    readAs: (value) => position.safeParse(value).data,
    async load() {
      const { at, ...loaded } = await load();
      return { read: at.position, asOf: at.asOf, ...loaded };
    },
  };
}

export function skierKey(skierId: number, what: string): string {
  return `skier ${skierId} ${what}`;
}

function validityOf(
  changes: Pick<ChangeFeed, 'isCurrent' | 'asOf'>,
  skierId: number,
  seasons: readonly number[] | undefined,
): Validity<Position> {
  return {
    isCurrent: (read) => changes.isCurrent(skierId, read, seasons),
    asOf: () => changes.asOf(skierId),
  };
}

/**
 * The seasons under which rides of a local date can be stored, at any resort: that of the date, and the one before, whose 366th day
 * may come after its last.
 */
export function seasonsOf(date: string, { resorts }: Pick<DirectorySnapshot, 'resorts'>): number[] {
  const seasons = new Set([...resorts.values()].map(({ calendar }) => calendar.dayOf(date).season));
  return [...new Set([...seasons].flatMap((season) => [season - 1, season]))];
}
