//! What the sections of a plan name of each other, and whether it is there.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use super::reader::{Item, Reading, Spot};
use crate::domain::nearest::did_you_mean;

/// What a plan has under an id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    Agent,
    Calendar,
    Channel,
    Policy,
    Rule,
    Team,
}

impl Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Named::Agent => "agent",
            Named::Calendar => "calendar",
            Named::Channel => "channel",
            Named::Policy => "response policy",
            Named::Rule => "rule",
            Named::Team => "team",
        })
    }
}

/// Something named, and where.
pub(super) struct Mention {
    pub what: Named,
    pub id: String,
    pub at: Spot,
}

/// The one thing an item names.
pub(super) fn one<T: Display, E: Display>(
    item: &Item<'_>,
    what: Named,
    parse: impl FnOnce(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Option<T> {
    let id = item.id(parse, reading)?;
    reading.mention(what, &id.to_string(), item);
    Some(id)
}

/// The things a list names, each once, at most so many.
pub(super) fn several<T: Display + Ord + Clone, E: Display>(
    item: &Item<'_>,
    what: Named,
    max: usize,
    parse: impl Fn(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut ids = Vec::new();
    for item in item.list(max, reading) {
        let Some(id) = one(&item, what, &parse, reading) else {
            continue;
        };
        if seen.insert(id.clone()) {
            ids.push(id);
        } else {
            reading.error(&item.spot, format!("names {id} a second time"));
        }
    }
    ids
}

/// Whether everything named is there. Agents may come by upsert as well: a missing one is a warning, once.
pub(super) fn check(reading: &mut Reading) {
    let mut strangers = BTreeSet::new();
    for Mention { what, id, at } in std::mem::take(&mut reading.mentions) {
        if reading.is_full() {
            return;
        }
        let key = (what, id);
        if reading.declared.contains_key(&key) {
            continue;
        }
        let id = key.1;
        let others = reading
            .declared
            .keys()
            .filter(|(other, _)| *other == what)
            .map(|(_, id)| id.as_str());
        let hint = did_you_mean(&id, others);
        if what == Named::Agent {
            if strangers.insert(id.clone()) {
                let message =
                    format!("names {id}, who is not among the plan's agents{hint} (counts once upserted)");
                reading.warn(&at, message);
            }
        } else {
            reading.error(
                &at,
                format!("names the {what} {id}, which the plan does not have{hint}"),
            );
        }
    }
}
