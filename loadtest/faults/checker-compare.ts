import { shardOf } from '../../src/domain/shard.ts';

/** A row of `scans`, as found on a node. */
export interface StoredScan {
  /** see `scanKey` */
  key: string;
  skierId: number;
  /** the partition that holds it */
  shard: number;
  /** name of the node that it was found on */
  node: string;
}

/** Where rows have to be: the node's name by shard. */
export type Placement = readonly string[];

/** Scans, and examples of what is wrong. */
export interface Comparison {
  /** rows */
  stored: number;
  /** acked − stored */
  lost: number;
  /** stored − attempted */
  phantom: number;
  /** rows of a scan that has a row already */
  duplicate: number;
  /** on the wrong shard, or on a node that does not have that shard */
  misplaced: number;
  /** attempted and never acked; may be stored or not */
  unknown: number;
  /** one line each, some of each kind */
  examples: string[];
}

const EXAMPLES_OF_A_KIND = 3;

/**
 * Holds what was sent against what is stored.
 *
 * @param sent whether it was acked, by the key of each attempted scan
 * @param rows of all nodes
 */
export function compareScans(
  sent: ReadonlyMap<string, boolean>,
  rows: Iterable<StoredScan>,
  placement: Placement,
): Comparison {
  const found = new Set<string>();
  const examples = new Map<string, string[]>();
  const counts = { stored: 0, lost: 0, phantom: 0, duplicate: 0, misplaced: 0 };
  const note = (kind: Exclude<keyof typeof counts, 'stored'>, what: string) => {
    counts[kind] += 1;
    const of = examples.get(kind) ?? [];
    if (of.length < EXAMPLES_OF_A_KIND) of.push(`${kind}: ${what}`);
    examples.set(kind, of);
  };
  for (const { key, skierId, shard, node } of rows) {
    counts.stored += 1;
    if (found.has(key)) note('duplicate', key);
    found.add(key);
    if (!sent.has(key)) note('phantom', key);
    const isInPlace = shardOf(skierId, placement.length) === shard && placement[shard] === node;
    if (!isInPlace) note('misplaced', `${key}, on shard ${shard} of node ${node}`);
  }
  let unknown = 0;
  for (const [key, isAcked] of sent) {
    if (!isAcked) unknown += 1;
    else if (!found.has(key)) note('lost', key);
  }
  return { ...counts, unknown, examples: [...examples.values()].flat() };
}
