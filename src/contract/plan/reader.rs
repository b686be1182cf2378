//! Reading a tree of nodes: every complaint with its path and place, and all of them, not only the first.

use std::time::Duration;

use super::node::{Kind, Node, Place};
use crate::contract::duration;
use crate::domain::input::Fault;

/// How alike a wrong key must be to a known one to be suggested.
const ALIKE: f64 = 0.7;
/// Most complaints kept: a person mends a few at a time.
const MAX_FAULTS: usize = 100;

/// What is wrong, and what is doubtful.
#[derive(Debug, Default)]
pub struct Faults {
    /// The plan cannot be used.
    pub errors: Vec<Fault>,
    /// It can, but this is probably not meant.
    pub warnings: Vec<Fault>,
}

impl Faults {
    /// Adds something wrong.
    pub fn error(&mut self, at: &Item<'_>, message: impl Into<String>) {
        self.error_at(at.path.clone(), at.node.place, message);
    }

    /// Adds something wrong at a place.
    pub fn error_at(&mut self, path: String, place: Place, message: impl Into<String>) {
        if self.errors.len() < MAX_FAULTS {
            self.errors.push(Fault {
                path,
                line: place.line,
                column: place.column,
                message: message.into(),
            });
        }
    }

    /// Adds something doubtful.
    pub fn warning(&mut self, path: impl Into<String>, place: Place, message: impl Into<String>) {
        if self.warnings.len() < MAX_FAULTS {
            let fault = Fault {
                path: path.into(),
                line: place.line,
                column: place.column,
                message: message.into(),
            };
            self.warnings.push(fault);
        }
    }
}

/// A node and the keys that lead to it.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The keys.
    pub path: String,
    /// The node.
    pub node: &'a Node,
}

/// A table whose keys are all known.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    /// Itself.
    pub item: Item<'a>,
    fields: &'a [(String, Place, Node)],
}

impl<'a> Item<'a> {
    /// The whole document.
    pub fn root(node: &'a Node) -> Self {
        Self {
            path: String::new(),
            node,
        }
    }

    /// As a table with only these keys; others are complained about.
    pub fn table(&self, known: &[&str], faults: &mut Faults) -> Option<Table<'a>> {
        let table = self.map(faults)?;
        for (key, place, _) in table.fields {
            if !known.contains(&key.as_str()) {
                let path = joined(&self.path, key);
                faults.error_at(
                    path,
                    *place,
                    format!("is no key known here{}", suggestion(key, known)),
                );
            }
        }
        Some(table)
    }

    /// As a table with keys of the writer's own.
    pub fn map(&self, faults: &mut Faults) -> Option<Table<'a>> {
        match &self.node.kind {
            Kind::Table(fields) => Some(Table {
                item: self.clone(),
                fields,
            }),
            _ => self.wanted("a table", faults),
        }
    }

    /// As a list.
    pub fn list(&self, faults: &mut Faults) -> Vec<Item<'a>> {
        match &self.node.kind {
            Kind::List(items) => {
                let item = |(index, node)| Item {
                    path: format!("{}[{index}]", self.path),
                    node,
                };
                items.iter().enumerate().map(item).collect()
            }
            _ => self.wanted("a list", faults).unwrap_or_default(),
        }
    }

    /// As a text.
    pub fn text(&self, faults: &mut Faults) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Text(text) if text.contains('\0') => {
                faults.error(self, "holds a NUL character, which cannot be kept");
                None
            }
            Kind::Text(text) => Some(text),
            _ => self.wanted("a text", faults),
        }
    }

    /// As an id, made by `parse`.
    pub fn id<T, E: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        faults: &mut Faults,
    ) -> Option<T> {
        let text = self.text(faults)?;
        parse(text)
            .map_err(|error| faults.error(self, error.to_string()))
            .ok()
    }

    /// As true or false.
    pub fn bool(&self, faults: &mut Faults) -> Option<bool> {
        match self.node.kind {
            Kind::Bool(value) => Some(value),
            _ => self.wanted("true or false", faults),
        }
    }

    /// As a whole number up to `max`.
    pub fn number(&self, max: u32, faults: &mut Faults) -> Option<u32> {
        match self.node.kind {
            Kind::Number(number) if (0..=i64::from(max)).contains(&number) => u32::try_from(number).ok(),
            _ => self.wanted(&format!("a whole number from 0 to {max}"), faults),
        }
    }

    /// As a duration; `zero`: "0s" means off.
    pub fn duration(&self, zero: bool, faults: &mut Faults) -> Option<Duration> {
        let text = self.text(faults)?;
        if zero && text == "0s" {
            return Some(Duration::ZERO);
        }
        duration::parse(text).or_else(|| {
            let off = if zero { ", or \"0s\" for off" } else { "" };
            self.wanted(
                &format!("a duration such as \"90s\" or \"2m\", from 100ms to a year{off}"),
                faults,
            )
        })
    }

    /// As one of these words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let text = self.text(faults)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let all = known.join(", ");
            faults.error(self, format!("is none of {all}{}", suggestion(text, &known)));
        }
        found.map(|(_, value)| *value)
    }

    fn wanted<T>(&self, what: &str, faults: &mut Faults) -> Option<T> {
        faults.error(self, format!("should be {what}, is {}", self.node.type_name()));
        None
    }
}

impl<'a> Table<'a> {
    /// The value of a key, if it says something.
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        self.entries()
            .find(|(name, _)| *name == key)
            .map(|(_, item)| item)
    }

    /// The value of a key that has to be there.
    pub fn need(&self, key: &str, faults: &mut Faults) -> Option<Item<'a>> {
        let found = self.get(key);
        if found.is_none() {
            faults.error_at(joined(&self.item.path, key), self.item.node.place, "is missing");
        }
        found
    }

    /// All keys that say something, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Item<'a>)> + use<'a, '_> {
        let said = self
            .fields
            .iter()
            .filter(|(_, _, node)| !matches!(node.kind, Kind::Null));
        said.map(|(key, _, node)| {
            (
                key.as_str(),
                Item {
                    path: joined(&self.item.path, key),
                    node,
                },
            )
        })
    }

    /// The items of a list under a key; none if it is not there.
    pub fn list(&self, key: &str, faults: &mut Faults) -> Vec<Item<'a>> {
        self.get(key).map(|item| item.list(faults)).unwrap_or_default()
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.into()
    } else {
        format!("{path}.{key}")
    }
}

/// `; did you mean "members"?`, if one is near enough.
pub fn suggestion(wrong: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|word| (strsim::jaro_winkler(wrong, word), *word))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest.filter(|(likeness, _)| *likeness >= ALIKE) {
        Some((_, word)) => format!("; did you mean \"{word}\"?"),
        None => String::new(),
    }
}
