//! JSON text to the tree: as serde_json reads it, a level at a time, so that every value knows where it stands.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::node::{Body, Entry, Lines, MAX_DEPTH, Node, Place, TOO_DEEP, fault};
use crate::domain::input::Fault;

/// Reads a text; a text that is no JSON, or in which a key stands twice, has one fault, the first.
pub(super) fn tree(text: &str) -> Result<Node, Fault> {
    let reader = Reader {
        text,
        lines: Lines::of(text),
    };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| reader.not_json(&error))?;
    reader.value(raw, 0)
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines<'a>,
}

impl<'a> Reader<'a> {
    fn value(&self, raw: &'a RawValue, depth: usize) -> Result<Node, Fault> {
        let start = self.offset(raw.get());
        let place = self.lines.place(start);
        let mut inside = None;
        let body = match raw.get().as_bytes().first() {
            Some(b'[' | b'{') if depth == MAX_DEPTH => TOO_DEEP,
            Some(b'[') => {
                let items: Vec<&RawValue> = self.read(raw)?;
                let items = items.into_iter().map(|item| self.value(item, depth + 1));
                Body::List(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let mut json = serde_json::Deserializer::from_str(raw.get());
                let fields = json
                    .deserialize_map(Fields)
                    .map_err(|error| self.not_read(raw, &error))?;
                Body::Table(self.entries(fields, depth)?)
            }
            _ => {
                let node = Node::from_value(&self.read::<Value>(raw)?);
                if let Body::Text(text) = &node.body {
                    inside = self.lines.inside(start..start + raw.get().len(), text);
                }
                node.body
            }
        };
        Ok(Node { place, inside, body })
    }

    fn entries(&self, fields: Vec<(Cow<'a, str>, &'a RawValue)>, depth: usize) -> Result<Vec<Entry>, Fault> {
        let mut seen = HashSet::new();
        let mut entries = Vec::with_capacity(fields.len());
        for (key, raw) in fields {
            let value = self.value(raw, depth + 1)?;
            // A key with escapes in it is no longer part of the text: its value is near.
            let place = match &key {
                Cow::Borrowed(key) => self.lines.place(self.offset(key).saturating_sub(1)),
                Cow::Owned(_) => value.place,
            };
            if !seen.insert(key.clone()) {
                return Err(fault(key, place, "stands there twice"));
            }
            entries.push(Entry {
                key: key.into_owned(),
                place,
                value,
            });
        }
        Ok(entries)
    }

    fn read<T: serde::Deserialize<'a>>(&self, raw: &'a RawValue) -> Result<T, Fault> {
        serde_json::from_str(raw.get()).map_err(|error| self.not_read(raw, &error))
    }

    /// Where a part of the text begins in it: parts are borrowed, never copied.
    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn not_json(&self, error: &serde_json::Error) -> Fault {
        let short = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let place = Place {
            line: short(error.line()),
            column: short(error.column()),
        };
        fault("", place, format!("this is not JSON: {}", what(error)))
    }

    /// What is JSON, and still cannot be read: half a surrogate pair, a number beyond all numbers.
    fn not_read(&self, raw: &RawValue, error: &serde_json::Error) -> Fault {
        fault(
            "",
            self.lines.place(self.offset(raw.get())),
            format!("this cannot be read: {}", what(error)),
        )
    }
}

/// The error without the place, which is said apart.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Reads an object's fields, their values unread.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            fields.push((key.0, value));
        }
        Ok(fields)
    }
}

/// A key, borrowed from the text unless it is escaped there.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
