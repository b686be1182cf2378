//! What arrives, read: one sentence per rule, and properties over bodies nobody would write.

mod aliases;
mod claims;
mod cloud_api;
mod cloud_faults;
mod cloud_people;
mod cloudevents;
mod commands;
mod derived;
mod door;
mod facts;
mod forwarding;
mod gateways;
mod generated;
mod guide;
mod hostile;
mod identity;
mod pinned;
mod plans;
mod properties;
mod redaction;
mod samples;
mod times;
mod trace;
mod wishes;

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;
use switchboard::contract::words::Wire;
use switchboard::contract::{
    Adapter, Arrived, ArrivedCommand, ArrivedFact, DeadReason, Incoming, Limits, read,
};
use switchboard::domain::input::{Message, Origin, What};

/// A few seconds after the fixtures happened.
fn arrival() -> Timestamp {
    "2026-11-21T10:00:05Z".parse().expect("a time")
}

fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/inbound/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A fixture with other values at some places (JSON pointers). A place that is not there yet becomes a new field.
fn fixture_with(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut body = fixture(name);
    for (place, value) in changes {
        let (parent, field) = place.rsplit_once('/').expect("a JSON pointer");
        match body
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("{name} has no {parent}"))
        {
            Value::Object(fields) => {
                fields.insert(field.to_owned(), value.clone());
            }
            Value::Array(items) => items[field.parse::<usize>().expect("an index")] = value.clone(),
            other => panic!("{parent} is {other}"),
        }
    }
    body
}

/// The place of the only message in `webhook_text` and the like.
const MESSAGE: &str = "/entry/0/changes/0/value/messages/0";
const VALUE: &str = "/entry/0/changes/0/value";

fn read_bytes(content_type: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> Arrived {
    read_pinned(Adapter::Detect, content_type, headers, body)
}

/// Reads as a queue that takes the bodies of this adapter.
fn read_pinned(
    adapter: Adapter,
    content_type: Option<&str>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Arrived {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, Cow::Borrowed(*value)))
        .collect();
    let incoming = Incoming {
        content_type,
        headers: &headers,
        body,
    };
    read(&incoming, arrival(), &Limits::default(), adapter)
}

/// Reads a body that says by itself what it is.
fn read_body(body: &Value) -> Arrived {
    read_bytes(None, &[], body.to_string().as_bytes())
}

/// The one fact of a body that is nothing else.
#[track_caller]
fn only_fact(body: &Value) -> ArrivedFact {
    let mut arrived = read_body(body);
    assert_eq!(arrived.dead, None, "{body}");
    assert!(
        arrived.commands.is_empty() && arrived.skipped.is_empty(),
        "{arrived:?}"
    );
    assert_eq!(arrived.facts.len(), 1, "{body}");
    arrived.facts.remove(0)
}

/// The one command of a body that is nothing else.
#[track_caller]
fn only_command(body: &Value) -> ArrivedCommand {
    let mut arrived = read_body(body);
    assert_eq!(arrived.dead, None, "{body}");
    assert!(
        arrived.facts.is_empty() && arrived.skipped.is_empty(),
        "{arrived:?}"
    );
    assert_eq!(arrived.commands.len(), 1, "{body}");
    arrived.commands.remove(0)
}

/// Asserts that a body is dead and nothing else, and that its detail tells of these words.
#[track_caller]
fn assert_dead(arrived: &Arrived, reason: DeadReason, words: &str) {
    let dead = arrived
        .dead
        .as_ref()
        .unwrap_or_else(|| panic!("alive: {arrived:?}"));
    assert_eq!(dead.reason, reason, "{dead}");
    assert!(dead.detail.contains(words), "{dead} says nothing of {words:?}");
    assert!(
        arrived.facts.is_empty() && arrived.commands.is_empty(),
        "{arrived:?}"
    );
}

#[track_caller]
fn received(fact: &ArrivedFact) -> &Message {
    match &fact.what {
        What::Received(message) => message,
        other => panic!("not received: {other:?}"),
    }
}

#[track_caller]
fn sent(fact: &ArrivedFact) -> (&Message, &Origin) {
    match &fact.what {
        What::Sent { message, origin, .. } => (message, origin),
        other => panic!("not sent: {other:?}"),
    }
}

/// The identifiers of a fact as `kind=value`, most preferred first.
fn identifiers(fact: &ArrivedFact) -> Vec<String> {
    let named =
        |alias: &switchboard::contract::identity::Alias| format!("{}={}", alias.kind.wire(), alias.value);
    fact.identity.aliases().map(named).collect()
}
