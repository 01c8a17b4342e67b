import type { DirectoryFollower } from '../directory/follower.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { HistoryReader } from '../shards/history-reader.ts';

/** What the read side stands on. */
export interface RidesOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  history: HistoryReader;
  /** reads everything */
  adminKey: string;
  /** checks skiers' tokens */
  tokenSecret: string;
  /** `open`: the SkiDataAPI routes ask for no credentials */
  skiDataApi: 'keys' | 'open';
  /** whose requests `GET /statistics` tells about */
  metrics: Pick<Metrics, 'endpoints'>;
  logger: Logger;
}
