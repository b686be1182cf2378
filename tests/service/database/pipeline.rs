//! The order of statements on the wire is the order in which they are first polled.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::Poll;

use switchboard::domain::agent::Membership;
use switchboard::domain::conversation::Owner;
use switchboard::domain::event::{By, Decision};
use switchboard::domain::ids::{ConversationId, Partition};
use switchboard::store::conversations::Saved;
use switchboard::store::records::{DecisionRecord, Ending, Engagement, EngagementStatus};
use switchboard::store::timers::{NewTimer, TimerKind};
use switchboard::store::{
    Session, agents, aliases, conversations, inbox, lanes, matching, outbox, queue, records, timers,
};
use uuid::Uuid;

use super::build::{HOME, acme, agent, agent_id, conversation, second, team_id};
use crate::support::database::{Database, LEASE, store};
use crate::support::wire::Wire;

/// Bind, execute, sync: one statement that was prepared before, and nothing else.
const ONE_PREPARED: &str = "BES";
/// One text of statements: BEGIN, COMMIT.
const TEXT: &str = "Q";

/// Polls a call once, and what the wire shows then is compared.
macro_rules! assert_sent_at_once {
    ($wire:expr, $session:expr, $what:literal, $call:expr) => {{
        let mut call = pin!($call);
        if let Poll::Ready(Err(error)) = futures_util::poll!(call.as_mut()) {
            panic!("{}: {error:?}", $what);
        }
        // A text of its own right behind it, before the call is polled again.
        let (answered, done) = tokio::join!(biased; $session.begin(), call);
        done.unwrap_or_else(|error| panic!("{}: {error:?}", $what));
        answered.expect("a warning at most");
        assert_eq!($wire.take(), format!("{ONE_PREPARED}{TEXT}"), "{}", $what);
    }};
}

async fn over(wire: &Wire) -> Session {
    let session = store(&wire.url, LEASE).session().await.expect("a session");
    session.begin().await.expect("a transaction");
    wire.forget();
    session
}

#[tokio::test]
async fn reads_and_locks_are_sent_when_they_are_first_polled() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = over(&wire).await;
    let (tenant, id) = (acme(), ConversationId(Uuid::now_v7()));
    let (tenants, ids, keys) = (
        [tenant.clone()],
        [(tenant.clone(), id)],
        [(tenant.clone(), Uuid::now_v7())],
    );
    let teams = [team_id("support")];
    let claims = [inbox::Claim {
        tenant: &tenant,
        key: Uuid::now_v7(),
        own_time: None,
    }];
    assert_sent_at_once!(wire, session, "fence", lanes::fence(&session, HOME, 1));
    assert_sent_at_once!(wire, session, "clock", lanes::clock(&session));
    assert_sent_at_once!(wire, session, "claim", inbox::claim(&session, &claims));
    assert_sent_at_once!(wire, session, "find", aliases::find(&session, &keys));
    assert_sent_at_once!(wire, session, "due", timers::due(&session, HOME, 1));
    assert_sent_at_once!(wire, session, "lock", conversations::lock(&session, &ids));
    assert_sent_at_once!(
        wire,
        session,
        "partition keys",
        conversations::partition_keys(&session, &ids)
    );
    assert_sent_at_once!(wire, session, "match row", matching::lock(&session, &tenants));
    assert_sent_at_once!(wire, session, "agents", agents::load(&session, &tenants));
    assert_sent_at_once!(wire, session, "members", agents::load_members(&session, &tenants));
    assert_sent_at_once!(wire, session, "queue", queue::load(&session, &tenant, &teams, 1));
    assert_sent_at_once!(wire, session, "outbox", outbox::read(&session, HOME, &[], 1));
}

#[tokio::test]
async fn writes_are_sent_when_they_are_first_polled() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = over(&wire).await;
    let (tenant, conversation, agent) = (acme(), conversation(Owner::Nobody), agent("martha"));
    let saved = [Saved {
        tenant: &tenant,
        conversation: &conversation,
        marked: false,
        alarm: None,
    }];
    let aliases = [(tenant.clone(), Uuid::now_v7(), conversation.id)];
    assert_sent_at_once!(wire, session, "aliases", aliases::add(&session, &aliases));
    assert_sent_at_once!(wire, session, "insert", conversations::insert(&session, &saved));
    assert_sent_at_once!(wire, session, "save", conversations::save(&session, &saved));
    assert_sent_at_once!(wire, session, "touch", conversations::touch(&session, &saved));
    let loads = [(&tenant, &agent)];
    assert_sent_at_once!(wire, session, "loads", agents::save_loads(&session, &loads));
    let team = team_id("support");
    let turns = [(&tenant, &team, &agent.id, 4)];
    assert_sent_at_once!(wire, session, "turns", agents::save_turns(&session, &turns));
    assert_sent_at_once!(
        wire,
        session,
        "drain",
        matching::save_drain_pending(&session, &tenant, true)
    );
    assert_sent_at_once!(wire, session, "attempt", lanes::clear_attempt(&session, HOME));
    let rows = [(Partition(1), "body".to_owned())];
    assert_sent_at_once!(wire, session, "outbox", outbox::add(&session, &rows));
    assert_sent_at_once!(wire, session, "published", outbox::delete(&session, HOME, &[7]));
}

