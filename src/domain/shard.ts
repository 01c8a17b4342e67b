/** The largest skier id: a Postgres `integer`. */
export const MAX_SKIER_ID = 2_147_483_647;

/**
 * The shard a skier lives on, for ever: MurmurHash3's 32-bit finalizer (public domain, A. Appleby) of the id, modulo the
 * number of shards. Pinned by vectors in test/unit/shard.test.ts: a change here would lose every stored history.
 *
 * @param skierId 1 to 2147483647
 * @param shardCount number of shards, fixed at the first start
 * @returns 0 to shardCount - 1
 */
export function shardOf(skierId: number, shardCount: number): number {
  let hash = skierId;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shardCount;
}

/** The lane that carries a shard's scans: fixed, so an edge needs no shard map and can't misroute. */
export function laneOf(shard: number, laneCount: number): number {
  return shard % laneCount;
}

/** The schema that holds everything of one shard on its node, e.g. `shard_07`. */
export function shardSchema(shard: number): string {
  return `shard_${String(shard).padStart(2, '0')}`;
}
