//! The guide to gateways says what the code does: its tables, its settings, and what every body in it reads as.

use regex::Regex;
use serde_json::{Value, json};
use switchboard::config::{self, Source};
use switchboard::contract::redact::NAMES;
use switchboard::contract::words::Wire;
use switchboard::contract::{Adapter, ArrivedFact, Skip, redacted};
use switchboard::domain::input::What;

use super::read_bytes;

fn guide() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gateways.md");
    std::fs::read_to_string(path).expect("the guide")
}

/// What stands under a heading, up to the next.
fn section<'g>(guide: &'g str, heading: &str) -> &'g str {
    let (_, rest) = guide
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no {heading}"));
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The words in the first column of a section's table.
fn first_column(section: &str) -> Vec<&str> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0)).collect()
}

#[test]
fn every_adapter_and_every_reason_to_skip_is_there_and_no_other() {
    let guide = guide();
    assert_eq!(
        first_column(section(&guide, "Which adapter")),
        Adapter::ALL.map(Adapter::wire)
    );
    assert_eq!(
        first_column(section(&guide, "What is skipped")),
        Skip::ALL.map(Skip::label)
    );
}

#[test]
fn every_gateway_of_the_first_table_has_an_adapter_that_there_is() {
    let guide = guide();
    let (table, _) = guide.split_once("\n## ").expect("a heading");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ["))
        .map(|line| line.split(" | ").collect())
        .collect();
    assert!(rows.len() >= 6, "{rows:?}");
    for row in rows {
        assert!(Adapter::of(row[2].trim_matches('`')).is_some(), "{row:?}");
        let (_, anchor) = row[0].split_once("](#").expect("a link");
        let anchor = anchor.split(')').next().expect("an end").replace('-', " ");
        let heading = guide
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .any(|line| line.to_lowercase() == anchor);
        assert!(heading, "{anchor}");
    }
}

/// The environment of a block of shell.
struct Block(Vec<(String, String)>);

impl Source for Block {
    fn get(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.clone())
    }
}

#[test]
fn every_setting_in_the_guide_is_one_and_names_the_adapter_of_its_section() {
    let guide = guide();
    let blocks = Regex::new("(?s)```sh\n(.*?)```").expect("a pattern");
    let assignment = Regex::new("(SWITCHBOARD_[A-Z_]+)='([^']*)'").expect("a pattern");
    let mut seen = 0;
    for block in blocks.captures_iter(&guide) {
        let given = assignment.captures_iter(&block[1]);
        let block = Block(given.map(|one| (one[1].to_owned(), one[2].to_owned())).collect());
        let ingress = config::Ingress::from(&block).unwrap_or_else(|error| panic!("{:?}: {error}", block.0));
        assert!(!ingress.sources.is_empty(), "{:?}", block.0);
        assert!(
            ingress
                .sources
                .iter()
                .all(|source| source.adapter != Adapter::Detect),
            "{:?}",
            block.0
        );
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn what_is_dropped_of_dead_letters_is_listed_and_is_dropped() {
    let guide = guide();
    let section = section(&guide, "What is kept of keys and media");
    let names = Regex::new("`([A-Za-z_0-9]+)`").expect("a pattern");
    let list = section
        .split("\n\n")
        .find(|part| part.starts_with("`apikey`"))
        .expect("the list");
    let listed: Vec<&str> = names
        .captures_iter(list)
        .map(|name| name.get(1).expect("a name").as_str())
        .collect();
    let lower: Vec<String> = listed.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower, NAMES);
    for name in listed {
        let body = json!({"event": "x", "instance": "y", "data": {"deep": [{name: "SECRET"}]}}).to_string();
        let kept = redacted(body.as_bytes()).unwrap_or_else(|| panic!("{name} is kept"));
        assert_eq!(String::from_utf8_lossy(&kept), body.replace("SECRET", "dropped"));
    }
}

fn told(fact: &ArrivedFact) -> String {
    let kinds: Vec<&str> = fact.identity.aliases().map(|alias| alias.kind.wire()).collect();
    let what = match &fact.what {
        What::Received(message) => format!("received {}", message.kind),
        What::Sent { message, .. } => format!("sent {}", message.kind),
        What::Handover { .. } => "handover".into(),
    };
    format!("{what} on {} from {}", fact.channel, kinds.join(", "))
}

#[test]
fn every_body_in_the_guide_reads_as_it_says() {
    let guide = guide();
    let examples = Regex::new("(?s)```json\n(.*?)```\n(.*?)\n").expect("a pattern");
    let mut seen = 0;
    for example in examples.captures_iter(&guide) {
        let arrived = read_bytes(None, &[], example[1].as_bytes());
        let facts = arrived.facts.iter().map(told);
        let skipped = arrived
            .skipped
            .keys()
            .map(|skip| format!("skipped {}", skip.label()));
        let dead = arrived
            .dead
            .iter()
            .map(|dead| format!("dead letter {}", dead.reason.wire()));
        let all: Vec<String> = facts.chain(skipped).chain(dead).collect();
        assert_eq!(
            format!("Reads as: {}", all.join("; ")),
            &example[2],
            "{}",
            &example[1]
        );
        if let Some(kept) = redacted(example[1].as_bytes()) {
            assert!(
                !String::from_utf8_lossy(&kept).contains("not ours to keep"),
                "{}",
                &example[1]
            );
        } else {
            assert!(!example[1].contains("not ours to keep"), "{}", &example[1]);
        }
        assert!(serde_json::from_str::<Value>(&example[1]).is_ok());
        seen += 1;
    }
    assert!(seen >= 9, "{seen} bodies");
}
