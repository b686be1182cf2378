//! The door: what a body is, whatever it came in, and everything it turns into.

use jiff::Timestamp;

use super::adapter::Adapter;
use super::arrived::{Arrived, Incoming, Limits};
use super::cloudevent::{self, CloudEvent, Mode};
use super::command;
use super::dead::{Dead, DeadReason};
use super::fact;
use super::form::{Announced, Carries};
use super::json::{self, List, Object};
use super::place::Place;
use super::reading::Reading;
use super::time;
use super::trace::Trace;

/// Reads one body. Never fails: what cannot be read is in [`Arrived::dead`], with the place.
///
/// The order of detection is: a content type of CloudEvents, the headers of a CloudEvent, `specversion` in the body
/// (whatever the content type says: Dapr sends text/plain), then the foreign bodies: the `object` of a Cloud API webhook, the
/// `payload` UnoAPI wraps one in, Evolution API's `event`, `instance` and `data`, and the wrappers around whatsmeow's events.
/// A pinned adapter passes over what is not its own.
pub fn read(incoming: &Incoming<'_>, arrival: Timestamp, limits: &Limits, adapter: Adapter) -> Arrived {
    let mut reading = Reading::new(time::to_micros(arrival), Trace::of_headers(incoming));
    if let Err(dead) = body(&mut reading, incoming, limits, adapter) {
        reading.refuse(dead);
    }
    reading.finish()
}

fn body(
    reading: &mut Reading,
    incoming: &Incoming<'_>,
    limits: &Limits,
    adapter: Adapter,
) -> Result<(), Dead> {
    let (length, max) = (incoming.body.len(), limits.max_body_bytes);
    if length > max {
        let detail = format_args!("the body has {length} bytes, more than the {max} that are read");
        return Err(Dead::new(DeadReason::TooLarge, detail));
    }
    // Once for the whole body: everything after this reads text.
    let text = std::str::from_utf8(incoming.body)
        .map_err(|_| Dead::new(DeadReason::Unparseable, "the body is not UTF-8"))?;
    let text = json::without_mark(text);
    match cloudevent::mode(incoming.content_type) {
        Some(Mode::Structured) => {
            reading.announced(Announced::ContentType);
            let envelope = Object::parse(text, Place::root(""))?;
            return structured(reading, &envelope, adapter);
        }
        Some(Mode::Batched) => {
            reading.announced(Announced::ContentType);
            return batch(reading, text, adapter);
        }
        None => {}
    }
    if let Some(event_in_headers) = CloudEvent::binary(incoming, text, reading.trace.clone()) {
        reading.announced(Announced::Headers);
        return event(reading, &event_in_headers?, adapter);
    }
    let top = Object::parse(text, Place::root("")).map_err(|dead| no_object(dead, adapter))?;
    if top.field("specversion").is_some() {
        reading.announced(Announced::Specversion);
        return structured(reading, &top, adapter);
    }
    if adapter.takes_bare_bodies() && adapter.read(reading, &top)? {
        return Ok(());
    }
    Err(adapter.unrecognised())
}

/// JSON that is no object has no shape we know.
fn no_object(dead: Dead, adapter: Adapter) -> Dead {
    match (dead.reason, adapter) {
        (DeadReason::Unparseable, _) => dead,
        (_, Adapter::Detect) => Dead::new(DeadReason::Unrecognised, "the body is JSON, but not an object"),
        _ => adapter.unrecognised(),
    }
}

/// A CloudEvent whose attributes are in the body.
fn structured(reading: &mut Reading, envelope: &Object<'_, '_>, adapter: Adapter) -> Result<(), Dead> {
    reading.belongs_to(cloudevent::trace(envelope));
    let read = CloudEvent::structured(envelope, reading.trace.clone())?;
    event(reading, &read, adapter)
}

/// CloudEvents in a list, in order; a bad one spoils no other.
fn batch(reading: &mut Reading, text: &str, adapter: Adapter) -> Result<(), Dead> {
    let events = List::parse(text, Place::root(""))?;
    for (number, item) in events.iter().enumerate() {
        reading.begin_part(number);
        let envelope = Object::parse(item.raw(), Place::root("event"));
        if let Err(dead) = envelope.and_then(|envelope| structured(reading, &envelope, adapter)) {
            reading.refuse(dead);
        }
    }
    Ok(())
}

/// What a CloudEvent carries: a command, a fact, or a webhook as its data.
fn event(reading: &mut Reading, event: &CloudEvent<'_>, adapter: Adapter) -> Result<(), Dead> {
    if adapter.takes_events() {
        if let Some(name) = event.kind.strip_prefix(command::TYPE_PREFIX) {
            reading.carries(Carries::Command);
            if reading.is_part() {
                // Each has a partition and an answer of its own.
                let detail = "a command must be a message of its own, not one of a batch";
                return Err(Dead::new(DeadReason::Invalid, detail));
            }
            reading.command(command::read(name, event));
            return Ok(());
        }
        if let Some(kind) = fact::Kind::of(&event.kind) {
            reading.carries(Carries::Fact);
            reading.fact(fact::read(reading, kind, event));
            return Ok(());
        }
    }
    match Object::parse(&event.data, Place::root("data")) {
        Ok(data) => {
            reading.enveloped = event.time()?;
            if adapter.read(reading, &data)? {
                return Ok(());
            }
            Err(not_ours(adapter))
        }
        Err(dead) if dead.reason == DeadReason::Unparseable => Err(dead),
        Err(_) => Err(not_ours(adapter)),
    }
}

fn not_ours(adapter: Adapter) -> Dead {
    if adapter.takes_events() {
        let detail = "the CloudEvent's type is none of ours";
        return Dead::new(DeadReason::Unrecognised, detail);
    }
    adapter.unrecognised()
}
