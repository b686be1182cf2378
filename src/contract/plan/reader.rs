//! Reading the tree: what a key takes, and a complaint with path and place where something else stands.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use super::mentions::{Mention, Named};
use super::node::{Body, Entry, Node, Place, fault};
use crate::contract::duration;
use crate::domain::input::Fault;
use crate::domain::nearest::did_you_mean;

/// Most faults, and most warnings, that are said at once: whoever mends a hundred reads the rest the next time.
const MAX_FAULTS: usize = 100;

/// Longest name of an agent, team or rule, in characters.
const MAX_NAME_CHARS: usize = 128;

/// Characters of a key that are shown in a path: known keys are shorter.
const SHOWN_KEY_CHARS: usize = 64;

/// What has been found while reading.
#[derive(Default)]
pub(super) struct Reading {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    /// What the plan names, to be looked for when it is read.
    pub mentions: Vec<Mention>,
    /// What the plan has, by what it is and its id, and where.
    pub declared: BTreeMap<(Named, String), Spot>,
    /// Where settings stand that are compared with what is read after them.
    pub noted: BTreeMap<&'static str, Spot>,
}

/// A path and a place, without the tree.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub path: String,
    pub place: Place,
}

impl Reading {
    /// Something wrong.
    pub fn error(&mut self, at: &Spot, message: impl Into<String>) {
        if !self.is_full() {
            self.errors.push(fault(at.path.clone(), at.place, message));
        }
    }

    /// Whether no more errors are said.
    pub fn is_full(&self) -> bool {
        self.errors.len() == MAX_FAULTS
    }

    /// Something allowed and probably not meant.
    pub fn warn(&mut self, at: &Spot, message: impl Into<String>) {
        if self.warnings.len() < MAX_FAULTS {
            self.warnings.push(fault(at.path.clone(), at.place, message));
        }
    }

    /// Something the plan has: each id once.
    pub fn declare(&mut self, what: Named, id: &str, at: &Spot) {
        match self.declared.get(&(what, id.to_owned())) {
            Some(first) => {
                let message = format!("is the {what} {id} a second time; the first is {}", first.path);
                self.error(at, message);
            }
            None => drop(self.declared.insert((what, id.to_owned()), at.clone())),
        }
    }

    /// Something the plan names.
    pub fn mention(&mut self, what: Named, id: &str, at: &Item<'_>) {
        self.mentions.push(Mention {
            what,
            id: id.to_owned(),
            at: at.spot.clone(),
        });
    }

    /// Errors and warnings, each in the order of the text.
    pub fn finish(mut self) -> (Vec<Fault>, Vec<Fault>) {
        for list in [&mut self.errors, &mut self.warnings] {
            list.sort_by_key(|fault| (fault.line, fault.column));
            if list.len() == MAX_FAULTS {
                list.push(fault(
                    "",
                    Place::UNKNOWN,
                    format!("there may be more: {MAX_FAULTS} are said at once"),
                ));
            }
        }
        (self.errors, self.warnings)
    }
}

/// A node and the keys that lead to it.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub spot: Spot,
    node: &'a Node,
}

impl<'a> Item<'a> {
    /// The whole document.
    pub fn root(node: &'a Node) -> Self {
        Self {
            spot: Spot {
                path: String::new(),
                place: node.place,
            },
            node,
        }
    }

