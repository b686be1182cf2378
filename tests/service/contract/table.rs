//! Tables of what comes in and exactly what goes out.

use serde_json::{Value, json};

use super::client::{A_UUID, Client, Message, difference};
use crate::support::Stage;
use crate::support::bodies::CHANNEL;

/// The customer of the published vector, and the key that follows from channel and number.
pub const PHONE: &str = "5511999990000";
pub const KEY: &str = "a4739f991883260a";
/// Twenty-four hours from a customer's last turn.
const WINDOW_HOURS: i64 = 24;

/// What comes in.
pub enum Input {
    /// Through the open door: a foreign body, and the message it brings.
    Foreign(Value, &'static str),
    /// A native fact, straight into its partition.
    Fact(Value),
    /// A command, straight into the partition of this key.
    Command(&'static str, Value),
    /// Nothing: a clock runs out.
    Time,
}

/// An event: its type, and what it says at least. A subject of its own where it is not about the conversation.
pub struct Event(pub &'static str, pub Value);

/// A notification: who (`agent/martha`), which kind, about which of the events, and what more it says.
pub struct Told(pub &'static str, pub &'static str, pub usize, pub Value);

/// One line of a table.
pub struct Line {
    pub what: &'static str,
    pub input: Input,
    pub events: Vec<Event>,
    pub told: Vec<Told>,
}

/// A deployment, a client, and the conversation that tables are about.
pub struct Table {
    pub stage: Stage,
    client: Client,
    pub conversation: String,
    sequence: u64,
    window: Value,
}

impl Table {
    /// An empty deployment with a worker.
    pub async fn new() -> Self {
        let mut stage = Stage::empty().await;
        let client = Client::of(&stage).await;
        stage.worker();
        Self {
            stage,
            client,
            conversation: String::new(),
            sequence: 0,
            window: Value::Null,
        }
    }

    /// Sends what comes in, and compares what goes out.
    pub async fn line(&mut self, line: Line) {
        let cause = self.send(line.input).await;
        let mut published = Vec::new();
        for _ in &line.events {
            published.push(self.client.event().await);
        }
        // Each lane publishes its own in order: what is about no conversation may come before or after. The sequence
        // tells whether the conversation's own are in their order.
        let mut events = Vec::new();
        for Event(kind, expected) in &line.events {
            let place = published.iter().position(|event| event.kind() == *kind);
            let place = place.unwrap_or_else(|| panic!("{}: no {kind} in {published:#?}", line.what));
            let event = published.remove(place);
            let place = format!("{}: {kind}", line.what);
            self.compare_event(&place, kind, &cause, expected, &event);
            events.push(event);
        }
        let mut told = Vec::new();
        for _ in &line.told {
            told.push(self.client.notification().await);
        }
        for Told(whom, kind, about, more) in &line.told {
            let key = notification_key(whom, kind);
            let place = format!("{}: {key}", line.what);
            let found = told.iter().find(|one| one.routing_key == key);
            let found = found.unwrap_or_else(|| panic!("{place}: not among {told:#?}"));
            compare_notification(&place, whom, kind, &events[*about], more, found);
        }
    }

    /// Sends an input; answers what its events name as their cause.
    async fn send(&self, input: Input) -> String {
        match input {
            Input::Foreign(body, message) => {
                self.stage.send(&body).await;
                message.to_owned()
            }
            Input::Fact(body) => {
                self.stage.send_native("inbound", KEY, &body).await;
                body["id"].as_str().expect("an id").to_owned()
            }
            Input::Time => String::new(),
            Input::Command(key, mut body) => {
                if key == KEY {
                    body["data"]["conversation"] = json!(self.conversation);
                }
                self.stage.send_native("commands", key, &body).await;
                body["id"].as_str().expect("an id").to_owned()
            }
        }
    }

    fn compare_event(&mut self, place: &str, kind: &str, cause: &str, expected: &Value, event: &Message) {
        let about_conversation = event.body["data"]["conversation"].is_string();
        let channel = if about_conversation {
            "123456789012345"
        } else {
            "_"
        };
        assert_eq!(event.routing_key, format!("{kind}.acme.{channel}"), "{place}");
        let mut whole =
            json!({"data": {"tenant": "acme", "cause": cause, "decision": null, "previous_owner": null}});
        if cause.is_empty() {
            assert!(
                event.text("/data/cause").starts_with("timer/"),
                "{place}: {event:#?}"
            );
            whole["data"]["cause"] = event.body["data"]["cause"].clone();
        }
        if about_conversation {
            if kind == "message.received" && event.body["data"]["turn"] == true {
                let turn: jiff::Timestamp = event.text("/data/message/timestamp").parse().unwrap();
                self.window = json!(turn + jiff::SignedDuration::from_hours(WINDOW_HOURS));
            }
            whole["partitionkey"] = json!(KEY);
            whole["data"]["channel"] = json!(CHANNEL);
            whole["data"]["window_expires_at"] = self.window.clone();
        }
        if event.body.get("sequence").is_some() {
            if self.conversation.is_empty() {
                self.conversation = event.text("/subject").to_owned();
            }
            self.sequence += 1;
            whole["subject"] = json!(self.conversation);
            whole["sequence"] = json!(format!("{:020}", self.sequence));
        }
        if kind == "command.rejected" {
            whole["subject"] = json!(format!("command/{cause}"));
        }
        for (name, value) in expected.as_object().expect("fields") {
            match name.as_str() {
                "subject" | "partitionkey" => whole[name] = value.clone(),
                _ => whole["data"][name] = value.clone(),
            }
        }
        if let Some(difference) = difference(&whole, &event.body, place) {
            panic!("{difference}\n{event:#?}");
        }
    }

    /// Nothing else was said: the next turn on the same lane is the next thing there is to see.
    pub async fn end(mut self, owner: &'static str) {
        self.line(Line {
            what: "nothing more was said",
            input: turn("wamid.LAST"),
            events: vec![Event("message.received", json!({"turn": true}))],
            told: vec![Told(owner, "message", 0, json!({}))],
        })
        .await;
        self.stage.end().await;
    }
}

fn compare_notification(place: &str, whom: &str, kind: &str, about: &Message, more: &Value, told: &Message) {
    let (recipient_kind, id) = whom.split_once('/').expect("kind and id");
    let of_event = &about.body["data"];
    let mut whole = json!({
        "subject": whom,
        "partitionkey": KEY,
        "id": A_UUID,
        "data": {
            "tenant": "acme", "channel": CHANNEL, "kind": kind,
            "recipient": {"kind": recipient_kind, "id": id},
            "event": about.body["id"], "sequence": about.body["sequence"],
            "conversation": of_event["conversation"], "epoch": of_event["epoch"],
            "owner": of_event["owner"], "actor": of_event["actor"],
        },
    });
    for (name, value) in more.as_object().expect("fields") {
        whole["data"][name] = value.clone();
    }
    if let Some(difference) = difference(&whole, &told.body, place) {
        panic!("{difference}\n{told:#?}");
    }
}

/// Everything but letters, digits, `_` and `-` is percent-encoded in routing keys.
fn notification_key(whom: &str, kind: &str) -> String {
    let (recipient, id) = whom.split_once('/').expect("kind and id");
    let id = id.replace('@', "%40").replace('.', "%2E");
    format!("{recipient}.acme.{id}.{kind}")
}

/// The customer writes: a Cloud API webhook.
pub fn turn(message: &'static str) -> Input {
    Input::Foreign(crate::support::bodies::webhook(PHONE, message, "hello"), message)
}

pub fn nobody() -> Value {
    json!({"kind": "nobody", "id": null})
}

pub fn queue(team: &str) -> Value {
    json!({"kind": "team", "id": team})
}

pub fn owner(agent: &str) -> Value {
    json!({"kind": "agent", "id": agent, "team": "support"})
}

/// Who owned it before, or acts.
pub fn person(agent: &str) -> Value {
    json!({"kind": "agent", "id": agent})
}

pub fn system(part: &str) -> Value {
    json!({"kind": "system", "id": part})
}

pub fn customer() -> Value {
    json!({"kind": "customer", "id": null})
}

pub fn gateway() -> Value {
    json!({"kind": "gateway", "id": null})
}

/// How the conversation stands after an event, and who did it.
pub fn stands(episode: u32, epoch: u64, status: &str, owner: Value, actor: Value) -> Value {
    json!({"episode": episode, "epoch": epoch, "status": status, "owner": owner, "actor": actor, "standby": false})
}

/// These fields, and then those.
pub fn with(mut fields: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    fields
}
