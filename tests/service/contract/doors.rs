//! The doors as a client finds them: every way a command may be written and addressed takes effect once.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, presence, webhook};
use crate::support::rabbit::Rabbit;

/// A body as a binary CloudEvent: attributes in headers under this prefix, the data alone in the body.
fn binary(event: &Value, prefix: &str) -> (BasicProperties, Vec<u8>) {
    let mut headers = FieldTable::default();
    for (name, value) in event
        .as_object()
        .expect("an event")
        .iter()
        .filter(|(name, _)| *name != "data")
    {
        let text = value.as_str().expect("attributes are texts");
        let value = AMQPValue::LongString(text.into());
        headers.insert(format!("{prefix}{name}").as_str().into(), value);
    }
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_headers(headers);
    (properties, serde_json::to_vec(&event["data"]).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_takes_effect_whichever_way_it_is_written_and_addressed() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let words = ["online", "away", "offline", "online", "away", "offline", "online"];
    let mut commands = words.map(|word| presence("martha", word)).into_iter();
    let mut next = || commands.next().expect("one more");
    let mut sent = Vec::new();
    let structured = BasicProperties::default().with_content_type("application/cloudevents+json".into());
    // Each waits for the one before: commands at different doors have no order among each other.
    for way in 0..words.len() {
        let event = next();
        let body = serde_json::to_vec(&event).unwrap();
        let none = BasicProperties::default;
        match way {
            0 => stage.publish("commands", "0", &body, structured.clone()).await,
            1 => {
                stage
                    .publish("commands", "no partition at all", &body, none())
                    .await
            }
            2 => stage.publish("inbound", "1", &body, none()).await,
            3 => {
                stage
                    .publish(
                        "ingress",
                        "",
                        &body,
                        none().with_content_type("text/plain".into()),
                    )
                    .await
            }
            _ => {
                let prefix = ["ce-", "cloudEvents:", "cloudEvents_"][way - 4];
                let (properties, body) = binary(&event, prefix);
                let (door, key) = if way == 4 {
                    ("commands", "2")
                } else {
                    ("ingress", "x")
                };
                stage.publish(door, key, &body, properties).await;
            }
        }
        sent.push(event["id"].as_str().expect("an id").to_owned());
        witness.until_events("agent.presence_changed", way + 1).await;
    }
    let changed = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "agent.presence_changed");
    let told: Vec<_> = changed
        .map(|one| (one.text("/data/cause"), one.text("/data/presence")))
        .collect();
    let wanted: Vec<_> = sent.iter().map(String::as_str).zip(words).collect();
    assert_eq!(told, wanted);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_about_a_conversation_finds_it_without_a_partition_key() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&webhook("5511999990000", "wamid.1", "hello")).await;
    witness.until_events("conversation.queued", 1).await;
    let queued = witness.first("conversation.queued").clone();
    let claim = json!({"conversation": queued.text("/subject"), "to": {"agent": "martha"}});
    stage.send(&command("assign", "martha", claim)).await;
    witness.until_events("conversation.assigned", 1).await;
    let assigned = witness.first("conversation.assigned");
    for attribute in ["/partitionkey", "/partition", "/subject"] {
        assert_eq!(assigned.text(attribute), queued.text(attribute), "{attribute}");
    }
    stage.end().await;
}

/// Whether an exchange of this name and kind is there, as a client that declares it passively sees it.
async fn assert_exchange(rabbit: &Rabbit, name: &str, kind: lapin::ExchangeKind) {
    let options = lapin::options::ExchangeDeclareOptions {
        durable: true,
        passive: true,
        ..Default::default()
    };
    let name = format!("{}.{name}", rabbit.prefix);
    let channel = rabbit.channel().await;
    let declared = channel
        .exchange_declare(name.as_str().into(), kind, options, FieldTable::default())
        .await;
    declared.unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[tokio::test]
async fn the_prefix_names_every_exchange_and_queue_of_the_contract() {
    let stage = Stage::empty().await;
    use lapin::ExchangeKind::{Direct, Topic};
    let exchanges = [
        ("ingress", Topic),
        ("inbound", Direct),
        ("commands", Direct),
        ("events", Topic),
        ("notifications", Topic),
    ];
    for (name, kind) in exchanges {
        assert_exchange(&stage.rabbit, name, kind).await;
    }
    let channel = stage.rabbit.channel().await;
    for name in ["partition.0", "partition.3", "dead"] {
        let name = format!("{}.{name}", stage.rabbit.prefix);
        let passive = lapin::options::QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let declared = channel
            .queue_declare(name.as_str().into(), passive, FieldTable::default())
            .await;
        declared.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    stage.end().await;
}