#[tokio::test]
async fn records_and_timers_are_sent_when_they_are_first_polled() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = over(&wire).await;
    let (tenant, to, id) = (acme(), agent_id("martha"), ConversationId(Uuid::now_v7()));
    let engagements = [Engagement {
        tenant: &tenant,
        id: Uuid::now_v7(),
        conversation: id,
        by: By::Claim,
        from: &Owner::Nobody,
        to: Some(&to),
        requester: None,
        status: EngagementStatus::Done,
        note: None,
        decision: None,
        at: second(0),
    }];
    assert_sent_at_once!(
        wire,
        session,
        "engagements",
        records::add_engagements(&session, &engagements)
    );
    let decision = no_decision(id);
    let decisions = [DecisionRecord {
        tenant: &tenant,
        cause: "wamid",
        at: second(0),
        asked_by: None,
        epoch: None,
        decision: &decision,
    }];
    assert_sent_at_once!(
        wire,
        session,
        "decisions",
        records::add_decisions(&session, &decisions)
    );
    let (kind, subject) = (TimerKind::Assign, id.to_string());
    let set = [NewTimer {
        tenant: tenant.clone(),
        kind,
        subject: subject.clone(),
        lane: HOME,
        due: None,
    }];
    assert_sent_at_once!(wire, session, "set", timers::set(&session, &set));
    let (gone, ending) = (
        [(&tenant, &to)],
        [Ending {
            tenant: &tenant,
            id: id.0,
            status: EngagementStatus::Rejected,
            reason: Some("busy"),
            at: second(1),
        }],
    );
    assert_sent_at_once!(wire, session, "fan out", timers::fan_out(&session, &gone));
    assert_sent_at_once!(
        wire,
        session,
        "endings",
        records::end_engagements(&session, &ending)
    );
    let (clear, claim) = ([(tenant.clone(), kind, subject)], [Uuid::now_v7()]);
    assert_sent_at_once!(wire, session, "clear", timers::clear(&session, &clear));
    assert_sent_at_once!(wire, session, "claim", timers::claim(&session, &claim));
}

fn no_decision(conversation: ConversationId) -> Decision {
    Decision {
        id: Uuid::now_v7(),
        conversation,
        rule: None,
        plan_version: 1,
        team: None,
        strategy: None,
        chosen: None,
        candidates: Vec::new(),
        passed_over: BTreeMap::new(),
        failed_rules: Vec::new(),
    }
}

#[tokio::test]
async fn a_whole_batch_goes_out_in_one_go_and_commit_comes_last() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = over(&wire).await;
    let (tenant, conversation) = (acme(), conversation(Owner::Nobody));
    let saved = [Saved {
        tenant: &tenant,
        conversation: &conversation,
        marked: false,
        alarm: None,
    }];
    let rows = [(HOME, "body".to_owned())];
    wire.keep_answers();
    let writes = async {
        tokio::try_join!(
            biased;
            conversations::insert(&session, &saved),
            conversations::save(&session, &[]),
            outbox::add(&session, &rows)
        )
    };
    // Although not one answer arrives, all of it is on its way.
    let sent = async {
        crate::support::wait::until("the commit", async || {
            (database.number("select count(*) from outbox").await == 1).then_some(())
        })
        .await;
    };
    tokio::select! {
        outcome = session.commit_after(writes) => panic!("no answer can have come: {outcome:?}"),
        () = sent => {}
    }
    assert_eq!(wire.take(), "BESBESQ", "with nothing to save nothing is sent");
}

#[tokio::test]
async fn with_nothing_to_do_nothing_is_sent() {
    let database = Database::migrated().await;
    let wire = Wire::over(&database.url).await;
    let session = over(&wire).await;
    let tenant = acme();
    inbox::claim(&session, &[]).await.expect("nothing");
    aliases::find(&session, &[]).await.expect("nothing");
    aliases::add(&session, &[]).await.expect("nothing");
    conversations::lock(&session, &[]).await.expect("nothing");
    conversations::insert(&session, &[]).await.expect("nothing");
    conversations::save(&session, &[]).await.expect("nothing");
    conversations::touch(&session, &[]).await.expect("nothing");
    agents::save_loads(&session, &[]).await.expect("nothing");
    agents::save_turns(&session, &[]).await.expect("nothing");
    agents::save_profiles(&session, &tenant, &[])
        .await
        .expect("nothing");
    records::add_engagements(&session, &[]).await.expect("nothing");
    records::add_decisions(&session, &[]).await.expect("nothing");
    records::end_engagements(&session, &[]).await.expect("nothing");
    records::add_notes(&session, &[]).await.expect("nothing");
    timers::fan_out(&session, &[]).await.expect("nothing");
    aliases::remove(&session, &[]).await.expect("nothing");
    timers::claim(&session, &[]).await.expect("nothing");
    timers::set(&session, &[]).await.expect("nothing");
    timers::clear(&session, &[]).await.expect("nothing");
    outbox::add(&session, &[]).await.expect("nothing");
    outbox::delete(&session, HOME, &[]).await.expect("nothing");
    queue::load(&session, &tenant, &[], 10).await.expect("nothing");
    assert_eq!(wire.take(), "");
    // An empty set of members is something to do: it empties the teams.
    agents::replace_members(&session, &tenant, &BTreeMap::<_, Membership>::new())
        .await
        .expect("members");
    assert_ne!(wire.take(), "");
}
