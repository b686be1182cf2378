//! Answers to callers: which lane publishes them.

use serde_json::{Value, json};
use switchboard::contract::envelope::{Destination, OutMessage};
use switchboard::contract::parcel;
use switchboard::domain::ids::Partition;
use switchboard::store::outbox;

use crate::support::bodies::{PLAN, command, fact, phone, presence};
use crate::support::visitor::visit;
use crate::support::{PARTITIONS, Stage};

/// What each lane has to publish, taken out of the outbox.
async fn left(stage: &Stage) -> Vec<(Partition, Vec<OutMessage>)> {
    let session = stage.store.session().await.unwrap();
    let mut left = Vec::new();
    for lane in (0..PARTITIONS).map(Partition) {
        let rows = outbox::read(&session, lane, &[], 100).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        let messages = rows.iter().flat_map(|(_, body)| parcel::unpack(body).unwrap());
        left.push((lane, messages.collect()));
        outbox::delete(&session, lane, &ids).await.unwrap();
    }
    left
}

fn event<'a>(messages: &'a [OutMessage], kind: &str) -> Option<&'a OutMessage> {
    let wanted = |message: &&OutMessage| message.to == Destination::Events && message.kind == kind;
    messages.iter().find(wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_published_by_the_lane_of_the_event_it_repeats_and_after_it() {
    let stage = Stage::with_plan(&PLAN.replace("capacity = 2", "capacity = 1")).await;
    visit(&stage, &[presence("martha", "online")]).await;
    // The first customer has Martha; those of all lanes wait, so that whoever gets her next is of another home.
    visit(&stage, &[fact(&phone(0), "wamid.0", "home-0")]).await;
    let opened = left(&stage).await;
    let (home, first) = opened
        .iter()
        .find_map(|(lane, messages)| Some((*lane, event(messages, "switchboard.conversation.opened")?)))
        .unwrap();
    let first: Value = serde_json::from_str(&first.body).unwrap();
    let elsewhere = (1..).map(|n| format!("home-{n}"));
    let elsewhere = elsewhere.filter(|key| switchboard::contract::partition::of(key, PARTITIONS) != home.0);
    for (n, key) in elsewhere.take(2).enumerate() {
        visit(&stage, &[fact(&phone(n + 1), &format!("wamid.{}", n + 1), &key)]).await;
    }
    left(&stage).await;

    visit(
        &stage,
        &[command(
            "close",
            "martha",
            json!({"conversation": first["subject"]}),
        )],
    )
    .await;

    let mut drained_elsewhere = false;
    for (lane, messages) in left(&stage).await {
        let answer = messages
            .iter()
            .position(|message| message.to == Destination::Queue("caller".into()));
        assert_eq!(answer.is_some(), lane == home, "lane {lane}: {messages:#?}");
        if let Some(answer) = answer {
            let closed = messages
                .iter()
                .position(|message| message.to == Destination::Events);
            assert!(closed < Some(answer));
            assert_eq!(messages[answer].kind, "switchboard.conversation.closed");
            assert_eq!(
                Some(&messages[answer].id),
                closed.map(|closed| &messages[closed].id)
            );
        }
        drained_elsewhere |= lane != home && event(&messages, "switchboard.conversation.assigned").is_some();
    }
    assert!(
        drained_elsewhere,
        "the freed place went to a conversation of another home"
    );
    stage.end().await;
}
