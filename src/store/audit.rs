//! Every promise that data can show, checked: counts, and a few examples of each violation.

use super::{Session, StoreError};

/// Examples named of each violation.
const EXAMPLES: i64 = 10;

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
        promise: "P2",
        name: "outbox rows that have waited longer than a minute for their lane",
        sql: "select 'lane ' || o.lane || ' row ' || o.id from outbox o join lane l on l.partition = o.lane
          where l.lease_until is null or l.lease_until < clock_timestamp() - interval '1 minute'",
    },
    Check {
        promise: "P4",
        name: "open or closed conversations whose counters make no sense",
        sql: "select tenant || '/' || id from conversation
          where epoch < 1 or episode < 1 or sequence < epoch or (status = 'closed' and clock <> 'off')",
    },
    Check {
        promise: "P5",
        name: "agents whose load is not the number of open conversations they own",
        sql: "select a.tenant || '/' || a.id from agent a
          left join lateral (select count(*) as owned from conversation c
            where c.tenant = a.tenant and c.owner_agent = a.id and c.status = 'open') o on true
          where o.owned <> (select coalesce(sum(value::bigint), 0) from jsonb_each_text(a.loads))",
    },
    Check {
        promise: "P5",
        name: "open conversations owned by someone who is no agent",
        sql: "select c.tenant || '/' || c.id from conversation c
          left join agent a on a.tenant = c.tenant and a.id = c.owner_agent
          where c.status = 'open' and c.owner_agent is not null and a.id is null",
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
        name: "timers overdue by more than a minute",
        sql: "select tenant || '/' || kind || '/' || subject from timer where due < clock_timestamp() - interval '1 minute'",
    },
    Check {
        promise: "P8",
        name: "automatic assignments without their decision",
        sql: "select e.tenant || '/' || e.conversation from engagement e
          left join decision d on d.tenant = e.tenant and d.id = e.decision
          where e.way in ('auto', 'sticky') and d.id is null",
    },
    Check {
        promise: "P1",
        name: "identifiers that lead to no conversation",
        sql: "select a.tenant || '/' || a.conversation from alias a
          left join conversation c on c.tenant = a.tenant and c.id = a.conversation where c.id is null",
    },
];

/// Runs every check.
pub async fn run(session: &Session) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        let sql = format!(
            "with bad(what) as ({}) select count(*), (select array_agg(what) from (select what from bad limit $1) few) from bad",
            check.sql
        );
        let row = session.query_one(&sql, &[&EXAMPLES]).await?;
        findings.push(Finding {
            promise: check.promise,
            check: check.name,
            violations: row.get(0),
            examples: row.get::<_, Option<Vec<String>>>(1).unwrap_or_default(),
        });
    }
    Ok(findings)
}
