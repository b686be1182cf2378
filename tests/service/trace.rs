//! A trace from what comes in to everything it causes, in all three places, by every way it can take.

use std::collections::BTreeMap;
use std::process::Stdio;

use lapin::BasicProperties;
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use switchboard::contract::partition;

use crate::support::bodies::{PLAN, command, fact, phone, presence, webhook};
use crate::support::wait::until;
use crate::support::wire::Wire;
use crate::support::witness::{Seen, Witness};
use crate::support::{PARTITIONS, Stage, environment};

/// The trace of this number, with its own `tracestate`.
fn trace(number: u8) -> (String, String) {
    let parent = format!("00-{number:032x}-b9c7c989f97918e1-01");
    (parent, format!("step={number},other=\"{number}\""))
}

/// What a message says of a trace: in the body, as attributes in the headers, and as plain headers.
fn said(seen: &Seen) -> [(Option<String>, Option<String>); 3] {
    let header = |name: &str| {
        let found = seen.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.clone())
    };
    let field = |name: &str| {
        seen.body
            .get(name)
            .map(|value| value.as_str().unwrap().to_owned())
    };
    [
        (field("traceparent"), field("tracestate")),
        (header("ce-traceparent"), header("ce-tracestate")),
        (header("traceparent"), header("tracestate")),
    ]
}

#[track_caller]
fn assert_says(seen: &Seen, trace: Option<&(String, String)>) {
    let expected = trace.map_or((None, None), |(parent, state)| {
        (Some(parent.clone()), Some(state.clone()))
    });
    for place in said(seen) {
        assert_eq!(place, expected, "{}", seen.body);
    }
}

