/** Where a shard is, and what carries its scans. */
export interface ShardPlace {
  shard: number;
  lane: number;
  /** see `Position` */
  epoch: number;
}
