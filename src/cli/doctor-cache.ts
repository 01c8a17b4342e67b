import { queueKind } from '../queue/lanes.ts';
import { type RedisFacts, readRedisFacts } from '../queue/redis-facts.ts';
import { attempt, type Finding, fail, ok, warn } from './doctor-finding.ts';

const CHECK = 'cache';

/**
 * Whether the Redis of the second tier answers, is not the queue's, and makes room by itself.
 *
 * @param url undefined where it is not set
 * @param queueUrl of whatever kind; a queue that does not answer is not compared, that is another check's finding
 */
export async function checkCache(url: string | undefined, queueUrl: string): Promise<Finding[]> {
  if (!url) return [];
  return attempt(CHECK, 'start it, or unset CACHE_URL: reads go on without it', async () => {
    const queue = queueKind(queueUrl) === 'redis' ? readRedisFacts(queueUrl).catch(() => undefined) : undefined;
    const [facts = [], queueFacts = []] = await Promise.all([readRedisFacts(url), queue]);
    return facts.map((server) => judgeCache(server, queueFacts));
  });
}

/** @param queue the servers of the queue; none when it is not on Redis */
function judgeCache(server: RedisFacts, queue: readonly RedisFacts[]): Finding {
  const { runId, maxMemory, settings, name } = server;
  if (runId !== undefined && queue.some((one) => one.runId === runId)) {
    const fix = 'set CACHE_URL to a Redis of its own, with maxmemory and allkeys-lru';
    return fail(CHECK, `${name} is the queue’s server: kept answers fill what scans need`, fix);
  }
  if (maxMemory === 0 || settings.get('maxmemory-policy') === 'noeviction') {
    const fix = 'set maxmemory and maxmemory-policy allkeys-lru';
    return warn(CHECK, `${name} never makes room: it grows, or refuses what is new`, fix);
  }
  return ok(CHECK, 'answers, is not the queue’s, and makes room by itself');
}
