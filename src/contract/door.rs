//! The door: what a body is, whatever it came in, and everything it turns into.

use jiff::Timestamp;

use super::arrived::{Arrived, Incoming, Limits};
use super::cloud_api;
use super::cloudevent::{self, Announced, CloudEvent};
use super::command;
use super::dead::{Dead, DeadReason};
use super::evolution;
use super::fact;
use super::json::{List, Object};
use super::place::Place;
use super::reading::Reading;
use super::time;
use super::trace::Trace;
use super::whatsmeow;

/// Reads one body. Never fails: what cannot be read is in [`Arrived::dead`], with the place.
///
/// The order of detection is: a content type of CloudEvents, the headers of a CloudEvent, `specversion` in the body
/// (whatever the content type says: Dapr sends text/plain), then the foreign bodies: the `object` of a Cloud API webhook, the
/// `payload` UnoAPI wraps one in, Evolution API's `event`, `instance` and `data`, and the wrappers around whatsmeow's events.
pub fn read(incoming: &Incoming<'_>, arrival: Timestamp, limits: &Limits) -> Arrived {
    let mut reading = Reading::new(time::to_micros(arrival), Trace::of_headers(incoming));
    if let Err(dead) = body(&mut reading, incoming, limits) {
        reading.refuse(dead);
    }
    reading.finish()
}

fn body(reading: &mut Reading, incoming: &Incoming<'_>, limits: &Limits) -> Result<(), Dead> {
    let (length, max) = (incoming.body.len(), limits.max_body_bytes);
    if length > max {
        let detail = format_args!("the body has {length} bytes, more than the {max} that are read");
        return Err(Dead::new(DeadReason::TooLarge, detail));
    }
    // Once for the whole body: everything after this reads text.
    let text = std::str::from_utf8(incoming.body)
        .map_err(|_| Dead::new(DeadReason::Unparseable, "the body is not UTF-8"))?;
    match cloudevent::announced(incoming.content_type) {
        Some(Announced::One) => return structured(reading, &Object::parse(text, Place::root(""))?),
        Some(Announced::Batch) => return batch(reading, text),
        None => {}
    }
    if let Some(event_in_headers) = CloudEvent::binary(incoming, text, reading.trace.clone()) {
        return event(reading, &event_in_headers?);
    }
    let top = Object::parse(text, Place::root("")).map_err(unrecognised)?;
    if top.field("specversion").is_some() {
        return structured(reading, &top);
    }
    if foreign(reading, &top)? {
        return Ok(());
    }
    let detail = "the body is neither a CloudEvent nor a webhook of a gateway we know";
    Err(Dead::new(DeadReason::Unrecognised, detail))
}

/// Reads a gateway's own body, by its shape; whether it is one.
fn foreign(reading: &mut Reading, body: &Object<'_, '_>) -> Result<bool, Dead> {
    if cloud_api::is_webhook(body) {
        cloud_api::read(reading, body);
        return Ok(true);
    }
    if let Ok(Some(payload)) = body.object("payload")
        && cloud_api::is_webhook(&payload)
    {
        cloud_api::read(reading, &payload);
        return Ok(true);
    }
    if evolution::is_one(body) {
        evolution::read(reading, body)?;
        return Ok(true);
    }
    if whatsmeow::is_one(body) {
        whatsmeow::read(reading, body)?;
        return Ok(true);
    }
    Ok(false)
}

/// JSON that is no object has no shape we know.
fn unrecognised(dead: Dead) -> Dead {
    match dead.reason {
        DeadReason::Unparseable => dead,
        _ => Dead::new(DeadReason::Unrecognised, "the body is JSON, but not an object"),
    }
}

/// A CloudEvent whose attributes are in the body.
fn structured(reading: &mut Reading, envelope: &Object<'_, '_>) -> Result<(), Dead> {
    reading.belongs_to(cloudevent::trace(envelope));
    let read = CloudEvent::structured(envelope, reading.trace.clone())?;
    event(reading, &read)
}

/// CloudEvents in a list, in order; a bad one spoils no other.
fn batch(reading: &mut Reading, text: &str) -> Result<(), Dead> {
    let events = List::parse(text, Place::root(""))?;
    for (number, item) in events.iter().enumerate() {
        reading.begin_part(number);
        let envelope = Object::parse(item.raw(), Place::root("event"));
        if let Err(dead) = envelope.and_then(|envelope| structured(reading, &envelope)) {
            reading.refuse(dead);
        }
    }
    Ok(())
}

/// What a CloudEvent carries: a command, a fact, or a webhook as its data.
fn event(reading: &mut Reading, event: &CloudEvent<'_>) -> Result<(), Dead> {
    if let Some(name) = event.kind.strip_prefix(command::TYPE_PREFIX) {
        if reading.is_part() {
            // Each has a partition and an answer of its own.
            let detail = "a command must be a message of its own, not one of a batch";
            return Err(Dead::new(DeadReason::Invalid, detail));
        }
        reading.command(command::read(name, event));
        return Ok(());
    }
    if let Some(kind) = fact::Kind::of(&event.kind) {
        reading.fact(fact::read(reading, kind, event));
        return Ok(());
    }
    match Object::parse(&event.data, Place::root("data")) {
        Ok(data) => {
            reading.enveloped = event.time()?;
            if foreign(reading, &data)? {
                return Ok(());
            }
            Err(not_ours())
        }
        Err(dead) if dead.reason == DeadReason::Unparseable => Err(dead),
        Err(_) => Err(not_ours()),
    }
}

fn not_ours() -> Dead {
    let detail = "the CloudEvent's type is none of ours";
    Dead::new(DeadReason::Unrecognised, detail)
}
