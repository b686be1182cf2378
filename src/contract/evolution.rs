//! What Evolution API (version 2) publishes: `{event, instance, data}`. Its API key, its media and whose server it is are
//! not read.

use super::arrived::{Direction, Skip};
use super::dead::{Dead, DeadReason};
use super::each::each;
use super::identity::Found;
use super::json::Object;
use super::linked::{self, Said};
use super::message::{self, MAX_MESSAGE_ID_BYTES};
use super::reading::Reading;
use super::{time, web_message};
use crate::domain::ids::{ChannelKey, MAX_CHANNEL_BYTES};

/// The provider word of its channels; the rest is the instance's name.
const PROVIDER: &str = "evolution";

/// Events that are counted by what they tell; everything that is not here is news about the instance.
const UNCOUNTED: [(&str, Skip); 5] = [
    ("messages.update", Skip::Receipt),
    ("messages.set", Skip::Import),
    ("chats.set", Skip::Import),
    ("contacts.set", Skip::Import),
    ("call", Skip::Call),
];

/// Whether an object is such a body.
pub(super) fn is_one(object: &Object<'_, '_>) -> bool {
    ["event", "instance", "data"]
        .into_iter()
        .all(|name| object.field(name).is_some())
}

/// Reads a body: a message, or a list of them.
pub(super) fn read(reading: &mut Reading, body: &Object<'_, '_>) -> Result<(), Dead> {
    // The instance may write `MESSAGES_UPSERT`, as its settings call it.
    let event = body.text("event")?.to_ascii_lowercase().replace('_', ".");
    if event != "messages.upsert" && event != "send.message" {
        let known = UNCOUNTED.iter().find(|(name, _)| *name == event);
        reading.skip(known.map_or(Skip::Notice, |(_, skip)| *skip), 1);
        return Ok(());
    }
    if reading.enveloped.is_none() {
        reading.enveloped = body
            .field("date_time")
            .map(|item| time::read(&item))
            .transpose()
            .unwrap_or_default();
    }
    let channel = channel(body)?;
    each(reading, body.list("data"), |reading, item| {
        one(reading, &channel, &item.object()?)
    });
    Ok(())
}

fn channel(body: &Object<'_, '_>) -> Result<ChannelKey, Dead> {
    let instance = body.required("instance", MAX_CHANNEL_BYTES)?;
    linked::channel(PROVIDER, &instance).ok_or_else(|| body.place().bad("has an instance that is none"))
}

fn one(reading: &mut Reading, channel: &ChannelKey, said: &Object<'_, '_>) -> Result<(), Dead> {
    let key = said.object("key")?.ok_or_else(|| said.missing("key"))?;
    let chat = key.text("remoteJid")?;
    if let Some(skip) = linked::no_customer(&chat) {
        reading.skip(skip, 1);
        return Ok(());
    }
    let id = key.required("id", MAX_MESSAGE_ID_BYTES)?;
    let Some(content) = said.object("message")? else {
        // A message that could not be decrypted yet is told again when it can be; one without content otherwise is a notice.
        reading.skip(Skip::Notice, 1);
        return Ok(());
    };
    let Some(mut message) = web_message::read(&id, &content)? else {
        reading.skip(Skip::Notice, 1);
        return Ok(());
    };
    // It makes a plain text of every text, and puts beside it what else that one held.
    if let Some(context) = said.object("contextInfo")? {
        web_message::told_beside(&mut message, &context)?;
    }
    let mut found = Found::default();
    for name in ["remoteJid", "remoteJidAlt", "senderPn", "senderLid"] {
        linked::offer(&mut found, &key.text(name)?);
    }
    let nobody = || {
        key.place()
            .dead(DeadReason::NoIdentity, "names no usable customer")
    };
    let direction = if key.flag("fromMe")? {
        Direction::Sent
    } else {
        Direction::Received
    };
    // What the business sent carries its own name.
    let name = match direction {
        Direction::Received => message::name(&said.text("pushName")?),
        Direction::Sent => "".into(),
    };
    let said = Said {
        channel: channel.clone(),
        direction,
        identity: found.identity().ok_or_else(nobody)?,
        name,
        message,
        own_time: said
            .field("messageTimestamp")
            .map(|item| linked::seconds(&item))
            .transpose()?,
    };
    linked::fact(reading, said, key.place());
    Ok(())
}
