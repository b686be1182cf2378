//! Where a plan is wrong: in its text, in the text of a condition, in TOML and in JSON; and how much of it is said.

use serde_json::json;
use switchboard::config::DEFAULT_MAX_BODY;
use switchboard::contract::plan::{self, MAX_PLAN_BYTES};

use super::{SMALL, check, faults, has_fault};

#[track_caller]
fn is_json_fault(text: &str, path: &str, place: &str, words: &str) {
    let faults = plan::from_json_text(text).expect_err(text);
    check(text, &faults, path, place, words);
}

#[test]
fn what_every_plan_needs_is_checked() {
    has_fault("", "tenant", "1:1", "is missing");
    has_fault(
        "tenant = \"a b\"",
        "tenant",
        "1:10",
        "is not valid: an id must not contain spaces",
    );
    has_fault("tenant = \"\"", "tenant", "1:10", "must not be empty");
    has_fault("tenant = 7", "tenant", "1:10", "must be a text, not a number");
    has_fault(
        "tenant = \"a\"\nrule = []",
        "rule",
        "2:1",
        "did you mean `rules`?",
    );
    has_fault(
        "tenant = \"a\"\nteams = {}",
        "teams",
        "2:9",
        "must be a list, not a table",
    );
    has_fault(
        "tenant = \"a\"\nteams = [7]",
        "teams[0]",
        "2:10",
        "must be a table, not a number",
    );
    has_fault(
        "tenant = \"a\"\nname = \"\\u0000\"",
        "name",
        "2:1",
        "is not a key known here",
    );
    has_fault("tenant = \"a\\u0000\"", "tenant", "1:10", "holds a NUL character");
}

