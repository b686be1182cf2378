//! What statements may cost: none of a batch reads a whole table, not even on the day the tables are new.

use std::collections::BTreeMap;

use switchboard::domain::agent::{Member, Membership};
use switchboard::domain::conversation::{Conversation, Owner};
use switchboard::domain::ids::ConversationId;
use switchboard::store::conversations::Saved;
use switchboard::store::timers::{NewTimer, TimerKind};
use switchboard::store::{
    Session, StoreError, agents, aliases, conversations, inbox, lanes, matching, outbox, queue, timers,
};
use uuid::Uuid;

use super::build::{HOME, acme, agent, agent_id, conversation, team_id, waiting};
use crate::support::database::{Database, LEASE};
use crate::support::wait::until;

/// Whole-table reads so far. The one row that says which plans are in force is a table of its own.
const WHOLE_TABLES: &str = "select relname || ': ' || seq_scan from pg_stat_user_tables
  where seq_scan > 0 and relname not in ('deployment', 'refinery_schema_history') order by 1";

#[tokio::test]
async fn no_statement_of_a_batch_reads_a_whole_table() {
    let database = Database::migrated().await;
    let (client, worker) = (database.client().await, Uuid::now_v7());
    lanes::declare_partitions(&client, 4).await.expect("lanes");
    lanes::claim(&client, HOME, worker, LEASE)
        .await
        .expect("a claim")
        .expect("a free lane");
    drop(client);
    let before = database.texts(WHOLE_TABLES).await;
    let store = database.store();
    for _ in 0..20 {
        let session = store.session().await.expect("a session");
        session.begin().await.expect("a transaction");
        batch(&session).await.expect("a batch");
        session.commit().await.expect("a commit");
    }
    // Connections report what they did when they end.
    drop(store);
    let updates = "select n_tup_upd from pg_stat_user_tables where relname = 'conversation'";
    until("the statistics", async || {
        (database.number(updates).await == 20 * 100).then_some(())
    })
    .await;
    assert_eq!(database.texts(WHOLE_TABLES).await, before);
}

/// A batch of fifty conversations that does all a batch can do.
async fn batch(session: &Session) -> Result<(), StoreError> {
    let (tenant, support, mark) = (acme(), team_id("support"), agent_id("mark"));
    let (tenants, teams) = ([tenant.clone()], [support.clone()]);
    lanes::fence(session, HOME, 0).await?.expect("its lane");
    let all: Vec<Conversation> = (0..25)
        .flat_map(|n| [waiting("support", n), conversation(Owner::Agent(mark.clone()))])
        .collect();
    let claims: Vec<_> = all
        .iter()
        .map(|one| inbox::Claim {
            tenant: &tenant,
            key: one.id.0,
            own_time: None,
        })
        .collect();
    inbox::claim(session, &claims).await?;
    let keys: Vec<_> = all.iter().map(|one| (tenant.clone(), one.id.0)).collect();
    aliases::find(session, &keys).await?;
    let owned: Vec<_> = keys
        .iter()
        .map(|(tenant, key)| (tenant.clone(), *key, ConversationId(*key)))
        .collect();
    aliases::add(session, &owned).await?;
    matching::create(session, &tenant).await?;
    matching::lock(session, &tenants).await?;
    people(session, &teams[0]).await?;
    write(session, &all).await?;
    queue::load(session, &tenant, &teams, 10).await?;
    queue::look(session, &tenant, &teams, 10).await?;
    queue::in_other_teams(session, &tenant, HOME, &teams, 10).await?;
    queue::stranded(session, HOME, 10).await?;
    queue::depths(session).await?;
    notes(session, &all).await
}

async fn people(session: &Session, team: &switchboard::domain::ids::TeamId) -> Result<(), StoreError> {
    let (tenant, mark) = (acme(), agent("mark"));
    let member = Member {
        agent: mark.id.clone(),
        turn: 1,
    };
    let teams = BTreeMap::from([(
        team.clone(),
        Membership {
            members: vec![member],
            managers: vec![],
        },
    )]);
    agents::save_profiles(session, &tenant, &[&mark]).await?;
    agents::replace_members(session, &tenant, &teams).await?;
    agents::load(session, std::slice::from_ref(&tenant)).await?;
    agents::load_members(session, std::slice::from_ref(&tenant)).await?;
    agents::save_loads(session, &[(&tenant, &mark)]).await?;
    agents::save_turns(session, &[(&tenant, team, &mark.id, 2)]).await
}

async fn write(session: &Session, all: &[Conversation]) -> Result<(), StoreError> {
    let tenant = acme();
    let saved: Vec<_> = all
        .iter()
        .map(|conversation| Saved {
            tenant: &tenant,
            conversation,
            marked: false,
            alarm: None,
        })
        .collect();
    let ids: Vec<_> = all.iter().map(|one| (tenant.clone(), one.id)).collect();
    conversations::insert(session, &saved).await?;
    conversations::lock(session, &ids).await?;
    conversations::partition_keys(session, &ids).await?;
    conversations::save(session, &saved).await?;
    conversations::touch(session, &saved).await
}

async fn notes(session: &Session, all: &[Conversation]) -> Result<(), StoreError> {
    let timer = |one: &Conversation| NewTimer {
        tenant: acme(),
        kind: TimerKind::Assign,
        subject: one.id.to_string(),
        lane: HOME,
        due: None,
    };
    let set: Vec<_> = all.iter().map(timer).collect();
    timers::set(session, &set).await?;
    let due: Vec<_> = timers::due(session, HOME, 10)
        .await?
        .iter()
        .map(|timer| timer.id)
        .collect();
    timers::claim(session, &due).await?;
    let clear: Vec<_> = set
        .into_iter()
        .take(5)
        .map(|timer| (timer.tenant, timer.kind, timer.subject))
        .collect();
    timers::clear(session, &clear).await?;
    let rows = outbox::add(session, &[(HOME, "body".into())]).await?;
    outbox::read(session, HOME, &[], 10).await?;
    outbox::delete(session, HOME, &[rows[0].1]).await?;
    lanes::clear_attempt(session, HOME).await
}
