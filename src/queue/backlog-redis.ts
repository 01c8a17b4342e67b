import type { RedisLink } from './backend.ts';
import { type LaneBacklog, LOOKED_AT_MOST, toBacklog } from './backlog.ts';
import { lanePrefix, laneQueueName } from './lanes.ts';

/**
 * One lane, in one call, so that no job can move from a list that was not read yet to one that was. A waiting list is read
 * at both ends: BullMQ pushes at the head and takes from the tail, gives jobs back at the tail, and a job that was put
 * back by the sweeper, old as it is, stands at the head.
 */
const LOOK = `
  local most = tonumber(ARGV[2])
  local time = redis.call('TIME')
  local read, scans, oldest = 0, 0, false
  local function look(ids)
    for _, id in ipairs(ids) do
      local job = redis.call('HMGET', ARGV[1] .. id, 'timestamp', 'name')
      local at = tonumber(job[1])
      if at then
        read = read + 1
        scans = scans + (tonumber(job[2]) or 0)
        if not oldest or at < oldest then oldest = at end
      end
    end
  end
  local waiting = redis.call('LLEN', KEYS[1])
  if waiting <= 2 * most then
    look(redis.call('LRANGE', KEYS[1], 0, -1))
  else
    look(redis.call('LRANGE', KEYS[1], 0, most - 1))
    look(redis.call('LRANGE', KEYS[1], -most, -1))
  end
  look(redis.call('LRANGE', KEYS[2], 0, most - 1))
  look(redis.call('ZRANGE', KEYS[3], 0, most - 1))
  look(redis.call('ZRANGE', KEYS[4], 0, most - 1))
  return {
    waiting, redis.call('LLEN', KEYS[2]), redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4]),
    read, scans, oldest and string.format('%.0f', oldest) or '', tonumber(redis.call('GET', KEYS[5]) or 0),
    time[1] * 1000 + math.floor(time[2] / 1000)
  }`;

type Reply = [number, number, number, number, number, number, string, number, number];

/** Each lane is asked at its own server, whose clock stamped its jobs. */
export function backlogOnRedis(link: RedisLink, queuePrefix: string, lanes: readonly number[]): Promise<LaneBacklog[]> {
  return Promise.all(
    lanes.map(async (lane) => {
      await link.ready(lane);
      const base = `${lanePrefix(queuePrefix, lane)}:${laneQueueName(lane)}:`;
      const keys = ['wait', 'active', 'delayed', 'failed', 'id'].map((name) => base + name);
      const reply = (await link.redis(lane).eval(LOOK, keys.length, ...keys, base, LOOKED_AT_MOST)) as Reply;
      const [waiting, active, delayed, failed, read, scansRead, oldest, enqueued, takenAt] = reply;
      return toBacklog(lane, {
        waiting,
        active,
        delayed,
        failed,
        read,
        scansRead,
        oldest: oldest === '' ? null : Number(oldest),
        enqueued,
        takenAt,
      });
    }),
  );
}
