/**
 * A snapshot of Postgres as `pg_current_snapshot()` tells it, `xmin:xmax:xip,xip`: which transactions it sees the work of.
 * Transaction numbers (xid8) are taken as numbers: they are exact up to 2^53, which takes 285 years at a million a second.
 */
export interface PgSnapshot {
  /** every transaction below has ended */
  xmin: number;
  /** no transaction from here on is seen */
  xmax: number;
  /** those in between that had not ended */
  xip: readonly number[];
}

const SHAPE = /^\d+:\d+:(\d+(,\d+)*)?$/;

/** @returns undefined for text that Postgres would not take for one either */
export function parseSnapshot(text: string): PgSnapshot | undefined {
  if (!SHAPE.test(text)) return undefined;
  const [xmin = '', xmax = '', xip = ''] = text.split(':');
  const found = { xmin: Number(xmin), xmax: Number(xmax), xip: xip === '' ? [] : xip.split(',').map(Number) };
  return isSane(found) ? found : undefined;
}

function isSane({ xmin, xmax, xip }: PgSnapshot): boolean {
  if (xmin < 1 || xmax < xmin || xmax > Number.MAX_SAFE_INTEGER) return false;
  return xip.every((xid, i) => xid >= xmin && xid < xmax && xid > (xip[i - 1] ?? 0));
}

/**
 * @returns the snapshot as text of a bounded length: one with many transactions under way becomes the part that comes before
 * all of them. It sees less then: what is told since may be told twice, and is never left out
 */
export function boundedText(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : text.replace(/^(\d+):.*$/, '$1:$1:');
}

/** A dozen transactions of a node that has seen a billion of them. */
const MAX_TEXT_LENGTH = 160;

/** As Postgres' `pg_visible_in_snapshot`, for a transaction that was committed. */
export function sees(snapshot: PgSnapshot, xid: number): boolean {
  if (xid < snapshot.xmin) return true;
  return xid < snapshot.xmax && !snapshot.xip.includes(xid);
}

/** Whether it sees everything that the other one sees; both of the same server. */
export function seesAllOf(snapshot: PgSnapshot, other: PgSnapshot): boolean {
  const later = Math.max(0, other.xmax - snapshot.xmax);
  const unseenByBoth = other.xip.filter((xid) => xid >= snapshot.xmax).length;
  return later === unseenByBoth && snapshot.xip.every((xid) => !sees(other, xid));
}
