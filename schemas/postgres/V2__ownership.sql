-- Ownership in full: conversations on hold, requests that wait for an answer, replies that wait for their echo, notes.

alter table conversation
    drop constraint conversation_status_check,
    add constraint conversation_status_check check (status in ('open', 'on_hold', 'closed')),
    add column held_until      timestamptz,
    -- The one request that may be pending; all of these or none (a note need not be there).
    add column request_id      uuid,
    add column request_from    text,
    add column request_to      text,
    add column request_note    text,
    add column request_expires timestamptz,
    -- When the replies were authorised whose echo has not come: microseconds since 1970, separated by spaces.
    add column unechoed        text not null default '',
    add column replied_at      timestamptz,
    add check (held_until is null or status = 'on_hold'),
    add check (num_nonnulls(request_id, request_from, request_to, request_expires) in (0, 4)),
    add check (request_id is not null or request_note is null),
    add check (request_id is null or status <> 'closed');

-- What an agent has, open or on hold.
drop index conversation_owner;
create index conversation_owner on conversation (tenant, owner_agent, id)
    where status <> 'closed' and owner_agent is not null;
-- What nobody has.
drop index conversation_unowned;
create index conversation_unowned on conversation (home, tenant, id)
    where status <> 'closed' and owner_agent is null;
-- The requests that wait for someone: few, and none of its columns is changed by an ordinary message.
create index conversation_request on conversation (tenant, request_to)
    where request_to is not null;

-- What agents wrote down for each other.
create table note (
    tenant       text        not null,
    id           uuid        not null,
    conversation uuid        not null,
    author       text        not null,
    text         text        not null,
    created_at   timestamptz not null,
    primary key (tenant, id)
);
create index note_of on note (tenant, conversation, created_at);
