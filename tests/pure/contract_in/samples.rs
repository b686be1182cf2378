//! Bodies recorded elsewhere: what became of each, as a table, and that nothing in any of them is lost on the way. Ours are
//! read as well, so that this is looked at also where no others are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use switchboard::contract::{Adapter, Arrived, ArrivedFact, Incoming, Limits, read};
use switchboard::domain::input::What;

/// The folder of samples, named from outside: the bodies are not ours to carry along.
const SAMPLES: &str = "SWITCHBOARD_SAMPLES";
/// Lists whose every item is a message.
const MESSAGES: [&str; 3] = ["messages", "message_echoes", "smb_message_echoes"];
/// Lists whose every item is something else that was told.
const OTHERS: [&str; 6] = [
    "statuses",
    "user_actions",
    "calls",
    "errors",
    "history",
    "state_sync",
];
/// Fields that are imports as a whole, whatever they hold.
const IMPORTS: [&str; 2] = ["history", "smb_app_state_sync"];

/// A body with the name it goes by.
struct Sample {
    name: String,
    body: Vec<u8>,
}

/// The JSON files of a folder whose names begin like this, by name.
fn samples(folder: &str, beginning: &str) -> Vec<Sample> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let named = files.into_iter().filter_map(|path| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let wanted = path.extension()? == "json" && name.starts_with(beginning);
        wanted.then(|| Sample {
            name,
            body: std::fs::read(&path).expect("a readable file"),
        })
    });
    let samples: Vec<_> = named.collect();
    assert!(!samples.is_empty(), "{folder} holds no JSON");
    samples
}

/// Our own bodies, then those from outside, if there are any.
fn all() -> Vec<Sample> {
    let mut all = samples(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/inbound"),
        "webhook_",
    );
    match std::env::var(SAMPLES) {
        Ok(folder) => all.extend(samples(&folder, "")),
        Err(_) => println!("{SAMPLES} names no folder: only our own bodies are read"),
    }
    all
}

/// What a body holds, counted without knowing what any of it means.
#[derive(Debug, Default, PartialEq)]
struct Held {
    /// The ids of the messages, in order.
    messages: Vec<String>,
    /// Messages of groups, which are counted and not read.
    of_groups: usize,
    /// Receipts and other things in lists.
    others: usize,
    /// Changes that hold no such list: each tells one thing.
    alone: usize,
}

impl Held {
    fn by(body: &Value) -> Self {
        let mut held = Self::default();
        held.walk(body);
        held
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| self.field(name, value)),
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: &Value) {
        match value.as_array() {
            Some(items) if MESSAGES.contains(&name) => {
                for item in items {
                    match (item.get("group_id"), item["id"].as_str()) {
                        (None, Some(id)) => self.messages.push(id.to_owned()),
                        _ => self.of_groups += 1,
                    }
                }
            }
            Some(items) if OTHERS.contains(&name) => self.others += items.len(),
            Some(items) if name == "changes" => items.iter().for_each(|item| self.change(item)),
            _ => self.walk(value),
        }
    }

    fn change(&mut self, change: &Value) {
        let before = self.count();
        let import = change["field"]
            .as_str()
            .is_some_and(|field| IMPORTS.contains(&field));
        if !import {
            self.walk(change);
        }
        self.alone += usize::from(self.count() == before);
    }

    fn count(&self) -> usize {
        self.messages.len() + self.of_groups + self.others + self.alone
    }
}

/// Reads a body as if it arrived when it was written.
fn arrive(body: &[u8]) -> Arrived {
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body,
    };
    read(&incoming, written(body), &Limits::default(), Adapter::Detect)
}

/// The latest time in the body: samples are years old, and would otherwise all be stale.
fn written(body: &[u8]) -> Timestamp {
    let text = String::from_utf8_lossy(body);
    let times = text.split("\"timestamp\"").skip(1).filter_map(|rest| {
        let digits: String = rest
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        Timestamp::from_second(digits.parse().ok()?).ok()
    });
    times.max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The ids of the messages among these facts, in order.
fn ids<'a>(facts: impl IntoIterator<Item = &'a ArrivedFact>) -> Vec<String> {
    let messages = facts.into_iter().filter_map(|fact| match &fact.what {
        What::Received(message) | What::Sent { message, .. } => Some(message.id.to_string()),
        What::Handover { .. } => None,
    });
    messages.collect()
}

