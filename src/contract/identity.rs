//! Who the customer is: the identifiers a message carries, and the hashes that stand for them everywhere else.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::words::Wire;
pub use crate::domain::identity::AliasKind;
use crate::domain::ids::ChannelKey;

/// Digits of a phone number. Wider than E.164's fifteen: it has to identify someone, not to be dialled, and gateways
/// for testing hand out numbers of any length.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 3..=20;

/// Characters after the dots of a business-scoped user id.
const MAX_BSUID_CHARS: usize = 128;

/// Longest linked id or group id, in bytes: they are numbers of some twenty digits; names from tests are longer.
const MAX_ALIAS_BYTES: usize = 128;

/// Hexadecimal digits of a computed partition key (64 bits of SHA-256): short in headers, no collisions to speak of.
const KEY_HEX_DIGITS: usize = 16;

/// One identifier of a customer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// What it is.
    pub kind: AliasKind,
    /// The identifier itself, normalised. Personal: it goes no further than [`Alias::key`].
    pub value: Arc<str>,
}

/// Shows the kind only, so that no log line can hold an identifier.
impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.kind.wire())
    }
}

impl Alias {
    /// Normalises a text as an identifier of this kind; `None` if it cannot be one. A parent id says itself that it is one: it is
    /// the same identifier wherever it stands.
    pub fn new(kind: AliasKind, text: &str) -> Option<Self> {
        let kind = match kind {
            AliasKind::Bsuid => bsuid_kind(text)?,
            kind => kind,
        };
        let value: Arc<str> = match kind {
            AliasKind::Phone => phone(text)?.into(),
            AliasKind::Bsuid | AliasKind::ParentBsuid => {
                bsuid_kind(text)?;
                text.into()
            }
            AliasKind::Lid => bounded(text.strip_suffix("@lid").unwrap_or(text))?.into(),
            AliasKind::Group => bounded(text.strip_suffix("@g.us").unwrap_or(text))?.into(),
        };
        Some(Self { kind, value })
    }

    /// What stands for it in the alias table: a hash, unique to channel, kind and value.
    pub fn key(&self, channel: &ChannelKey) -> Uuid {
        hashed(&["alias", channel.as_str(), self.kind.wire(), &self.value])
    }
}

/// Who a fact is about: never without at least one identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    preferred: Alias,
    others: Vec<Alias>,
}

impl Identity {
    /// *The* identifier: what a computed partition key is made of.
    pub fn identifier(&self) -> &str {
        &self.preferred.value
    }

    /// Every identifier, most preferred first; one of each kind at most.
    pub fn aliases(&self) -> impl Iterator<Item = &Alias> {
        std::iter::once(&self.preferred).chain(&self.others)
    }

    /// The identifier of this kind, if there is one.
    pub fn get(&self, kind: AliasKind) -> Option<&str> {
        self.aliases()
            .find(|alias| alias.kind == kind)
            .map(|alias| &*alias.value)
    }

    /// The phone number, for the customer's country.
    pub fn phone(&self) -> Option<&str> {
        self.get(AliasKind::Phone)
    }
}

/// Identifiers as they are found in a body. The first usable one of each kind stays.
#[derive(Debug, Clone, Default)]
pub(super) struct Found([Option<Alias>; AliasKind::ALL.len()]);

impl Found {
    /// Takes a text as an identifier of this kind, unless it is none or the kind is taken.
    pub(super) fn offer(&mut self, kind: AliasKind, text: &str) {
        if let Some(alias) = Alias::new(kind, text) {
            self.0[alias.kind as usize].get_or_insert(alias);
        }
    }

    /// Takes what should be a phone number, but may be a business-scoped user id in its place.
    pub(super) fn offer_phone(&mut self, text: &str) {
        match bsuid_kind(text) {
            Some(kind) => self.offer(kind, text),
            None => self.offer(AliasKind::Phone, text),
        }
    }

    /// The identifiers, most preferred first.
    pub(super) fn into_aliases(self) -> impl Iterator<Item = Alias> {
        self.0.into_iter().flatten()
    }

    /// Somebody, if anything usable was found.
    pub(super) fn identity(self) -> Option<Identity> {
        let mut aliases = self.into_aliases();
        let preferred = aliases.next()?;
        Some(Identity {
            preferred,
            others: aliases.collect(),
        })
    }
}

/// The partition key where the publisher gave none: the same for everyone who computes it, and not the phone number itself.
pub fn partition_key(channel: &ChannelKey, identifier: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(channel.as_str());
    hash.update("/");
    hash.update(identifier);
    hex(&hash.finalize(), KEY_HEX_DIGITS)
}

/// The first hexadecimal digits of some bytes.
fn hex(bytes: &[u8], digits: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .take(digits)
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// One UUID for these texts. They are joined by NUL, which no text read from a body holds, so that no two lists look
/// alike; the hash is cut to 122 bits of SHA-256 and marked as a custom (version 8) UUID.
pub(super) fn hashed(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A phone number as E.164 with `+`, from any usual way to write it.
fn phone(text: &str) -> Option<String> {
    const SEPARATORS: &[char] = &[' ', '-', '.', '(', ')', '/'];
    let text = text.strip_suffix("@s.whatsapp.net").unwrap_or(text).trim();
    let written = text.strip_prefix('+').unwrap_or(text);
    let mut phone = String::with_capacity(16);
    phone.push('+');
    for c in written.chars().filter(|c| !SEPARATORS.contains(c)) {
        if !c.is_ascii_digit() || phone.len() > *PHONE_DIGITS.end() {
            return None;
        }
        phone.push(c);
    }
    PHONE_DIGITS.contains(&(phone.len() - 1)).then_some(phone)
}

/// Which kind of business-scoped user id a text is: two capital letters, a dot, `ENT.` for a parent id, letters and digits.
fn bsuid_kind(text: &str) -> Option<AliasKind> {
    let (country, rest) = text.split_once('.')?;
    let (kind, id) = match rest.strip_prefix("ENT.") {
        Some(id) => (AliasKind::ParentBsuid, id),
        None => (AliasKind::Bsuid, rest),
    };
    let fits = country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=MAX_BSUID_CHARS).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(kind)
}

fn bounded(text: &str) -> Option<&str> {
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    (!text.is_empty() && text.len() <= MAX_ALIAS_BYTES && clean).then_some(text)
}
