import type { Pool } from 'pg';
import { type PgSnapshot, parseSnapshot, sees, seesAllOf } from './pg-snapshot.ts';
import { IDENTITY, SNAPSHOT, told } from './read-at.ts';

/** Rows of changes are kept for ten minutes (`changes-upkeep.ts`): after a longer silence some may be gone unseen. */
const KNOWS_AFTER_MS = 9 * 60_000;
/** Skiers and days whose last change is remembered, about 10 MB. With more of them the memory starts anew. */
const REMEMBERED = 100_000;

interface State {
  snapshot: string;
  identity: string;
  lanes: { lane: number; asOf: number | null }[];
  changes: Write[];
}

/** What one write has changed. */
export interface Write {
  /** the transaction */
  xid: string;
  skiers: number[];
  /** see `resortDayKey` */
  resortDays: string[];
  /** of its earliest scan, milliseconds since the epoch; null when it did not tell */
  firstScannedAt: number | null;
}

/** In one statement, and so from one snapshot. Without an earlier one ($1 null) there are no changes to tell. */
const POLL = {
  name: 'poll_changes',
  text: `
  SELECT ${SNAPSHOT} AS snapshot, ${IDENTITY} AS identity,
    (SELECT coalesce(json_agg(json_build_object('lane', lane, 'asOf', CASE WHEN as_of > '-infinity' THEN
      (extract(epoch FROM as_of) * 1000)::bigint END)), '[]') FROM lane_as_of) AS lanes,
    (SELECT coalesce(json_agg(json_build_object('xid', xid::text, 'skiers', skiers, 'resortDays', resort_days,
      'firstScannedAt', (extract(epoch FROM first_scanned_at) * 1000)::bigint)), '[]')
      FROM changes WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)
    ) AS changes
  FROM node_identity`,
};

/** The last change in one season. */
interface LastChange {
  season: number;
  /** the transactions of the poll in which it was told */
  xids: number[];
}

/** What a poll has brought: the writes since the one before, or `all` when nobody knows what has changed. */
export type Changed = readonly Write[] | 'all';

/** A state of a node's data. */
export interface SeenState {
  identity: string;
  /** `snapshot` as Postgres writes it */
  text: string;
  snapshot: PgSnapshot;
  /** up to when each lane is complete in it */
  asOf: ReadonlyMap<number, number | null>;
}

/**
 * What one node has changed since this process began to look, from the rows that every write leaves behind: exact, in
 * whatever order transactions commit, for each poll asks for what the snapshot of the one before did not see.
 */
export class NodeChanges {
  #identity = '';
  #last: { text: string; snapshot: PgSnapshot } | undefined;
  /** whoever sees all of this has missed nothing but what is remembered below */
  #floor: PgSnapshot | undefined;
  /** of each skier, and resort's day */
  readonly #changes = new Map<number | string, LastChange[]>();
  #asOf = new Map<number, number | null>();
  /** what the last poll has told: on a replica the next one may find it again, see `SNAPSHOT` */
  #toldXids: ReadonlySet<string> = new Set();
  /** when the last good poll was sent, by `performance.now` */
  #polledAt = Number.NEGATIVE_INFINITY;

  /** the node's data as the last poll saw it; undefined before the first */
  get seen(): SeenState | undefined {
    return this.#last && { identity: this.#identity, ...this.#last, asOf: this.#asOf };
  }

  get polledAt(): number {
    return this.#polledAt;
  }

  /** of the lane, as of the last poll */
  asOf(lane: number): number | null {
    return this.#asOf.get(lane) ?? null;
  }

  /**
   * Whether what was read in this state of the node's data is what a read at the last poll would have found.
   *
   * @param seasons what was read is of these seasons alone; of all unless given
   */
  isCurrent(key: number | string, read: { identity: string; snapshot: string }, seasons?: readonly number[]): boolean {
    const snapshot = read.identity === this.#identity ? parseSnapshot(read.snapshot) : undefined;
    if (!snapshot || !this.#floor) return false;
    const changes = this.#changes.get(key)?.filter(({ season }) => seasons?.includes(season) ?? true) ?? [];
    if (changes.length === 0) return seesAllOf(snapshot, this.#floor);
    // who sees a change of one poll sees those of all polls before
    return changes.every(({ xids }) => xids.every((xid) => sees(snapshot, xid)));
  }

  /**
   * @param isOver whether nobody waits for the answer any more: what it tells would be lost to all listeners, so it counts
   *   as not given, and the next poll asks for the same
   * @throws whatever the node answers; nothing is forgotten then
   */
  async poll(pool: Pool, isOver: () => boolean = () => false): Promise<Changed> {
    const sentAt = performance.now();
    const isContinuous = sentAt - this.#polledAt < KNOWS_AFTER_MS;
    const { rows } = await pool.query<State>({ ...POLL, values: [isContinuous ? this.#last?.text : null] });
    if (isOver()) throw new Error('the answer came too late');
    const [state] = rows;
    const snapshot = parseSnapshot(state?.snapshot ?? '');
    if (!state || !snapshot) throw new Error('the node has no identity, or no snapshot');
    const startsAnew = !isContinuous || state.identity !== this.#identity;
    this.#last = { text: state.snapshot, snapshot };
    this.#identity = state.identity;
    this.#asOf = new Map(state.lanes.map(({ lane, asOf }) => [lane, told(asOf)]));
    this.#polledAt = sentAt;
    const toldBefore = this.#toldXids;
    this.#toldXids = new Set(state.changes.map(({ xid }) => xid));
    if (startsAnew) this.#startAnew();
    else this.#remember(state.changes);
    return startsAnew ? 'all' : state.changes.filter(({ xid }) => !toldBefore.has(xid));
  }

  #startAnew(): void {
    this.#changes.clear();
    this.#floor = this.#last?.snapshot;
  }

  #remember(changes: State['changes']): void {
    const inThisPoll = new Map<number | string, LastChange[]>();
    for (const { xid, skiers, resortDays } of changes) {
      const seasons = new Set(resortDays.map(seasonOf));
      for (const key of [...skiers, ...resortDays]) {
        const ofKey = inThisPoll.get(key) ?? [];
        inThisPoll.set(key, ofKey);
        for (const season of seasons) noteIn(ofKey, season, Number(xid));
      }
    }
    for (const [key, latest] of inThisPoll) {
      const earlier = this.#changes.get(key) ?? [];
      const others = earlier.filter(({ season }) => !latest.some((change) => change.season === season));
      this.#changes.set(key, [...latest, ...others]);
    }
    if (this.#changes.size > REMEMBERED) this.#startAnew();
  }
}

/** The key of a resort's day among the changes, as the store statement writes it. */
export function resortDayKey(resortId: number, season: number, day: number): string {
  return `${resortId}/${season}/${day}`;
}

function seasonOf(resortDay: string): number {
  return Number(resortDay.split('/')[1]);
}

function noteIn(changes: LastChange[], season: number, xid: number): void {
  const known = changes.find((change) => change.season === season);
  if (known) known.xids.push(xid);
  else changes.push({ season, xids: [xid] });
}
