//! JSON read field by field, so that every complaint names its place.
//!
//! Absent, null and "" are alike; unknown fields are skipped; a wrong type spoils only what is asked for. Complaints
//! never show a value, which is why serde's own messages go no further than this file.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::dead::{Dead, DeadReason};
use super::place::Place;

/// An object whose fields are still text.
pub(super) struct Object<'a, 'p> {
    place: Place<'p>,
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a, 'p> Object<'a, 'p> {
    /// Splits an object into its fields. Text that is no JSON is `unparseable`, JSON that is no object `invalid`.
    pub(super) fn parse(text: &'a str, place: Place<'p>) -> Result<Self, Dead> {
        match serde_json::from_str(text) {
            Ok(Fields(fields)) => Ok(Self { place, fields }),
            Err(error) if error.is_data() => Err(place.bad("is not an object")),
            Err(error) => Err(unparseable(&place, &error)),
        }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> &Place<'p> {
        &self.place
    }

    /// A field, unless it is absent, null or "". Of a name given twice the last counts, as most readers have it.
    pub(super) fn field(&self, name: &'static str) -> Option<Item<'a, '_>> {
        let (_, text) = self.fields.iter().rev().find(|(key, _)| key == name)?;
        let item = self.item(name, text);
        (!item.is_nothing()).then_some(item)
    }

    /// Every field that says something, with its name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Item<'a, '_>)> {
        let items = self
            .fields
            .iter()
            .map(|(name, text)| (&**name, self.item(name, text)));
        items.filter(|(_, item)| !item.is_nothing())
    }

    fn item<'s>(&'s self, name: &'s str, text: &'a str) -> Item<'a, 's> {
        Item {
            place: self.place.field(name),
            text,
        }
    }

    /// A complaint that this field, which must be there, is not.
    pub(super) fn missing(&self, name: &'static str) -> Dead {
        self.item(name, "").place.bad("is missing")
    }

    /// A text; "" when there is none.
    pub(super) fn text(&self, name: &'static str) -> Result<Cow<'a, str>, Dead> {
        self.field(name).map_or(Ok(Cow::Borrowed("")), |item| item.text())
    }

    /// A text that must be there, of at most so many bytes.
    pub(super) fn required(&self, name: &'static str, max: usize) -> Result<Cow<'a, str>, Dead> {
        let item = self.field(name).ok_or_else(|| self.missing(name))?;
        let text = item.text()?;
        match text.len() {
            0 => Err(item.bad("is missing")),
            length if length > max => Err(item.bad(format_args!("is longer than {max} bytes"))),
            _ => Ok(text),
        }
    }

    /// A yes or no; no when it is absent.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Dead> {
        self.field(name).map_or(Ok(false), |item| item.flag())
    }

    /// An object within this one, if it is there.
    pub(super) fn object(&self, name: &'static str) -> Result<Option<Object<'a, '_>>, Dead> {
        self.field(name).map(Item::object).transpose()
    }

    /// A list; empty when it is absent. One object where a list belongs counts as a list of one.
    pub(super) fn list(&self, name: &'static str) -> Result<List<'a, '_>, Dead> {
        match self.field(name) {
            Some(item) => item.list(),
            None => Ok(List {
                place: self.place,
                items: Vec::new(),
            }),
        }
    }
}

/// One value, still text, with its place.
#[derive(Clone, Copy)]
pub(super) struct Item<'a, 'p> {
    place: Place<'p>,
    text: &'a str,
}

impl<'a, 'p> Item<'a, 'p> {
    fn is_nothing(&self) -> bool {
        matches!(self.text, "null" | "\"\"")
    }

