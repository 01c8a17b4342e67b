-- What one node holds. Sharded tables have one partition a shard, each in the schema of its shard (src/shards/migrate-node.ts
-- makes them); there is no default partition, so that a row for a shard that is not here fails with 23514.
--
-- Ranges are domains, not CHECKs of the table: a statement builds a table's CHECKs anew for every leaf it touches, which
-- took 11 % of the time of a write of 100 scans to 16 leaves. A violation is 23514 with the name of the constraint all the same.
create domain season_year as smallint constraint season_year check (value between 1990 and 2100);
create domain season_day as smallint constraint season_day check (value between 1 and 366);
create domain day_hour as smallint constraint day_hour check (value between 0 and 23);
create domain lift_vertical_m as integer constraint lift_vertical_m check (value between 0 and 10000);
create domain some_id as integer constraint some_id check (value > 0);

-- Columns from wide to narrow: no padding between them.
create table scans (
  scanned_at timestamptz not null,
  event_id uuid not null,
  -- the job that stored it
  batch_id uuid not null,
  skier_id some_id not null,
  device_id integer not null,
  resort_id some_id not null,
  lift_id some_id not null,
  vertical_m lift_vertical_m not null,
  -- the resort's local date, season, day and hour
  local_date date not null,
  season season_year not null,
  day season_day not null,
  hour day_hour not null,
  shard smallint not null,
  primary key (shard, skier_id, scanned_at, device_id, event_id)
) partition by list (shard);

-- A skier's day at a resort, kept by the statement that inserts the scans.
create table skier_days (
  first_at timestamptz not null,
  last_at timestamptz not null,
  skier_id integer not null,
  resort_id integer not null,
  rides integer not null,
  vertical_m integer not null,
  local_date date not null,
  season smallint not null,
  day smallint not null,
  shard smallint not null,
  -- one element a ride, in no order: lift_id * 32 + local hour
  lift_hours bigint[] not null,
  primary key (shard, skier_id, resort_id, season, day)
) partition by list (shard);

-- A resort's day is added up from its skiers' days when somebody asks. None of these columns is ever updated, so that
-- updates of a day stay within its page (HOT).
create index skier_days_of_resort on skier_days (resort_id, season, day);

-- One row for each job that is stored, in the transaction that stores it: a job that runs again finds it and skips.
create table ledger (
  batch_id uuid primary key,
  job_id text not null,
  accepted_at timestamptz not null,
  committed_at timestamptz not null default clock_timestamp(),
  lane smallint not null,
  -- 1; 0 where another node has the row that counts the job
  jobs smallint not null check (jobs between 0 and 1),
  scans integer not null,
  persisted integer not null,
  duplicate integer not null,
  dead integer not null,
  -- the shards whose scans of the job are stored here: a shard that arrives later has not been
  shards smallint[] not null,
  check (scans = persisted + duplicate + dead)
);
create index ledger_by_age on ledger using brin (committed_at);

-- What older rows of the ledger were folded into.
create table ledger_totals (
  lane smallint primary key,
  jobs bigint not null,
  scans bigint not null,
  persisted bigint not null,
  duplicate bigint not null,
  dead bigint not null,
  check (scans = persisted + duplicate + dead)
);

create table dead_letters (
  dead_letter_id uuid primary key default gen_random_uuid(),
  -- null when the job could not be read
  shard smallint,
  lane smallint not null,
  batch_id uuid not null,
  code text not null,
  detail text not null,
  -- json, not jsonb: it keeps whatever came, also a NUL
  payload json not null,
  accepted_at timestamptz not null,
  died_at timestamptz not null default clock_timestamp()
);