#[test]
fn a_wrong_condition_is_shown_where_it_is_wrong() {
    let with = |when: &str| format!("{SMALL}[[rules]]\nname = \"a\"\nteam = \"desk\"\nwhen = {when}\n");
    let table: &[(&str, (&str, &str, &str))] = &[
        (
            "'contact.langage == \"fr\"'",
            ("rules[0].when", "9:17", "did you mean `language`?"),
        ),
        (
            "\"contact.langage == 'fr'\"",
            ("rules[0].when", "9:17", "did you mean `language`?"),
        ),
        (
            "\"contact.langage == \\\"fr\\\"\"",
            ("rules[0].when", "9:8", "did you mean `language`? (it has name"),
        ),
        (
            "'\'\'\nnow.working &&\n  contact.langage == \"fr\"\'\'\'",
            ("rules[0].when", "11:11", "`contact` has no `langage`"),
        ),
        (
            "'message.text.contians(\"a\")'",
            (
                "rules[0].when",
                "9:30",
                "is no condition: there is no function `contians`",
            ),
        ),
        (
            "'contact.name'",
            (
                "rules[0].when",
                "9:16",
                "a condition must be true or false, this is a text",
            ),
        ),
        ("' '", ("rules[0].when", "9:9", "is no condition: it is empty")),
    ];
    for (when, (path, place, words)) in table {
        has_fault(&with(when), path, place, words);
    }
    let unknown_place = faults(&with("\"contact.langage == \\\"fr\\\"\""));
    assert!(
        unknown_place[0].message.ends_with("(at its column 9)"),
        "{unknown_place:?}"
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_text() {
    let plan = r#"teams = [{ id = "desk", strategy = "fair" }]
tenant = ""
rules = [{ name = "a", when = "message", team = "dask" }]
colour = 1"#;
    let faults = faults(plan);
    let found: Vec<(&str, u32)> = faults
        .iter()
        .map(|fault| (fault.path.as_str(), fault.line))
        .collect();
    let expected = [
        ("teams[0].strategy", 1),
        ("tenant", 2),
        ("rules[0].when", 3),
        ("rules[0].team", 3),
        ("colour", 4),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_hundred_faults_are_said_and_that_there_may_be_more() {
    let agents = "{ id = 7 }, ".repeat(500);
    let faults = faults(&format!("tenant = \"t\"\nagents = [{agents}]"));
    assert_eq!(faults.len(), 101);
    assert_eq!(faults[100].message, "there may be more: 100 are said at once");
}

#[test]
fn sections_are_bounded() {
    let many = |n: usize, entry: &dyn Fn(usize) -> String| (0..n).map(entry).collect::<Vec<_>>().join(",");
    let agents = many(10_001, &|n| format!("{{ id = \"a{n}\" }}"));
    has_fault(
        &format!("tenant = \"t\"\nagents = [{agents}]"),
        "agents",
        "2:10",
        "has more than 10000 entries",
    );
    let rules = many(1_001, &|n| format!("{{ name = \"r{n}\", outcome = \"nobody\" }}"));
    has_fault(
        &format!("tenant = \"t\"\nrules = [{rules}]"),
        "rules",
        "2:9",
        "has more than 1000 entries",
    );
    let rule =
        |n| format!(r#"{{ name = "r{n}", outcome = "nobody", when = 'message.text.matches("a{n}")' }}"#);
    let rules = many(257, &rule);
    let faults = faults(&format!("tenant = \"t\"\nrules = [{rules}]"));
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert!(
        messages
            .iter()
            .any(|message| message.contains("more than 256 regular expressions")),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|message| message.contains("could together take too long")),
        "{messages:?}"
    );
}

#[test]
fn a_plan_that_is_too_long_is_not_read() {
    let long = format!("tenant = \"t\" # {}", "x".repeat(MAX_PLAN_BYTES));
    has_fault(&long, "", "0:0", "the plan is longer than");
    let value = json!({ "tenant": "t", "x": "y".repeat(MAX_PLAN_BYTES) });
    assert!(
        plan::from_json(&value).unwrap_err()[0]
            .message
            .contains("the plan is longer than")
    );
    assert!(
        plan::from_json_text(&value.to_string()).unwrap_err()[0]
            .message
            .contains("the plan is longer than")
    );
}

#[test]
fn what_is_no_toml_or_json_says_where() {
    has_fault("tenant = \"t\"\nteams = [", "", "2:10", "this is not TOML");
    has_fault(
        "tenant = \"t\"\ntenant = \"u\"",
        "",
        "2:1",
        "this is not TOML: duplicate key",
    );
    let table: &[(&str, (&str, &str, &str))] = &[
        (
            "{\n  \"tenant\": }",
            ("", "2:13", "this is not JSON: expected value"),
        ),
        (
            "{\"tenant\": \"t\"} x",
            ("", "1:17", "this is not JSON: trailing characters"),
        ),
        ("{\"tenant\": \"\\ud800\"}", ("", "1:12", "this cannot be read")),
        (
            "{\"tenant\": \"t\",\n \"tenant\": \"t\"}",
            ("tenant", "2:2", "stands there twice"),
        ),
        ("[]", ("", "1:1", "must be a table, not a list")),
    ];
    for (text, (path, place, words)) in table {
        is_json_fault(text, path, place, words);
    }
}

#[test]
fn faults_in_json_text_have_places_and_in_values_have_none() {
    let text = r#"{ "tenant": "t",
  "rules": [{ "name": "a", "outcome": "nobody",
    "when": "contact.langage == 'fr'" }] }"#;
    is_json_fault(text, "rules[0].when", "3:22", "did you mean `language`?");
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let faults = plan::from_json(&value).unwrap_err();
    assert_eq!(
        (faults[0].path.as_str(), faults[0].line, faults[0].column),
        ("rules[0].when", 0, 0)
    );
    assert!(faults[0].message.ends_with("(at its column 9)"), "{faults:?}");
    is_json_fault(
        "{\"tenant\": \"t\", \"colour\": 1}",
        "colour",
        "1:17",
        "is not a key known here",
    );
    is_json_fault(
        "{\"tenant\": \"t\", \"col\\u006fur\": 1}",
        "colour",
        "1:32",
        "is not a key known here",
    );
}

#[test]
fn what_is_nested_too_deeply_is_a_fault_like_any_other() {
    let deep = format!("tenant = \"t\"\nteams = {}{}", "[".repeat(60), "]".repeat(60));
    has_fault(&deep, "teams[0]", "2:10", "must be a table, not a list");
    let value = format!(
        "{{\"tenant\":\"t\",\"teams\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    is_json_fault(&value, "teams[0]", "1:24", "must be a table, not a list");
}

#[test]
fn the_longest_plan_fits_through_the_door_as_a_command() {
    let longest = format!("{}#", super::SMALL);
    let longest = format!("{longest}{}", "x".repeat(MAX_PLAN_BYTES - longest.len()));
    super::good(&longest);
    const {
        assert!(
            MAX_PLAN_BYTES + (32 << 10) <= DEFAULT_MAX_BODY,
            "room for the command around it"
        )
    };
}
