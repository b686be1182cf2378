//! Messages and customers as rules may ask for them: bounded, and the same whatever shape they came in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::dead::Dead;
use super::json::{Item, Object, cut};
use crate::domain::conversation::Contact;
use crate::domain::input::Message;

/// Longest message id, in bytes. It is never cut, because it is an identity.
pub(super) const MAX_MESSAGE_ID_BYTES: usize = super::cloudevent::MAX_ID_BYTES;

/// Characters of a text that rules get to see: WhatsApp's own limit for a text message.
pub const MAX_TEXT_CHARS: usize = 4_096;

/// Characters kept of a kind; the longest known has fifteen.
const MAX_KIND_CHARS: usize = 64;

/// Characters kept of a customer's name; WhatsApp allows twenty-five, gateways put more into it.
const MAX_NAME_CHARS: usize = 128;

/// Characters kept of an attribute's name.
const MAX_ATTRIBUTE_NAME_CHARS: usize = 64;

/// Characters kept of an attribute's value.
const MAX_ATTRIBUTE_CHARS: usize = 256;

/// Characters kept of what names an advertisement.
const MAX_REFERRAL_CHARS: usize = 256;

/// Kinds that are no turn: nobody has to answer them. Every other kind is one, those we do not know included.
const NOT_A_TURN: [&str; 9] = [
    "reaction",
    "edit",
    "revoke",
    "system",
    "request_welcome",
    "receipts",
    "imports",
    "user_actions",
    "calls",
];

/// The kind of a message that does not say: it counts as one that could not be shown.
const KIND_UNKNOWN: &str = "unsupported";

/// A message, as far as it is known so far; the rest is the default.
pub(super) fn message(id: &str, kind: &str, text: &str) -> Message {
    let kind = match (kind, text) {
        ("", "") => KIND_UNKNOWN,
        ("", _) => "text",
        (kind, _) => cut(kind, MAX_KIND_CHARS),
    };
    Message {
        id: id.into(),
        kind: kind.into(),
        turn: !NOT_A_TURN.contains(&kind),
        text: cut(text, MAX_TEXT_CHARS).into(),
        ..Message::default()
    }
}

/// The message that this one answers. One that is too long to be a message id is none.
pub(super) fn reply_to(id: &str) -> Arc<str> {
    if id.len() <= MAX_MESSAGE_ID_BYTES {
        id.into()
    } else {
        "".into()
    }
}

/// What names the advertisement a message came from: a text, or the best of the provider's object.
pub(super) fn referral(item: Option<Item<'_, '_>>) -> Result<Arc<str>, Dead> {
    let Some(item) = item else {
        return Ok("".into());
    };
    let named = if item.raw().starts_with('{') {
        best_of_referral(&item.object()?)?
    } else {
        item.text()?
    };
    Ok(referral_named(&named))
}

/// What names an advertisement, as far as it is kept.
pub(super) fn referral_named(text: &str) -> Arc<str> {
    cut(text, MAX_REFERRAL_CHARS).into()
}

/// The advertisement's id, else the click's, else its address, else what kind of thing it is.
fn best_of_referral<'a>(referral: &Object<'a, '_>) -> Result<Cow<'a, str>, Dead> {
    for name in ["source_id", "ctwa_clid", "source_url", "source_type"] {
        let text = referral.text(name)?;
        if !text.is_empty() {
            return Ok(text);
        }
    }
    Ok(Cow::Borrowed("unknown")) // there is one, or there would be no object
}

/// What a native body says of the customer, apart from who they are.
pub(super) fn contact(contact: &Object<'_, '_>) -> Result<Contact, Dead> {
    Ok(Contact {
        name: name(&contact.text("name")?),
        language: language(&contact.text("language")?),
        country: country(&contact.text("country")?),
        attributes: attributes(contact)?,
    })
}

/// A customer's name.
pub(super) fn name(text: &str) -> Arc<str> {
    cut(text, MAX_NAME_CHARS).into()
}

/// ISO 639-1 in lower case out of `pt`, `PT` or `pt-BR`; "" for anything else.
fn language(text: &str) -> Arc<str> {
    let language = text.split(['-', '_']).next().unwrap_or("");
    two_letters(language).map_or_else(|| "".into(), |l| l.to_ascii_lowercase().into())
}

/// ISO 3166-1 alpha-2 in upper case; "" for anything else.
fn country(text: &str) -> Arc<str> {
    two_letters(text).map_or_else(|| "".into(), |l| l.to_ascii_uppercase().into())
}

fn two_letters(text: &str) -> Option<&str> {
    let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    fits.then_some(text)
}

/// The attributes, as texts: a number or a list is kept as its JSON text, so that a rule can still look into it.
/// The first [`Contact::MAX_ATTRIBUTES`] stay.
fn attributes(contact: &Object<'_, '_>) -> Result<BTreeMap<Arc<str>, Arc<str>>, Dead> {
    let Some(attributes) = contact.object("attributes")? else {
        return Ok(BTreeMap::new());
    };
    let mut kept = BTreeMap::new();
    for (name, value) in attributes.entries().take(Contact::MAX_ATTRIBUTES) {
        let value = value.text_of_any()?;
        if value.is_empty() {
            continue; // it held nothing but what cannot be kept
        }
        let name = cut(name, MAX_ATTRIBUTE_NAME_CHARS);
        kept.insert(name.into(), cut(&value, MAX_ATTRIBUTE_CHARS).into());
    }
    Ok(kept)
}
