//! What gateways built on whatsmeow publish: wuzapi (`{type, event, userID}`) and Evolution Go (`{event, data, instanceId}`).
//! Their tokens are not read.

use std::borrow::Cow;

use super::arrived::{Direction, Skip};
use super::dead::{Dead, DeadReason};
use super::identity::Found;
use super::json::Object;
use super::linked::{self, Said};
use super::message::{self, MAX_MESSAGE_ID_BYTES};
use super::reading::Reading;
use super::web_message;
use crate::domain::ids::{ChannelKey, MAX_CHANNEL_BYTES};

/// How a gateway wraps an event.
struct Wrapper {
    /// The provider word of its channels.
    provider: &'static str,
    /// Where the event's name is.
    name: &'static str,
    /// Where the event is.
    event: &'static str,
    /// Where the instance is.
    instance: &'static str,
}

const WRAPPERS: [Wrapper; 2] = [
    Wrapper {
        provider: "wuzapi",
        name: "type",
        event: "event",
        instance: "userID",
    },
    Wrapper {
        provider: "evolution-go",
        name: "event",
        event: "data",
        instance: "instanceId",
    },
];

/// Events that are counted by what they tell; everything that is not here is news about the instance.
const UNCOUNTED: [(&str, Skip); 5] = [
    ("ReadReceipt", Skip::Receipt),
    ("Receipt", Skip::Receipt),
    ("HistorySync", Skip::Import),
    ("CallOffer", Skip::Call),
    ("CallTerminate", Skip::Call),
];

fn wrapper(object: &Object<'_, '_>) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|wrapper| {
        [wrapper.name, wrapper.event, wrapper.instance]
            .into_iter()
            .all(|name| object.field(name).is_some())
    })
}

/// Whether an object is such a body.
pub(super) fn is_one(object: &Object<'_, '_>) -> bool {
    wrapper(object).is_some()
}

/// Reads a body: one event.
pub(super) fn read(reading: &mut Reading, body: &Object<'_, '_>) -> Result<(), Dead> {
    let Some(wrapper) = wrapper(body) else {
        return Err(body.place().bad("is of no gateway built on whatsmeow"));
    };
    let name = body.text(wrapper.name)?;
    if name != "Message" && name != "SendMessage" {
        let known = UNCOUNTED.iter().find(|(known, _)| *known == &*name);
        reading.skip(known.map_or(Skip::Notice, |(_, skip)| *skip), 1);
        return Ok(());
    }
    let instance = body.required(wrapper.instance, MAX_CHANNEL_BYTES)?;
    let not_one = || body.place().bad("has an instance that is none");
    let channel = linked::channel(wrapper.provider, &instance).ok_or_else(not_one)?;
    let event = body
        .object(wrapper.event)?
        .ok_or_else(|| body.missing(wrapper.event))?;
    one(reading, channel, &event)
}

fn one(reading: &mut Reading, channel: ChannelKey, event: &Object<'_, '_>) -> Result<(), Dead> {
    let info = event.object("Info")?.ok_or_else(|| event.missing("Info"))?;
    let chat = info.text("Chat")?;
    let skipped = if info.flag("IsGroup")? {
        Some(Skip::Group)
    } else {
        linked::no_customer(&chat)
    };
    if let Some(skip) = skipped {
        reading.skip(skip, 1);
        return Ok(());
    }
    let id = info.required("ID", MAX_MESSAGE_ID_BYTES)?;
    let content = event.object("Message")?;
    let message = match &content {
        Some(content) => web_message::read(&id, content)?,
        None => None,
    };
    let Some(message) = message else {
        reading.skip(Skip::Notice, 1);
        return Ok(());
    };
    let direction = if info.flag("IsFromMe")? {
        Direction::Sent
    } else {
        Direction::Received
    };
    // The chat is the customer, whoever wrote; the other name of theirs stands beside whoever they are of the message.
    let other = match direction {
        Direction::Received => ["Sender", "SenderAlt"],
        Direction::Sent => ["RecipientAlt", "RecipientAlt"],
    };
    let mut found = Found::default();
    linked::offer(&mut found, &chat);
    for name in other {
        linked::offer(&mut found, &info.text(name)?);
    }
    let nobody = || {
        info.place()
            .dead(DeadReason::NoIdentity, "names no usable customer")
    };
    let name = match direction {
        Direction::Received => info.text("PushName")?,
        Direction::Sent => Cow::Borrowed(""),
    };
    let said = Said {
        channel,
        direction,
        identity: found.identity().ok_or_else(nobody)?,
        name: message::name(&name),
        message,
        own_time: info
            .field("Timestamp")
            .map(|item| linked::seconds(&item))
            .transpose()?,
    };
    linked::fact(reading, said, info.place());
    Ok(())
}
