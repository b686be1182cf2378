//! Plans: what they mean, what is wrong with them and where, and that nothing written makes their reader panic.

mod diff;
mod doubts;
mod faults;
mod meaning;
mod places;
mod properties;

use switchboard::contract::plan::{self, Checked};
use switchboard::domain::input::Fault;

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/plans/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn good(toml: &str) -> Checked {
    plan::from_toml(toml).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[track_caller]
fn faults(toml: &str) -> Vec<Fault> {
    plan::from_toml(toml)
        .err()
        .unwrap_or_else(|| panic!("nothing is wrong with:\n{toml}"))
}

/// The smallest plan nothing can be said against.
const SMALL: &str = r#"tenant = "acme"
channels = [{ key = "whatsapp:1" }]
agents = [{ id = "ana", role = "admin", capacity = 3 }]
teams = [{ id = "desk", members = ["ana"] }]
default = { team = "desk" }
"#;

/// The small plan with more lines at its end: they begin on line 6.
fn small_with(lines: &str) -> String {
    format!("{SMALL}{lines}")
}

/// The only fault of a plan: its path, its `line:column`, and words of its message.
#[track_caller]
fn has_fault(toml: &str, path: &str, place: &str, words: &str) {
    check(toml, &faults(toml), path, place, words);
}

#[track_caller]
fn check(text: &str, faults: &[Fault], path: &str, place: &str, words: &str) {
    let [fault] = faults else {
        panic!("not one fault: {faults:#?}\n{text}")
    };
    assert!(fault.message.contains(words), "{words}: {fault:?}");
    let found = (fault.path.as_str(), format!("{}:{}", fault.line, fault.column));
    assert_eq!(found, (path, place.to_owned()), "{fault:?}\n{text}");
}
