//! Plans: what is wrong is named with its place, and the same plan reads the same however it is written.

use proptest::prelude::*;
use switchboard::contract::plan::{from_json, from_json_text, from_toml};

const GOOD: &str = r#"
tenant = "acme"

[settings]
request_timeout = "2m"
agents_may_reassign = "own"
reopen = "sticky"
burst = { limit = 5, window = "5m" }

[[channels]]
key = "whatsapp:123456789012345"
subscribers = ["mark", "martha"]

[[agents]]
id = "martha"
name = "Martha"
capacity = 5
skills = { billing = 2, french = 1 }

[[agents]]
id = "mark"

[[teams]]
id = "support"
members = ["mark", "martha"]
managers = ["boss"]
strategy = "least_loaded"
response = "standard"

[[responses]]
id = "standard"
assign_within = "2m"
respond_within = "15m"
on_breach = ["notify", "reassign"]

[[rules]]
name = "french billing"
when = 'contact.language == "fr" && message.text.contains("facture")'
team = "support"
skills = { billing = 1 }
priority = "high"
relax = [{ after = "2m", drop = "french" }]

[default]
team = "support"
"#;

#[test]
fn a_plan_reads_the_same_from_toml_and_from_its_own_document() {
    let checked = from_toml(GOOD).unwrap();
    let again = from_json(&checked.document).unwrap();
    assert_eq!(again.document, checked.document);
    assert_eq!(format!("{:?}", again.plan), format!("{:?}", checked.plan));
    let text = serde_json::to_string(&checked.document).unwrap();
    assert_eq!(from_json_text(&text).unwrap().document, checked.document);
}

#[test]
fn keys_of_later_versions_are_accepted_and_said_to_be_without_effect() {
    let checked = from_toml(GOOD).unwrap();
    let without_effect: Vec<&str> = checked
        .warnings
        .iter()
        .filter(|warning| warning.message.contains("not in force"))
        .map(|warning| warning.path.as_str())
        .collect();
    assert_eq!(
        without_effect,
        ["settings.burst", "responses[0].on_breach[1]", "rules[0].relax"]
    );
}

#[test]
fn every_fault_is_named_with_its_path_and_place() {
    let cases: &[(&str, &str, &str, u32, &str)] = &[
        (
            "strategy = \"least_loaded\"",
            "stratgy = \"least_loaded\"",
            "teams[0].stratgy",
            27,
            "did you mean \"strategy\"",
        ),
        (
            "strategy = \"least_loaded\"",
            "strategy = \"least_loded\"",
            "teams[0].strategy",
            27,
            "did you mean \"least_loaded\"",
        ),
        (
            "\"2m\"\nrespond",
            "\"2 minutes\"\nrespond",
            "responses[0].assign_within",
            32,
            "duration",
        ),
        (
            "capacity = 5",
            "capacity = -1",
            "agents[0].capacity",
            17,
            "whole number",
        ),
        (
            "id = \"mark\"",
            "id = \"mark twain\"",
            "agents[1].id",
            21,
            "spaces",
        ),
        (
            "[default]\nteam = \"support\"",
            "[default]\nteam = \"suport\"",
            "default.team",
            45,
            "did you mean \"support\"",
        ),
        (
            "response = \"standard\"",
            "response = \"standart\"",
            "teams[0].response",
            28,
            "did you mean \"standard\"",
        ),
        (
            "contact.language",
            "contact.langage",
            "rules[0].when",
            38,
            "langage",
        ),
        ("tenant = \"acme\"", "", "tenant", 1, "missing"),
        ("id = \"mark\"", "id = \"martha\"", "agents[1]", 20, "twice"),
    ];
    for (before, after, path, line, message) in cases {
        let text = GOOD.replacen(before, after, 1);
        assert_ne!(&text, GOOD, "{before} is in the plan");
        let faults = from_toml(&text).expect_err(after);
        let fault = faults.iter().find(|fault| fault.path == *path);
        let fault = fault.unwrap_or_else(|| panic!("{after}: {faults:?}"));
        assert!(fault.message.contains(message), "{after}: {}", fault.message);
        assert!(
            fault.line.abs_diff(*line) <= 1 && fault.column > 0,
            "{after}: {fault:?}"
        );
    }
}

#[test]
fn all_faults_are_named_and_not_only_the_first() {
    let text = GOOD
        .replace("capacity = 5", "capacity = \"five\"")
        .replace("priority = \"high\"", "priority = 7");
    assert_eq!(from_toml(&text).unwrap_err().len(), 2);
}

#[test]
fn what_is_no_toml_or_no_json_is_said_so_with_its_line() {
    let toml = from_toml("tenant = \"acme\"\n[[agents\n").unwrap_err();
    assert_eq!(
        (toml[0].line, toml[0].message.contains("TOML")),
        (2, true),
        "{toml:?}"
    );
    let json = from_json_text("{\n\"tenant\": }").unwrap_err();
    assert_eq!(
        (json[0].line, json[0].message.contains("JSON")),
        (2, true),
        "{json:?}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(tenant|id|team|\\[\\[|\\]\\]|\\[|\\]|=|\"|\n|acme|rules|when|'| |\\{|\\}|,|1){0,60}") {
        let _ = from_toml(&text);
        let _ = from_json_text(&text);
    }

    #[test]
    fn no_damage_to_a_good_plan_makes_the_reader_panic(at in 0..GOOD.len(), cut in 0..40usize) {
        let mut text = GOOD.to_owned();
        if text.is_char_boundary(at) && text.is_char_boundary((at + cut).min(text.len())) {
            text.replace_range(at..(at + cut).min(GOOD.len()), "");
        }
        let _ = from_toml(&text);
    }
}
