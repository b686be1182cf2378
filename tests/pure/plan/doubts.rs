//! What is allowed and warned of.

use super::{SMALL, fixture, good, small_with};

#[track_caller]
fn doubts(toml: &str) -> Vec<String> {
    let warnings = good(toml).warnings.into_iter();
    warnings
        .map(|fault| format!("{} {}", fault.path, fault.message))
        .collect()
}

#[track_caller]
fn doubted(toml: &str, expected: &str) {
    let doubts = doubts(toml);
    assert!(
        doubts.iter().any(|doubt| doubt.contains(expected)),
        "{expected}: {doubts:#?}"
    );
}

#[test]
fn what_is_not_in_force_yet_is_said_once_for_each_key() {
    let doubts = doubts(&fixture("every_key.toml"));
    let later: Vec<&str> = doubts
        .iter()
        .filter_map(|doubt| doubt.split_once(" is understood, but not in force in this version"))
        .map(|(path, others)| others.strip_prefix("; so is every other ").unwrap_or(path))
        .collect();
    let expected = [
        "settings.on_away",
        "settings.on_offline",
        "settings.offline_after",
        "settings.burst",
        "settings.max_hops",
        "settings.max_age",
        "settings.close_idle_after",
        "settings.calendar",
        "agents.calendar",
        "teams.calendar",
        "teams.outside",
        "responses.respond_within",
        "responses.warn_before",
        "responses.hours",
        "responses.on_breach reassign",
        "responses.on_breach escalate",
        "responses.escalate_to",
        "rules.relax",
        "calendars",
    ];
    assert_eq!(later, expected);
    assert_eq!(doubts.len(), expected.len(), "{doubts:#?}");
}

#[test]
fn a_later_key_that_asks_for_what_is_done_anyway_raises_no_doubt() {
    let settings = r#"[settings]
        on_away = "keep"
        on_offline = "keep"
        max_hops = 0
        max_age = "0s"
        close_idle_after = "0s"
        [[responses]]
        id = "plain"
        hours = "always""#;
    assert_eq!(doubts(&small_with(settings)), Vec::<String>::new());
}

#[test]
fn a_rule_that_can_never_match_is_warned_of() {
    let rules = r#"[[rules]]
        name = "all"
        team = "desk"
        [[rules]]
        name = "late"
        when = "contact.returning"
        team = "desk""#;
    doubted(
        &small_with(rules),
        "rules[1].name can never match, nor can what follows: the rule all always does",
    );
    let rules = rules.replace("name = \"all\"", "name = \"all\"\nwhen = \"true\"");
    doubted(&small_with(&rules), "can never match");
}

#[test]
fn a_plan_without_a_default_is_warned_of_unless_a_rule_takes_everything() {
    let plan = SMALL.replace("default = { team = \"desk\" }\n", "");
    doubted(
        &plan,
        "default is missing: what no rule matches stays with nobody",
    );
    let caught = format!("{plan}rules = [{{ name = \"all\", team = \"desk\" }}]");
    assert_eq!(doubts(&caught), Vec::<String>::new());
}

#[test]
fn a_team_without_members_is_warned_of() {
    doubted(
        &SMALL.replace("[\"ana\"]", "[]"),
        "teams[0].id is a team without members",
    );
}

#[test]
fn an_agent_in_no_team_is_warned_of_but_not_an_admin() {
    let plan = SMALL.replace(
        "agents = [",
        "agents = [{ id = \"kim\" }, { id = \"api\", role = \"admin\" }, ",
    );
    let doubts = doubts(&plan);
    assert_eq!(doubts.len(), 1, "{doubts:#?}");
    assert!(
        doubts[0].starts_with("agents[0].id is an agent in no team"),
        "{doubts:#?}"
    );
}

#[test]
fn an_agent_the_plan_names_and_does_not_list_is_warned_of_once() {
    let team = "{ id = \"second\", members = [\"anna\", \"ana\"], managers = [\"anna\"] }";
    let plan = SMALL.replace("teams = [", &format!("teams = [{team}, "));
    let doubts = doubts(&plan);
    assert_eq!(doubts.len(), 1, "{doubts:#?}");
    assert!(doubts[0].starts_with("teams[0].members[0] names anna, who is not among the plan's agents"));
    assert!(doubts[0].contains("did you mean `ana`?"));
}

#[test]
fn an_agent_without_any_capacity_is_warned_of() {
    let plan = SMALL.replace(", capacity = 3", "");
    doubted(
        &plan,
        "agents[0].id has no capacity: whoever comes online first is given all that waits",
    );
    let limited_by_team = plan.replace("members = [\"ana\"]", "members = [\"ana\"], capacity = 2");
    assert_eq!(doubts(&limited_by_team), Vec::<String>::new());
    let limited_by_tenant = format!("{plan}settings = {{ capacity = 2 }}");
    assert_eq!(doubts(&limited_by_tenant), Vec::<String>::new());
}

#[test]
fn a_plan_without_an_admin_or_a_channel_is_warned_of() {
    doubted(
        &SMALL.replace(", role = \"admin\"", ""),
        "agents name no active admin",
    );
    doubted(
        &SMALL.replace("channels = [{ key = \"whatsapp:1\" }]", ""),
        "channels are missing",
    );
}

#[test]
fn where_nobody_is_the_outcome_a_team_is_never_used() {
    let rule =
        r#"rules = [{ name = "ads", when = 'message.referral != ""', outcome = "nobody", team = "desk" }]"#;
    doubted(
        &small_with(rule),
        "rules[0].team is never used: the outcome is nobody",
    );
}

#[test]
fn warnings_come_with_their_place_in_the_order_of_the_text() {
    let warnings = good(&fixture("every_key.toml")).warnings;
    let places: Vec<(u32, u32)> = warnings.iter().map(|fault| (fault.line, fault.column)).collect();
    assert!(
        places.is_sorted() && places.iter().all(|(line, column)| *line > 1 && *column > 0),
        "{places:?}"
    );
}