/// Whether a fact tells of a change of identifiers: these go before everything else in their body.
fn goes_first(fact: &ArrivedFact) -> bool {
    !fact.previous.is_empty()
}

/// Everything that a body holds came to something.
#[track_caller]
fn assert_nothing_lost(name: &str, body: &Value, arrived: &Arrived) {
    let held = Held::by(body);
    let skipped: u32 = arrived.skipped.values().sum();
    let came = arrived.facts.len() + usize::try_from(skipped).expect("a few");
    if let Some(dead) = &arrived.dead {
        // What is bad is kept whole with the body, which then holds more than came of it.
        assert!(came <= held.count(), "{name}: {held:?}, {dead}");
        return;
    }
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(
        sorted(ids(&arrived.facts)),
        sorted(held.messages.clone()),
        "{name}"
    );
    let mut rest = held.messages.iter();
    let in_order = ids(arrived.facts.iter().filter(|fact| !goes_first(fact)))
        .iter()
        .all(|id| rest.any(|held| held == id));
    assert!(in_order, "{name}: {held:?}");
    assert_eq!(came, held.count(), "{name}: {held:?}, {:?}", arrived.skipped);
}

#[test]
fn every_sample_body_comes_to_something_and_nothing_in_it_is_lost() {
    println!("{:<75} | {:<28} | {:<14} | dead", "sample", "facts", "skipped");
    let (mut bodies, mut facts, mut skipped, mut dead) = (0, 0, 0, 0);
    for Sample { name, body } in all() {
        let arrived = arrive(&body);
        println!("{name:<75} | {}", outcome(&arrived));
        bodies += 1;
        facts += arrived.facts.len();
        skipped += arrived.skipped.values().sum::<u32>();
        dead += u32::from(arrived.dead.is_some());
        let body: Value = serde_json::from_slice(&body).expect("samples are JSON");
        assert_nothing_lost(&name, &body, &arrived);
    }
    println!("{bodies} bodies: {facts} facts, {skipped} skipped, {dead} dead");
}

/// Facts by kind, what was skipped, why it is dead.
fn outcome(arrived: &Arrived) -> String {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for fact in &arrived.facts {
        *kinds.entry(kind(fact)).or_default() += 1;
    }
    let times = |name: &str, times: u32| match times {
        1 => name.to_owned(),
        _ => format!("{name}×{times}"),
    };
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| times(kind, *count)).collect();
    let skipped = arrived.skipped.iter();
    let skipped: Vec<_> = skipped.map(|(skip, count)| times(skip.label(), *count)).collect();
    let dead = arrived.dead.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{:<28} | {:<14} | {dead}", kinds.join(" "), skipped.join(" "))
}

fn kind(fact: &ArrivedFact) -> String {
    match &fact.what {
        What::Received(message) => format!("received:{}", message.kind),
        What::Sent { message, .. } => format!("sent:{}", message.kind),
        What::Handover { .. } => "handover".to_owned(),
    }
}

/// Every time in a body becomes this one.
fn set_times(value: &mut Value, time: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_times(item, time)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| {
            if name == "timestamp" {
                *value = time.clone();
            } else {
                set_times(value, time);
            }
        }),
        _ => {}
    }
}

/// Whatever Meta may put into one body: here all that it ever put into several.
#[test]
fn every_message_of_all_samples_in_one_body_arrives_in_its_order() {
    let (mut entries, mut facts) = (Vec::new(), Vec::new());
    for Sample { body, .. } in all() {
        let arrived = arrive(&body);
        let body: Value = serde_json::from_slice(&body).expect("samples are JSON");
        // What is bad by itself, or no webhook, has no place among others.
        if let (Some(entry), None) = (body["entry"].as_array(), arrived.dead) {
            entries.extend(entry.iter().cloned());
            facts.extend(arrived.facts);
        }
    }
    let mut body = json!({"object": "whatsapp_business_account", "entry": entries});
    // They were written over years, and what is too old is refused.
    set_times(&mut body, &json!("1795600000"));
    let arrived = arrive(body.to_string().as_bytes());
    assert_eq!(arrived.dead, None);
    assert_eq!(arrived.facts.len(), facts.len());
    let (first, then): (Vec<_>, Vec<_>) = facts.iter().partition(|fact| goes_first(fact));
    assert!(then.len() > 1, "several messages");
    assert_eq!(ids(&arrived.facts), ids(first.into_iter().chain(then)));
    assert_nothing_lost("all in one", &body, &arrived);
}