    /// The JSON text of the value.
    pub(super) fn raw(&self) -> &'a str {
        self.text
    }

    /// A complaint about this value.
    pub(super) fn bad(&self, complaint: impl fmt::Display) -> Dead {
        self.place.bad(complaint)
    }

    /// A text without NUL, which Postgres cannot keep. Halves of surrogate pairs (a cut emoji) are replaced, not refused.
    pub(super) fn text(&self) -> Result<Cow<'a, str>, Dead> {
        let inner = self
            .text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let inner = inner.ok_or_else(|| self.bad("is not a text"))?;
        if !inner.contains('\\') {
            return Ok(Cow::Borrowed(inner));
        }
        match serde_json::from_str(self.text) {
            Ok(Decoded(text)) => Ok(Cow::Owned(without_nul(&text))),
            Err(_) => Err(self.bad("is not a text")),
        }
    }

    /// A text, or the JSON text of whatever else stands here.
    pub(super) fn text_of_any(&self) -> Result<Cow<'a, str>, Dead> {
        if self.text.starts_with('"') {
            self.text()
        } else {
            Ok(Cow::Borrowed(self.text))
        }
    }

    /// A yes or no.
    pub(super) fn flag(&self) -> Result<bool, Dead> {
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.bad("is neither true nor false")),
        }
    }

    /// A whole number from 0 to `max`.
    pub(super) fn number(&self, max: u64) -> Result<u64, Dead> {
        let number = self.text.parse().ok().filter(|number| *number <= max);
        number.ok_or_else(|| self.bad(format_args!("is not a whole number from 0 to {max}")))
    }

    /// An object.
    pub(super) fn object(self) -> Result<Object<'a, 'p>, Dead> {
        Object::parse(self.text, self.place)
    }

    /// A list, or one object in its place.
    pub(super) fn list(self) -> Result<List<'a, 'p>, Dead> {
        let items = match self.text.as_bytes().first() {
            Some(b'[') => serde_json::from_str(self.text).ok(),
            Some(b'{') => serde_json::from_str(self.text).ok().map(|one| vec![one]),
            _ => None,
        };
        let place = self.place;
        match items {
            Some(items) => Ok(List { place, items }),
            None => Err(self.bad("is not a list")),
        }
    }
}

/// A list whose items are still text.
pub(super) struct List<'a, 'p> {
    place: Place<'p>,
    items: Vec<&'a RawValue>,
}

impl<'a, 'p> List<'a, 'p> {
    /// Splits a list into its items. Text that is no JSON is `unparseable`, JSON that is no list `invalid`.
    pub(super) fn parse(text: &'a str, place: Place<'p>) -> Result<Self, Dead> {
        match serde_json::from_str(text) {
            Ok(items) => Ok(Self { place, items }),
            Err(error) if error.is_data() => Err(place.bad("is not a list")),
            Err(error) => Err(unparseable(&place, &error)),
        }
    }

    /// How many items it has.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Its items in order, those that say nothing included.
    pub(super) fn iter(&self) -> impl Iterator<Item = Item<'a, '_>> {
        self.items.iter().enumerate().map(|(index, item)| Item {
            place: self.place.index(index),
            text: item.get(),
        })
    }
}

/// A body without the mark of byte order that some writers put in front.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn unparseable(place: &Place<'_>, error: &serde_json::Error) -> Dead {
    let (line, column) = (error.line(), error.column());
    let complaint = format_args!("is not JSON (line {line}, column {column})");
    place.dead(DeadReason::Unparseable, complaint)
}

/// The fields of an object, their values skipped over.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(TYPICAL_FIELDS);
                while let Some((written, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    fields.push((name(written), value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Fields an object usually has: most are read without growing the list.
const TYPICAL_FIELDS: usize = 8;

/// A field's name out of its JSON text, borrowed unless it is escaped there. What cannot be kept of it is replaced, not
/// left out: a name that is only nearly one of ours must not become it. Half of a surrogate pair spoils no body.
fn name(written: &RawValue) -> Cow<'_, str> {
    let written = written.get();
    let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(plain) = inner.filter(|inner| !inner.contains('\\')) {
        return Cow::Borrowed(plain);
    }
    match serde_json::from_str(written) {
        Ok(Decoded(name)) => Cow::Owned(name.replace('\0', REPLACED)),
        Err(_) => Cow::Borrowed(REPLACED), // a name is a text, or the body would not have been read
    }
}

/// Stands for NUL in a name.
const REPLACED: &str = "\u{fffd}";

/// A text with escapes, whatever they are.
struct Decoded(String);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decoding;
        impl Visitor<'_> for Decoding {
            type Value = Decoded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Decoded, E> {
                Ok(Decoded(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        // As bytes: serde_json then lets a lone half of a surrogate pair pass.
        deserializer.deserialize_bytes(Decoding)
    }
}

/// A text as Postgres can keep it.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// The beginning of a text, at most so many characters.
pub(super) fn cut(text: &str, max_chars: usize) -> &str {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
