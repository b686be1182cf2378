//! People and teams come back as they were written; profiles and loads do not overwrite each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchboard::domain::agent::{Agent, Member, Membership, Presence, Profile, Role};
use switchboard::domain::ids::{CalendarId, ChannelKey, TeamId, Tenant};
use switchboard::store::{Session, agents, matching};

use super::build::{acme, agent, agent_id, channel, second, team_id, tenant};
use crate::support::database::Database;
use crate::support::wait::within;

async fn people(session: &Session, tenant: &Tenant) -> BTreeMap<String, Agent> {
    let found = agents::load(session, std::slice::from_ref(tenant))
        .await
        .expect("people");
    found
        .into_iter()
        .map(|(_, agent)| (agent.id.to_string(), agent))
        .collect()
}

async fn teams(session: &Session, tenant: &Tenant) -> BTreeMap<TeamId, Membership> {
    let mut found = agents::load_members(session, std::slice::from_ref(tenant))
        .await
        .expect("teams");
    found.remove(tenant).unwrap_or_default()
}

fn martha() -> Agent {
    let profile = Profile {
        name: "Martha \"M\" O'Neil, 你".into(),
        role: Role::Manager,
        capacity: Some(7),
        skills: BTreeMap::from([
            (Arc::from("french"), 3),
            (Arc::from("a skill, with \"signs\""), 255),
        ]),
        active: false,
        may_reply: false,
        calendar: Some(CalendarId::new("office").expect("an id")),
        subscriptions: BTreeSet::from([channel(), ChannelKey::new("evolution:a,b{c}").expect("a channel")]),
    };
    Agent {
        profile,
        ..agent("martha")
    }
}

#[tokio::test]
async fn profiles_come_back_as_they_were_written() {
    let database = Database::migrated().await;
    let (martha, mark) = (
        martha(),
        Agent {
            presence: Presence::Offline,
            ..agent("mark")
        },
    );
    let session = database.transaction().await;
    agents::save_profiles(&session, &acme(), &[&martha, &mark])
        .await
        .expect("saved");
    let expected = BTreeMap::from([("mark".to_owned(), mark), ("martha".to_owned(), martha)]);
    assert_eq!(people(&session, &acme()).await, expected);
    assert!(people(&session, &tenant("other")).await.is_empty());
    session.rollback().await;
}

#[tokio::test]
async fn what_changes_all_day_comes_back_as_it_was_written() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let mut martha = martha();
    agents::save_profiles(&session, &acme(), &[&martha])
        .await
        .expect("saved");
    martha.presence = Presence::Away;
    martha.presence_expires = Some(second(60));
    martha.loads = BTreeMap::from([(None, 2), (Some(team_id("support")), 3)]);
    martha.last_assigned = Some(second(1));
    martha.last_chosen = Some(second(2));
    agents::save_loads(&session, &[(&acme(), &martha)])
        .await
        .expect("saved");
    assert_eq!(people(&session, &acme()).await["martha"], martha);
    session.rollback().await;
}

#[tokio::test]
async fn a_profile_written_again_leaves_presence_and_loads_as_they_are() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let mut martha = martha();
    agents::save_profiles(&session, &acme(), &[&martha])
        .await
        .expect("saved");
    martha.loads = BTreeMap::from([(None, 2)]);
    martha.presence = Presence::Away;
    agents::save_loads(&session, &[(&acme(), &martha)])
        .await
        .expect("saved");
    let renamed = Agent {
        profile: Profile {
            name: "M".into(),
            ..martha.profile.clone()
        },
        ..agent("martha")
    };
    agents::save_profiles(&session, &acme(), &[&renamed])
        .await
        .expect("saved");
    assert_eq!(
        people(&session, &acme()).await["martha"],
        Agent {
            profile: renamed.profile,
            ..martha
        }
    );
    session.rollback().await;
}

