import type { Directory } from '../directory/database.ts';
import type { DirectoryFollower } from '../directory/follower.ts';
import type { Logger } from '../platform/logger.ts';
import type { DeadLetters } from '../shards/dead-letters.ts';
import type { Autoscale } from './autoscale.ts';
import type { Pipeline } from './pipeline.ts';

/** What the control plane's app stands on. */
export interface OpsOptions {
  /** for changes and lists */
  directory: Directory;
  /** for everything else, so that it works while the directory is away */
  follower: DirectoryFollower;
  deadLetters: DeadLetters;
  pipeline: Pipeline;
  autoscale: Autoscale;
  adminKey: string;
  /** `open`: SkiDataAPI's operation 7 asks for no credentials */
  skiDataApi: 'keys' | 'open';
  logger: Logger;
}
