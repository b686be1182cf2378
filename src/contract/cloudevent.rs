//! CloudEvents 1.0 as they come: structured, binary, or unannounced in the body.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;

use super::arrived::{Dedupe, Incoming};
use super::dead::{Dead, DeadReason};
use super::json::{Object, without_nul};
use super::place::Place;
use super::time;
use super::trace::{self, Trace};

/// Longest id and source, in bytes. They name causes in every event; the longest seen are message ids of some hundred.
pub(super) const MAX_ID_BYTES: usize = 512;

/// Longest type, in bytes; ours have some thirty.
const MAX_TYPE_BYTES: usize = 200;

/// Longest partition key, in bytes: it is repeated in the headers of every event of its conversation.
pub(super) const MAX_PARTITION_KEY_BYTES: usize = 255;

/// What stands for data that is not there.
const NO_DATA: &str = "null";

/// With or without its padding: what decodes is asked to be JSON, which is check enough.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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
    pub(super) data: Cow<'a, str>,
    /// The trace it belongs to.
    pub(super) trace: Option<Trace>,
}

impl<'a> CloudEvent<'a> {
    /// Reads an envelope that belongs to this trace.
    pub(super) fn structured(envelope: &Object<'a, '_>, trace: Option<Trace>) -> Result<Self, Dead> {
        let version = envelope.text("specversion")?;
        if !version.is_empty() && version != "1.0" {
            return Err(envelope
                .place()
                .bad("is a CloudEvent of another specversion than 1.0"));
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
            data: data(envelope)?,
            trace,
        })
    }

    /// Reads the headers of a message of this trace; `None` unless the four attributes that make a CloudEvent are all there.
    pub(super) fn binary(
        incoming: &Incoming<'a>,
        body: &'a str,
        trace: Option<Trace>,
    ) -> Option<Result<Self, Dead>> {
        let attribute = |name| header(incoming, name);
        let version = attribute("specversion")?;
        let (kind, id, source) = (attribute("type")?, attribute("id")?, attribute("source")?);
        let key = attribute("partitionkey").filter(|key| !key.is_empty());
        let bad = |complaint: String| Some(Err(Dead::new(DeadReason::Invalid, complaint)));
        if version != "1.0" {
            return bad("the headers are those of another specversion than 1.0".to_owned());
        }
        let required = [("type", &kind), ("id", &id), ("source", &source)];
        if let Some((name, _)) = required.iter().find(|(_, value)| value.is_empty()) {
            return bad(format!("header {name} is empty"));
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
            data: if body.is_empty() { NO_DATA } else { body }.into(),
            trace,
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

/// The data as JSON text. JSON that came as bytes is JSON all the same: some clients write everything so.
fn data<'a>(envelope: &Object<'a, '_>) -> Result<Cow<'a, str>, Dead> {
    match (envelope.field("data"), envelope.field("data_base64")) {
        (Some(_), Some(_)) => Err(envelope.place().bad("has both data and data_base64")),
        (None, Some(encoded)) => {
            let bytes = BASE64.decode(&*encoded.text()?).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.map(Cow::Owned)
                .ok_or_else(|| encoded.bad("is not JSON as base64"))
        }
        (data, None) => Ok(data.map_or(NO_DATA, |item| item.raw()).into()),
    }
}

/// The trace an envelope names, if it does.
pub(super) fn trace(envelope: &Object<'_, '_>) -> Option<Trace> {
    let text = |name| envelope.text(name).ok();
    Trace::read(&text(trace::PARENT)?, text(trace::STATE).as_deref())
}

/// A content mode that a content type announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One CloudEvent.
    Structured,
    /// A list of them. AMQP has no such mode, but what collects events over HTTP passes it on.
    Batched,
}

/// Whether, and how, a content type announces CloudEvents.
pub(super) fn mode(content_type: Option<&str>) -> Option<Mode> {
    const STRUCTURED: &str = "application/cloudevents";
    const BATCHED: &str = "application/cloudevents-batch";
    let text = content_type?.trim_start();
    let begins_with = |beginning: &str| {
        let found = text.get(..beginning.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(beginning))
    };
    if begins_with(BATCHED) {
        return Some(Mode::Batched);
    }
    begins_with(STRUCTURED).then_some(Mode::Structured)
}

/// An attribute from the headers, under any of their prefixes and in any case.
pub(super) fn header<'a>(incoming: &Incoming<'a>, attribute: &str) -> Option<Cow<'a, str>> {
    let is_it = |name: &str| {
        HEADER_PREFIXES.iter().any(|prefix| {
            let split = name.split_at_checked(prefix.len());
            split.is_some_and(|(beginning, rest)| {
                beginning.eq_ignore_ascii_case(prefix) && rest.eq_ignore_ascii_case(attribute)
            })
        })
    };
    let (_, value) = incoming.headers.iter().find(|(name, _)| is_it(name))?;
    Some(if value.contains('\0') {
        Cow::Owned(without_nul(value))
    } else {
        value.clone()
    })
}
