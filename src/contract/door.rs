//! The door: what a body is, whatever it came in, and everything it turns into.

use jiff::Timestamp;

use super::arrived::{Arrived, Incoming, Limits};
use super::cloud_api;
use super::cloudevent::{self, CloudEvent};
use super::command;
use super::dead::{Dead, DeadReason};
use super::fact;
use super::json::Object;
use super::place::Place;
use super::reading::Reading;
use super::time;

/// Reads one body. Never fails: what cannot be read is in [`Arrived::dead`], with the place.
///
/// The order of detection is: a content type of CloudEvents, the headers of a CloudEvent, `specversion` in the body
/// (whatever the content type says: Dapr sends text/plain), the `object` of a Cloud API webhook.
pub fn read(incoming: &Incoming<'_>, arrival: Timestamp, limits: &Limits) -> Arrived {
    let mut reading = Reading::new(time::to_micros(arrival));
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
    if cloudevent::is_structured(incoming.content_type) {
        let envelope = Object::parse(text, Place::root(""))?;
        return event(reading, &CloudEvent::structured(&envelope)?);
    }
    if let Some(event_in_headers) = CloudEvent::binary(incoming, text) {
        return event(reading, &event_in_headers?);
    }
    let top = Object::parse(text, Place::root("")).map_err(unrecognised)?;
    if top.field("specversion").is_some() {
        return event(reading, &CloudEvent::structured(&top)?);
    }
    if cloud_api::is_webhook(&top) {
        cloud_api::read(reading, &top);
        return Ok(());
    }
    let detail = "the body is neither a CloudEvent nor a WhatsApp Cloud API webhook";
    Err(Dead::new(DeadReason::Unrecognised, detail))
}

/// JSON that is no object has no shape we know.
fn unrecognised(dead: Dead) -> Dead {
    match dead.reason {
        DeadReason::Unparseable => dead,
        _ => Dead::new(DeadReason::Unrecognised, "the body is JSON, but not an object"),
    }
}

/// What a CloudEvent carries: a command, a fact, or a webhook as its data.
fn event(reading: &mut Reading, event: &CloudEvent<'_>) -> Result<(), Dead> {
    if let Some(name) = event.kind.strip_prefix(command::TYPE_PREFIX) {
        reading.command(command::read(name, event));
        return Ok(());
    }
    if let Some(kind) = fact::Kind::of(&event.kind) {
        reading.fact(fact::read(reading, kind, event));
        return Ok(());
    }
    match Object::parse(event.data, Place::root("data")) {
        Ok(data) if cloud_api::is_webhook(&data) => {
            reading.enveloped = event.time()?;
            cloud_api::read(reading, &data);
            Ok(())
        }
        Err(dead) if dead.reason == DeadReason::Unparseable => Err(dead),
        Ok(_) | Err(_) => {
            let detail = "the CloudEvent's type is none of ours";
            Err(Dead::new(DeadReason::Unrecognised, detail))
        }
    }
}