fn team(members: &[(&str, u64)], managers: &[&str]) -> Membership {
    let member = |(agent, turn): &(&str, u64)| Member {
        agent: agent_id(agent),
        turn: *turn,
    };
    Membership {
        members: members.iter().map(member).collect(),
        managers: managers.iter().map(|agent| agent_id(agent)).collect(),
    }
}

#[tokio::test]
async fn memberships_become_exactly_what_is_written() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let before = BTreeMap::from([
        (team_id("sales"), team(&[("mark", 0)], &[])),
        (
            team_id("support"),
            team(&[("zoe", 5), ("mark", 2), ("anna", 9)], &["boss", "zoe"]),
        ),
    ]);
    let others = BTreeMap::from([(team_id("support"), team(&[("mark", 1)], &[]))]);
    agents::replace_members(&session, &acme(), &before)
        .await
        .expect("replaced");
    agents::replace_members(&session, &tenant("other"), &others)
        .await
        .expect("replaced");
    assert_eq!(teams(&session, &acme()).await, before);
    let after = BTreeMap::from([(
        team_id("support"),
        team(&[("anna", 9), ("nina", 10), ("zoe", 6)], &["anna"]),
    )]);
    agents::replace_members(&session, &acme(), &after)
        .await
        .expect("replaced");
    assert_eq!(teams(&session, &acme()).await, after);
    agents::replace_members(&session, &acme(), &BTreeMap::new())
        .await
        .expect("replaced");
    assert!(teams(&session, &acme()).await.is_empty());
    assert_eq!(teams(&session, &tenant("other")).await, others);
    session.rollback().await;
}

#[tokio::test]
async fn a_turn_is_written_for_the_member_it_belongs_to() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let both = team(&[("mark", 1), ("zoe", 2)], &[]);
    let before = BTreeMap::from([
        (team_id("sales"), both.clone()),
        (team_id("support"), both.clone()),
    ]);
    agents::replace_members(&session, &acme(), &before)
        .await
        .expect("replaced");
    let (tenant, support, mark) = (acme(), team_id("support"), agent_id("mark"));
    agents::save_turns(&session, &[(&tenant, &support, &mark, 3)])
        .await
        .expect("saved");
    let mut after = before.clone();
    after.insert(support, team(&[("mark", 3), ("zoe", 2)], &[]));
    assert_eq!(teams(&session, &acme()).await, after);
    session.rollback().await;
}

#[tokio::test]
async fn who_waits_for_the_match_row_then_reads_what_its_holder_wrote() {
    let database = Database::migrated().await;
    let tenant = acme();
    let session = database.transaction().await;
    matching::create(&session, &tenant).await.expect("a match row");
    matching::create(&session, &tenant)
        .await
        .expect("it is there already");
    session
        .commit_after(agents::save_profiles(&session, &tenant, &[&martha()]))
        .await
        .expect("a commit");
    let (first, second) = (database.transaction().await, database.transaction().await);
    let tenants = [tenant.clone()];
    assert_eq!(matching::lock(&first, &tenants).await.expect("a lock").len(), 1);
    let mut busy = martha();
    busy.loads = BTreeMap::from([(None, 1)]);
    let writes = async {
        database.until_waiting(1).await;
        let loads = [(&tenant, &busy)];
        let writes = async {
            tokio::try_join!(
                biased;
                agents::save_loads(&first, &loads),
                matching::save_drain_pending(&first, &tenant, true)
            )
        };
        first.commit_after(writes).await.expect("a commit");
    };
    // Both are sent at once; the second statement begins when the first one has its lock.
    let reads = async {
        tokio::try_join!(biased; matching::lock(&second, &tenants), agents::load(&second, &tenants))
    };
    let (read, ()) = within("the lock", async { tokio::join!(reads, writes) }).await;
    let (rows, people) = read.expect("read");
    assert!(rows[0].drain_pending);
    assert_eq!(people[0].1.loads, busy.loads);
    second.commit().await.expect("a commit");
}
