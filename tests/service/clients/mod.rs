//! Stock clients: `cloudevents` and `aio-pika` in Python, `cloudevents` and `amqplib` in Node. Each publishes every command
//! and the facts of a conversation's whole life; all of them read everything that comes of it, and agree with what is on
//! the wire about every attribute.

mod play;
mod program;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use lapin::BasicProperties;
use serde_json::{Map, Value, json};
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::names_of_commands;
use switchboard::contract::notification::kinds_of_notifications;

use crate::support::witness::Seen;
use play::Play;
use program::{Language, Reader};

/// Published behind everything else, so that whoever has read it has read all.
const LAST: &str = "the-last-one";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_python_client_says_is_done_and_every_client_reads_what_comes_of_it() {
    tell_the_story(Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_client_says_is_done_and_every_client_reads_what_comes_of_it() {
    tell_the_story(Language::Node).await;
}

async fn tell_the_story(writes: Language) {
    if !writes.is_there() {
        return;
    }
    let mut play = Play::new(writes).await;
    story::tell(&mut play).await;
    let Play {
        stage,
        mut witness,
        readers,
        accepted,
        ..
    } = play;
    stage.until_count("select count(*) from outbox", 0).await;
    let last = json!({"specversion": "1.0", "type": "test.last", "source": "test", "id": LAST});
    let structured = BasicProperties::default().with_content_type("application/cloudevents+json".into());
    let headers = ["specversion", "type", "source", "id"].map(|name| {
        let text = last[name].as_str().expect("a text");
        (format!("ce-{name}"), text.to_owned())
    });
    let mut table = lapin::types::FieldTable::default();
    for (name, value) in headers {
        table.insert(
            name.as_str().into(),
            lapin::types::AMQPValue::LongString(value.into()),
        );
    }
    let body = last.to_string();
    stage
        .publish(
            "events",
            "test.last",
            body.as_bytes(),
            structured.with_headers(table),
        )
        .await;
    let is_last = |seen: &[Seen]| seen.last().is_some_and(|one| one.text("/id") == LAST);
    witness.until("the last one", is_last).await;
    witness.seen.pop();
    assert_covers(&witness.seen, &accepted);
    for mut reader in readers {
        reader
            .until("the last one", |line| line["event"]["id"] == LAST)
            .await;
        reader.read.pop();
        assert_read_everything(&reader, &witness.seen);
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

/// Every type of event and of notification was published, every command accepted.
fn assert_covers(seen: &[Seen], accepted: &BTreeSet<String>) {
    let seen: BTreeSet<&str> = seen.iter().map(Seen::kind).collect();
    let notifications = kinds_of_notifications()
        .iter()
        .map(|kind| format!("notification.{kind}"));
    let wanted = kinds_of_events()
        .iter()
        .map(|&kind| kind.to_owned())
        .chain(notifications);
    let missing: Vec<_> = wanted.filter(|kind| !seen.contains(kind.as_str())).collect();
    assert!(missing.is_empty(), "never published: {missing:?}");
    let commands = names_of_commands().iter();
    let missing: Vec<_> = commands.filter(|name| !accepted.contains(**name)).collect();
    assert!(missing.is_empty(), "never accepted: {missing:?}");
}

/// Both exchanges' messages exactly, and the answers; each as it was on the wire, from its body and from its headers.
fn assert_read_everything(reader: &Reader, wire: &[Seen]) {
    let wire: BTreeMap<&str, &Seen> = wire.iter().map(|seen| (seen.text("/id"), seen)).collect();
    let mut read = BTreeSet::new();
    let mut answers = 0;
    for line in &reader.read {
        let id = line["event"]["id"].as_str().expect("an id");
        let kind = line["event"]["type"].as_str().expect("a type");
        let place = format!("{:?}, {kind} {id}", reader.language);
        if line["exchange"] == "" {
            answers += 1;
            // The only answer that is no event as well.
            if kind == "switchboard.command.duplicate" {
                continue;
            }
        }
        let seen = wire
            .get(id)
            .unwrap_or_else(|| panic!("{place}: nobody published it"));
        assert_same_attributes(&place, reader.language, &seen.body, &line["event"]);
        assert_same_attributes(&place, reader.language, &of_headers(seen), &line["headers"]);
        assert_eq!(line["event"]["data"], seen.body["data"], "{place}");
        if line["exchange"] != "" {
            assert_eq!(line["routing_key"], seen.routing_key, "{place}");
            read.insert(id);
        }
    }
    let missed: Vec<_> = wire.keys().filter(|id| !read.contains(*id)).collect();
    assert!(missed.is_empty(), "{:?} missed {missed:?}", reader.language);
    println!(
        "{:?}: {} messages and {answers} answers",
        reader.language,
        read.len()
    );
}

/// The attributes that headers repeat.
fn of_headers(seen: &Seen) -> Value {
    let attributes = seen.headers.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("ce-")?;
        Some((name.to_owned(), json!(value)))
    });
    Value::Object(attributes.collect())
}

/// The same names, each with the same text; a time is the same moment as far as the language keeps it.
fn assert_same_attributes(place: &str, language: Language, wire: &Value, read: &Value) {
    let attributes = |event: &Value| -> Map<String, Value> {
        let all = event.as_object().expect("an event").clone();
        all.into_iter().filter(|(name, _)| name != "data").collect()
    };
    let (mut wire, mut read) = (attributes(wire), attributes(read));
    let [sent, kept] = [&mut wire, &mut read].map(|event| {
        let time = event.remove("time").expect("a time");
        let time: jiff::Timestamp = time.as_str().expect("a text").parse().expect("a time");
        time
    });
    assert_eq!(language.kept(sent), kept, "{place}: time");
    assert_eq!(read, wire, "{place}");
}
