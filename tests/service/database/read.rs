//! What people look at.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::domain::conversation::{Conversation, Owner, Status};
use switchboard::domain::event::{By, Candidate, Decision, PassedOver};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::plan::Strategy;
use switchboard::store::read::{self, Eyes, Queue, View};
use switchboard::store::records::{self, DecisionRecord, Engagement, EngagementStatus};
use switchboard::store::{Session, agents, matching};
use uuid::Uuid;

use super::build::{acme, agent, agent_id, conversation, keep, keep_one, second, team_id, tenant, waiting};
use crate::support::database::Database;

async fn listed(session: &Session, view: View<'_>, limit: i64) -> Vec<ConversationId> {
    let found = read::conversations(session, Some(&acme()), view, None, limit)
        .await
        .expect("conversations");
    found.iter().map(|one| one.conversation.id).collect()
}

#[tokio::test]
async fn somebodys_eyes_see_their_own_what_is_in_no_team_and_what_is_in_theirs() {
    let database = Database::migrated().await;
    let martha = agent_id("martha");
    let of = |team: Option<&str>, owner: Owner| Conversation {
        team: team.map(team_id),
        ..conversation(owner)
    };
    let own = Conversation {
        status: Status::OnHold,
        ..of(Some("sales"), Owner::Agent(martha.clone()))
    };
    let teamless = of(None, Owner::Nobody);
    let colleague = of(Some("support"), Owner::Agent(agent_id("mark")));
    let hidden = of(Some("sales"), Owner::Agent(agent_id("olga")));
    let seen = [own.id, teamless.id, colleague.id];
    let all = [own, teamless, colleague, hidden];
    keep(database.transaction().await, &acme(), &all).await;
    let session = database.session().await;
    let eyes = |teams: &[&str]| Eyes {
        agent: martha.clone(),
        teams: teams.iter().map(|team| team_id(team)).collect(),
    };
    let look = async |view, teams: &[&str]| -> BTreeSet<ConversationId> {
        let found = read::conversations(&session, Some(&acme()), view, Some(&eyes(teams)), 10).await;
        let found = found.expect("conversations");
        found.iter().map(|one| one.conversation.id).collect()
    };
    assert_eq!(look(View::All, &["support"]).await, seen.into());
    assert_eq!(look(View::All, &[]).await, [seen[0], seen[1]].into());
    assert_eq!(
        look(View::Assigned, &["support"]).await,
        [seen[0], seen[2]].into()
    );
    assert_eq!(look(View::Mine(&martha), &[]).await, [seen[0]].into());
}

#[tokio::test]
async fn every_view_shows_its_own_and_the_longest_wait_first() {
    let database = Database::migrated().await;
    let (martha, mark) = (agent_id("martha"), agent_id("mark"));
    let since = |owner: Owner, since: i64| Conversation {
        waiting_since: Some(second(since)),
        ..conversation(owner)
    };
    let new = [since(Owner::Nobody, 9), since(Owner::Nobody, 3)];
    let team = [waiting("support", 5), waiting("sales", 2)];
    let owned = [
        since(Owner::Agent(martha.clone()), 7),
        since(Owner::Agent(mark), 1),
    ];
    let closed: Vec<_> = (0..3)
        .map(|n| Conversation {
            status: Status::Closed,
            ..since(Owner::Agent(martha.clone()), n)
        })
        .collect();
    let all: Vec<_> = new
        .iter()
        .chain(&team)
        .chain(&owned)
        .chain(&closed)
        .cloned()
        .collect();
    keep(database.transaction().await, &acme(), &all).await;
    keep(
        database.transaction().await,
        &tenant("other"),
        &[conversation(Owner::Nobody)],
    )
    .await;
    let session = database.session().await;
    assert_eq!(listed(&session, View::New, 10).await, [new[1].id, new[0].id]);
    assert_eq!(listed(&session, View::Team, 10).await, [team[1].id, team[0].id]);
    assert_eq!(
        listed(&session, View::Assigned, 10).await,
        [owned[1].id, owned[0].id]
    );
    assert_eq!(listed(&session, View::Mine(&martha), 10).await, [owned[0].id]);
    assert_eq!(
        listed(&session, View::Closed, 2).await,
        [closed[2].id, closed[1].id],
        "the newest first"
    );
    assert_eq!(listed(&session, View::All, 100).await.len(), all.len());
    assert_eq!(listed(&session, View::All, -1).await.len(), 0);
    let everyones = read::conversations(&session, None, View::New, None, 10)
        .await
        .expect("conversations");
    assert_eq!(everyones.len(), 3);
}

