import { bigint, date, integer, pgSchema, smallint, timestamp, uuid } from 'drizzle-orm/pg-core';
import { shardSchema } from '../domain/shard.ts';

/**
 * One shard's own tables, as drizzle sees them. A reader names the leaf: it touches no other partition, and gets an error
 * from Postgres itself when the shard has left the node. Migrations (migrations/node) are what makes them.
 */
export function leafTables(shard: number) {
  const schema = pgSchema(shardSchema(shard));
  return {
    scans: schema.table('scans', {
      skierId: integer('skier_id').notNull(),
      scannedAt: timestamp('scanned_at', { withTimezone: true }).notNull(),
      deviceId: integer('device_id').notNull(),
      eventId: uuid('event_id').notNull(),
      resortId: integer('resort_id').notNull(),
      liftId: integer('lift_id').notNull(),
      season: smallint('season').notNull(),
      day: smallint('day').notNull(),
      date: date('local_date', { mode: 'string' }).notNull(),
      verticalM: integer('vertical_m').notNull(),
      /** xid8: for conditions alone */
      storedXid: bigint('stored_xid', { mode: 'bigint' }),
    }),
    skierDays: schema.table('skier_days', {
      skierId: integer('skier_id').notNull(),
      resortId: integer('resort_id').notNull(),
      season: smallint('season').notNull(),
      day: smallint('day').notNull(),
      date: date('local_date', { mode: 'string' }).notNull(),
      rides: integer('rides').notNull(),
      verticalM: integer('vertical_m').notNull(),
      firstAt: timestamp('first_at', { withTimezone: true }).notNull(),
      lastAt: timestamp('last_at', { withTimezone: true }).notNull(),
    }),
  };
}
