//! What only the core can judge of the promises, checked on a deployment that has a plan.

use switchboard::domain::ids::Partition;
use switchboard::store::timers::{NewTimer, TimerKind};
use switchboard::store::{queue, timers};

use crate::support::bodies::{PLAN, fact, phone, presence};
use crate::support::{PARTITIONS, Stage};

/// A customer waits, and nobody is there.
async fn with_one_who_waits() -> Stage {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&fact(&phone(1), "wamid.1", "k")).await;
    witness.until_events("conversation.queued", 1).await;
    stage.stop_workers().await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_free_while_a_conversation_waits_is_found_and_named() {
    let stage = with_one_who_waits().await;
    stage.assert_audit_is_clean().await;
    let idle = "update agent set presence = 'online' where id = 'martha'";
    stage
        .store
        .lone_client()
        .await
        .unwrap()
        .batch_execute(idle)
        .await
        .unwrap();
    let (good, said, _) = stage.run(&["audit", "--json"]).await;
    assert!(!good, "{said}");
    let findings: serde_json::Value = serde_json::from_str(&said).unwrap();
    let mut found = findings
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["violations"] != 0);
    let found = found.next().expect("a violation");
    assert_eq!(
        (&found["promise"], &found["violations"]),
        (&"P6".into(), &1.into()),
        "{said}"
    );
    let example = found["examples"][0].as_str().unwrap();
    assert!(
        example.starts_with("acme/") && example.ends_with("waits while martha is free"),
        "{example}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_conversation_that_a_batch_holds_is_no_violation() {
    let stage = with_one_who_waits().await;
    let client = stage.store.lone_client().await.unwrap();
    client
        .batch_execute("update agent set presence = 'online' where id = 'martha'; begin; select from conversation for no key update")
        .await
        .unwrap();
    stage.assert_audit_is_clean().await;
    client.batch_execute("commit").await.unwrap();
    stage.end().await;
}

/// Spoils what this says, and sets the timers that the minutely search would set for what it finds then.
async fn spoil(stage: &Stage, sql: &str) {
    let client = stage.store.lone_client().await.unwrap();
    client.batch_execute(sql).await.unwrap();
    let session = stage.store.session().await.unwrap();
    let mut found = Vec::new();
    for lane in (0..PARTITIONS).map(Partition) {
        let stranded = queue::stranded(&session, lane, 10).await.unwrap();
        found.extend(stranded.into_iter().map(|(tenant, id)| NewTimer {
            tenant,
            kind: TimerKind::Stranded,
            subject: id.to_string(),
            lane,
            due: None,
        }));
    }
    assert_eq!(found.len(), 1, "{found:?}");
    timers::set(&session, &found).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_fell_out_of_its_queue_is_put_back_by_the_search_and_served() {
    let mut stage = with_one_who_waits().await;
    let mut witness = stage.witness().await;
    spoil(
        &stage,
        "update conversation set requirement = null, waits_from = null",
    )
    .await;
    stage.worker();
    stage
        .until_count(
            "select count(*) from conversation where requirement is not null",
            1,
        )
        .await;
    stage.assert_audit_is_clean().await;
    stage.send(&presence("martha", "online")).await;
    witness.until_events("conversation.assigned", 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_whose_timer_was_lost_fires_all_the_same() {
    let mut stage = with_one_who_waits().await;
    let mut witness = stage.witness().await;
    let lost = "delete from timer; update conversation set clock_due = clock_timestamp() - interval '1 hour'";
    spoil(&stage, lost).await;
    stage.worker();
    witness.until_events("response.breached", 1).await;
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_goes_off_for_one_who_waits_sets_the_next_one() {
    let mut stage = with_one_who_waits().await;
    // The batch meets the conversation twice: by its alarm, and at the head of its queue.
    let early = "update conversation set alarm = clock_timestamp();
      update timer set due = clock_timestamp() where kind = 'alarm'";
    let client = stage.store.lone_client().await.unwrap();
    client.batch_execute(early).await.unwrap();
    stage.worker();
    let set_anew =
        "select count(*) from conversation c join timer t on t.kind = 'alarm' and t.subject = c.id::text
      where c.alarm = t.due and t.due > clock_timestamp() + interval '1 minute'";
    stage.until_count(set_anew, 1).await;
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
