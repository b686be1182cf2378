//! Everything that arrives: detection, each adapter, CloudEvents in both modes.
//!
//! Beside what always holds, each is compared with another way to say the same: a webhook with the one that UnoAPI wraps
//! and the one that a relay puts into a CloudEvent, a message with a list of one, a structured event with a binary one.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use switchboard::contract::{Adapter, Arrived, DeadReason, redacted};

use super::letter::Letter;
use super::sound::{hold, outcome};

/// Whatever it is, from wherever.
pub fn door(input: &[u8]) {
    let letter = Letter::of(input);
    let arrived = letter.read(Adapter::Detect);
    hold(&arrived);
    assert_eq!(
        outcome(&arrived),
        outcome(&letter.read(Adapter::Detect)),
        "read otherwise the second time"
    );
    for adapter in Adapter::ALL {
        hold(&letter.read(adapter));
    }
    kept(&letter, &arrived, Adapter::Detect);
}

/// A CloudEvent: what is told in its body is the same told in headers.
pub fn cloudevents(input: &[u8]) {
    let letter = Letter::of(input);
    hold(&letter.read(Adapter::CloudEvents));
    let structured = Letter {
        content_type: Some("application/cloudevents+json; charset=utf-8".into()),
        headers: Vec::new(),
        body: letter.body.clone(),
    };
    let arrived = structured.read(Adapter::CloudEvents);
    hold(&arrived);
    if arrived.facts.is_empty() && arrived.commands.is_empty() {
        return;
    }
    if let Some(binary) = in_headers(&structured.body) {
        let other = outcome(&binary.read(Adapter::CloudEvents));
        assert_eq!(outcome(&arrived), other, "structured and binary differ");
    }
}

/// The same event in binary mode, if all of it can be said there.
fn in_headers(body: &[u8]) -> Option<Letter<'static>> {
    // Data in base64 is said otherwise there.
    let fields = fields(body).filter(|fields| !fields.contains_key("data_base64"))?;
    let mut letter = Letter {
        content_type: Some("application/json".into()),
        headers: vec![("ce-specversion".into(), "1.0".into())],
        body: match fields.get("data") {
            Some(data) => data.get().as_bytes().to_vec().into(),
            None => b"".into(),
        },
    };
    for name in ["type", "id", "source", "time", "partitionkey"] {
        if let Some(value) = fields.get(name) {
            let text: Option<String> = serde_json::from_str(value.get()).ok()?;
            letter
                .headers
                .push((format!("Ce-{name}").into(), text.unwrap_or_default().into()));
        }
    }
    Some(letter)
}

/// The fields of an object, the last of those with the same name.
fn fields(body: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_slice(body).ok()
}

/// The fields of an object that is no CloudEvent.
fn bare(body: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    let fields = fields(body)?;
    let version = fields.get("specversion").map_or("null", |version| version.get());
    matches!(version, "null" | "\"\"").then_some(fields)
}

/// A webhook of the Cloud API.
pub fn cloud_api(input: &[u8]) {
    let letter = Letter::of_body(input);
    let arrived = letter.read(Adapter::CloudApi);
    hold(&arrived);
    if foreign(&arrived) && bare(input).is_some() {
        let wrapped = [br#"{"webhooks":[],"payload":"#, input, b"}"].concat();
        same(&arrived, &Letter::of_body(wrapped), Adapter::UnoApi);
        same(&arrived, &relayed(input), Adapter::CloudApi);
        same(&arrived, &relayed(input), Adapter::CloudEvents);
    }
}

/// A webhook of the Cloud API in UnoAPI's wrapper.
pub fn unoapi(input: &[u8]) {
    let letter = Letter::of_body(input);
    let arrived = letter.read(Adapter::UnoApi);
    hold(&arrived);
    kept(&letter, &arrived, Adapter::UnoApi);
    let Some(fields) = bare(input).filter(|_| foreign(&arrived)) else {
        return;
    };
    let payload = fields.get("payload").expect("what was read").get().as_bytes();
    // By itself, one with a `specversion` would be taken for a CloudEvent first, as documented.
    if bare(payload).is_some() {
        same(&arrived, &Letter::of_body(payload), Adapter::CloudApi);
    }
    same(&arrived, &relayed(input), Adapter::UnoApi);
}

/// What Evolution API publishes: one message is a list of one.
pub fn evolution(input: &[u8]) {
    let letter = Letter::of_body(input);
    let arrived = letter.read(Adapter::Evolution);
    hold(&arrived);
    kept(&letter, &arrived, Adapter::Evolution);
    let Some(mut fields) = bare(input).filter(|_| foreign(&arrived)) else {
        return;
    };
    same(&arrived, &relayed(input), Adapter::Evolution);
    let Some(data) = fields
        .get("data")
        .map(|data| data.get())
        .filter(|data| data.starts_with('{'))
    else {
        return;
    };
    let list = RawValue::from_string(format!("[{data}]")).expect("JSON");
    fields.insert("data".to_owned(), &list);
    let body = serde_json::to_vec(&fields).expect("JSON");
    same(&arrived, &Letter::of_body(body), Adapter::Evolution);
}

/// What wuzapi and Evolution Go publish.
pub fn whatsmeow(input: &[u8]) {
    let letter = Letter::of_body(input);
    let arrived = letter.read(Adapter::Whatsmeow);
    hold(&arrived);
    kept(&letter, &arrived, Adapter::Whatsmeow);
    if foreign(&arrived) && bare(input).is_some() {
        same(&arrived, &relayed(input), Adapter::Whatsmeow);
    }
}

/// Whether it was a gateway's body.
fn foreign(arrived: &Arrived) -> bool {
    let reason = arrived.dead.as_ref().map(|dead| dead.reason);
    !matches!(
        reason,
        Some(DeadReason::Unrecognised | DeadReason::Unparseable | DeadReason::TooLarge)
    ) && arrived.commands.is_empty()
}

/// A body as a relay puts it into a CloudEvent.
fn relayed(body: &[u8]) -> Letter<'static> {
    let head = br#"{"specversion":"1.0","id":"1","source":"relay","type":"com.example.webhook","data":"#;
    Letter::of_body([head, body, b"}"].concat())
}

/// What a dead letter keeps of it is JSON and reads the same, or a replay would do something else.
fn kept(letter: &Letter<'_>, arrived: &Arrived, adapter: Adapter) {
    let Some(body) = redacted(&letter.body) else {
        return;
    };
    let text = std::str::from_utf8(&body).expect("UTF-8, as it was");
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    assert!(serde_json::from_str::<&RawValue>(json).is_ok(), "no JSON is kept");
    let letter = Letter {
        content_type: letter.content_type.clone(),
        headers: letter.headers.clone(),
        body: body.into(),
    };
    same(arrived, &letter, adapter);
}

fn same(arrived: &Arrived, letter: &Letter<'_>, adapter: Adapter) {
    let other = letter.read(adapter);
    assert_eq!(
        outcome(arrived),
        outcome(&other),
        "the same in another wrapper reads otherwise: {:?}",
        other.dead
    );
}
