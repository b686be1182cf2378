//! Plans are kept by version, and a channel belongs to one tenant.

use serde_json::{Value, json};
use switchboard::domain::ids::{ChannelKey, Tenant};
use switchboard::store::plans::{self, Activation};
use switchboard::store::{Session, StoreError, lanes, matching};

use super::build::{acme, second, tenant};
use crate::support::database::Database;

fn channel(name: &str) -> ChannelKey {
    ChannelKey::new(name).expect("a channel")
}

async fn activate(
    session: &Session,
    tenant: &Tenant,
    version: u32,
    document: &Value,
    channels: &[&ChannelKey],
) -> Result<(), StoreError> {
    matching::create(session, tenant).await.expect("a match row");
    let activation = Activation {
        tenant,
        version,
        document,
        channels: channels.to_vec(),
        at: second(i64::from(version)),
        actor: "agent/boss".into(),
        cause: "cli/1",
    };
    session.commit_after(plans::activate(session, &activation)).await
}

#[tokio::test]
async fn the_newest_version_is_in_force_and_the_older_ones_are_history() {
    let database = Database::migrated().await;
    let (one, two) = (channel("whatsapp:1"), channel("whatsapp:2"));
    let before = lanes::clock(&database.session().await)
        .await
        .expect("a clock")
        .directory_version;
    activate(
        &database.transaction().await,
        &acme(),
        1,
        &json!({"n": 1}),
        &[&one, &two],
    )
    .await
    .expect("activated");
    activate(
        &database.transaction().await,
        &acme(),
        2,
        &json!({"n": 2}),
        &[&two],
    )
    .await
    .expect("activated");
    let session = database.session().await;
    let listing = plans::directory(&session).await.expect("a directory");
    assert_eq!(listing.version, before + 2);
    assert_eq!(listing.plans, [(acme(), 2)]);
    assert_eq!(
        listing.channels,
        [(two, acme())],
        "the first channel is free again"
    );
    assert_eq!(
        plans::document(&session, &acme(), 1).await,
        Ok(Some(json!({"n": 1})))
    );
    assert_eq!(
        plans::document(&session, &acme(), 2).await,
        Ok(Some(json!({"n": 2})))
    );
    assert_eq!(plans::document(&session, &acme(), 3).await, Ok(None));
    let history = plans::history(&session, &acme(), 10).await.expect("a history");
    let seen: Vec<_> = history
        .iter()
        .map(|one| (one.version, one.activated_at, one.actor.as_str()))
        .collect();
    assert_eq!(seen, [(2, second(2), "agent/boss"), (1, second(1), "agent/boss")]);
    assert_eq!(
        plans::history(&session, &acme(), 1)
            .await
            .expect("a history")
            .len(),
        1
    );
}

#[tokio::test]
async fn a_tenant_without_a_plan_is_not_in_the_directory() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    session
        .commit_after(matching::create(&session, &acme()))
        .await
        .expect("a match row");
    let listing = plans::directory(&session).await.expect("a directory");
    assert!(listing.plans.is_empty() && listing.channels.is_empty());
}

#[tokio::test]
async fn a_channel_of_another_tenant_is_named_before_and_refused_at_the_last_moment() {
    let database = Database::migrated().await;
    let (free, theirs) = (channel("whatsapp:1"), channel("whatsapp:2"));
    let other = tenant("other");
    activate(&database.transaction().await, &other, 1, &json!({}), &[&theirs])
        .await
        .expect("activated");
    let session = database.transaction().await;
    assert_eq!(
        plans::taken(&session, &acme(), &[&free, &theirs]).await,
        Ok(vec![theirs.clone()])
    );
    assert_eq!(
        plans::taken(&session, &other, &[&free, &theirs]).await,
        Ok(vec![])
    );
    // Two tenants that claim it at the same moment both found it free.
    let failure = activate(&session, &acme(), 1, &json!({}), &[&theirs])
        .await
        .expect_err("it is theirs");
    assert!(matches!(failure, StoreError::Conflict(_)), "{failure:?}");
    session.rollback().await;
    assert_eq!(database.texts("select tenant from channel").await, ["other"]);
}
