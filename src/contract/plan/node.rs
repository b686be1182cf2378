//! A document as a tree whose nodes know where they stand in the text.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::input::Fault;

/// Where something stands: line and column from 1; 0 when unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// Keys with values, and where the keys stand.
    Table(Vec<(String, Place, Node)>),
    /// Nothing: as if it were not there.
    Null,
    /// Anything else, by name: no key of a plan takes it.
    Other(&'static str),
}

impl Node {
    /// Reads TOML.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Fault>> {
        let places = Places::of(text);
        let table = DeTable::parse(text).map_err(|error| {
            let Place { line, column } = error.span().map(|span| places.at(span.start)).unwrap_or_default();
            vec![Fault {
                path: String::new(),
                line,
                column,
                message: format!("is not TOML: {}", error.message()),
            }]
        })?;
        let place = Place { line: 1, column: 1 };
        Ok(Self {
            place,
            kind: places.table(table.get_ref()),
        })
    }

    /// Reads a JSON value.
    pub fn from_json(value: &Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(number) => number
                .as_i64()
                .map_or(Kind::Other("a number with a fraction"), Kind::Number),
            Value::String(text) => Kind::Text(text.clone()),
            Value::Array(items) => Kind::List(items.iter().map(Self::from_json).collect()),
            Value::Object(fields) => {
                let field =
                    |(key, value): (&String, &Value)| (key.clone(), Place::default(), Self::from_json(value));
                Kind::Table(fields.iter().map(field).collect())
            }
        };
        Self {
            place: Place::default(),
            kind,
        }
    }

    /// As JSON; keys in the order of the alphabet, without those that say nothing.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Text(text) => Value::from(text.clone()),
            Kind::Number(number) => Value::from(*number),
            Kind::Bool(value) => Value::from(*value),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Table(fields) => {
                let said = fields
                    .iter()
                    .filter(|(_, _, node)| !matches!(node.kind, Kind::Null));
                let mut sorted: Vec<_> = said.map(|(key, _, node)| (key.clone(), node.to_json())).collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(sorted.into_iter().collect())
            }
            Kind::Null | Kind::Other(_) => Value::Null,
        }
    }

    /// What it is, for people.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Text(_) => "a text",
            Kind::Number(_) => "a number",
            Kind::Bool(_) => "true or false",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Null => "nothing",
            Kind::Other(name) => name,
        }
    }
}

/// Where the lines of a text begin.
struct Places<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    fn at(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |before| before.chars().count())
            + 1;
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            line: short(line),
            column: short(column),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Kind {
        let field = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            (
                key.get_ref().to_string(),
                self.at(key.span().start),
                self.value(value),
            )
        };
        Kind::Table(table.iter().map(field).collect())
    }

    fn value(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::Text(text.to_string()),
            DeValue::Integer(number) => {
                let digits = number.as_str();
                i64::from_str_radix(digits, number.radix())
                    .map_or(Kind::Other("a number too large"), Kind::Number)
            }
            DeValue::Float(_) => Kind::Other("a number with a fraction"),
            DeValue::Boolean(value) => Kind::Bool(*value),
            DeValue::Datetime(_) => Kind::Other("a date"),
            DeValue::Array(items) => Kind::List(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node {
            place: self.at(value.span().start),
            kind,
        }
    }
}