    /// A table with keys the plan defines.
    pub fn fields(&self, reading: &mut Reading) -> Option<Fields<'a>> {
        match &self.node.body {
            Body::Table(entries) => Some(Fields {
                spot: self.spot.clone(),
                entries,
                known: Vec::new(),
            }),
            _ => self.is_not("a table", reading),
        }
    }

    /// A table with keys of the writer's own, at most so many.
    pub fn entries(&self, max: usize, reading: &mut Reading) -> Vec<(&'a str, Item<'a>)> {
        let Body::Table(entries) = &self.node.body else {
            return self.is_not("a table", reading).unwrap_or_default();
        };
        if entries.len() > max {
            reading.error(&self.spot, format!("has more than {max} entries"));
        }
        let said = entries
            .iter()
            .take(max)
            .filter(|entry| !matches!(entry.value.body, Body::Nothing));
        said.map(|entry| (entry.key.as_str(), entry.item(&self.spot)))
            .collect()
    }

    /// A list of at most so many.
    pub fn list(&self, max: usize, reading: &mut Reading) -> Vec<Item<'a>> {
        let Body::List(nodes) = &self.node.body else {
            return self.is_not("a list", reading).unwrap_or_default();
        };
        if nodes.len() > max {
            reading.error(&self.spot, format!("has more than {max} entries"));
        }
        let item = |(index, node): (usize, &'a Node)| {
            let path = format!("{}[{index}]", self.spot.path);
            Item {
                spot: Spot {
                    path,
                    place: node.place,
                },
                node,
            }
        };
        nodes.iter().take(max).enumerate().map(item).collect()
    }

    /// A text.
    pub fn text(&self, reading: &mut Reading) -> Option<&'a str> {
        match &self.node.body {
            // Postgres cannot keep one.
            Body::Text(text) if text.contains('\0') => self.complain("holds a NUL character", reading),
            Body::Text(text) if text.is_empty() => self.complain("must not be empty", reading),
            Body::Text(text) => Some(text),
            _ => self.is_not("a text", reading),
        }
    }

    /// A name for people.
    pub fn name(&self, reading: &mut Reading) -> Option<Arc<str>> {
        let name = self.text(reading)?;
        if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            let message = format!("must be at most {MAX_NAME_CHARS} characters on one line");
            return self.complain(message, reading);
        }
        Some(name.into())
    }

    /// Something that `parse` makes of a text; its error reads on from "is not valid:".
    pub fn id<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        reading: &mut Reading,
    ) -> Option<T> {
        let text = self.text(reading)?;
        parse(text)
            .or_else(|error| self.complain(format!("is not valid: {error}"), reading).ok_or(()))
            .ok()
    }

    /// True or false.
    pub fn flag(&self, reading: &mut Reading) -> Option<bool> {
        match self.node.body {
            Body::Flag(flag) => Some(flag),
            _ => self.is_not("true or false", reading),
        }
    }

    /// A whole number from 0 to `max`.
    pub fn number(&self, max: u32, reading: &mut Reading) -> Option<u32> {
        match self.node.body {
            Body::Number(number) => match u32::try_from(number) {
                Ok(number) if number <= max => Some(number),
                _ => self.complain(format!("must be from 0 to {max}"), reading),
            },
            _ => self.is_not(&format!("a whole number from 0 to {max}"), reading),
        }
    }

    /// How long something lasts.
    pub fn duration(&self, reading: &mut Reading) -> Option<Duration> {
        let text = self.text(reading)?;
        let message = "must be a duration such as \"90s\", \"2m\" or \"1h\", from 100ms to 366d";
        duration::parse(text).or_else(|| self.complain(message, reading))
    }

    /// How long until something is done, or `0s` for never, which is the inner `None`.
    pub fn duration_or_off(&self, reading: &mut Reading) -> Option<Option<Duration>> {
        match self.node.body {
            Body::Text(ref text) if text == "0s" => Some(None),
            _ => self.duration(reading).map(Some),
        }
    }

    /// What one of these words stands for.
    pub fn word<T: Copy>(&self, words: &[(&str, T)], reading: &mut Reading) -> Option<T> {
        let text = self.text(reading)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = did_you_mean(text, all.iter().copied());
        self.complain(format!("must be one of {}{hint}", all.join(", ")), reading)
    }

    /// The place of a character of this text, counted by line and column within it, if that can be told.
    pub fn place_inside(&self, line: u32, column: u32) -> Option<Place> {
        let start = self.node.inside?;
        let above = line.saturating_sub(1);
        let left = if above == 0 {
            start.column.saturating_sub(1)
        } else {
            0
        };
        Some(Place {
            line: start.line.saturating_add(above),
            column: left.saturating_add(column),
        })
    }

    fn is_not<T>(&self, wanted: &str, reading: &mut Reading) -> Option<T> {
        self.complain(format!("must be {wanted}, not {}", self.node.name()), reading)
    }

    fn complain<T>(&self, message: impl Into<String>, reading: &mut Reading) -> Option<T> {
        reading.error(&self.spot, message);
        None
    }
}

impl Entry {
    fn item(&self, parent: &Spot) -> Item<'_> {
        Item {
            spot: Spot {
                path: joined(&parent.path, &self.key),
                place: self.value.place,
            },
            node: &self.value,
        }
    }
}

/// A table with keys the plan defines: taken one by one, and what nobody took is unknown.
pub(super) struct Fields<'a> {
    /// Where the table stands.
    pub spot: Spot,
    entries: &'a [Entry],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// A key's value, if it says something.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.body, Body::Nothing)).then(|| entry.item(&self.spot))
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, key: &'static str, reading: &mut Reading) -> Option<Item<'a>> {
        let found = self.take(key);
        if found.is_none() {
            let spot = Spot {
                path: joined(&self.spot.path, key),
                place: self.spot.place,
            };
            reading.error(&spot, "is missing");
        }
        found
    }

    /// Complains about every key nobody took.
    pub fn close(self, reading: &mut Reading) {
        for entry in self
            .entries
            .iter()
            .filter(|entry| !self.known.contains(&entry.key.as_str()))
        {
            if reading.is_full() {
                return;
            }
            let hint = did_you_mean(&entry.key, self.known.iter().copied());
            let spot = Spot {
                path: joined(&self.spot.path, &entry.key),
                place: entry.place,
            };
            reading.error(&spot, format!("is not a key known here{hint}"));
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    let shown: String = key.chars().take(SHOWN_KEY_CHARS).collect();
    if path.is_empty() {
        shown
    } else {
        format!("{path}.{shown}")
    }
}
