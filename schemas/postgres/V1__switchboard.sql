-- Switchboard's tables. Every key begins with the tenant where there is one, so that a deployment can be split by tenant.

-- One row: what is fixed for the whole deployment, and the number that rises with every plan activation.
create table deployment (
    one               boolean primary key default true check (one),
    partitions        integer,
    directory_version bigint  not null default 1
);
insert into deployment default values;

-- A lane is one partition's single thread of work. Row 65535 is the ingress queue's.
create table lane (
    partition   integer primary key,
    epoch       bigint      not null default 0,
    worker      uuid,
    lease_until timestamptz,
    -- Whether the last holder let it go in order; after a crash the next one goes carefully.
    clean       boolean     not null default true,
    -- The message being tried alone after a crash, and how often it was.
    attempt_key uuid,
    attempts    integer     not null default 0,
    -- Makes the epoch part of a key: whoever raises it waits for the transactions that hold the key, and heartbeats,
    -- which change other columns, wait for none.
    unique (partition, epoch)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);

create table worker (
    id         uuid primary key,
    started_at timestamptz not null default clock_timestamp(),
    seen_until timestamptz not null
);

-- Keys of inputs that have taken effect. A message goes into the bucket of its own day, so that a redelivery on another
-- day meets it; whatever has no time of its own goes into the timeless table. Days are made and dropped by workers.
create table inbox (
    tenant text not null,
    key    uuid not null,
    day    date not null,
    primary key (tenant, key, day)
) partition by range (day);

create table inbox_timeless (
    tenant      text        not null,
    key         uuid        not null,
    received_at timestamptz not null default clock_timestamp(),
    primary key (tenant, key)
);
create index inbox_timeless_age on inbox_timeless (received_at);

create table plan (
    tenant       text        not null,
    version      integer     not null,
    document     jsonb       not null,
    activated_at timestamptz not null,
    actor        text        not null,
    cause        text        not null,
    primary key (tenant, version)
);

-- A channel belongs to exactly one tenant.
create table channel (
    tenant text not null,
    key    text not null,
    primary key (tenant, key),
    constraint channel_of_one_tenant unique (key)
);

-- The match row: whoever routes, frees, or changes presence, owner, capacity or membership holds it.
create table matching (
    tenant        text primary key,
    plan_version  integer not null default 0,
    drain_pending boolean not null default false
) with (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);

create table agent (
    tenant           text    not null,
    id               text    not null,
    name             text    not null,
    role             text    not null check (role in ('agent', 'manager', 'admin')),
    capacity         integer,
    skills           jsonb   not null default '{}',
    active           boolean not null default true,
    may_reply        boolean not null default true,
    subscriptions    text[]  not null default '{}',
    presence         text    not null check (presence in ('online', 'away', 'offline')),
    presence_expires timestamptz,
    -- Open conversations owned, by the conversation's team; "" for none.
    loads            jsonb   not null default '{}',
    last_assigned    timestamptz,
    last_chosen      timestamptz,
    primary key (tenant, id)
) with (fillfactor = 70);

create table membership (
    tenant   text    not null,
    team     text    not null,
    agent    text    not null,
    -- Place in the list of members; null for those who only manage.
    position integer,
    -- Place in the round-robin ring.
    turn     bigint  not null default 0,
    manager  boolean not null default false,
    primary key (tenant, team, agent)
) with (fillfactor = 70);

create table conversation (
    tenant            text        not null,
    id                uuid        not null,
    channel           text        not null,
    partition_key     text        not null,
    home              integer     not null,
    status            text        not null check (status in ('open', 'closed')),
    -- At most one of these two: an agent owns it, or it waits in a team's queue.
    owner_agent       text,
    owner_queue       text,
    team              text,
    last_owner        text,
    priority          text        not null check (priority in ('low', 'normal', 'high', 'urgent')),
    episode           integer     not null,
    epoch             bigint      not null,
    sequence          bigint      not null,
    standby           boolean     not null default false,
    route             jsonb       not null default '{}',
    -- Agents not to be chosen in this episode, separated by spaces (ids hold none).
    excluded          text        not null default '',
    waiting_since     timestamptz,
    queued_at         timestamptz,
    clock             text        not null check (clock in ('off', 'running', 'breached')),
    clock_policy      text,
    clock_since       timestamptz,
    clock_due         timestamptz,
    window_expires_at timestamptz,
    last_activity     timestamptz not null,
    contact           jsonb       not null default '{}',
    -- Another home's lane changed it: its home publishes what waits in the outbox before anything newer.
    marked            boolean     not null default false,
    -- What it asks of an agent while a strategy may give it away; null otherwise.
    requirement       text,
    waits_from        timestamptz,
    primary key (tenant, id),
    check (owner_agent is null or owner_queue is null),
    check ((clock = 'running') = (clock_due is not null))
) with (fillfactor = 70);

-- One queue per team and requirement: its members are interchangeable, so no head blocks what is behind it.
create index conversation_queue on conversation (tenant, owner_queue, requirement, waits_from, id)
    where requirement is not null;
-- Who has what, and what nobody has. Like the one above they hold no column that an ordinary message on an owned
-- conversation changes, so that its update stays HOT.
create index conversation_owner on conversation (tenant, owner_agent, id)
    where status = 'open' and owner_agent is not null;
create index conversation_unowned on conversation (home, tenant, id)
    where status = 'open' and owner_agent is null;

-- Identifiers of customers, hashed with their channel and kind: enough to recognise, nothing to read.
create table alias (
    tenant       text not null,
    key          uuid not null,
    conversation uuid not null,
    primary key (tenant, key)
);

-- One row per assignment operation.
create table engagement (
    tenant       text        not null,
    id           uuid        not null,
    conversation uuid        not null,
    way          text        not null,
    from_owner   text,
    to_agent     text,
    requester    text,
    status       text        not null check (status in
        ('requested', 'accepted', 'rejected', 'withdrawn', 'timed_out', 'superseded', 'done', 'undone')),
    reason       text,
    note         text,
    decision     uuid,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    primary key (tenant, id)
);
create index engagement_of on engagement (tenant, conversation, created_at);

-- Why each automatic choice came out as it did.
create table decision (
    tenant       text        not null,
    id           uuid        not null,
    conversation uuid        not null,
    at           timestamptz not null,
    cause        text        not null,
    rule         text,
    plan_version integer     not null,
    team         text,
    strategy     text,
    chosen       text,
    -- The first candidates, all of them counted by reason, and rules that failed to answer.
    detail       jsonb       not null,
    primary key (tenant, id)
);
create index decision_of on decision (tenant, conversation, at);

create table timer (
    tenant  text        not null,
    kind    text        not null,
    subject text        not null,
    id      uuid        not null,
    lane    integer     not null,
    due     timestamptz not null,
    primary key (tenant, kind, subject)
) with (fillfactor = 70, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.02);
create index timer_due on timer (lane, due);
create unique index timer_id on timer (id);

-- What has been committed and not yet surely published: one row per batch and home lane. Ids come from one sequence
-- without cache, drawn after the batch's last lock, so that their order is the order of the locks.
create sequence outbox_id cache 1;
create table outbox (
    lane       integer     not null,
    id         bigint      not null default nextval('outbox_id'),
    -- Messages as text, packed with LZ4.
    body       bytea       not null,
    written_at timestamptz not null default clock_timestamp(),
    primary key (lane, id)
) with (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
-- It is packed already.
alter table outbox alter column body set storage external;
