//! The trace on what goes out: in the body, in the headers, through the outbox, and nowhere else.

use std::collections::BTreeMap;

use lapin::types::AMQPValue;
use proptest::prelude::*;
use switchboard::contract::envelope::OutMessage;
use switchboard::contract::{Trace, parcel};
use switchboard::worker::announce;

use super::histories::{histories, samples};
use super::{json, leaving};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
/// With everything that JSON has to escape.
const STATE: &str = "rojo=\"a\\b\",tenant@congo=t61/~";

fn trace(state: Option<&str>) -> Trace {
    Trace::read(PARENT, state).expect("it is well formed")
}

/// The same messages in this trace.
fn traced(messages: &[OutMessage], trace: &Trace) -> Vec<OutMessage> {
    let mut messages = messages.to_vec();
    messages.iter_mut().for_each(|message| message.belongs_to(trace));
    messages
}

/// The headers as they are published.
fn published(message: OutMessage) -> BTreeMap<String, String> {
    let properties = announce::publication(message).properties;
    let headers = properties.headers().clone().expect("there are some");
    let text = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => text.to_string(),
        other => panic!("{other:?} is no text"),
    };
    headers
        .inner()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

fn some_messages() -> Vec<OutMessage> {
    let mut all = Vec::new();
    for history in samples(4) {
        history.play(|company, happened| all.extend(leaving(company, happened)));
    }
    assert!(!all.is_empty());
    all
}

#[test]
fn a_trace_is_in_all_three_places() {
    for plain in some_messages() {
        let mut message = plain.clone();
        message.belongs_to(&trace(Some(STATE)));
        let body = json(&message);
        assert_eq!(
            (&body["traceparent"], &body["tracestate"]),
            (&PARENT.into(), &STATE.into())
        );
        let headers = published(message);
        for (name, value) in [("traceparent", PARENT), ("tracestate", STATE)] {
            assert_eq!(headers[name], value);
            assert_eq!(headers[&format!("ce-{name}")], value);
        }
    }
}

#[test]
fn a_trace_without_a_state_says_nothing_of_one() {
    for mut message in some_messages() {
        message.belongs_to(&trace(None));
        assert!(!message.body.contains("tracestate"));
        assert!(published(message).keys().all(|name| !name.contains("tracestate")));
    }
}

#[test]
fn a_message_without_a_trace_says_nothing_of_one() {
    for message in some_messages() {
        assert!(!message.body.contains("\"trace"));
        assert!(
            published(message)
                .keys()
                .all(|name| name.starts_with("ce-") && !name.contains("trace"))
        );
    }
}

#[test]
fn every_header_of_an_event_is_an_attribute_with_a_name_that_cloudevents_allows() {
    for mut message in some_messages() {
        message.belongs_to(&trace(Some(STATE)));
        let body = json(&message);
        for (name, value) in published(message) {
            let attribute = name.trim_start_matches("ce-");
            let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(attribute.bytes().all(allowed), "{name}");
            assert_eq!(body[attribute], value, "{name}");
            assert!(!value.is_empty(), "{name}");
        }
    }
}

#[test]
fn what_is_published_says_what_clients_ask_of_its_properties() {
    for message in some_messages() {
        let body = json(&message);
        let publication = announce::publication(message);
        let properties = publication.properties;
        let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
        assert_eq!(
            text(properties.content_type()).as_deref(),
            Some("application/cloudevents+json")
        );
        assert_eq!(text(properties.message_id()).as_deref(), body["id"].as_str());
        assert_eq!(text(properties.kind()).as_deref(), body["type"].as_str());
        assert_eq!(text(properties.app_id()).as_deref(), Some("switchboard"));
        for required in [
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "datacontenttype",
        ] {
            assert!(
                body[required].as_str().is_some_and(|value| !value.is_empty()),
                "{required}"
            );
        }
        assert!(body["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, ..ProptestConfig::default() })]

    #[test]
    fn a_trace_changes_nothing_else_and_survives_the_outbox(history in histories(), state in prop::option::of(Just(STATE))) {
        let mut plain = Vec::new();
        history.play(|company, happened| plain.extend(leaving(company, happened)));
        let traced = traced(&plain, &trace(state));
        prop_assert_eq!(parcel::unpack(&parcel::pack(&traced)), Ok(traced.clone()));
        for (plain, traced) in plain.iter().zip(&traced) {
            let mut body = json(traced);
            let fields = body.as_object_mut().unwrap();
            prop_assert_eq!(fields.remove("traceparent"), Some(PARENT.into()));
            prop_assert_eq!(fields.remove("tracestate"), state.map(Into::into));
            prop_assert_eq!(body, json(plain));
            let others = traced.headers.len() - 1 - usize::from(state.is_some());
            prop_assert_eq!(&traced.headers[..others], &plain.headers[..]);
            let same = OutMessage { headers: plain.headers.clone(), body: plain.body.clone(), ..traced.clone() };
            prop_assert_eq!(&same, plain, "its id, key and place");
        }
    }
}
