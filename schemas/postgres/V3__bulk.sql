-- Many conversations at once: bulks, their undoing, agents who leave, customers who are forgotten.

-- A bulk that was accepted, or the undoing of one: carried out item by item in the home lanes of its conversations.
create table bulk (
    tenant            text        not null,
    id                uuid        not null,
    -- For an undoing: the bulk it takes back, which is the one that people see.
    undoes            uuid,
    -- Whose lane reports the end.
    home              integer     not null,
    -- Who gave the command; null: the command line.
    actor             text,
    to_agent          text,
    to_team           text,
    note              text,
    -- The command: what all its events name as their cause, and its dedupe key.
    cause             text        not null,
    input             uuid        not null,
    reply_queue       text,
    reply_correlation text,
    -- Items that are not done: whoever does the last one has the end reported.
    pending           integer     not null check (pending >= 0),
    created_at        timestamptz not null,
    primary key (tenant, id),
    check ((undoes is null) = (num_nonnulls(to_agent, to_team) = 1))
) with (fillfactor = 50);

create table bulk_item (
    tenant       text    not null,
    bulk         uuid    not null,
    -- In the selection, from 0.
    place        integer not null,
    conversation uuid    not null,
    -- The lane that does it; null where there is nothing to do.
    home         integer,
    outcome      text check (outcome in ('assigned', 'queued', 'rejected', 'unchanged', 'undone', 'skipped')),
    code         text,
    at           timestamptz,
    -- How it was found and left, where something changed: what an undoing has to know.
    from_status  text,
    from_owner   text,
    from_team    text,
    epoch        bigint,
    engagement   uuid,
    primary key (tenant, bulk, place),
    check (outcome is not null or home is not null)
);
create index bulk_item_pending on bulk_item (tenant, bulk, home, place) where outcome is null;

alter table agent
    -- Kept while anything remembers them; a plan or an upsert brings them back.
    add column removed boolean not null default false,
    add check (not (removed and active));

-- The requests somebody has made, should they leave.
create index conversation_requester on conversation (tenant, request_from)
    where request_from is not null;

-- Everything that leads to a conversation, to be erased with its customer.
create index alias_of on alias (tenant, conversation);
