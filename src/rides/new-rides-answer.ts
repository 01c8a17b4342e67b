import type { Context } from 'hono';
import { Problem } from '../domain/problem.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import type { NewRides, Since } from '../shards/new-rides.ts';
import type { ScanFate } from '../shards/scan-fate.ts';
import { changesTokenOf, readChangesToken } from './changes-token.ts';
import type { RidesOptions } from './options.ts';
import { type Query, readDateRange, readFilters, readLimit, single } from './query.ts';
import { asOfText, rideJson } from './represent.ts';
import type { RidesPage } from './shapes.ts';

/** Another answer each time: nobody keeps it. */
const HEADERS = { 'cache-control': 'private, no-store', vary: 'Authorization' };

/**
 * Answers `?changedSince=`: the rides that were stored since an earlier answer, also those that came late and tell of an
 * earlier time, which a newest-first list hides on a later page. When the change feed knows of none, no node is asked.
 *
 * @param of.after what became of the scan that the caller waited for: then a node is asked in any case
 *
 * @throws Problem `bad_cursor`, `malformed` with a cursor, and as `HistoryReader.newRides`
 */
export async function answerNewRides(
  context: Context<HttpEnv>,
  o: RidesOptions,
  of: { skierId: number; after: ScanFate['status'] | undefined },
): Promise<Response> {
  const { skierId, after } = of;
  const query = context.req.queries();
  const { resorts } = o.directory.snapshot();
  const { rides, isReset, hasMore, asOf, next } = await newRidesOf(o, skierId, { query, isFresh: after !== undefined });
  const page: RidesPage = {
    asOf: asOfText(asOf),
    ...(after === undefined ? {} : { after: { status: after } }),
    rides: rides.map((ride) => rideJson(ride, resorts)),
    nextCursor: null,
    changesToken: changesTokenOf(next),
    reset: isReset,
    hasMore,
  };
  return context.json(page, 200, HEADERS);
}

async function newRidesOf(
  o: RidesOptions,
  skierId: number,
  { query, isFresh }: { query: Query; isFresh: boolean },
): Promise<NewRides> {
  if (query.cursor) throw new Problem('malformed', 'changedSince has pages of its own: leave cursor away');
  const since = readChangesToken(single(query, 'changedSince') ?? '');
  const filter = {
    ...readFilters(query, o.directory.snapshot().resorts),
    ...readDateRange(query),
    limit: readLimit(query),
  };
  return (isFresh ? undefined : nothingNew(o, skierId, since)) ?? (await o.history.newRides(skierId, since, filter));
}

function nothingNew({ changes }: RidesOptions, skierId: number, since: Since): NewRides | undefined {
  const { identity, epoch, seen, page } = since;
  const isCurrent = seen !== null && !page && changes.isCurrent(skierId, { identity, epoch, snapshot: seen });
  if (!isCurrent) return undefined;
  return { rides: [], isReset: false, hasMore: false, asOf: changes.asOf(skierId), next: since };
}
