/**
 * The time of a lane, as its server tells it: the server's clock, but never earlier than what was published of it. What a
 * reader is told to be complete up to some instant must stay behind every later ack, also after the server's clock was set
 * back: whoever publishes raises the mark first, and the time stands still until the clock has caught up.
 */

/** KEYS: the mark. Returns milliseconds since the epoch, with three decimals. */
export const REDIS_LANE_TIME = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  return string.format('%.3f', math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)))`;

/** The part of a script that raises the mark at KEYS[1] and leaves the lane's time, in whole milliseconds, in `now`. */
export const REDIS_RAISE_MARK = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local mark = tonumber(redis.call('GET', KEYS[1]) or 0)
  if now > mark then redis.call('SET', KEYS[1], string.format('%.0f', now)) else now = mark end`;

/** The row is made by `prepareQueue`. */
export const POSTGRES_LANE_TIME =
  'SELECT greatest(extract(epoch FROM clock_timestamp()) * 1000, mark_ms)::float8 AS ms FROM liftline_clock';

/** Committed before anything that is said of that time. */
export const POSTGRES_RAISE_MARK = `
  UPDATE liftline_clock SET mark_ms = greatest(floor(extract(epoch FROM clock_timestamp()) * 1000), mark_ms)
  RETURNING mark_ms::float8 AS ms`;