fn headers(pairs: &[(&str, &str)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in pairs {
        table.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    BasicProperties::default().with_headers(table)
}

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

/// A queue to wait for answers in.
async fn mailbox(stage: &Stage) -> (lapin::Channel, String) {
    let channel = stage.rabbit.channel().await;
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel
        .queue_declare("".into(), exclusive, FieldTable::default())
        .await;
    let name = declared.unwrap().name().to_string();
    (channel, name)
}

/// The next answer.
async fn answer((channel, name): &(lapin::Channel, String)) -> Seen {
    until("an answer", async || {
        let got = channel
            .basic_get(name.as_str().into(), BasicGetOptions { no_ack: true })
            .await;
        got.unwrap().map(|message| Seen::of(&message.delivery))
    })
    .await
}

/// Plain headers of the trace of this number.
fn plain(number: u8) -> BasicProperties {
    let (parent, state) = trace(number);
    headers(&[("traceparent", &parent), ("tracestate", &state)])
}

/// A command that says itself which trace it belongs to.
fn close(conversation: &str, id: &str, number: u8) -> Value {
    let (parent, state) = trace(number);
    let mut body = command("close", "martha", json!({"conversation": conversation}));
    (body["id"], body["traceparent"], body["tracestate"]) = (id.into(), parent.into(), state.into());
    body
}

/// What was seen of each trace, each kind as often as it was, and that every place of every message says the same.
#[track_caller]
fn by_trace(witness: &Witness) -> BTreeMap<u8, Vec<&str>> {
    let mut kinds: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for seen in &witness.seen {
        let number = (0..10).find(|number| trace(*number).0 == seen.text("/traceparent"));
        assert_says(seen, number.map(trace).as_ref());
        kinds.entry(number.unwrap_or(0)).or_default().push(seen.kind());
    }
    kinds.values_mut().for_each(|kinds| kinds.sort_unstable());
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_input_causes_belongs_to_its_trace() {
    let mut stage = Stage::with_plan(&PLAN.replace("capacity = 2", "capacity = 1")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    // Without a trace there is nothing of one.
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;

    // Through the ingress, as a binary event with the attributes of the extension.
    let (parent, state) = trace(1);
    let event = fact(&phone(1), "wamid.1", "home-1");
    let attributes = [
        ("ce-specversion", "1.0"),
        ("ce-id", "event-1"),
        ("ce-source", "gateway"),
        ("ce-type", "whatsapp.message.received"),
        ("ce-partitionkey", "home-1"),
        ("ce-traceparent", &parent),
        ("ce-tracestate", &state),
    ];
    let binary = headers(&attributes);
    stage
        .publish("ingress", "any", &bytes(&event["data"]), binary)
        .await;
    witness.until_events("conversation.assigned", 1).await;
    let conversation = witness.first("conversation.assigned").text("/subject").to_owned();

    // Straight to a partition of another home, with plain headers; then once more, as another attempt of its sender.
    let home = partition::of("home-1", PARTITIONS);
    let elsewhere = |key: &String| partition::of(key, PARTITIONS) != home;
    let key = (2..).map(|n| format!("home-{n}")).find(elsewhere).unwrap();
    let to = partition::of(&key, PARTITIONS).to_string();
    let event = bytes(&fact(&phone(2), "wamid.2", &key));
    for number in [2, 9] {
        stage.publish("inbound", &to, &event, plain(number)).await;
    }
    witness.until_events("conversation.queued", 1).await;
    let waiting = witness.first("conversation.queued").text("/subject").to_owned();

    // A command that frees a place, which a conversation of another lane takes.
    let mailbox = mailbox(&stage).await;
    let asking = plain(8).with_reply_to(mailbox.1.as_str().into());
    let closing = bytes(&close(&conversation, "close-1", 3));
    stage.publish("ingress", "any", &closing, asking).await;
    let answered = answer(&mailbox).await;
    assert_eq!(answered.kind(), "conversation.closed");
    assert_says(&answered, Some(&trace(3)));
    witness.until_events("conversation.assigned", 2).await;
    let of_other = witness.story(&waiting);
    assert_eq!(of_other.last().unwrap().kind(), "conversation.assigned");

    // The same command in another trace is a duplicate, and its answer belongs to whoever asked: by plain headers, which go
    // on through the ingress as they came.
    let mut again = command("close", "martha", json!({"conversation": conversation}));
    again["id"] = "close-1".into();
    let asking = plain(4).with_reply_to(mailbox.1.as_str().into());
    stage.publish("ingress", "any", &bytes(&again), asking).await;
    let answered = answer(&mailbox).await;
    assert_eq!(answered.kind(), "command.duplicate");
    assert_says(&answered, Some(&trace(4)));

    // A gateway's own body, to the lane that has met the other attempt before it: nothing came of that.
    let body = webhook(&phone(2), "wamid.3", "hello");
    stage.publish("ingress", "any", &bytes(&body), plain(5)).await;
    witness.until_events("notification.message", 1).await;

    let expected = [
        (0, vec!["agent.presence_changed", "plan.activated"]),
        (
            1,
            vec![
                "conversation.assigned",
                "conversation.opened",
                "message.received",
                "notification.assigned",
            ],
        ),
        (
            2,
            vec![
                "conversation.opened",
                "conversation.queued",
                "message.received",
                "notification.new_conversation",
                "notification.new_conversation",
                "notification.new_conversation",
            ],
        ),
        (
            3,
            vec![
                "conversation.assigned",
                "conversation.closed",
                "notification.assigned",
            ],
        ),
        (5, vec!["message.received", "notification.message"]),
    ];
    let all = expected.iter().map(|(_, kinds)| kinds.len()).sum();
    witness.until("all there is", |seen| seen.len() >= all).await;
    assert_eq!(by_trace(&witness), BTreeMap::from(expected));
    witness.assert_sequences();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_again_after_a_crash_belongs_to_the_same_trace() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    let wire = Wire::over(&environment("AMQP_URL")).await;
    let mut doomed = stage
        .program(&["worker"])
        .env("AMQP_URL", &wire.url)
        .spawn()
        .unwrap();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;

    // Decided while nothing can be published; then published, and never confirmed.
    wire.block();
    let to = partition::of("home-1", PARTITIONS).to_string();
    let event = bytes(&fact(&phone(1), "wamid.1", "home-1"));
    stage.publish("inbound", &to, &event, plain(1)).await;
    stage.until_count("select count(*) from conversation", 1).await;
    wire.keep_answers();
    wire.unblock();
    let times = |seen: &[Seen], kind: &str| seen.iter().filter(|one| one.kind() == kind).count();
    let once = |seen: &[Seen]| times(seen, "notification.assigned") == 1;
    witness.until("the first time", once).await;
    doomed.kill().await.unwrap();

    stage.worker();
    let twice = |seen: &[Seen]| times(seen, "notification.assigned") == 2;
    witness.until("the second time", twice).await;
    let of_fact = witness
        .seen
        .iter()
        .filter(|one| !one.text("/data/conversation").is_empty());
    let of_fact: Vec<_> = of_fact.collect();
    assert_eq!(of_fact.len(), 2 * 4, "opened, received, assigned and told, twice");
    of_fact.iter().for_each(|seen| assert_says(seen, Some(&trace(1))));
    witness.assert_sequences();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_line_of_a_dead_letter_names_its_trace_and_the_letter_keeps_it() {
    let stage = Stage::with_plan(PLAN).await;
    let witness = stage.witness().await;
    let mut command = stage.program(&["worker"]);
    let mut worker = command.stdout(Stdio::null()).spawn().unwrap();
    stage.publish("ingress", "any", b"{", plain(1)).await;
    stage.publish("inbound", "0", b"{", plain(2)).await;
    let mut unknown = fact(&phone(1), "wamid.1", "home-1");
    unknown["data"]["channel"] = "whatsapp:999".into();
    unknown["traceparent"] = trace(3).0.into();
    stage.publish("inbound", "0", &bytes(&unknown), plain(4)).await;
    for letter in witness.letters(3).await {
        assert!(letter.headers.contains_key("traceparent"), "{letter:?}");
    }
    worker.kill().await.unwrap();
    let log = worker.wait_with_output().await.unwrap().stderr;
    let log = String::from_utf8(log).unwrap();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let dead = lines.filter(|line| line["message"] == "message dead-lettered");
    let mut ids: Vec<_> = dead.map(|line| line["trace_id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [1, 2, 3].map(|number: u8| json!(format!("{number:032x}"))));
}
