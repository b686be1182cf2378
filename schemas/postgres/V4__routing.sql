-- Routing with clocks: owners who should answer, alarms, bursts, hours, and what is remembered of an episode.

alter table conversation
    add column clock_warn      timestamptz,
    add column respond         text not null default 'off' check (respond in ('off', 'running', 'breached')),
    add column respond_policy  text,
    add column respond_since   timestamptz,
    add column respond_warn    timestamptz,
    add column respond_due     timestamptz,
    add column owned_since     timestamptz,
    -- Hops, escalations and the like: most conversations have nothing here.
    add column care            jsonb not null default '{}',
    -- When its alarm goes off. It may be early, never late; an ordinary message seldom moves it.
    add column alarm           timestamptz,
    add check ((respond = 'running') = (respond_due is not null));

alter table agent
    add column calendar     text,
    -- Since when they have been away or offline.
    add column absent_since timestamptz,
    -- Since when they have been offline.
    add column offline_since timestamptz,
    -- Their last automatic assignments, as the burst guard counts them: microseconds since 1970, separated by spaces.
    add column recent       text not null default '';
