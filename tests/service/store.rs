//! Promises that the schema and single statements keep.

use serde_json::json;
use switchboard::contract::{partition, plan};
use switchboard::domain::ids::Partition;
use switchboard::worker::batch::Author;

use crate::support::bodies::{PLAN, command, fact, phone, presence, roomy_plan};
use crate::support::visitor::{decide, visit};
use crate::support::{PARTITIONS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_message_on_an_owned_conversation_costs_a_hot_update_and_no_match_row() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    let key = "a-customer";
    stage
        .send_native("inbound", key, &fact(&phone(1), "wamid.first", key))
        .await;
    witness.until_events("conversation.assigned", 1).await;
    // Statistics are written now and then: the counts of this test are forced out before and after.
    let updates = "select n_tup_upd from pg_stat_user_tables where relname = 'conversation'";
    let hot = "select n_tup_hot_upd from pg_stat_user_tables where relname = 'conversation'";
    let matched = "select n_tup_upd from pg_stat_user_tables where relname = 'matching'";
    let match_before = stage.count(matched).await;
    for n in 0..20 {
        stage
            .send_native("inbound", key, &fact(&phone(1), &format!("wamid.{n}"), key))
            .await;
        witness.until_events("message.received", n + 2).await;
    }
    stage.stop_workers().await;
    stage
        .until_count(
            &format!("select case when ({updates}) >= 20 then 1 else 0 end::int8"),
            1,
        )
        .await;
    let (all, hot) = (stage.count(updates).await, stage.count(hot).await);
    assert!(
        all - hot <= 1,
        "{all} updates, {hot} of them HOT: only the assignment may touch an index"
    );
    assert_eq!(stage.count(matched).await, match_before);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upserts_change_only_the_fields_they_name_and_drain_the_queue() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&fact(&phone(1), "wamid.1", "k")).await;
    witness.until_events("conversation.queued", 1).await;
    let upsert = json!({"agent": {"id": "nina", "name": "Nina", "teams": ["support"], "capacity": 1}});
    stage.send(&command("agent.upsert", "boss", upsert)).await;
    witness.until_events("agent.upserted", 1).await;
    stage.send(&presence("nina", "online")).await;
    witness.until_events("conversation.assigned", 1).await;
    assert_eq!(
        witness.first("conversation.assigned").text("/data/owner/id"),
        "nina"
    );
    stage
        .send(&command(
            "agent.upsert",
            "boss",
            json!({"agent": {"id": "nina", "skills": {"french": 2}}}),
        ))
        .await;
    witness.until_events("agent.upserted", 2).await;
    let kept = "select count(*) from agent where id = 'nina' and name = 'Nina' and capacity = 1 and skills = '{\"french\": 2}'";
    assert_eq!(stage.count(kept).await, 1);
    assert_eq!(
        stage
            .count("select count(*) from membership where agent = 'nina' and position is not null")
            .await,
        1
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_compared_with_the_one_that_the_same_batch_put_in_force() {
    let stage = Stage::with_plan(PLAN).await;
    let apply = |text: &str| {
        let plan = plan::from_toml(text).unwrap().document;
        command("plan.apply", "boss", json!({ "plan": plan }))
    };
    // There, back again, and once more the same.
    let (other, same, again) = (apply(&roomy_plan()), apply(PLAN), apply(PLAN));
    visit(&stage, &[other, same, again]).await;
    let versions = "select count(*) from plan where tenant = 'acme'";
    assert_eq!(stage.count(versions).await, 3);
    let in_force = "select count(*) from matching join plan p using (tenant) join plan first using (tenant)
      where p.version = plan_version and plan_version = 3 and first.version = 1 and first.document = p.document";
    assert_eq!(stage.count(in_force).await, 1);
    let capacity = "select count(*) from agent where capacity = 2";
    assert_eq!(stage.count(capacity).await, 2);
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_keeps_its_mark_until_all_that_others_left_is_read() {
    let stage = Stage::with_plan(PLAN).await;
    let message = |n: usize| [fact(&phone(1), &format!("wamid.{n}"), "key")];
    visit(&stage, &message(0)).await;
    let partition = Partition(partition::of("key", PARTITIONS));
    let lane = Author::Lane { partition, epoch: 0 };
    // With the row of the visit, one more than a batch reads.
    let client = stage.store.lone_client().await.unwrap();
    let many = "insert into outbox (lane, body) select $1, '\\x0000000000' from generate_series(1, 1000)";
    client.execute(many, &[&i32::from(partition.0)]).await.unwrap();
    let marked = "select count(*) from conversation where marked";

    let first = decide(&stage, lane, &[], &message(1)).await;
    assert!(first.more, "there is more to read");
    assert_eq!(stage.count(marked).await, 1);
    let second = decide(&stage, lane, &first.rows, &message(2)).await;
    assert!(!second.more);
    assert_eq!(stage.count(marked).await, 0);
    stage.end().await;
}
