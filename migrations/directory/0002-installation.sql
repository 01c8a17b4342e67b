-- Tells this installation from others that keep their answers in the same Redis: their nodes and skiers have the same numbers.
-- Whoever restores a dump gives it another one.
alter table settings add column installation uuid not null default gen_random_uuid();
