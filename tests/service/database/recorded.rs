//! What a simulation takes from the record.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use switchboard::domain::conversation::{Conversation, Owner, Status};
use switchboard::domain::event::{By, Decision};
use switchboard::domain::ids::{AgentId, ConversationId};
use switchboard::store::Session;
use switchboard::store::recorded::{self, Past};
use switchboard::store::records::{self, DecisionRecord, Engagement, EngagementStatus};
use uuid::Uuid;

use super::build::{acme, agent_id, conversation, keep, second, team_id};
use crate::support::database::Database;

/// A decision about a conversation, and the assignment it led to.
struct Told<'a> {
    id: ConversationId,
    at: i64,
    cause: &'a str,
    /// From whom to whom; `None`: it waits.
    given: Option<(Owner, AgentId)>,
    requester: Option<AgentId>,
}

async fn tell(session: &Session, told: &Told<'_>) {
    let acme = acme();
    let decision = Decision {
        id: Uuid::now_v7(),
        conversation: told.id,
        rule: Some("vip".into()),
        plan_version: 1,
        team: Some(team_id("support")),
        strategy: None,
        chosen: told.given.as_ref().map(|(_, agent)| agent.clone()),
        candidates: Vec::new(),
        passed_over: BTreeMap::new(),
        failed_rules: Vec::new(),
    };
    let record = DecisionRecord {
        tenant: &acme,
        cause: told.cause,
        at: second(told.at),
        decision: &decision,
        asked_by: told.requester.as_ref(),
        epoch: None,
    };
    records::add_decisions(session, &[record]).await.expect("added");
    if let Some((from, to)) = &told.given {
        let engagement = Engagement {
            tenant: &acme,
            id: Uuid::now_v7(),
            conversation: told.id,
            by: By::Auto,
            from,
            to: Some(to),
            requester: told.requester.as_ref(),
            status: EngagementStatus::Done,
            note: None,
            decision: Some(decision.id),
            at: second(told.at),
        };
        records::add_engagements(session, &[engagement])
            .await
            .expect("added");
    }
}

#[tokio::test]
async fn an_episode_is_told_once_with_its_rule_and_what_is_known_of_its_length() {
    let database = Database::migrated().await;
    let (martha, mark) = (agent_id("martha"), agent_id("mark"));
    let queue = Owner::Team(team_id("support"));
    let closed = Conversation {
        status: Status::Closed,
        last_activity: second(500),
        ..conversation(Owner::Agent(martha.clone()))
    };
    let waited = conversation(Owner::Agent(mark.clone()));
    let moved = conversation(Owner::Agent(mark.clone()));
    keep(
        database.transaction().await,
        &acme(),
        &[closed.clone(), waited.clone(), moved.clone()],
    )
    .await;
    let session = database.transaction().await;
    let to = |from: Owner, agent: &AgentId| Some((from, agent.clone()));
    let told = |id, at, cause, given| Told {
        id,
        at,
        cause,
        given,
        requester: None,
    };
    let history = [
        // Two episodes, the second from 200 on.
        told(closed.id, 100, "wamid.1", to(Owner::Nobody, &martha)),
        told(closed.id, 200, "wamid.2", to(Owner::Nobody, &martha)),
        // It waited, was looked at again under a new plan, and was taken from the queue.
        told(waited.id, 110, "wamid.3", None),
        told(waited.id, 120, "timer/1", None),
        told(waited.id, 130, "wamid.9", to(queue, &mark)),
        // It was taken from somebody, and later sent away by a person.
        told(moved.id, 140, "wamid.4", to(Owner::Nobody, &martha)),
        told(moved.id, 150, "wamid.5", to(Owner::Agent(martha.clone()), &mark)),
        Told {
            requester: Some(mark.clone()),
            ..told(moved.id, 160, "command", to(Owner::Nobody, &martha))
        },
        // By the same person to a team where nobody is free.
        Told {
            requester: Some(mark.clone()),
            ..told(moved.id, 170, "command", None)
        },
        // Before and after the time that is asked for.
        told(moved.id, 20, "wamid.6", to(Owner::Nobody, &martha)),
        told(moved.id, 900, "wamid.7", to(Owner::Nobody, &martha)),
    ];
    for one in &history {
        tell(&session, one).await;
    }
    let episodes = async |limit| {
        let found = recorded::episodes(&session, &acme(), second(100), second(900), limit).await;
        found.expect("the record can be read")
    };
    let all = episodes(100).await;
    let seen: Vec<(ConversationId, Timestamp)> =
        all.iter().map(|past| (past.conversation, past.at)).collect();
    let expected = [
        (closed.id, 100),
        (waited.id, 110),
        (moved.id, 140),
        (closed.id, 200),
    ];
    assert_eq!(seen, expected.map(|(id, at)| (id, second(at))));
    assert!(all.iter().all(|past| past.rule.as_deref() == Some("vip")));
    let lengths: Vec<_> = all.iter().map(|past: &Past| past.service).collect();
    assert_eq!(lengths, [None, None, None, Some(SignedDuration::from_secs(300))]);
    assert_eq!(episodes(2).await.len(), 2);
    session.rollback().await;
}
