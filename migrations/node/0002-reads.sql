-- What the read side needs to know how fresh an answer is, and what has changed since an earlier one.

-- Up to when a lane is complete here: every scan of the lane whose ack carried this instant or an earlier one is stored (or
-- a dead letter). One worker at a time, the keeper, moves it on; it never goes back.
create table lane_as_of (
  lane smallint primary key,
  -- on the clock of the queue's server
  as_of timestamptz not null,
  keeper uuid not null,
  -- when the keeper last showed up, on this node's clock
  kept_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Which skiers and days each write changed, in the transaction of the write: readers look for rows that an earlier snapshot
-- could not see, and miss none, however transactions overlap. Kept for minutes.
create table changes (
  xid xid8 not null default pg_current_xact_id(),
  changed_at timestamptz not null default clock_timestamp(),
  skiers integer[] not null,
  -- resort/season/day
  resort_days text[] not null
);
create index changes_by_xid on changes (xid);
create index changes_by_age on changes using brin (changed_at);

-- The transaction that stored a scan, for what is new since a snapshot. Null is older than any snapshot that a reader has.
alter table scans add column stored_xid xid8;
alter table scans alter column stored_xid set default pg_current_xact_id();

-- Snapshots of one node mean nothing on another, nor on a copy of this one: whoever restores a dump gives it a new identity.
create table node_identity (
  only_row boolean primary key default true check (only_row),
  identity uuid not null default gen_random_uuid()
);
insert into node_identity default values;

-- A receipt finds its dead letter by when the scan was taken.
create index dead_letters_by_acceptance on dead_letters (accepted_at);
