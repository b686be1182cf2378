//! What happens when something dies: nothing is lost, nothing happens twice, order holds.

use std::time::Instant;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use switchboard::broker::consumer;

use crate::support::bodies::{fact, phone, presence, roomy_plan};
use crate::support::wait::{until, within};
use crate::support::wire::Wire;
use crate::support::{PARTITIONS, Stage, environment};

/// Customers of a flood.
const CUSTOMERS: usize = 40;
/// Messages of each.
const EACH: usize = 10;

/// Puts a flood into the partitions: every customer's messages in order, on the customer's lane.
async fn flood(stage: &Stage, part: usize) {
    for n in 0..EACH {
        for customer in 0..CUSTOMERS {
            let key = format!("customer-{customer}");
            let id = format!("wamid.{customer}.{part}.{n}");
            stage
                .send_native("inbound", &key, &fact(&phone(customer), &id, &key))
                .await;
        }
    }
}

/// Every message took effect once and in order, and nothing is left anywhere.
async fn assert_complete(stage: &Stage, witness: &mut crate::support::witness::Witness, parts: usize) {
    witness
        .until_events("message.received", CUSTOMERS * EACH * parts)
        .await;
    witness.assert_sequences();
    for conversation in witness.conversations() {
        let ids: Vec<(usize, usize)> = witness
            .story(&conversation)
            .iter()
            .filter(|one| one.kind() == "message.received")
            .map(|one| {
                let id: Vec<&str> = one.text("/data/message/id").split('.').collect();
                (id[2].parse().unwrap(), id[3].parse().unwrap())
            })
            .collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(ids, sorted, "the messages of {conversation} in their order");
        assert_eq!(ids.len(), EACH * parts);
    }
    let inputs = stage.count("select count(*) from inbox").await;
    assert_eq!(usize::try_from(inputs).unwrap(), CUSTOMERS * EACH * parts);
    stage.assert_audit_is_clean().await;
}

/// Waits until no partition queue holds a message.
async fn until_queues_are_empty(stage: &Stage) {
    let channel = stage.rabbit.channel().await;
    for partition in 0..PARTITIONS {
        let queue = stage.rabbit.topology.partition_queue(partition);
        until("an empty partition queue", async || {
            let passive = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let declared = channel.queue_declare(queue.as_str().into(), passive, FieldTable::default());
            (declared.await.unwrap().message_count() == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_14_a_worker_killed_at_any_moment_loses_and_doubles_nothing() {
    let stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let mut doomed = stage.process();
    let mut steady = stage.process();
    stage.send(&presence("martha", "online")).await;
    flood(&stage, 0).await;
    witness.until_events("message.received", CUSTOMERS).await;
    doomed.kill().await.unwrap();
    let mut third = stage.process();
    flood(&stage, 1).await;
    witness.until_events("message.received", CUSTOMERS * EACH).await;
    steady.kill().await.unwrap();
    assert_complete(&stage, &mut witness, 2).await;
    until_queues_are_empty(&stage).await;
    third.kill().await.unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_finishes_its_batch_and_lets_its_lanes_go() {
    let stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let mut first = stage.process();
    flood(&stage, 0).await;
    witness.until_events("message.received", CUSTOMERS).await;
    let pid = first.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
    let status = within("the worker's end", first.wait()).await.unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(
        stage
            .count("select count(*) from lane where worker is not null or not clean")
            .await,
        0
    );
    let left = stage.count("select count(*) from outbox").await;
    assert_eq!(left, 0, "what is confirmed is not left to be published again");
    let mut second = stage.process();
    assert_complete(&stage, &mut witness, 1).await;
    // A lane with nothing to do cleans up too.
    stage.until_count("select count(*) from outbox", 0).await;
    witness.assert_published_once();
    until_queues_are_empty(&stage).await;
    second.kill().await.unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_everything_waits_and_nothing_is_dead_lettered() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let wire = Wire::over(&stage.database.url).await;
    let settings = stage.settings(&wire.url, &environment("AMQP_URL"));
    stage.worker_with(settings);
    flood(&stage, 0).await;
    witness.until_events("message.received", CUSTOMERS).await;
    wire.cut();
    flood(&stage, 1).await;
    // Longer than a lease: the lanes have to give up and be taken again.
    stage
        .until_count(
            "select count(*) from lane where lease_until > clock_timestamp()",
            0,
        )
        .await;
    wire.mend();
    assert_complete(&stage, &mut witness, 2).await;
    until_queues_are_empty(&stage).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_blocks_publishers_lanes_give_up_in_time_and_nothing_is_lost() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let wire = Wire::over(&environment("AMQP_URL")).await;
    let settings = stage.settings(&stage.database.url, &wire.url);
    let lease = settings.worker.lease;
    stage.worker_with(settings);
    flood(&stage, 0).await;
    witness.until_events("message.received", CUSTOMERS * EACH).await;
    wire.block();
    flood(&stage, 1).await;
    let flooded = Instant::now();
    // No lane waits for confirms beyond its lease: what it had in hand goes back into its queue, unacknowledged.
    let ready = async || {
        let mut ready = 0;
        for partition in 0..PARTITIONS {
            let queue = stage.rabbit.topology.partition_queue(partition);
            let state = consumer::state_of(&stage.rabbit.connection, &queue).await;
            ready += state.expect("the queue is there").0 as usize;
        }
        (ready == CUSTOMERS * EACH).then_some(())
    };
    until("all messages to be back", ready).await;
    let took = flooded.elapsed();
    assert!(took < lease * 3, "{took:?}");
    assert!(stage.count("select count(*) from outbox").await > 0);
    wire.unblock();
    assert_complete(&stage, &mut witness, 2).await;
    until_queues_are_empty(&stage).await;
    stage.until_count("select count(*) from outbox", 0).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_events_stay_in_the_outbox_and_come_out_in_order() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let wire = Wire::over(&environment("AMQP_URL")).await;
    let settings = stage.settings(&stage.database.url, &wire.url);
    stage.worker_with(settings);
    flood(&stage, 0).await;
    witness.until_events("message.received", CUSTOMERS).await;
    wire.cut();
    flood(&stage, 1).await;
    // Without a broker for one lease, the worker lets its lanes go.
    stage
        .until_count("select count(*) from lane where worker is not null", 0)
        .await;
    wire.mend();
    assert_complete(&stage, &mut witness, 2).await;
    until_queues_are_empty(&stage).await;
    stage.end().await;
}
