//! Native facts: what a gateway that speaks our contract reports.

use std::sync::Arc;

use super::arrived::{ArrivedFact, Dedupe, Direction};
use super::cloudevent::CloudEvent;
use super::dead::{Dead, DeadReason};
use super::identity::{Alias, AliasKind, Found};
use super::json::{Object, cut};
use super::message::{self, MAX_MESSAGE_ID_BYTES};
use super::place::Place;
use super::reading::Reading;
use super::time;
use crate::domain::ids::{AgentId, ChannelKey, MAX_CHANNEL_BYTES};
use crate::domain::input::{Message, Origin, What};

/// The customer wrote.
pub const RECEIVED: &str = "whatsapp.message.received";
/// The business wrote, outside our gate.
pub const SENT: &str = "whatsapp.message.sent";
/// A bot hands over to people.
pub const HANDOVER: &str = "whatsapp.handover.requested";

/// Characters kept of why a bot hands over.
const MAX_REASON_CHARS: usize = 500;

/// What an event of one of these types says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Received,
    Sent,
    Handover,
}

impl Kind {
    /// The kind of fact that a CloudEvent type announces.
    pub(super) fn of(event_type: &str) -> Option<Self> {
        match event_type {
            RECEIVED => Some(Self::Received),
            SENT => Some(Self::Sent),
            HANDOVER => Some(Self::Handover),
            _ => None,
        }
    }
}

/// Reads one native fact.
pub(super) fn read(reading: &Reading, kind: Kind, event: &CloudEvent<'_>) -> Result<ArrivedFact, Dead> {
    let data = Object::parse(&event.data, Place::root("data"))?;
    let channel = channel(&data)?;
    let contact = data.object("contact")?;
    let contact = contact.as_ref().ok_or_else(|| nobody(&data))?;
    let identity = identifiers(contact)?.identity().ok_or_else(|| nobody(contact))?;
    let (what, dedupe, own_time) = match kind {
        Kind::Handover => (handover(&data)?, event.dedupe(), None),
        Kind::Received | Kind::Sent => {
            let said = data.object("message")?.ok_or_else(|| data.missing("message"))?;
            let message = read_message(&said)?;
            let direction = match kind {
                Kind::Sent => Direction::Sent,
                Kind::Received | Kind::Handover => Direction::Received,
            };
            let dedupe = Dedupe::Message {
                channel: channel.clone(),
                direction,
                id: message.id.clone(),
            };
            let own_time = said
                .field("timestamp")
                .map(|item| time::read(&item))
                .transpose()?;
            let what = match direction {
                Direction::Received => What::Received(message),
                Direction::Sent => What::Sent {
                    message,
                    origin: origin(&data)?,
                    leave_unassigned: data.flag("leave_unassigned")?,
                },
            };
            (what, dedupe, own_time)
        }
    };
    let said_time = match own_time {
        Some(time) => Some(time),
        None => event.time()?,
    };
    Ok(ArrivedFact {
        cause: event.id.clone(),
        dedupe,
        own_time,
        channel,
        identity,
        previous: previous(contact)?,
        partition_key: event.partition_key.clone(),
        contact: message::contact(contact)?,
        at: time::settle(said_time, reading.arrival, data.place())?,
        standby: data.flag("standby")?,
        what,
        trace: event.trace.clone(),
    })
}

fn channel(data: &Object<'_, '_>) -> Result<ChannelKey, Dead> {
    let text = data.required("channel", MAX_CHANNEL_BYTES)?;
    let not_one = || data.place().bad("has a channel that is not `provider:id`");
    ChannelKey::new(&text).ok_or_else(not_one)
}

fn nobody(place: &Object<'_, '_>) -> Dead {
    let complaint = "has no usable phone, bsuid, parent_bsuid, lid or group";
    place.place().dead(DeadReason::NoIdentity, complaint)
}

/// The identifiers under their own names.
pub(super) fn identifiers(contact: &Object<'_, '_>) -> Result<Found, Dead> {
    let mut found = Found::default();
    found.offer(AliasKind::Bsuid, &contact.text("bsuid")?);
    found.offer(AliasKind::ParentBsuid, &contact.text("parent_bsuid")?);
    found.offer(AliasKind::Lid, &contact.text("lid")?);
    found.offer(AliasKind::Group, &contact.text("group")?);
    found.offer_phone(&contact.text("phone")?);
    Ok(found)
}

/// What the customer's identifiers were, when they changed.
fn previous(contact: &Object<'_, '_>) -> Result<Vec<Alias>, Dead> {
    match contact.object("previous")? {
        Some(previous) => Ok(identifiers(&previous)?.into_aliases().collect()),
        None => Ok(Vec::new()),
    }
}

fn read_message(said: &Object<'_, '_>) -> Result<Message, Dead> {
    let id = said.required("id", MAX_MESSAGE_ID_BYTES)?;
    let message = message::message(&id, &said.text("kind")?, &said.text("text")?);
    Ok(Message {
        referral: message::referral(said.field("referral"))?,
        reply_to: message::reply_to(&said.text("reply_to")?),
        ..message
    })
}

/// Who wrote what the business sent. A text that cannot be an agent's id names nobody known, which counts as absent.
fn origin(data: &Object<'_, '_>) -> Result<Origin, Dead> {
    let agent = data.text("agent")?;
    match &*data.text("origin")? {
        "" | "agent" if !agent.is_empty() => Ok(AgentId::new(&agent).map_or(Origin::Phone, Origin::Agent)),
        "" | "phone" => Ok(Origin::Phone),
        "automation" => Ok(Origin::Automation),
        "agent" => Err(data.missing("agent")),
        _ => Err(data
            .place()
            .bad("has an origin that is not agent, phone or automation")),
    }
}

fn handover(data: &Object<'_, '_>) -> Result<What, Dead> {
    let reason = data.text("reason")?;
    Ok(What::Handover {
        reason: Arc::from(cut(&reason, MAX_REASON_CHARS)),
    })
}
