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
fn a_plan_that_uses_every_key_well_raises_no_doubt() {
    assert_eq!(doubts(&fixture("every_key.toml")), Vec::<String>::new());
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
        "agents[0].id has no capacity, and there is no burst guard: whoever comes online first is given all",
    );
    let guarded = format!("{plan}settings = {{ burst = {{ limit = 5, window = \"5m\" }} }}");
    assert_eq!(doubts(&guarded), Vec::<String>::new());
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
fn a_warning_that_comes_no_earlier_than_every_breach_is_warned_of() {
    let policy = |times: &str| small_with(&format!("responses = [{{ id = \"p\", {times} }}]"));
    let late = "responses[0].warn_before is not shorter than any time the policy gives";
    doubted(&policy(r#"assign_within = "1m", warn_before = "1m""#), late);
    doubted(
        &policy(r#"assign_within = "1m", respond_within = "2m", warn_before = "3m""#),
        late,
    );
    doubted(&policy(r#"warn_before = "1m""#), late);
    let for_one = policy(r#"assign_within = "1m", respond_within = "5m", warn_before = "3m""#);
    assert_eq!(doubts(&for_one), Vec::<String>::new());
}

#[test]
fn a_path_that_nothing_escalates_along_is_warned_of() {
    let policy = |more: &str| {
        small_with(&format!(
            "responses = [{{ id = \"p\", escalate_to = [\"ana\"]{more} }}]"
        ))
    };
    doubted(&policy(""), "responses[0].escalate_to is not asked on a breach");
    doubted(
        &policy(", on_breach = [\"reassign\"]"),
        "responses[0].escalate_to is not asked on a breach",
    );
    assert_eq!(
        doubts(&policy(", on_breach = [\"escalate\"]")),
        Vec::<String>::new()
    );
}

#[test]
fn skills_that_nobody_of_a_team_has_are_warned_of_unless_they_are_dropped_one_day() {
    let skilled = SMALL.replace("capacity = 3", "capacity = 3, skills = { french = 2 }");
    let second = "teams = [{ id = \"second\", members = [\"ben\"] }, ";
    let ben = "agents = [{ id = \"ben\", capacity = 1 }, ";
    let plan = skilled.replace("teams = [", second).replace("agents = [", ben);
    let with = |rule: &str| format!("{plan}rules = [{{ name = \"a\", when = \"now.working\", {rule} }}]");
    let nobody = |team: &str| format!("rules[0].name asks for skills that nobody of the team {team} has");
    doubted(
        &with(r#"team = "desk", skills = { french = 3 }"#),
        &nobody("desk"),
    );
    doubted(
        &with(r#"team = "desk", skills = { french = 2, tax = 0 }"#),
        &nobody("desk"),
    );
    doubted(
        &with(r#"team = "desk", skills = { french = 2 }, fallback = ["second"]"#),
        &nobody("second"),
    );
    doubted(
        &with(r#"team = "desk", skills = { french = 2 }, relax = [{ after = "1m", team = "second" }]"#),
        &nobody("second"),
    );
    for good in [
        r#"team = "second", skills = { french = 1 }, relax = [{ after = "1m", drop = "french" }]"#,
        r#"team = "desk", skills = { french = 2 }"#,
        r#"team = "second", skills = { french = 1 }, relax = [{ after = "1m", team = "desk" }]"#,
    ] {
        assert_eq!(doubts(&with(good)), Vec::<String>::new());
    }
    let stranger = with(r#"team = "second", skills = { french = 1 }"#).replace(ben, "agents = [");
    assert_eq!(doubts(&stranger).len(), 1, "only that Ben is not listed");
}

const OFFICE: &str = r#"calendars = [{ id = "office", hours = { mon = ["09:00-18:00"] } }]
"#;

#[test]
fn working_hours_that_nobody_has_are_warned_of() {
    let working =
        format!("{OFFICE}responses = [{{ id = \"p\", assign_within = \"1m\", hours = \"working\" }}]\n");
    let plan = small_with(&working);
    doubted(
        &plan,
        "responses[0].id counts working hours, but neither the settings nor any team or agent name a calendar",
    );
    for named in [
        format!("{plan}settings = {{ calendar = \"office\" }}"),
        plan.replace("id = \"desk\"", "id = \"desk\", calendar = \"office\""),
        plan.replace("id = \"ana\"", "id = \"ana\", calendar = \"office\""),
    ] {
        assert_eq!(doubts(&named), Vec::<String>::new());
    }
}

#[test]
fn a_team_that_cannot_fall_back_outside_its_hours_is_warned_of() {
    let desk = "id = \"desk\", outside = \"fallback\"";
    let plan = small_with(OFFICE).replace("id = \"desk\"", desk);
    let (no_calendar, no_team) = (
        "teams[0].id falls back outside its hours, but has no calendar",
        "teams[0].id falls back outside its hours, but names no fallback team",
    );
    doubted(&plan, no_calendar);
    doubted(&plan, no_team);
    let timed = plan.replace(desk, &format!("{desk}, calendar = \"office\""));
    doubted(&timed, no_team);
    let second = "teams = [{ id = \"second\", members = [\"ana\"] }, ";
    let with_team = timed.replace("teams = [", second).replace(
        "default = { team = \"desk\" }",
        "default = { team = \"desk\", fallback = [\"second\"] }",
    );
    assert_eq!(doubts(&with_team), Vec::<String>::new());
    let by_settings =
        with_team.replace(", calendar = \"office\"", "") + "settings = { calendar = \"office\" }";
    assert_eq!(doubts(&by_settings), Vec::<String>::new());
}

#[test]
fn a_calendar_that_never_opens_is_warned_of() {
    let never = small_with("calendars = [{ id = \"never\", hours = { mon = [] } }]");
    doubted(&never, "calendars[0].id is a calendar that never opens");
}

#[test]
fn giving_up_before_it_is_late_is_warned_of_where_it_is_written() {
    let policy = "responses = [{ id = \"p\", assign_within = \"1m\", respond_within = \"2h\" }]\n";
    let plan = |max_age: &str| small_with(&format!("{policy}settings = {{ max_age = \"{max_age}\" }}"));
    doubted(
        &plan("1h"),
        "settings.max_age is shorter than the response policy p allows",
    );
    assert_eq!(good(&plan("1h")).warnings[0].line, 7);
    for long in ["2h", "0s"] {
        assert_eq!(doubts(&plan(long)), Vec::<String>::new());
    }
}

#[test]
fn moving_what_people_have_who_are_away_is_warned_of_where_they_count_as_there() {
    let plan = |settings: &str| small_with(&format!("settings = {{ {settings} }}"));
    let never = "settings.on_away never happens: with assign_away";
    doubted(&plan("assign_away = true, on_away = \"all\""), never);
    for fine in [
        "on_away = \"all\"",
        "assign_away = true",
        "assign_away = true, on_away = \"keep\"",
    ] {
        assert_eq!(doubts(&plan(fine)), Vec::<String>::new());
    }
}

#[test]
fn relaxation_without_a_team_to_wait_in_is_warned_of() {
    let rule = r#"rules = [{ name = "a", agent = "ana", relax = [{ after = "1m", notify = true }] }]"#;
    doubted(&small_with(rule), "rules[0].relax is never used: without a team");
}

#[test]
fn warnings_come_with_their_place_in_the_order_of_the_text() {
    let plan = SMALL
        .replace(", capacity = 3", "")
        .replace("[\"ana\"]", "[\"ana\", \"zoe\"]");
    let warnings = good(&format!(
        "{plan}{OFFICE}responses = [{{ id = \"p\", hours = \"working\", warn_before = \"1m\" }}]"
    ))
    .warnings;
    let places: Vec<(u32, u32)> = warnings.iter().map(|fault| (fault.line, fault.column)).collect();
    assert_eq!(places.len(), 4, "{warnings:#?}");
    assert!(
        places.is_sorted() && places.iter().all(|(line, column)| *line > 1 && *column > 0),
        "{places:?}"
    );
}
