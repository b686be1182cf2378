//! Every promise that data can show, checked: counts, and a few examples of each violation.
//!
//! All checks look at one snapshot, so that work in progress is never mistaken for a violation. What needs the plan to be
//! judged (P6: is there someone eligible for someone who waits?) is not here: `worker::audit` asks the core.

use super::{Session, StoreError};

/// Examples named of each violation.
pub const EXAMPLES: usize = 10;
/// How long one check may take: it may look at every conversation, which batches never do.
const TIMEOUT: &str = "5min";

/// A check: the promise it belongs to, what it looks for, and the statement that finds violations as text.
struct Check {
    promise: &'static str,
    name: &'static str,
    sql: &'static str,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The promise.
    pub promise: &'static str,
    /// What was looked for.
    pub check: &'static str,
    /// How many violate it.
    pub violations: i64,
    /// A few of them.
    pub examples: Vec<String>,
}

const CHECKS: &[Check] = &[
    Check {
        promise: "P1",
        name: "identifiers that lead to no conversation",
        sql: "select a.tenant || '/' || a.conversation from alias a
          left join conversation c on c.tenant = a.tenant and c.id = a.conversation where c.id is null",
    },
    Check {
        promise: "P2",
        name: "outbox rows that have waited longer than a minute to be published",
        sql: "select 'lane ' || lane || ' row ' || id from outbox
          where written_at < clock_timestamp() - interval '1 minute'",
    },
    Check {
        promise: "P2",
        name: "lanes whose worker has been gone for longer than a minute",
        sql: "select 'lane ' || partition from lane
          where worker is not null and lease_until < clock_timestamp() - interval '1 minute'",
    },
    Check {
        promise: "P4",
        name: "conversations whose counters make no sense",
        sql: "select tenant || '/' || id from conversation
          where epoch < 1 or episode < 1 or sequence < epoch or epoch < episode",
    },
    Check {
        promise: "P4",
        name: "closed conversations in which something still runs or waits",
        sql: "select tenant || '/' || id from conversation
          where status = 'closed' and (clock <> 'off' or respond <> 'off' or care ? 'escalation'
            or waiting_since is not null or requirement is not null)",
    },
    Check {
        promise: "P5",
        name: "open and held conversations owned by someone who is no agent",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join agent a on a.tenant = c.tenant and a.id = c.owner_agent
          where c.status <> 'closed' and c.owner_agent is not null and a.id is null",
    },
    Check {
        promise: "P5",
        name: "agents whose load is not the number of open conversations they own",
        sql: "select coalesce(said.tenant, owned.tenant) || '/' || coalesce(said.agent, owned.agent) || ' in '
            || coalesce(nullif(coalesce(said.team, owned.team), ''), 'no team') || ': says ' || coalesce(said.load, 0)
            || ', owns ' || coalesce(owned.load, 0)
          from (select a.tenant, a.id as agent, l.key as team, l.value::bigint as load
                from agent a, jsonb_each_text(a.loads) l) said
          full join (select c.tenant, c.owner_agent as agent, coalesce(c.team, '') as team, count(*) as load
                from conversation c where c.status = 'open' and c.owner_agent is not null group by 1, 2, 3) owned
            on owned.tenant = said.tenant and owned.agent = said.agent and owned.team = said.team
          where said.load is distinct from owned.load",
    },
    Check {
        promise: "P6",
        name: "waiting conversations that no drain would find",
        sql: "select tenant || '/' || id from conversation
          where (requirement is not null) <> (status = 'open' and owner_queue is not null and not standby
              and not coalesce((route ->> 'manual')::boolean, false)
              and not coalesce((care ->> 'stale')::boolean, false))
            or (requirement is null) <> (waits_from is null)",
    },
    Check {
        promise: "P6",
        name: "drains with work left and no timer to go on",
        sql: "select m.tenant from matching m left join timer t on t.tenant = m.tenant and t.kind = 'drain'
          where m.drain_pending and t.id is null",
    },
    Check {
        promise: "P7",
        name: "customers who wait with nobody, without a clock, and without a bot",
        sql: "select tenant || '/' || id from conversation
          where status = 'open' and owner_agent is null and owner_queue is null and not standby
            and clock = 'off' and waiting_since is not null",
    },
    Check {
        promise: "P7",
        name: "running clocks without a timer",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join timer t on t.tenant = c.tenant and t.kind = 'assign' and t.subject = c.id::text
          where c.clock = 'running' and t.id is null",
    },
    Check {
        promise: "P7",
        name: "clocks, steps and escalations whose moment no alarm is set for",
        // An alarm is set by the core to the microsecond or earlier; its moment and this sum may round apart.
        sql: "select c.tenant || '/' || c.id from conversation c, lateral (
            select (c.route #>> '{relax,since}')::int8 + 1000 * (c.route #> '{relax,steps}'
              -> (c.route #>> '{relax,taken}')::int ->> 'after')::int8 as micros
            where c.status = 'open' and c.owner_queue is not null
            union all select (c.care #>> '{escalation,retry_at}')::int8
            union all select extract(epoch from least(c.respond_warn, c.respond_due, c.clock_warn)) * 1000000) due
          where c.status <> 'closed' and not c.standby
          group by c.tenant, c.id, c.alarm
          having c.alarm is null and min(due.micros) is not null
            or extract(epoch from c.alarm) * 1000000 > min(due.micros) + 1000",
    },
    Check {
        promise: "P7",
        name: "alarms without a timer",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join timer t on t.tenant = c.tenant and t.kind = 'alarm' and t.subject = c.id::text
          where c.alarm is not null and t.id is null",
    },
    Check {
        promise: "P7",
        name: "pending requests without a timer",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join timer t on t.tenant = c.tenant and t.kind = 'request' and t.subject = c.id::text
          where c.request_to is not null and t.id is null",
    },
    Check {
        promise: "P7",
        name: "conversations on hold until a moment without a timer",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join timer t on t.tenant = c.tenant and t.kind = 'hold' and t.subject = c.id::text
          where c.held_until is not null and t.id is null",
    },
    Check {
        promise: "P7",
        name: "bulks whose count of items left is wrong, or whose items no timer will do",
        sql: "select b.tenant || '/' || b.id from bulk b
          left join lateral (select count(*) as items,
              count(*) filter (where not exists (select from timer t
                where t.tenant = b.tenant and t.kind = 'bulk' and t.subject = i.home || '/' || b.id)) as forgotten
            from bulk_item i where i.tenant = b.tenant and i.bulk = b.id and i.outcome is null) left_over on true
          where b.pending <> left_over.items or left_over.forgotten > 0",
    },
    Check {
        promise: "P7",
        name: "conversations of removed or deactivated agents that no timer will look at",
        sql: "select c.tenant || '/' || c.id from conversation c
          join agent a on a.tenant = c.tenant and a.id = c.owner_agent and not a.active
          where c.status <> 'closed' and not exists (select from timer t
            where t.tenant = c.tenant and t.kind = 'owner' and t.lane = c.home
              and right(t.subject, length(a.id) + 1) = '/' || a.id)",
    },
    Check {
        promise: "P10",
        name: "forgotten customers of whom something is left",
        sql: "select c.tenant || '/' || c.id from conversation c
          where c.partition_key = 'forgotten/' || c.id and (c.contact <> '{}' or c.request_note is not null
            or exists (select from alias a where a.tenant = c.tenant and a.conversation = c.id))",
    },
    Check {
        promise: "P8",
        name: "requests whose record says another thing than their conversation",
        sql: "select coalesce(c.tenant, e.tenant) || '/' || coalesce(c.id, e.conversation)
          from (select * from engagement where status = 'requested') e
          full join (select * from conversation where request_to is not null) c
            on c.tenant = e.tenant and c.request_id = e.id
          where c.id is null or e.id is null",
    },
    Check {
        promise: "P7",
        name: "presences that run out without a timer",
        sql: "select a.tenant || '/' || a.id from agent a
          left join timer t on t.tenant = a.tenant and t.kind = 'presence' and t.subject = a.id
          where a.presence_expires is not null and t.id is null",
    },
    Check {
        promise: "P7",
        name: "timers overdue by more than a minute",
        sql: "select tenant || '/' || kind || '/' || subject from timer
          where due < clock_timestamp() - interval '1 minute'",
    },
    Check {
        promise: "P8",
        name: "automatic assignments without their decision",
        sql: "select e.tenant || '/' || e.conversation from engagement e
          left join decision d on d.tenant = e.tenant and d.id = e.decision
          where e.way in ('auto', 'sticky') and d.id is null",
    },
    Check {
        promise: "P8",
        name: "plans in force that are not in the history",
        sql: "select m.tenant || ' version ' || m.plan_version from matching m
          left join plan p on p.tenant = m.tenant and p.version = m.plan_version
          where m.plan_version > 0 and p.tenant is null",
    },
];

/// Runs every check; those that find nothing are in the answer too.
pub async fn run(session: &Session) -> Result<Vec<Finding>, StoreError> {
    session.begin_snapshot(TIMEOUT).await?;
    let mut findings = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        findings.push(look(session, check).await?);
    }
    session.commit().await?;
    Ok(findings)
}

async fn look(session: &Session, check: &Check) -> Result<Finding, StoreError> {
    let sql = format!(
        "with bad(what) as materialized ({}) select count(*),
           coalesce((select array_agg(what) from (select what from bad order by what limit $1) few), '{{}}') from bad",
        check.sql
    );
    let row = session.query_one(&sql, &[&(EXAMPLES as i64)]).await?;
    Ok(Finding {
        promise: check.promise,
        check: check.name,
        violations: row.get(0),
        examples: row.get(1),
    })
}
