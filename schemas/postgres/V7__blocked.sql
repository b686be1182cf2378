-- Queues that nobody could serve when it was last looked, and of which managers were told: a list of what is asked for.
-- It is decided under the match row, so it is kept in it; nearly always it is empty.

alter table matching add column blocked jsonb not null default '[]';
