//! TOML to the tree.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Body, Entry, Lines, MAX_DEPTH, NOT_WHOLE, Node, Place, TOO_DEEP, fault};
use crate::domain::input::Fault;

/// Reads a text; a text that is no TOML has one fault, the first.
pub(super) fn tree(text: &str) -> Result<Node, Fault> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let place = error
            .span()
            .map_or(Place::UNKNOWN, |span| lines.place(span.start));
        fault("", place, format!("this is not TOML: {}", error.message()))
    })?;
    let body = lines.table(table.get_ref(), 0);
    Ok(Node {
        place: Place { line: 1, column: 1 },
        inside: None,
        body,
    })
}

impl Lines<'_> {
    fn table(&self, table: &DeTable<'_>, depth: usize) -> Body {
        let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| Entry {
            key: key.get_ref().clone().into_owned(),
            place: self.place(key.span().start),
            value: self.value(value, depth + 1),
        };
        Body::Table(table.iter().map(entry).collect())
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let span: Range<usize> = value.span();
        let mut inside = None;
        let body = match value.get_ref() {
            DeValue::String(text) => {
                inside = self.inside(span.clone(), text);
                Body::Text(text.clone().into_owned())
            }
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).map_or(NOT_WHOLE, Body::Number)
            }
            DeValue::Float(_) => NOT_WHOLE,
            DeValue::Boolean(flag) => Body::Flag(*flag),
            DeValue::Datetime(_) => Body::Other("a date or time without quotes"),
            DeValue::Array(_) | DeValue::Table(_) if depth == MAX_DEPTH => TOO_DEEP,
            DeValue::Array(items) => {
                Body::List(items.iter().map(|item| self.value(item, depth + 1)).collect())
            }
            DeValue::Table(table) => self.table(table, depth),
        };
        Node {
            place: self.place(span.start),
            inside,
            body,
        }
    }
}
