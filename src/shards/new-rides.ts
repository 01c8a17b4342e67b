import { and, asc, type SQL, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { shardSchema } from '../domain/shard.ts';
import type { RideRow, RidesFilter } from './history-rows.ts';
import { leafTables } from './leaf-tables.ts';
import { type Answer, type Position, toAnswer, withState } from './read-at.ts';
import { filterValues, matchesFilter, MIN_MS, placeOf, rideColumns } from './ride-columns.ts';
import type { ShardPlace } from './shard-place.ts';

/** What a reader has of a skier's rides. */
export interface Since extends Omit<Position, 'snapshot'> {
  /** it has everything that this snapshot sees; null: it has nothing */
  seen: string | null;
  /** in the middle of an answer of several pages */
  page?: {
    /** the snapshot that the pages together tell up to, and until when they are complete then */
    upTo: string;
    asOf: number | null;
    /** the last ride that was told */
    after: Pick<RideRow, 'scannedAt' | 'deviceId' | 'eventId'>;
  };
}

/** What has been stored since. */
export interface NewRides {
  /** oldest first, by (scannedAt, deviceId, eventId) */
  rides: RideRow[];
  /** what the reader had means nothing here: these are the first of all rides */
  isReset: boolean;
  hasMore: boolean;
  /** see `ReadAt`, of what the reader has with this; null when there is more */
  asOf: number | null;
  /** what the reader has with this */
  next: Since;
}

export type NewRidesFilter = Omit<RidesFilter, 'before'>;

const { placeholder } = sql;
const snapshot = (name: string) => sql`${placeholder(name)}::pg_snapshot`;
const START = { scannedAt: MIN_MS, deviceId: 0, eventId: '00000000-0000-0000-0000-000000000000' };

/**
 * Prepares the statement that finds what is new since a position in one shard's leaf: by the transactions that stored the
 * rides, so that none is missed, in whatever order they committed and whatever time they tell of. It looks at all rides of the
 * skier: those of a skier are hundreds.
 */
export function prepareNewRides(db: NodePgDatabase, { shard, lane, epoch }: ShardPlace) {
  const { scans } = leafTables(shard);
  const { scannedAt, deviceId, eventId, storedXid } = scans;
  const isNew = sql`(${snapshot('seen')} IS NULL OR ${storedXid} >= pg_snapshot_xmin(${snapshot('seen')})
    AND NOT pg_visible_in_snapshot(${storedXid}, ${snapshot('seen')}))`;
  const isOfAnswer = sql`(${snapshot('upTo')} IS NULL OR ${storedXid} IS NULL
    OR pg_visible_in_snapshot(${storedXid}, ${snapshot('upTo')}))`;
  const isFurther = sql`(${scannedAt}, ${deviceId}, ${eventId}) > ${placeOf('afterMs', 'afterDevice', 'afterEvent')}`;
  const page: { getSQL(): SQL } = db
    .select(rideColumns(scans))
    .from(scans)
    .where(and(matchesFilter(scans), isFurther, isNew, isOfAnswer))
    .orderBy(asc(scannedAt), asc(deviceId), asc(eventId))
    .limit(placeholder('limit'));
  const query = withState<RideRow>(db, lane, page).prepare(`${shardSchema(shard)}_new_rides`);

  async function read(skierId: number, { seen, page: at }: Since, filter: NewRidesFilter): Promise<Answer<RideRow[]>> {
    const { scannedAt: afterMs, deviceId: afterDevice, eventId: afterEvent } = at?.after ?? START;
    const upTo = at?.upTo ?? null;
    const values = { seen, upTo, afterMs, afterDevice, afterEvent, limit: filter.limit + 1 };
    return toAnswer(await query.execute({ ...filterValues(skierId, filter), ...values }), epoch);
  }

  return async (skierId: number, since: Since, filter: NewRidesFilter): Promise<NewRides> => {
    const all = { identity: since.identity, epoch, seen: null };
    const from = since.epoch === epoch ? since : all;
    const answer = await read(skierId, from, filter);
    const isHere = answer.at.position.identity === since.identity;
    if (isHere) return toNewRides(answer, from, filter.limit, from !== since);
    return toNewRides(await read(skierId, all, filter), all, filter.limit, true);
  };
}

function toNewRides({ found, at }: Answer<RideRow[]>, from: Since, limit: number, isReset: boolean): NewRides {
  const { snapshot: now, ...where } = at.position;
  const rides = found.slice(0, limit);
  const [last, hasMore] = [rides.at(-1), found.length > limit];
  const { upTo, asOf } = from.page ?? { upTo: now, asOf: at.asOf };
  if (!last || !hasMore) return { rides, isReset, hasMore, asOf, next: { ...where, seen: upTo } };
  const { scannedAt, deviceId, eventId } = last;
  const page = { upTo, asOf, after: { scannedAt, deviceId, eventId } };
  return { rides, isReset, hasMore, asOf: null, next: { ...where, seen: from.seen, page } };
}
