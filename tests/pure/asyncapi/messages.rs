//! Every message in and out, from the code's own lists: what it is called, who sends it where, its schema and an example.

use std::fs;
use std::path::{Path, PathBuf};

use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;
use switchboard::contract::{COMMAND_PREFIX, HANDOVER, RECEIVED, SENT, names_of_commands};

use super::ordered::Node;

/// The answer that is no event of its own.
pub const DUPLICATE: &str = "switchboard.command.duplicate";

/// What sort of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Fact,
    Command,
    Event,
    Notification,
    Answer,
}

impl Sort {
    pub const ALL: [Self; 5] = [
        Self::Fact,
        Self::Command,
        Self::Event,
        Self::Notification,
        Self::Answer,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Command => "command",
            Self::Event => "event",
            Self::Notification => "notification",
            Self::Answer => "answer",
        }
    }

    /// Whether others send it to us.
    pub fn comes_in(self) -> bool {
        matches!(self, Self::Fact | Self::Command)
    }
}

/// One message of the contract.
#[derive(Debug)]
pub struct Message {
    /// The CloudEvent's type.
    pub full: String,
    pub sort: Sort,
    pub schema: Node,
    /// As its file has it.
    pub example: String,
}

impl Message {
    fn new(full: String, sort: Sort) -> Self {
        let schema = Node::of_json(&text_of(&schemas().join(format!("{full}.json"))));
        let example = example(&full);
        Self {
            full,
            sort,
            schema,
            example,
        }
    }

    /// What the schema says of it under this key.
    #[track_caller]
    pub fn said(&self, key: &str) -> &str {
        let text = self.schema.get(key).and_then(Node::text);
        text.unwrap_or_else(|| panic!("the schema of {} has no {key}", self.full))
    }

    /// Where it goes: the word of its exchange after the prefix, and its routing key with the parts that vary in braces.
    /// What comes in goes through any door: this is the one that costs no hop.
    pub fn way(&self) -> (&'static str, String) {
        let after = |prefix: &str| self.full.strip_prefix(prefix).unwrap_or_default();
        match self.sort {
            Sort::Fact => ("inbound", "{partition}".into()),
            Sort::Command => ("commands", "{partition}".into()),
            Sort::Event => (
                "events",
                format!("{}.{{tenant}}.{{channel}}", after("switchboard.")),
            ),
            Sort::Notification => {
                let kind = after("switchboard.notification.");
                ("notifications", format!("{{recipient}}.{{tenant}}.{{id}}.{kind}"))
            }
            Sort::Answer => ("", "{reply_to}".into()),
        }
    }
}

/// All of them: what comes in, then what goes out.
pub fn all() -> Vec<Message> {
    let facts = [RECEIVED, SENT, HANDOVER].map(|full| (full.to_owned(), Sort::Fact));
    let commands = names_of_commands()
        .iter()
        .map(|name| (format!("{COMMAND_PREFIX}{name}"), Sort::Command));
    let events = kinds_of_events()
        .iter()
        .map(|kind| (format!("switchboard.{kind}"), Sort::Event));
    let notifications = kinds_of_notifications()
        .iter()
        .map(|kind| (format!("switchboard.notification.{kind}"), Sort::Notification));
    facts
        .into_iter()
        .chain(commands)
        .chain(events)
        .chain(notifications)
        .chain([(DUPLICATE.to_owned(), Sort::Answer)])
        .map(|(full, sort)| Message::new(full, sort))
        .collect()
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the schemas.
pub fn schemas() -> PathBuf {
    root().join("schemas/messages")
}

#[track_caller]
pub fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The plain one of the valid examples, or the first.
fn example(full: &str) -> String {
    let folder = root().join("schemas/examples").join(full).join("valid");
    let examples = files(&folder);
    let plain = examples.iter().find(|path| path.ends_with("plain.json"));
    let shown = plain.or(examples.first());
    text_of(shown.unwrap_or_else(|| panic!("there is no example in {}", folder.display())))
}

/// The files of a folder, by name.
#[track_caller]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}