#[tokio::test]
async fn one_conversation_is_found_by_its_id_alone() {
    let database = Database::migrated().await;
    let there = waiting("support", 0);
    keep_one(&database, &there).await;
    let session = database.transaction().await;
    for name in ["acme", "other"] {
        matching::create(&session, &tenant(name))
            .await
            .expect("a match row");
    }
    let found = read::conversation(&session, there.id)
        .await
        .expect("an answer")
        .expect("it is there");
    assert_eq!((found.tenant, found.conversation), (acme(), there));
    assert_eq!(
        read::conversation(&session, ConversationId(Uuid::now_v7())).await,
        Ok(None)
    );
    session.rollback().await;
}

#[tokio::test]
async fn records_of_a_conversation_come_back_as_they_were_added_the_oldest_first() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let (acme, id, martha, mark) = (
        acme(),
        ConversationId(Uuid::now_v7()),
        agent_id("martha"),
        agent_id("mark"),
    );
    let decision = Decision {
        id: Uuid::now_v7(),
        conversation: id,
        rule: Some("vip".into()),
        plan_version: 4,
        team: Some(team_id("support")),
        strategy: Some(Strategy::LeastLoaded),
        chosen: Some(martha.clone()),
        candidates: vec![
            Candidate {
                agent: martha.clone(),
                passed_over: None,
            },
            Candidate {
                agent: mark.clone(),
                passed_over: Some(PassedOver::Capacity),
            },
        ],
        passed_over: BTreeMap::from([(PassedOver::Capacity, 1)]),
        failed_rules: vec!["broken".into()],
    };
    let from = Owner::Team(team_id("support"));
    let automatic = Engagement {
        tenant: &acme,
        id: Uuid::now_v7(),
        conversation: id,
        by: By::Auto,
        from: &from,
        to: Some(&martha),
        requester: None,
        status: EngagementStatus::Done,
        note: None,
        decision: Some(decision.id),
        at: second(1),
    };
    let by_hand = Engagement {
        id: Uuid::now_v7(),
        by: By::Manual,
        from: &Owner::Agent(martha.clone()),
        to: Some(&mark),
        requester: Some(&martha),
        note: Some("please"),
        decision: None,
        at: second(2),
        ..automatic
    };
    let decisions = [DecisionRecord {
        tenant: &acme,
        cause: "wamid",
        at: second(1),
        asked_by: Some(&martha),
        epoch: Some(2),
        decision: &decision,
    }];
    records::add_engagements(&session, &[by_hand, automatic])
        .await
        .expect("added");
    records::add_decisions(&session, &decisions).await.expect("added");
    let seen = read::engagements(&session, &acme, id).await.expect("records");
    let words: Vec<_> = seen
        .iter()
        .map(|one| (one.way.as_str(), one.from.as_deref(), one.to.as_deref()))
        .collect();
    let expected = [
        ("auto", Some("team/support"), Some("martha")),
        ("manual", Some("agent/martha"), Some("mark")),
    ];
    assert_eq!(words, expected);
    assert_eq!(
        (seen[0].decision, seen[0].status.as_str()),
        (Some(decision.id), "done")
    );
    assert_eq!(
        (seen[1].requester.as_deref(), seen[1].note.as_deref()),
        (Some("martha"), Some("please"))
    );
    let seen = read::decisions(&session, &acme, id).await.expect("records");
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].rule.as_deref(), seen[0].strategy.as_deref()),
        (Some("vip"), Some("least_loaded"))
    );
    let detail = serde_json::json!({
        "candidates": [{"agent": "martha", "passed_over": null}, {"agent": "mark", "passed_over": "capacity"}],
        "passed_over": {"capacity": 1},
        "failed_rules": ["broken"],
        "asked_by": "martha",
        "epoch": 2,
    });
    assert_eq!(seen[0].detail, detail);
    session.rollback().await;
}

#[tokio::test]
async fn loads_and_queues_are_counted_from_the_conversations() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let (martha, mark) = (agent("martha"), agent("mark"));
    session
        .commit_after(agents::save_profiles(&session, &acme(), &[&martha, &mark]))
        .await
        .expect("a commit");
    let owned = || conversation(Owner::Agent(martha.id.clone()));
    let closed = Conversation {
        status: Status::Closed,
        ..owned()
    };
    let all = [
        owned(),
        owned(),
        closed,
        waiting("support", 5),
        waiting("support", 3),
        waiting("sales", 4),
    ];
    keep(database.transaction().await, &acme(), &all).await;
    let loads = read::loads(&session, &acme()).await.expect("loads");
    assert_eq!(
        loads,
        [
            ("mark".to_owned(), "online".to_owned(), 0),
            ("martha".to_owned(), "online".to_owned(), 2)
        ]
    );
    let queue = |team: &str, waiting, oldest| Queue {
        team: team.into(),
        waiting,
        oldest: second(oldest),
    };
    let queues = read::queues(&session, &acme()).await;
    assert_eq!(queues, Ok(vec![queue("support", 2, 3), queue("sales", 1, 4)]));
}
