//! Every check of the audit finds what it is there for, and nothing where nothing is wrong.

use switchboard::domain::conversation::{Clock, Conversation, Owner};
use switchboard::domain::ids::PolicyId;
use switchboard::store::audit::{self, Finding};
use switchboard::store::timers::{self, NewTimer, TimerKind};
use switchboard::store::{agents, aliases, lanes};
use uuid::Uuid;

use super::build::{HOME, acme, agent, agent_id, conversation, keep, second, team_id, waiting};
use crate::support::database::Database;

/// A small deployment in which all promises are kept.
async fn in_order() -> Database {
    let database = Database::migrated().await;
    lanes::declare_partitions(&database.client().await, 4)
        .await
        .expect("lanes");
    let mut martha = agent("martha");
    let owned = Conversation {
        team: Some(team_id("support")),
        waiting_since: None,
        ..conversation(Owner::Agent(agent_id("martha")))
    };
    martha.carry(owned.team.as_ref(), 1);
    let policy = PolicyId::new("standard").expect("an id");
    let due = "2100-01-01T00:00:00Z".parse().expect("a time");
    let assign_clock = Clock::Running {
        policy,
        since: second(0),
        warn: None,
        due,
    };
    let unowned = Conversation {
        assign_clock,
        ..conversation(Owner::Nobody)
    };
    let session = database.transaction().await;
    let clock = NewTimer {
        tenant: acme(),
        kind: TimerKind::Assign,
        subject: unowned.id.to_string(),
        lane: HOME,
        due: Some(due),
    };
    timers::set(&session, &[clock]).await.expect("set");
    aliases::add(&session, &[(acme(), Uuid::now_v7(), owned.id)])
        .await
        .expect("added");
    agents::save_profiles(&session, &acme(), &[&martha])
        .await
        .expect("saved");
    agents::save_loads(&session, &[(&acme(), &martha)])
        .await
        .expect("saved");
    keep(session, &acme(), &[owned, unowned, waiting("support", 0)]).await;
    // An owner who should answer; and somebody who waits, soon for less, and whose managers are being looked for.
    database
        .run(
            "update conversation set respond = 'running', respond_policy = 'standard', respond_since = '2026-03-01',
               respond_warn = '2099-01-01', respond_due = '2100-01-01', alarm = '2099-01-01' where owner_agent is not null;
             update conversation set alarm = '2098-01-01', clock_warn = null,
               care = '{\"escalation\": {\"why\": \"breach\", \"policy\": \"standard\", \"retry_at\": 4070908800000000}}',
               route = '{\"relax\": {\"steps\": [{\"after\": 60000}, {\"after\": 120000}], \"taken\": 1,
                 \"since\": 4070908800000000}}'
             where owner_queue is not null;
             insert into timer (tenant, kind, subject, id, lane, due)
             select tenant, 'alarm', id::text, gen_random_uuid(), home, alarm from conversation where alarm is not null",
        )
        .await;
    database
}

async fn violations(database: &Database) -> Vec<Finding> {
    let findings = audit::run(&database.session().await).await.expect("an audit");
    findings
        .into_iter()
        .filter(|finding| finding.violations > 0)
        .collect()
}

#[tokio::test]
async fn where_all_is_in_order_nothing_is_found() {
    let database = in_order().await;
    assert_eq!(violations(&database).await, []);
}

