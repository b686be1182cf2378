//! What ingress publishes in place of a foreign body: one native fact per message, which reads back as the same fact.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::arrived::{ArrivedFact, Dedupe};
use super::fact;
use super::identity::Alias;
use super::trace::Trace;
use super::words::Wire;
use crate::domain::conversation::Contact;
use crate::domain::ids::ChannelKey;
use crate::domain::input::{Message, Origin, What};

/// A native fact ready to be published as a structured CloudEvent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// The type, for the message's properties.
    pub event_type: &'static str,
    /// The content type of the body.
    pub content_type: &'static str,
    /// For the message's properties: a hash, because the CloudEvent's own id may contain a phone number.
    pub message_id: String,
    /// The whole CloudEvent.
    pub body: Vec<u8>,
}

/// The CloudEvents source of what ingress makes of foreign bodies. The channel is in it because providers' message
/// ids are only unique per number.
pub fn source(channel: &ChannelKey) -> String {
    format!("switchboard/ingress/{channel}")
}

/// Writes a fact as a native CloudEvent with this partition key (the conversation's, where one is known).
pub fn forward(fact: &ArrivedFact, partition_key: &str) -> Forwarded {
    let event_type = match &fact.what {
        What::Received(_) => fact::RECEIVED,
        What::Sent { .. } => fact::SENT,
        What::Handover { .. } => fact::HANDOVER,
    };
    let source = match &fact.dedupe {
        Dedupe::Event { source, .. } => source.to_string(),
        Dedupe::Message { .. } => source(&fact.channel),
    };
    let event = Event {
        specversion: "1.0",
        id: &fact.cause,
        source: &source,
        event_type,
        time: fact.at,
        partitionkey: partition_key,
        datacontenttype: "application/json",
        traceparent: fact.trace.as_ref().map(Trace::parent),
        tracestate: fact.trace.as_ref().and_then(Trace::state),
        data: Data::of(fact),
    };
    Forwarded {
        event_type,
        content_type: "application/cloudevents+json",
        message_id: fact.dedupe.key().to_string(),
        // Texts, times and maps with text keys: there is nothing in it that JSON cannot say.
        body: serde_json::to_vec(&event).unwrap_or_default(),
    }
}

#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'static str,
    time: Timestamp,
    partitionkey: &'a str,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracestate: Option<&'a str>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    channel: &'a str,
    contact: ContactData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageData<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    agent: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    origin: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    leave_unassigned: bool,
    standby: bool,
}

#[derive(Serialize)]
struct ContactData<'a> {
    #[serde(flatten)]
    identifiers: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    previous: BTreeMap<&'static str, &'a str>,
    name: &'a str,
    language: &'a str,
    country: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct MessageData<'a> {
    id: &'a str,
    kind: &'a str,
    text: &'a str,
    timestamp: Option<Timestamp>,
    referral: &'a str,
    reply_to: &'a str,
}

impl<'a> Data<'a> {
    fn of(fact: &'a ArrivedFact) -> Self {
        let (message, origin, reason) = match &fact.what {
            What::Received(message) => (Some(message), None, ""),
            What::Sent { message, origin, .. } => (Some(message), Some(origin), ""),
            What::Handover { reason } => (None, None, &**reason),
        };
        let (origin, agent) = match origin {
            None => ("", ""),
            Some(Origin::Agent(agent)) => ("agent", agent.as_str()),
            Some(Origin::Phone) => ("phone", ""),
            Some(Origin::Automation) => ("automation", ""),
        };
        Self {
            channel: fact.channel.as_str(),
            contact: ContactData::of(fact),
            message: message.map(|message| MessageData::of(message, fact.own_time)),
            agent,
            origin,
            reason,
            leave_unassigned: matches!(
                fact.what,
                What::Sent {
                    leave_unassigned: true,
                    ..
                }
            ),
            standby: fact.standby,
        }
    }
}

impl<'a> ContactData<'a> {
    fn of(fact: &'a ArrivedFact) -> Self {
        let Contact {
            name,
            language,
            country,
            attributes,
        } = &fact.contact;
        Self {
            identifiers: by_kind(fact.identity.aliases()),
            previous: by_kind(fact.previous.iter()),
            name,
            language,
            country,
            attributes: attributes
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect(),
        }
    }
}

impl<'a> MessageData<'a> {
    fn of(message: &'a Message, own_time: Option<Timestamp>) -> Self {
        Self {
            id: &message.id,
            kind: &message.kind,
            text: &message.text,
            timestamp: own_time,
            referral: &message.referral,
            reply_to: &message.reply_to,
        }
    }
}

fn by_kind<'a>(aliases: impl Iterator<Item = &'a Alias>) -> BTreeMap<&'static str, &'a str> {
    let named = |alias: &'a Alias| (alias.kind.wire(), &*alias.value);
    aliases.map(named).collect()
}
