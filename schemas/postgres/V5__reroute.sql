-- Taking back what a plan or a rule gave away: a third kind of bulk, beside giving away and undoing.

alter table bulk
    -- Assignments made under this version of the plan are routed again; null: another kind of bulk.
    add column reroutes_version integer,
    -- Only those that this rule made.
    add column reroutes_rule    text,
    drop constraint bulk_check,
    add constraint bulk_check check
        (num_nonnulls(undoes, coalesce(to_agent, to_team), reroutes_version) = 1),
    add check (to_agent is null or to_team is null),
    add check (reroutes_rule is null or reroutes_version is not null);

alter table bulk_item
    -- The engagement that is taken back, and the epoch it left its conversation in: another one means that somebody has
    -- changed it since.
    add column reverts       uuid,
    add column reverts_epoch bigint,
    add check ((reverts is null) = (reverts_epoch is null));
-- What was looked at already is not looked at again under the same plan.
create index bulk_item_reverts on bulk_item (tenant, reverts) where reverts is not null;
