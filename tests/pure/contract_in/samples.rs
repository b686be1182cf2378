//! Bodies recorded elsewhere: each ends as facts, as a counted skip, or as a dead letter with a reason.

use std::path::Path;

use jiff::Timestamp;
use switchboard::contract::{Adapter, Incoming, Limits, read};

/// The folder of samples, named from outside: the bodies are not ours to carry along.
const SAMPLES: &str = "SWITCHBOARD_SAMPLES";

#[test]
fn every_sample_body_turns_into_something() {
    let Ok(folder) = std::env::var(SAMPLES) else {
        println!("{SAMPLES} names no folder: nothing to read");
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{SAMPLES}={folder}: {error}"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{SAMPLES}={folder} holds no JSON");
    let silent: Vec<_> = files.iter().filter(|path| !tells_something(path)).collect();
    assert!(silent.is_empty(), "these came to nothing: {silent:?}");
}

/// Reads one body as if it arrived when it was written, and prints what it turned into.
fn tells_something(path: &Path) -> bool {
    let body = std::fs::read(path).expect("a readable file");
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body: &body,
    };
    let arrived = read(&incoming, written(&body), &Limits::default(), Adapter::Detect);
    let facts: Vec<_> = arrived.facts.iter().map(kind).collect();
    let skipped: Vec<_> = arrived
        .skipped
        .iter()
        .map(|(skip, times)| format!("{}×{times}", skip.label()))
        .collect();
    let dead = arrived.dead.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{name:75} | {:28} | {:14} | {dead}",
        facts.join(" "),
        skipped.join(" ")
    );
    !facts.is_empty() || !skipped.is_empty() || !dead.is_empty()
}

fn kind(fact: &switchboard::contract::ArrivedFact) -> String {
    use switchboard::domain::input::What;
    match &fact.what {
        What::Received(message) => format!("received:{}", message.kind),
        What::Sent { message, .. } => format!("sent:{}", message.kind),
        What::Handover { .. } => "handover".to_owned(),
    }
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