/// What goes wrong, and the check that has to see it: promise and a word of its name.
const WRONGS: &[(&str, &str, &str)] = &[
    (
        "delete from conversation where owner_agent is not null; update agent set loads = '{}'",
        "P1",
        "identifiers",
    ),
    (
        "insert into outbox (lane, body, written_at) values (0, '', clock_timestamp() - interval '2 minutes')",
        "P2",
        "outbox",
    ),
    (
        "update lane set worker = gen_random_uuid(), lease_until = clock_timestamp() - interval '2 minutes'
         where partition = 0",
        "P2",
        "lanes",
    ),
    (
        "update conversation set sequence = 1 where owner_queue is not null",
        "P4",
        "counters",
    ),
    (
        "update conversation set status = 'closed' where owner_queue is not null",
        "P4",
        "closed",
    ),
    ("delete from agent", "P5", "no agent"),
    ("update agent set loads = '{\"support\": 2}'", "P5", "load"),
    ("update agent set loads = '{\"sales\": 1}'", "P5", "load"),
    ("update agent set loads = '{}'", "P5", "load"),
    (
        "update conversation set requirement = null where owner_queue is not null",
        "P6",
        "no drain",
    ),
    (
        "insert into matching (tenant, drain_pending) values ('acme', true)",
        "P6",
        "drains",
    ),
    (
        "update conversation set clock = 'off', clock_due = null where clock = 'running'",
        "P7",
        "with nobody",
    ),
    ("delete from timer", "P7", "clocks"),
    (
        "update conversation set status = 'closed', waiting_since = null, respond = 'breached', respond_due = null
         where owner_agent is not null; update agent set loads = '{}'",
        "P4",
        "closed",
    ),
    (
        "update conversation set status = 'closed', waiting_since = null, requirement = null, waits_from = null
         where owner_queue is not null",
        "P4",
        "closed",
    ),
    (
        "update conversation set alarm = null where owner_agent is not null",
        "P7",
        "no alarm is set",
    ),
    (
        "update conversation set alarm = '2099-06-01' where owner_agent is not null",
        "P7",
        "no alarm is set",
    ),
    (
        "update conversation set route = '{}', alarm = null where owner_queue is not null",
        "P7",
        "no alarm is set",
    ),
    (
        "update conversation set care = '{}', alarm = '2099-01-01T00:03Z' where owner_queue is not null",
        "P7",
        "no alarm is set",
    ),
    (
        "update conversation set clock_warn = '2099-01-01' where clock = 'running'",
        "P7",
        "no alarm is set",
    ),
    (
        "delete from timer where kind = 'alarm'",
        "P7",
        "alarms without",
    ),
    (
        "update conversation set request_id = gen_random_uuid(), request_from = 'martha', request_to = 'mark',
           request_expires = '2100-01-01' where owner_agent is not null",
        "P7",
        "pending requests",
    ),
    (
        "update conversation set request_id = gen_random_uuid(), request_from = 'martha', request_to = 'mark',
           request_expires = '2100-01-01' where owner_agent is not null",
        "P8",
        "requests whose record",
    ),
    (
        "insert into engagement (tenant, id, conversation, way, status, created_at, updated_at)
         select tenant, gen_random_uuid(), id, 'request', 'requested', now(), now() from conversation limit 1",
        "P8",
        "requests whose record",
    ),
    (
        "update conversation set status = 'on_hold', held_until = '2100-01-01' where owner_agent is not null;
         update agent set loads = '{}'",
        "P7",
        "on hold",
    ),
    (
        "insert into bulk (tenant, id, home, actor, to_agent, cause, input, pending, created_at)
         values ('acme', gen_random_uuid(), 0, 'martha', 'mark', 'cause', gen_random_uuid(), 1, now())",
        "P7",
        "bulks",
    ),
    (
        "update agent set active = false",
        "P7",
        "removed or deactivated",
    ),
    (
        "update conversation set partition_key = 'forgotten/' || id where owner_agent is not null",
        "P10",
        "forgotten",
    ),
    (
        "update agent set presence_expires = '2100-01-01'",
        "P7",
        "presences",
    ),
    (
        "update timer set due = clock_timestamp() - interval '2 minutes'",
        "P7",
        "overdue",
    ),
    (
        "insert into engagement (tenant, id, conversation, way, status, created_at, updated_at)
         select tenant, gen_random_uuid(), id, 'auto', 'done', now(), now() from conversation limit 1",
        "P8",
        "assignments",
    ),
    (
        "insert into matching (tenant, plan_version) values ('acme', 3)",
        "P8",
        "plans",
    ),
];

#[tokio::test]
async fn every_check_finds_what_it_is_there_for() {
    for (wrong, promise, word) in WRONGS {
        let database = in_order().await;
        database.run(wrong).await;
        let found = violations(&database).await;
        let seen = found
            .iter()
            .find(|finding| finding.promise == *promise && finding.check.contains(word));
        let seen = seen.unwrap_or_else(|| panic!("{wrong}: only found {found:#?}"));
        assert!(!seen.examples.is_empty(), "{seen:?}");
    }
    let database = in_order().await;
    let checks = audit::run(&database.session().await).await.expect("an audit");
    for check in checks {
        let tried = WRONGS
            .iter()
            .any(|(_, promise, word)| check.promise == *promise && check.check.contains(word));
        assert!(
            tried,
            "nothing here makes sure that \"{}\" finds anything",
            check.check
        );
    }
}

#[tokio::test]
async fn a_few_examples_stand_for_many() {
    let database = in_order().await;
    database
        .run(
            "insert into alias (tenant, key, conversation)
             select 'acme', gen_random_uuid(), gen_random_uuid() from generate_series(1, 25)",
        )
        .await;
    let found = violations(&database).await;
    assert_eq!((found[0].violations, found[0].examples.len()), (25, 10));
}
