//! The outside of what leaves: CloudEvents 1.0 in structured JSON, its attributes repeated as headers.
//!
//! The headers are made first and the body is written from them, so the two cannot differ.

use std::fmt;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use uuid::Uuid;

use super::trace::Trace;
use crate::domain::ids::Tenant;

/// The application every message names as its sender.
pub const APP_ID: &str = "switchboard";

/// The content type of every body that leaves.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Every header of an ordinary message: an attribute's name after `ce-`, in the order in which bodies have them.
pub const HEADERS: [&str; 10] = [
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-datacontenttype",
    "ce-partitionkey",
    "ce-partition",
    "ce-sequence",
];

/// The headers of a message that belongs to a trace, behind all others. The same two are there without `ce-` as well:
/// that is where whoever traces messages looks.
pub const TRACE_HEADERS: [&str; 2] = ["ce-traceparent", "ce-tracestate"];

/// The attribute a header repeats.
fn attribute(header: &'static str) -> &'static str {
    header.strip_prefix("ce-").unwrap_or(header)
}

/// The header that repeats an attribute of ours.
pub(super) fn header(name: &str) -> Option<&'static str> {
    let mut headers = HEADERS.into_iter().chain(TRACE_HEADERS);
    headers.find(|header| attribute(header) == name)
}

/// Bytes reserved for a body: most need no more, so that they are written without growing.
const TYPICAL_BODY_BYTES: usize = 1_024;

/// One message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutMessage {
    /// Where to.
    pub to: Destination,
    /// At most 255 bytes, as AMQP has it.
    pub routing_key: String,
    /// The CloudEvent's id: the same whenever and wherever it is rendered again.
    pub id: String,
    /// The CloudEvent's type, with the leading `switchboard.`.
    pub kind: String,
    /// What the caller gave with a command, in an answer; else the input's key, shared by all that came of one input.
    pub correlation_id: Option<String>,
    /// Every attribute of the CloudEvent as `ce-<name>`, in the order of the body.
    pub headers: Vec<(&'static str, String)>,
    /// The CloudEvent.
    pub body: String,
}

impl OutMessage {
    /// Says which trace it belongs to: in the body, behind the data, and in the headers. It is no part of what is
    /// rendered: nothing else of a message depends on it, and a message without one has nothing of it.
    pub fn belongs_to(&mut self, trace: &Trace) {
        let [parent, state] = TRACE_HEADERS;
        let fields = [(parent, Some(trace.parent())), (state, trace.state())];
        let end = self.body.pop();
        for (header, value) in fields {
            let Some(value) = value else { continue };
            let text = serde_json::Value::from(value);
            self.body.push_str(&format!(",\"{}\":{text}", attribute(header)));
            self.headers.push((header, value.to_owned()));
        }
        self.body.extend(end);
    }

    /// Which trace it belongs to, as the names and values of plain headers; nothing for most.
    pub fn trace(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let of_trace = |(header, _): &&(&'static str, String)| TRACE_HEADERS.contains(header);
        let last = self.headers.iter().rev().take_while(of_trace);
        last.map(|(header, value)| (attribute(header), value.as_str()))
    }
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The exchange of events.
    Events,
    /// The exchange of notifications.
    Notifications,
    /// The queue of this name, through the default exchange: whoever asked waits there.
    Queue(String),
}

/// What rendering must know of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// How many partitions there are.
    pub partitions: u16,
}

/// The attributes of one CloudEvent, before they are text.
pub(super) struct Attributes<'a> {
    pub id: Uuid,
    pub tenant: &'a Tenant,
    /// The type without the leading `switchboard.`.
    pub kind: &'a str,
    pub subject: String,
    /// When it was decided.
    pub time: Timestamp,
    pub partition_key: String,
    pub partition: u16,
    /// Only where the subject is a conversation.
    pub sequence: Option<u64>,
}

impl Attributes<'_> {
    /// As headers. The last one is left out where there is no sequence.
    fn headers(self) -> Vec<(&'static str, String)> {
        let values = [
            "1.0".to_owned(),
            self.id.to_string(),
            format!("switchboard/{}", self.tenant),
            format!("switchboard.{}", self.kind),
            self.subject,
            Time(self.time).to_string(),
            "application/json".to_owned(),
            self.partition_key,
            self.partition.to_string(),
        ];
        let sequence = self.sequence.map(|number| Sequence(number).to_string());
        HEADERS
            .into_iter()
            .zip(values.into_iter().chain(sequence))
            .collect()
    }

    /// The message with these attributes and this data.
    pub(super) fn seal(
        self,
        to: Destination,
        routing_key: String,
        correlation_id: Option<String>,
        data: &impl Serialize,
    ) -> OutMessage {
        let id = self.id.to_string();
        let kind = format!("switchboard.{}", self.kind);
        let headers = self.headers();
        let mut body = Vec::with_capacity(TYPICAL_BODY_BYTES);
        let structured = Structured {
            headers: &headers,
            data,
        };
        serde_json::to_writer(&mut body, &structured)
            .expect("texts, numbers and lists of them always serialise, and memory takes every write");
        let body = String::from_utf8(body).expect("JSON is written as UTF-8");
        OutMessage {
            to,
            routing_key,
            id,
            kind,
            correlation_id,
            headers,
            body,
        }
    }
}

/// The body: the attributes, then the data.
struct Structured<'a, D> {
    headers: &'a [(&'static str, String)],
    data: &'a D,
}

impl<D: Serialize> Serialize for Structured<'_, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.headers {
            object.serialize_entry(attribute(name), value)?;
        }
        object.serialize_entry("data", self.data)?;
        object.end()
    }
}

/// A time as everything that leaves writes it: RFC 3339, UTC, microseconds at most, as Postgres keeps them.
#[derive(Clone, Copy)]
pub(super) struct Time(pub Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = Timestamp::from_microsecond(self.0.as_microsecond());
        micros.unwrap_or(self.0).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A place in a conversation's history: 20 digits, so that texts sort as the numbers do.
#[derive(Clone, Copy)]
pub(super) struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}", self.0)
    }
}

impl Serialize for Sequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
