//! Bodies that mean harm, for every adapter: each has its documented outcome, its fault is told in words and by its place,
//! and nothing beside it is lost.

mod crowds;
mod encodings;
mod names;
mod shapes;
mod sizes;
mod types;

use serde_json::{Value, json};
use switchboard::contract::{Adapter, Arrived, DeadReason};

use super::{fixture, gateways};
use crate::fuzzed::targets::letter::Letter;
use crate::fuzzed::targets::sound;

/// A body that an adapter takes whole: one message of a customer.
pub struct Form {
    pub adapter: Adapter,
    pub body: Value,
    /// The places (JSON pointers) of what the message is called, what it says, and when it was sent.
    pub id: &'static str,
    pub words: &'static str,
    pub time: &'static str,
    /// The places of the message itself, and of the list it stands in, if it stands in one.
    pub message: &'static str,
    pub list: Option<&'static str>,
}

/// One for each adapter, two where one adapter takes two gateways.
pub fn forms() -> [Form; 6] {
    let webhook = fixture("webhook_text");
    let content = json!({"extendedTextMessage": {"text": "quero cancelar"}});
    let mut evolution = gateways::evolution(gateways::from_ana(), content.clone());
    evolution["data"] = json!([evolution["data"]]);
    [
        Form {
            adapter: Adapter::CloudEvents,
            body: fixture("native_received"),
            id: "/data/message/id",
            words: "/data/message/text",
            time: "/data/message/timestamp",
            message: "/data/message",
            list: None,
        },
        Form {
            adapter: Adapter::CloudApi,
            body: webhook.clone(),
            id: "/entry/0/changes/0/value/messages/0/id",
            words: "/entry/0/changes/0/value/messages/0/text/body",
            time: "/entry/0/changes/0/value/messages/0/timestamp",
            message: "/entry/0/changes/0/value/messages/0",
            list: Some("/entry/0/changes/0/value/messages"),
        },
        Form {
            adapter: Adapter::UnoApi,
            body: json!({"webhooks": [{"url": "http://one.test"}], "payload": webhook, "split": true}),
            id: "/payload/entry/0/changes/0/value/messages/0/id",
            words: "/payload/entry/0/changes/0/value/messages/0/text/body",
            time: "/payload/entry/0/changes/0/value/messages/0/timestamp",
            message: "/payload/entry/0/changes/0/value/messages/0",
            list: Some("/payload/entry/0/changes/0/value/messages"),
        },
        Form {
            adapter: Adapter::Evolution,
            body: evolution,
            id: "/data/0/key/id",
            words: "/data/0/message/extendedTextMessage/text",
            time: "/data/0/messageTimestamp",
            message: "/data/0",
            list: Some("/data"),
        },
        Form {
            adapter: Adapter::Whatsmeow,
            body: gateways::wuzapi(json!({}), content.clone()),
            id: "/event/Info/ID",
            words: "/event/Message/extendedTextMessage/text",
            time: "/event/Info/Timestamp",
            message: "/event",
            list: None,
        },
        Form {
            adapter: Adapter::Whatsmeow,
            body: gateways::evolution_go(json!({}), content),
            id: "/data/Info/ID",
            words: "/data/Message/extendedTextMessage/text",
            time: "/data/Info/Timestamp",
            message: "/data",
            list: None,
        },
    ]
}

impl Form {
    /// The body with another value at a place that is there.
    #[track_caller]
    pub fn with(&self, place: &str, value: Value) -> Value {
        let mut body = self.body.clone();
        *body
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("{place} in {}", self.body)) = value;
        body
    }

    /// Reads a body as this adapter, then as whichever knows it: both must be sound and come to the same.
    #[track_caller]
    pub fn read(&self, body: impl AsRef<[u8]>) -> Arrived {
        let letter = Letter::of_body(body.as_ref());
        let (pinned, detected) = (letter.read(self.adapter), letter.read(Adapter::Detect));
        sound::hold(&pinned);
        sound::hold(&detected);
        let unrecognised = |arrived: &Arrived| {
            arrived.dead.as_ref().map(|dead| dead.reason) == Some(DeadReason::Unrecognised)
        };
        if !unrecognised(&pinned) && !unrecognised(&detected) {
            assert_eq!(sound::outcome(&pinned), sound::outcome(&detected));
        }
        pinned
    }

    /// The name of a place as complaints have it: `data.message.id`, `entry[0].changes[0]`.
    pub fn named(place: &str) -> String {
        let mut name = String::new();
        for step in place.split('/').skip(1) {
            match step.parse::<usize>() {
                Ok(index) => name += &format!("[{index}]"),
                Err(_) if name.is_empty() => name += step,
                Err(_) => name += &format!(".{step}"),
            }
        }
        name
    }
}

/// Asserts that a body is one dead letter with this reason and these words.
#[track_caller]
pub fn assert_letter(arrived: &Arrived, reason: DeadReason, words: &str) {
    super::assert_dead(arrived, reason, words);
}

/// Asserts that exactly this many messages were read and nothing was complained of.
#[track_caller]
pub fn assert_read(arrived: &Arrived, facts: usize) {
    assert_eq!(arrived.dead, None);
    assert_eq!(arrived.facts.len(), facts);
}
