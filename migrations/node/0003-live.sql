-- The earliest scan of a write: who looks for the rides of a write reads no more of a skier's history than from there on. Null
-- in rows of writers that did not tell it.
alter table changes add column first_scanned_at timestamptz;
