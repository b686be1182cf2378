//! What gateways have in common that are linked to a phone like WhatsApp Web: how they name chats, and what a message
//! turns into.

use std::sync::Arc;

use jiff::Timestamp;

use super::arrived::{ArrivedFact, Dedupe, Direction, Skip};
use super::dead::Dead;
use super::identity::{AliasKind, Found, Identity};
use super::json::Item;
use super::place::Place;
use super::reading::Reading;
use super::time;
use crate::domain::conversation::Contact;
use crate::domain::ids::ChannelKey;
use crate::domain::input::{Message, Origin, What};

/// A message and whose it is.
pub(super) struct Said {
    pub(super) channel: ChannelKey,
    pub(super) direction: Direction,
    pub(super) identity: Identity,
    pub(super) name: Arc<str>,
    pub(super) message: Message,
    pub(super) own_time: Option<Timestamp>,
}

/// The channel of a gateway's instance; names with spaces are nobody's.
pub(super) fn channel(provider: &str, instance: &str) -> Option<ChannelKey> {
    ChannelKey::new(&format!("{provider}:{instance}"))
}

/// Why a chat is none with a customer, if it is none: groups, lists and channels have no owner here.
pub(super) fn no_customer(chat: &str) -> Option<Skip> {
    let (_, server) = chat.split_once('@')?;
    match server {
        "g.us" => Some(Skip::Group),
        "broadcast" | "newsletter" | "call" | "bot" => Some(Skip::Notice),
        _ => None,
    }
}

/// Takes a chat's name as the identifier it is: `number:device@s.whatsapp.net`, or `id@lid`.
pub(super) fn offer(found: &mut Found, jid: &str) {
    let Some((user, server)) = jid.split_once('@') else {
        return found.offer_phone(jid);
    };
    // The number of a linked device stands behind a colon, that of an agent behind a dot.
    let user = user.split([':', '.']).next().unwrap_or(user);
    match server {
        "lid" | "hosted.lid" => found.offer(AliasKind::Lid, user),
        "s.whatsapp.net" | "c.us" | "hosted" => found.offer(AliasKind::Phone, user),
        _ => {}
    }
}

/// A time: as any other, or as the halves of a long number.
pub(super) fn seconds(item: &Item<'_, '_>) -> Result<Timestamp, Dead> {
    if !item.raw().starts_with('{') {
        return time::read(item);
    }
    let halves = item.object()?;
    let half = |name| {
        let number = halves.field(name)?.raw().parse::<i64>().ok()?;
        (i64::from(i32::MIN)..=i64::from(u32::MAX))
            .contains(&number)
            .then_some(number)
    };
    // JavaScript has the lower half as a number with a sign, or without.
    let low = half("low").ok_or_else(|| item.bad("is not a time"))? & i64::from(u32::MAX);
    let high = half("high").unwrap_or(0);
    time::parse(&(high << 32 | low).to_string()).ok_or_else(|| item.bad("is not a time"))
}

/// Takes a message as a fact. What went out was written by a person at the phone or through the gateway: it does not say.
pub(super) fn fact(reading: &mut Reading, said: Said, place: &Place<'_>) {
    let id = said.message.id.clone();
    let at = time::settle(said.own_time.or(reading.enveloped), reading.arrival, place);
    reading.fact(at.map(|at| ArrivedFact {
        cause: id.clone(),
        dedupe: Dedupe::Message {
            channel: said.channel.clone(),
            direction: said.direction,
            id,
        },
        own_time: said.own_time,
        channel: said.channel,
        identity: said.identity,
        previous: Vec::new(),
        partition_key: None,
        contact: Contact {
            name: said.name,
            ..Contact::default()
        },
        at,
        standby: false,
        what: match said.direction {
            Direction::Received => What::Received(said.message),
            Direction::Sent => What::Sent {
                message: said.message,
                origin: Origin::Phone,
                leave_unassigned: false,
            },
        },
        trace: reading.trace.clone(),
    }));
}
