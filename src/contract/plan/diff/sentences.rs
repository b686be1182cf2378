//! Differences in sentences, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use super::{Change, Difference, Said, Section, Value};

/// Names told one by one: of more, their number says more than they do.
const TOLD: usize = 8;

impl Section {
    /// The word for one of them, as JSON and sentences have it.
    pub fn word(self) -> &'static str {
        match self {
            Section::Tenant => "tenant",
            Section::Settings => "settings",
            Section::Channel => "channel",
            Section::Agent => "agent",
            Section::Team => "team",
            Section::Response => "response",
            Section::Calendar => "calendar",
            Section::Rule => "rule",
            Section::Default => "default",
        }
    }
}

impl Change {
    /// The word for it, as JSON has it.
    pub fn word(&self) -> &'static str {
        match self {
            Change::Added(_) => "added",
            Change::Removed(_) => "removed",
            Change::Changed { .. } => "changed",
            Change::Moved { .. } => "moved",
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.section.word())?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        match &self.change {
            Change::Added(said) => write!(f, ": added{}", all(said)),
            Change::Removed(said) => write!(f, ": removed{}", all(said)),
            Change::Changed { key, from, to } => match (from, to) {
                (Value::List(from), Value::List(to)) => write!(f, ": {key}: {}", lists(from, to)),
                _ => write!(f, ": {key}: {} → {}", text(from), text(to)),
            },
            Change::Moved {
                now_before,
                now_after,
            } => {
                let asked = |when: &str, rules: &[String]| match rules {
                    [] => None,
                    rules => Some(format!("{when} {}", some(rules))),
                };
                let asked = [asked("before", now_before), asked("after", now_after)];
                let asked: Vec<String> = asked.into_iter().flatten().collect();
                write!(f, ": is now asked {}", asked.join(", and "))
            }
        }
    }
}

fn all(said: &[Said]) -> String {
    let one = |said: &Said| format!("{} {}", said.key, text(&said.value));
    match said {
        [] => String::new(),
        said => format!(" ({})", said.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// A value on one line: conditions may have several.
fn text(value: &Value) -> String {
    match value {
        Value::Absent => "none".into(),
        Value::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::List(things) => format!("[{}]", some(things)),
    }
}

/// What came, what went; or only the order is another.
fn lists(from: &[String], to: &[String]) -> String {
    let beyond = |these: &[String], those: &[String]| -> Vec<String> {
        let mut left: BTreeMap<&String, usize> = BTreeMap::new();
        for that in those {
            *left.entry(that).or_default() += 1;
        }
        let is_beyond = |this: &&String| match left.get_mut(*this) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        these.iter().filter(is_beyond).cloned().collect()
    };
    let part = |verb: &str, these: Vec<String>| match these.as_slice() {
        [] => None,
        these => Some(format!("{verb} {}", some(these))),
    };
    let parts = [part("without", beyond(from, to)), part("with", beyond(to, from))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => format!("in another order: {}", some(to)),
        parts => parts.join(", "),
    }
}

fn some(things: &[String]) -> String {
    let told = things
        .iter()
        .take(TOLD)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match things.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// All differences in one line, counted: `2 rules added, 1 team changed`. "" where there are none.
pub fn summary(differences: &[Difference]) -> String {
    let mut counts: BTreeMap<(Section, &str), Vec<&str>> = BTreeMap::new();
    for difference in differences {
        let names = counts
            .entry((difference.section, difference.change.word()))
            .or_default();
        // A thing with several changed keys, which follow each other, is one; each setting is one.
        if difference.section == Section::Settings || names.last() != Some(&difference.name.as_str()) {
            names.push(&difference.name);
        }
    }
    let told = counts.iter().map(|((section, change), names)| {
        let (count, plural) = (names.len(), if names.len() == 1 { "" } else { "s" });
        match section {
            Section::Tenant | Section::Default => format!("{} {change}", section.word()),
            Section::Settings => format!("{count} setting{plural} {change}"),
            _ => format!("{count} {}{plural} {change}", section.word()),
        }
    });
    told.collect::<Vec<_>>().join(", ")
}
