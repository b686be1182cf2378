//! A client of its own: raw AMQP, raw JSON, and what CONTRACT promises of every message that leaves.

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::support::wait::BOUND;
use crate::support::{PARTITIONS, Stage, environment};

/// Stands in an expected value for a UUID, whichever.
pub const A_UUID: &str = "<uuid>";
/// Stands in an expected value for a time, whichever.
pub const A_TIME: &str = "<time>";

/// One message as it came off the wire.
#[derive(Debug)]
pub struct Message {
    pub routing_key: String,
    pub body: Value,
}

impl Message {
    /// The type after `switchboard.`.
    pub fn kind(&self) -> &str {
        self.text("/type")
            .strip_prefix("switchboard.")
            .expect("one of ours")
    }

    pub fn text(&self, path: &str) -> &str {
        self.body
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Everything that is published on the two exchanges, each in its order.
pub struct Client {
    events: Consumer,
    notifications: Consumer,
    // Both queues go with their connection.
    _connection: Connection,
}

impl Client {
    pub async fn of(stage: &Stage) -> Self {
        let url = environment("AMQP_URL");
        let connection = Connection::connect(&url, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let prefix = &stage.rabbit.prefix;
        Self {
            events: everything(&channel, &format!("{prefix}.events")).await,
            notifications: everything(&channel, &format!("{prefix}.notifications")).await,
            _connection: connection,
        }
    }

    /// The next event. Fails if none comes, or if it is not as every event must be.
    pub async fn event(&mut self) -> Message {
        let message = next(&mut self.events).await;
        let entity_verb = format!("{}.acme.", message.kind());
        assert!(message.routing_key.starts_with(&entity_verb), "{message:#?}");
        let of_conversation = Uuid::parse_str(message.text("/subject"));
        assert_eq!(
            of_conversation.is_ok(),
            message.body.get("sequence").is_some(),
            "{message:#?}"
        );
        if let Ok(conversation) = of_conversation {
            let sequence: u64 = message.text("/sequence").parse().unwrap();
            assert_eq!(message.text("/sequence"), format!("{sequence:020}"));
            let id = Uuid::new_v5(&conversation, sequence.to_string().as_bytes());
            assert_eq!(
                message.text("/id"),
                id.to_string(),
                "the id follows from conversation and sequence"
            );
            assert_eq!(message.text("/data/conversation"), message.text("/subject"));
        }
        message
    }

    /// The next notification. Fails if none comes, or if it is not as every notification must be.
    pub async fn notification(&mut self) -> Message {
        let message = next(&mut self.notifications).await;
        let kind = message.text("/data/kind");
        assert_eq!(message.text("/type"), format!("switchboard.notification.{kind}"));
        assert!(message.routing_key.ends_with(&format!(".{kind}")), "{message:#?}");
        assert!(!message.text("/data/text").is_empty(), "{message:#?}");
        message
    }
}

async fn everything(channel: &Channel, exchange: &str) -> Consumer {
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel
        .queue_declare("".into(), exclusive, FieldTable::default())
        .await;
    let queue = declared.unwrap().name().clone();
    let bound = channel.queue_bind(
        queue.clone(),
        exchange.into(),
        "#".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.unwrap();
    let no_ack = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel.basic_consume(queue, "".into(), no_ack, FieldTable::default());
    consumer.await.unwrap()
}

async fn next(consumer: &mut Consumer) -> Message {
    let delivery = timeout_at(Instant::now() + BOUND, consumer.next()).await;
    let delivery = delivery
        .expect("one more message")
        .expect("the queue stays")
        .unwrap();
    let body: Value = serde_json::from_slice(&delivery.data).expect("what leaves is JSON");
    assert_outside(&delivery, &body);
    Message {
        routing_key: delivery.routing_key.to_string(),
        body,
    }
}

/// CloudEvents 1.0 in structured JSON, its attributes repeated as string headers, persistent.
fn assert_outside(delivery: &Delivery, body: &Value) {
    let properties = &delivery.properties;
    let property = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    assert_eq!(
        property(properties.content_type()).as_deref(),
        Some("application/cloudevents+json")
    );
    assert_eq!(property(properties.message_id()), text("id"));
    assert_eq!(property(properties.kind()), text("type"));
    assert_eq!(property(properties.app_id()).as_deref(), Some("switchboard"));
    assert!(properties.correlation_id().is_some());
    assert_eq!(*properties.delivery_mode(), Some(2), "persistent");
    let headers = properties.headers().clone().unwrap_or_default();
    for (name, value) in body
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(name, _)| *name != "data")
    {
        let header = headers.inner().get(format!("ce-{name}").as_str());
        let Some(AMQPValue::LongString(header)) = header else {
            panic!("no text ce-{name} in {headers:?}");
        };
        assert_eq!(Some(header.to_string().as_str()), value.as_str(), "ce-{name}");
    }
    let constant = [
        ("specversion", "1.0"),
        ("source", "switchboard/acme"),
        ("datacontenttype", "application/json"),
    ];
    for (name, value) in constant {
        assert_eq!(body[name], value);
    }
    assert!(is_time(&body["time"]), "{body}");
    let partition =
        crc32fast::hash(body["partitionkey"].as_str().unwrap().as_bytes()) % u32::from(PARTITIONS);
    assert_eq!(body["partition"], partition.to_string());
}

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Where an actual value is not as expected; `None`: it is. Fields may be added to what leaves, none may be missing.
pub fn difference(expected: &Value, actual: &Value, place: &str) -> Option<String> {
    let ok = match expected {
        Value::String(text) if text == A_UUID => actual
            .as_str()
            .is_some_and(|actual| Uuid::parse_str(actual).is_ok()),
        Value::String(text) if text == A_TIME => is_time(actual),
        Value::Object(fields) => {
            return fields.iter().find_map(|(name, value)| {
                let there = actual.get(name);
                let missing = || Some(format!("{place}/{name} is missing"));
                there.map_or_else(missing, |there| {
                    difference(value, there, &format!("{place}/{name}"))
                })
            });
        }
        other => other == actual,
    };
    (!ok).then(|| format!("{place} is {actual}, not {expected}"))
}
