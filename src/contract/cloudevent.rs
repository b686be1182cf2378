//! CloudEvents 1.0 as they come: structured, binary, or unannounced in the body.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::arrived::{Dedupe, Incoming};
use super::dead::{Dead, DeadReason};
use super::json::{Object, without_nul};
use super::place::Place;
use super::time;

/// Longest id and source, in bytes. They name causes in every event; the longest seen are message ids of some hundred.
pub(super) const MAX_ID_BYTES: usize = 512;

/// Longest type, in bytes; ours have some thirty.
const MAX_TYPE_BYTES: usize = 200;

/// Longest partition key, in bytes: it is repeated in the headers of every event of its conversation.
pub(super) const MAX_PARTITION_KEY_BYTES: usize = 255;

/// How headers of the binary mode may begin: Knative's way, and two older bindings.
const HEADER_PREFIXES: [&str; 3] = ["ce-", "cloudEvents:", "cloudEvents_"];

/// One CloudEvent whose data is still text.
pub(super) struct CloudEvent<'a> {
    /// Its type.
    pub(super) kind: Cow<'a, str>,
    /// Unique within its source.
    pub(super) id: Arc<str>,
    /// Who published it.
    pub(super) source: Arc<str>,
    /// When it happened, as written.
    time: Cow<'a, str>,
    /// The extension that says which partition it belongs to.
    pub(super) partition_key: Option<Arc<str>>,
    /// The data as JSON text; `null` when there is none.
    pub(super) data: &'a str,
}

impl<'a> CloudEvent<'a> {
    /// Reads an envelope.
    pub(super) fn structured(envelope: &Object<'a, '_>) -> Result<Self, Dead> {
        let version = envelope.text("specversion")?;
        if !version.is_empty() && version != "1.0" {
            return Err(envelope
                .place()
                .bad("is a CloudEvent of another specversion than 1.0"));
        }
        if envelope.field("data_base64").is_some() {
            let complaint = "holds data_base64: data must be JSON, in `data`";
            return Err(envelope.place().bad(complaint));
        }
        Ok(Self {
            kind: envelope.required("type", MAX_TYPE_BYTES)?,
            id: envelope.required("id", MAX_ID_BYTES)?.into(),
            source: envelope.required("source", MAX_ID_BYTES)?.into(),
            time: envelope.text("time")?,
            partition_key: match envelope.field("partitionkey") {
                Some(_) => {
                    let key = envelope.required("partitionkey", MAX_PARTITION_KEY_BYTES)?;
                    Some(key.into())
                }
                None => None,
            },
            data: envelope.field("data").map_or("null", |item| item.raw()),
        })
    }

    /// Reads the headers; `None` unless the four attributes that make a CloudEvent are all there.
    pub(super) fn binary(incoming: &Incoming<'a>, body: &'a str) -> Option<Result<Self, Dead>> {
        let attribute = |name| header(incoming, name);
        let version = attribute("specversion")?;
        let (kind, id, source) = (attribute("type")?, attribute("id")?, attribute("source")?);
        let key = attribute("partitionkey");
        let bad = |complaint: String| Some(Err(Dead::new(DeadReason::Invalid, complaint)));
        if version != "1.0" {
            return bad("the headers are those of another specversion than 1.0".to_owned());
        }
        let bounds = [
            ("type", kind.len(), MAX_TYPE_BYTES),
            ("id", id.len(), MAX_ID_BYTES),
            ("source", source.len(), MAX_ID_BYTES),
            (
                "partitionkey",
                key.as_ref().map_or(0, |key| key.len()),
                MAX_PARTITION_KEY_BYTES,
            ),
        ];
        if let Some((name, _, max)) = bounds.iter().find(|(_, length, max)| length > max) {
            return bad(format!("header {name} is longer than {max} bytes"));
        }
        Some(Ok(Self {
            kind,
            id: id.into(),
            source: source.into(),
            time: attribute("time").unwrap_or_default(),
            partition_key: key.map(Arc::from),
            data: if body.is_empty() { "null" } else { body },
        }))
    }

    /// When it happened, if it says so; asked for only where nothing more exact is there.
    pub(super) fn time(&self) -> Result<Option<Timestamp>, Dead> {
        if self.time.is_empty() {
            return Ok(None);
        }
        match time::parse(&self.time) {
            Some(time) => Ok(Some(time)),
            None => Err(Place::root("time").bad("is not a time")),
        }
    }

    /// What makes it the same as one that was here before.
    pub(super) fn dedupe(&self) -> Dedupe {
        Dedupe::Event {
            source: self.source.clone(),
            id: self.id.clone(),
        }
    }
}

/// Whether a content type announces a structured CloudEvent.
pub(super) fn is_structured(content_type: Option<&str>) -> bool {
    const BEGINNING: &str = "application/cloudevents";
    let beginning = content_type.and_then(|text| text.trim_start().get(..BEGINNING.len()));
    beginning.is_some_and(|text| text.eq_ignore_ascii_case(BEGINNING))
}

/// An attribute from the headers, under any of their prefixes and in any case; `None` when empty.
fn header<'a>(incoming: &Incoming<'a>, attribute: &str) -> Option<Cow<'a, str>> {
    let is_it = |name: &str| {
        HEADER_PREFIXES.iter().any(|prefix| {
            let split = name.split_at_checked(prefix.len());
            split.is_some_and(|(beginning, rest)| {
                beginning.eq_ignore_ascii_case(prefix) && rest.eq_ignore_ascii_case(attribute)
            })
        })
    };
    let (_, value) = incoming.headers.iter().find(|(name, _)| is_it(name))?;
    let value = if value.contains('\0') {
        Cow::Owned(without_nul(value))
    } else {
        value.clone()
    };
    (!value.is_empty()).then_some(value)
}
