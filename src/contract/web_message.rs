//! A message as WhatsApp Web has it, written as JSON: what gateways pass on that are linked like a second phone.
//!
//! Kinds and words stand in as many places as there are kinds. What only wraps another message (one that disappears, one
//! that may be seen once) is taken off first.

use std::borrow::Cow;

use super::dead::Dead;
use super::json::Object;
use super::message;
use crate::domain::input::Message;

/// How many wrappers are taken off at most: two occur.
const MAX_WRAPPERS: usize = 4;

/// What only wraps another message, which is its `message`.
const WRAPPERS: [&str; 7] = [
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "deviceSentMessage",
    "associatedChildMessage",
];

/// Each part a message can have: the kind it makes it, and where its words are.
const PARTS: [(&str, &str, &str); 27] = [
    ("extendedTextMessage", "text", "text"),
    ("imageMessage", "image", "caption"),
    ("videoMessage", "video", "caption"),
    ("ptvMessage", "video", "caption"),
    ("audioMessage", "audio", ""),
    ("documentMessage", "document", "caption"),
    ("stickerMessage", "sticker", ""),
    ("lottieStickerMessage", "sticker", ""),
    ("locationMessage", "location", ""),
    ("liveLocationMessage", "location", "caption"),
    ("contactMessage", "contacts", ""),
    ("contactsArrayMessage", "contacts", ""),
    ("buttonsResponseMessage", "button", "selectedDisplayText"),
    ("templateButtonReplyMessage", "button", "selectedDisplayText"),
    ("listResponseMessage", "interactive", "title"),
    ("interactiveResponseMessage", "interactive", ""),
    ("pollUpdateMessage", "interactive", ""),
    ("orderMessage", "order", "message"),
    ("groupInviteMessage", "contacts", ""),
    ("reactionMessage", "reaction", ""),
    ("encReactionMessage", "reaction", ""),
    ("editedMessage", "edit", ""),
    ("secretEncryptedMessage", "edit", ""),
    ("pinInChatMessage", "system", ""),
    ("keepInChatMessage", "system", ""),
    ("callLogMesssage", "calls", ""),
    ("bcallMessage", "calls", ""),
];

/// What a protocol message does that people see, by its number or name; anything else is between devices.
const PROTOCOL: [(&str, &str); 4] = [
    ("0", "revoke"),
    ("REVOKE", "revoke"),
    ("14", "edit"),
    ("MESSAGE_EDIT", "edit"),
];

/// Reads a message by its content; `None` for what concerns devices and no person.
pub(super) fn read(id: &str, content: &Object<'_, '_>) -> Result<Option<Message>, Dead> {
    unwrap(id, content, MAX_WRAPPERS)
}

fn unwrap(id: &str, content: &Object<'_, '_>, wrappers: usize) -> Result<Option<Message>, Dead> {
    for wrapper in WRAPPERS {
        let Some(outer) = content.object(wrapper)? else {
            continue;
        };
        if let Some(inner) = outer.object("message")?.filter(|_| wrappers > 0) {
            return unwrap(id, &inner, wrappers - 1);
        }
    }
    if let Some(protocol) = content.object("protocolMessage")? {
        return of_protocol(id, &protocol);
    }
    let text = content.text("conversation")?;
    if !text.is_empty() {
        return Ok(Some(message::message(id, "text", &text)));
    }
    for (part, kind, words) in PARTS {
        if let Some(part) = content.object(part)? {
            return of_part(id, &part, kind, words).map(Some);
        }
    }
    let known = ["senderKeyDistributionMessage", "messageContextInfo"];
    let of_devices = content.entries().all(|(name, _)| known.contains(&name));
    // A kind we do not know is a customer who waits for an answer.
    Ok((!of_devices).then(|| message::message(id, "", "")))
}

fn of_part(id: &str, part: &Object<'_, '_>, kind: &str, words: &'static str) -> Result<Message, Dead> {
    let text = if words.is_empty() {
        Cow::Borrowed("")
    } else {
        part.text(words)?
    };
    let mut message = message::message(id, kind, &text);
    if let Some(context) = part.object("contextInfo")? {
        told_beside(&mut message, &context)?;
    }
    Ok(message)
}

/// Takes from beside a message what it answers and which advertisement it came from, as far as that is not known.
pub(super) fn told_beside(message: &mut Message, context: &Object<'_, '_>) -> Result<(), Dead> {
    if message.reply_to.is_empty() {
        let answered = either(context, ["stanzaId", "stanzaID"])?;
        message.reply_to = message::reply_to(&answered);
    }
    if let Some(advertisement) = context
        .object("externalAdReply")?
        .filter(|_| message.referral.is_empty())
    {
        let named = either(&advertisement, ["sourceId", "sourceID"])?;
        let named = if named.is_empty() {
            either(&advertisement, ["ctwaClid", "sourceUrl"])?
        } else {
            named
        };
        message.referral = message::referral_named(&named);
    }
    Ok(())
}

fn of_protocol(id: &str, protocol: &Object<'_, '_>) -> Result<Option<Message>, Dead> {
    let kind = match protocol.field("type") {
        Some(item) => item.text_of_any()?,
        // The first of its kinds is left out where zeros are.
        None if protocol.field("key").is_some() => Cow::Borrowed("0"),
        None => Cow::Borrowed(""),
    };
    let known = PROTOCOL.iter().find(|(name, _)| *name == &*kind);
    Ok(known.map(|(_, kind)| message::message(id, kind, "")))
}

/// The first of these fields that says something: libraries spell names their own way.
pub(super) fn either<'a>(object: &Object<'a, '_>, names: [&'static str; 2]) -> Result<Cow<'a, str>, Dead> {
    for name in names {
        let text = object.text(name)?;
        if !text.is_empty() {
            return Ok(text);
        }
    }
    Ok(Cow::Borrowed(""))
}
