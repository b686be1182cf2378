//! Sees everything that is published to events, notifications and the dead queue, in order.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::rabbit::Rabbit;
use super::wait::{BOUND, until};

/// One message as it was published.
#[derive(Debug, Clone)]
pub struct Seen {
    pub routing_key: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Seen {
    pub fn of(message: &Delivery) -> Self {
        Self {
            routing_key: message.routing_key.to_string(),
            headers: headers(message),
            body: serde_json::from_slice(&message.data).expect("what we publish is JSON"),
        }
    }

    /// The type without `switchboard.`.
    pub fn kind(&self) -> &str {
        self.text("/type").trim_start_matches("switchboard.")
    }

    pub fn text(&self, path: &str) -> &str {
        self.body
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub fn number(&self, path: &str) -> i64 {
        self.body.pointer(path).and_then(Value::as_i64).unwrap_or(-1)
    }

    pub fn is_notification(&self) -> bool {
        self.kind().starts_with("notification.")
    }
}

pub struct Witness {
    channel: Channel,
    stream: Consumer,
    dead: String,
    pub seen: Vec<Seen>,
}

impl Witness {
    pub async fn watch(rabbit: &Rabbit) -> Self {
        let channel = rabbit.channel().await;
        let options = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel
            .queue_declare("".into(), options, FieldTable::default())
            .await
            .unwrap()
            .name()
            .clone();
        for exchange in ["events", "notifications"] {
            let exchange = rabbit.topology.name(exchange);
            let bind = channel.queue_bind(
                queue.clone(),
                exchange.as_str().into(),
                "#".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            bind.await.unwrap();
        }
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let stream = channel
            .basic_consume(queue, "witness".into(), options, FieldTable::default())
            .await
            .unwrap();
        Self {
            channel,
            stream,
            dead: rabbit.topology.name("dead"),
            seen: Vec::new(),
        }
    }

    /// Waits until what was seen so far satisfies `done`; the panic shows what was seen.
    #[track_caller]
    pub fn until(
        &mut self,
        what: impl Into<String>,
        mut done: impl FnMut(&[Seen]) -> bool,
    ) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let what = what.into();
        async move {
            let deadline = Instant::now() + BOUND;
            while !done(&self.seen) {
                let Ok(message) = timeout_at(deadline, self.stream.next()).await else {
                    let kinds: Vec<&str> = self.seen.iter().map(Seen::kind).collect();
                    panic!("{place}: waited in vain for {what}; seen: {kinds:?}");
                };
                let message = message.expect("the witness's queue stays").unwrap();
                self.seen.push(Seen::of(&message));
            }
        }
    }

    /// Waits for this many events of a kind (duplicates by id counted once).
    #[track_caller]
    pub fn until_events(&mut self, kind: &str, count: usize) -> impl Future<Output = ()> {
        let kind = kind.to_owned();
        let what = format!("{count} of {kind}");
        // What was looked at is not looked at again: a flood would cost its square.
        let mut looked_at = 0;
        let mut ids = std::collections::BTreeSet::new();
        self.until(what, move |seen| {
            let new = seen[looked_at..].iter().filter(|one| one.kind() == kind);
            ids.extend(new.map(|one| one.text("/id").to_owned()));
            looked_at = seen.len();
            ids.len() >= count
        })
    }

    /// The events (no notifications) of one conversation, without duplicates, in the order they were seen first.
    pub fn story(&self, conversation: &str) -> Vec<&Seen> {
        let mut ids = std::collections::BTreeSet::new();
        let own = self
            .seen
            .iter()
            .filter(|one| !one.is_notification() && one.text("/subject") == conversation);
        own.filter(|one| ids.insert(one.text("/id").to_owned())).collect()
    }

    /// Kinds of the events of one conversation.
    pub fn kinds(&self, conversation: &str) -> Vec<&str> {
        self.story(conversation).iter().map(|one| one.kind()).collect()
    }

    /// Every conversation that was heard of.
    pub fn conversations(&self) -> Vec<String> {
        let subjects = self
            .seen
            .iter()
            .filter(|one| one.headers.iter().any(|(name, _)| name == "ce-sequence"));
        let all: std::collections::BTreeSet<&str> = subjects
            .filter(|one| !one.is_notification())
            .map(|one| one.text("/subject"))
            .collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Notifications of a kind, as who was told.
    pub fn told(&self, kind: &str) -> Vec<String> {
        let kind = format!("notification.{kind}");
        let own = self.seen.iter().filter(|one| one.kind() == kind);
        own.map(|one| {
            format!(
                "{}/{}",
                one.text("/data/recipient/kind"),
                one.text("/data/recipient/id")
            )
        })
        .collect()
    }

    /// The first events of a kind.
    #[track_caller]
    pub fn first(&self, kind: &str) -> &Seen {
        let found = self.seen.iter().find(|one| one.kind() == kind);
        found.unwrap_or_else(|| panic!("no {kind} was seen"))
    }

    /// Sequences of every conversation: first publications contiguous from 1, duplicates the same in all.
    #[track_caller]
    pub fn assert_sequences(&self) {
        let mut ids = std::collections::BTreeSet::new();
        let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let ordered = self.seen.iter().filter(|one| !one.is_notification());
        for event in ordered.filter(|one| !one.text("/sequence").is_empty()) {
            if ids.insert(event.text("/id")) {
                let conversation = event.text("/subject");
                let count = counts.entry(conversation).or_default();
                *count += 1;
                assert_eq!(
                    event.text("/sequence"),
                    format!("{count:020}"),
                    "{conversation}: {:?}",
                    self.kinds(conversation)
                );
            }
        }
        let mut bodies = std::collections::BTreeMap::new();
        for one in &self.seen {
            let before = bodies.insert(one.text("/id").to_owned(), &one.body);
            assert!(
                before.is_none_or(|before| *before == one.body),
                "a duplicate differs: {}",
                one.body
            );
        }
    }

    /// Nothing was published twice: where nothing broke off, nothing need be repeated.
    #[track_caller]
    pub fn assert_published_once(&self) {
        let mut ids = std::collections::BTreeSet::new();
        let twice = self.seen.iter().find(|one| !ids.insert(one.text("/id")));
        assert!(twice.is_none(), "published twice: {twice:?}");
    }

    /// Takes this many dead letters.
    pub async fn letters(&self, count: usize) -> Vec<Letter> {
        let mut letters = Vec::new();
        for number in 1..=count {
            let what = format!("{number} of {count} dead letters");
            let letter = until(&what, async || {
                let options = BasicGetOptions { no_ack: true };
                let got = self.channel.basic_get(self.dead.as_str().into(), options).await;
                got.unwrap()
            });
            let message = letter.await.delivery;
            letters.push(Letter {
                headers: headers(&message).into_iter().collect(),
                body: message.data,
            });
        }
        letters
    }
}

/// A dead letter.
#[derive(Debug)]
pub struct Letter {
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Letter {
    /// Why it is one.
    pub fn reason(&self) -> &str {
        &self.headers["x-switchboard-reason"]
    }
}

/// The headers of a message; what is no text as its text.
fn headers(message: &Delivery) -> Vec<(String, String)> {
    let headers = message.properties.headers().clone().unwrap_or_default();
    let text = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::LongInt(number) => number.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let all = headers.inner().iter();
    all.map(|(name, value)| (name.to_string(), text(value))).collect()
}
