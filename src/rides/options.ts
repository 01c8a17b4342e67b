import type { DirectoryFollower } from '../directory/follower.ts';
import type { SkierTokens } from '../directory/skier-tokens.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { ChangeFeed } from '../shards/change-feed.ts';
import type { Waiting } from './after.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import type { Live } from './live/live.ts';
import type { HistoryReader } from '../shards/history-reader.ts';

/** What the read side stands on. */
export interface RidesOptions {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  history: HistoryReader;
  changes: ChangeFeed;
  cache: AnswerCache;
  waiting: Waiting;
  live: Live;
  /** reads everything */
  adminKey: string;
  /** checks skiers' tokens */
  tokens: SkierTokens;
  /** `open`: the SkiDataAPI routes ask for no credentials */
  skiDataApi: 'keys' | 'open';
  /** whose web pages may read too: exact origins, or `*` alone */
  corsOrigins: readonly string[];
  /** whose requests `GET /statistics` tells about */
  metrics: Pick<Metrics, 'endpoints'>;
  logger: Logger;
}
