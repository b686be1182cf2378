//! A document as a tree whose nodes know where they stand, whatever it was written in.

use serde_json::Value;

use crate::domain::input::Fault;

/// Tables and lists inside each other that are followed; the deepest key of a plan is six deep.
pub(super) const MAX_DEPTH: usize = 16;

/// Where something stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The line, from 1; 0 when unknown.
    pub line: u32,
    /// The column in characters, from 1; 0 when unknown.
    pub column: u32,
}

impl Place {
    /// Of what was never a text.
    pub const UNKNOWN: Self = Self { line: 0, column: 0 };
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub place: Place,
    /// Where a text's first character stands, if it is written as it reads, without escapes.
    pub inside: Option<Place>,
    pub body: Body,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Body {
    Text(String),
    Number(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// As if it were not there.
    Nothing,
    /// Something no key of a plan takes, in words.
    Other(&'static str),
}

/// A key of a table with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// What is nested deeper than [`MAX_DEPTH`].
pub(super) const TOO_DEEP: Body = Body::Other("something nested too deeply");
/// A number that is not whole, or beyond what any key takes.
pub(super) const NOT_WHOLE: Body = Body::Other("a number that is not whole, or far too large");

impl Node {
    /// Reads a JSON value.
    pub fn from_value(value: &Value) -> Self {
        Self::from_value_at(value, 0)
    }

    fn from_value_at(value: &Value, depth: usize) -> Self {
        let body = match value {
            Value::Null => Body::Nothing,
            Value::Bool(flag) => Body::Flag(*flag),
            Value::Number(number) => number.as_i64().map_or(NOT_WHOLE, Body::Number),
            Value::String(text) => Body::Text(text.clone()),
            Value::Array(_) | Value::Object(_) if depth == MAX_DEPTH => TOO_DEEP,
            Value::Array(items) => Body::List(
                items
                    .iter()
                    .map(|item| Self::from_value_at(item, depth + 1))
                    .collect(),
            ),
            Value::Object(fields) => {
                let entry = |(key, value): (&String, &Value)| Entry {
                    key: key.clone(),
                    place: Place::UNKNOWN,
                    value: Self::from_value_at(value, depth + 1),
                };
                Body::Table(fields.iter().map(entry).collect())
            }
        };
        Self {
            place: Place::UNKNOWN,
            inside: None,
            body,
        }
    }

    /// As JSON, without what says nothing.
    pub fn to_value(&self) -> Value {
        match &self.body {
            Body::Text(text) => Value::from(text.as_str()),
            Body::Number(number) => Value::from(*number),
            Body::Flag(flag) => Value::from(*flag),
            Body::List(items) => items.iter().map(Self::to_value).collect(),
            Body::Table(entries) => {
                let said = entries
                    .iter()
                    .filter(|entry| !matches!(entry.value.body, Body::Nothing));
                said.map(|entry| (entry.key.clone(), entry.value.to_value()))
                    .collect()
            }
            // The others are no part of a valid plan.
            Body::Nothing | Body::Other(_) => Value::Null,
        }
    }

    /// What it is, in a sentence.
    pub fn name(&self) -> &'static str {
        match &self.body {
            Body::Text(_) => "a text",
            Body::Number(_) => "a number",
            Body::Flag(_) => "true or false",
            Body::List(_) => "a list",
            Body::Table(_) => "a table",
            Body::Nothing => "nothing",
            Body::Other(name) => name,
        }
    }
}

/// About how long a value is as text, in bytes.
pub(super) fn weight(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + weight(value)).sum(),
    };
    inside + 1
}

/// Something wrong, as it leaves.
pub(super) fn fault(path: impl Into<String>, place: Place, message: impl Into<String>) -> Fault {
    Fault {
        path: path.into(),
        line: place.line,
        column: place.column,
        message: message.into(),
    }
}

/// A text's lines and characters, counted once, to find places in it: a long text may be one line.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// Characters before each block of [`BLOCK`] bytes.
    before: Vec<usize>,
}

/// Bytes between two counts of characters: what is counted again for each place, at most.
const BLOCK: usize = 256;

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let counts = text.as_bytes().chunks(BLOCK).scan(0, |sum, block| {
            *sum += characters(block);
            Some(*sum)
        });
        let before = std::iter::once(0).chain(counts).collect();
        Self { text, starts, before }
    }

    /// The place of this byte.
    pub fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .copied()
            .unwrap_or(0);
        let column = self
            .characters_before(offset)
            .saturating_sub(self.characters_before(start))
            + 1;
        let short = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            line: short(line),
            column: short(column),
        }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        let counted = self.before.get(block).copied().unwrap_or(0);
        counted
            + characters(
                self.text
                    .as_bytes()
                    .get(block * BLOCK..offset)
                    .unwrap_or_default(),
            )
    }

    /// Where the characters of this text stand, if they are written between these bytes just as they are.
    pub fn inside(&self, written: std::ops::Range<usize>, text: &str) -> Option<Place> {
        let raw = self.text.get(written.clone())?;
        raw.find(text).map(|at| self.place(written.start + at))
    }
}

/// Characters that begin among these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    const CONTINUATION: u8 = 0b1000_0000;
    bytes
        .iter()
        .filter(|byte| **byte & 0b1100_0000 != CONTINUATION)
        .count()
}
