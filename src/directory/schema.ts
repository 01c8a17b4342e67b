import {
  bigint,
  boolean,
  date,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

// The tables of migrations/directory as queries see them; the SQL files there make them.

/** What this code reads and writes; a directory of another format is refused. */
export const FORMAT_VERSION = 1;
/** Raised by a trigger together with {@link directoryVersion}. */
export const CHANGED_CHANNEL = 'directory_changed';

export const settings = pgTable('settings', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  formatVersion: integer('format_version').notNull(),
  shardCount: integer('shard_count').notNull(),
  laneCount: integer('lane_count').notNull(),
  installation: uuid('installation').notNull().defaultRandom(),
});

export const directoryVersion = pgTable('directory_version', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  version: bigint('version', { mode: 'number' }).notNull(),
});

export const nodes = pgTable('nodes', {
  nodeId: integer('node_id').primaryKey().generatedAlwaysAsIdentity(),
  name: text('name').notNull(),
  url: text('url').notNull(),
});

export const shards = pgTable('shards', {
  shard: smallint('shard').primaryKey(),
  nodeId: integer('node_id').notNull(),
  epoch: bigint('epoch', { mode: 'number' }).notNull().default(1),
});

export const resorts = pgTable('resorts', {
  resortId: integer('resort_id').primaryKey(),
  name: text('name').notNull(),
  timeZone: text('time_zone').notNull(),
  opensAt: text('opens_at').notNull(),
  closesAt: text('closes_at').notNull(),
  seasonStartsOn: text('season_starts_on').notNull(),
});

export const lifts = pgTable(
  'lifts',
  {
    resortId: integer('resort_id').notNull(),
    liftId: integer('lift_id').notNull(),
    name: text('name').notNull(),
    verticalM: integer('vertical_m').notNull(),
  },
  (table) => [primaryKey({ columns: [table.resortId, table.liftId] })],
);

export const seasons = pgTable(
  'seasons',
  {
    resortId: integer('resort_id').notNull(),
    season: integer('season').notNull(),
    startsOn: date('starts_on', { mode: 'string' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.resortId, table.season] })],
);

export const devices = pgTable('devices', {
  deviceId: integer('device_id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull(),
});

export const deviceKeys = pgTable('device_keys', {
  keyId: integer('key_id').primaryKey().generatedAlwaysAsIdentity(),
  deviceId: integer('device_id').notNull(),
  keyHash: text('key_hash').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true, mode: 'date' }).notNull().defaultNow(),
  revokedAt: timestamp('revoked_at', { withTimezone: true, mode: 'date' }),
});
