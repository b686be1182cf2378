//! What is wrong with a plan's keys: path, line, column and words.

use switchboard::contract::plan;

use super::{SMALL, fixture, has_fault, small_with};

/// The cells of a table's lines: what is written, and the path, line:column and words of the only fault in it.
fn cells(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

#[test]
fn settings_are_checked() {
    for row in cells(SETTINGS) {
        let [written, path, place, words] = row[..] else {
            panic!("{row:?}")
        };
        has_fault(&small_with(&format!("settings = {written}")), path, place, words);
    }
}

const SETTINGS: &str = r#"
{ capcity = 3 } | settings.capcity | 6:14 | is not a key known here; did you mean `capacity`?
{ colour = 3 } | settings.colour | 6:14 | is not a key known here
{ capacity = -1 } | settings.capacity | 6:25 | must be from 0 to 1000000
{ capacity = 2.5 } | settings.capacity | 6:25 | not a number that is not whole
{ capacity = "5" } | settings.capacity | 6:25 | must be a whole number from 0 to 1000000, not a text
{ assign_away = "yes" } | settings.assign_away | 6:28 | must be true or false, not a text
{ reopen = "stiky" } | settings.reopen | 6:23 | sticky, reroute, unassign; did you mean `sticky`?
{ agents_may_claim = "all" } | settings.agents_may_claim | 6:33 | must be one of teams, any, none
{ timezone = "Brasilia" } | settings.timezone | 6:25 | no time zone such as
{ response = "slow" } | settings.response | 6:25 | response policy slow, which the plan does not have
{ calendar = "office" } | settings.calendar | 6:25 | calendar office, which the plan does not have
{ burst = { limit = 0, window = "5m" } } | settings.burst.limit | 6:32 | must be at least 1
{ burst = { limit = 2 } } | settings.burst.window | 6:22 | is missing
{ burst = { limit = 2, window = "5m", per = "team" } } | settings.burst.per | 6:50 | is not a key known here
{ on_away = "move" } | settings.on_away | 6:24 | must be one of keep, unanswered, all
{ on_offline = true } | settings.on_offline | 6:27 | must be a text, not true or false
{ offline_after = "0s" } | settings.offline_after | 6:30 | must be a duration
{ max_age = "1" } | settings.max_age | 6:24 | must be a duration
{ close_idle_after = 0 } | settings.close_idle_after | 6:33 | must be a text, not a number
{ max_hops = 1001 } | settings.max_hops | 6:25 | must be from 0 to 1000
[] | settings | 6:12 | must be a table, not a list
"#;

#[test]
fn durations_are_checked() {
    for bad in [
        "90",
        "1.5m",
        "m",
        "-5s",
        "5 m",
        "5min",
        "50ms",
        "367d",
        "0s",
        "99999999999999999999s",
        "१m",
    ] {
        let settings = small_with(&format!("settings = {{ aging = \"{bad}\" }}"));
        has_fault(&settings, "settings.aging", "6:22", "must be a duration such as");
    }
    for good in ["100ms", "90s", "2m", "1h", "7d", "366d"] {
        plan::from_toml(&small_with(&format!("settings = {{ aging = \"{good}\" }}"))).unwrap();
    }
}

#[test]
fn the_entries_of_each_section_are_checked() {
    for row in cells(SECTIONS) {
        let [section, entry, path, place, words] = row[..] else {
            panic!("{row:?}")
        };
        has_fault(
            &format!("tenant = \"t\"\n{section} = [\n  {entry},\n]\n"),
            path,
            place,
            words,
        );
    }
}

const SECTIONS: &str = r#"
channels | {} | channels[0].key | 3:3 | is missing
channels | { key = "12345" } | channels[0].key | 3:11 | a channel is provider:id
channels | { key = "w:1" }, { key = "w:1" } | channels[1].key | 3:28 | the channel w:1 a second time; the first is channels[0].key
channels | { key = "w:1", subscriber = [] } | channels[0].subscriber | 3:18 | did you mean `subscribers`?
channels | { key = "w:1", subscribers = "ana" } | channels[0].subscribers | 3:32 | must be a list, not a text
agents | { name = "Ana" } | agents[0].id | 3:3 | is missing
agents | { id = "ana" }, { id = "ana" } | agents[1].id | 3:26 | the agent ana a second time
agents | { id = "ana", role = "boss" } | agents[0].role | 3:24 | must be one of agent, manager, admin
agents | { id = "ana", name = "" } | agents[0].name | 3:24 | must not be empty
agents | { id = "ana", name = "a\nb" } | agents[0].name | 3:24 | characters on one line
agents | { id = "ana", skills = { french = 256 } } | agents[0].skills.french | 3:37 | must be from 0 to 255
agents | { id = "ana", skills = { "two words" = 1 } } | agents[0].skills.two words | 3:42 | has a name that is not valid
agents | { id = "ana", skills = ["french"] } | agents[0].skills | 3:26 | must be a table, not a list
agents | { id = "ana", active = 1 } | agents[0].active | 3:26 | must be true or false
agents | { id = "ana", calendar = "x" } | agents[0].calendar | 3:28 | the calendar x
teams | { id = "a", members = ["m", "m"] } | teams[0].members[1] | 3:31 | names m a second time
teams | { id = "a", members = [7] } | teams[0].members[0] | 3:26 | must be a text, not a number
teams | { id = "a", strategy = "round-robin" } | teams[0].strategy | 3:26 | did you mean `round_robin`?
teams | { id = "a", fallback = ["a"] } | teams[0].fallback | 3:26 | names a, which is the team itself
teams | { id = "desk", fallback = ["dask"] } | teams[0].fallback[0] | 3:30 | the team dask, which the plan does not have; did you mean `desk`?
teams | { id = "a", outside = "stay" } | teams[0].outside | 3:25 | must be one of wait, fallback
responses | { id = "built-in" } | responses[0].id | 3:10 | applies where none is named
responses | { id = "a", on_breach = ["page"] } | responses[0].on_breach[0] | 3:28 | must be one of notify, reassign, escalate
responses | { id = "a", on_breach = ["notify", "notify"] } | responses[0].on_breach[1] | 3:38 | is there a second time
responses | { id = "a", assign_within = "0s" } | responses[0].assign_within | 3:31 | must be a duration
responses | { id = "a", warn_before = "soon" } | responses[0].warn_before | 3:29 | must be a duration
responses | { id = "a", on_breach = "notify" } | responses[0].on_breach | 3:27 | must be a list, not a text
responses | { id = "a", on_breach = ["escalate"], escalate_to = ["b", "b"] } | responses[0].escalate_to[1] | 3:61 | names b a second time
responses | { id = "a", hours = "office" } | responses[0].hours | 3:23 | must be one of always, working
calendars | { id = "a" } | calendars[0].hours | 3:3 | is missing
calendars | { id = "a", hours = { monday = [] } } | calendars[0].hours.monday | 3:25 | is not a key known here
calendars | { id = "a", hours = { mon = ["9-17"] } } | calendars[0].hours.mon[0] | 3:32 | a span is written
calendars | { id = "a", hours = { mon = ["18:00-09:00"] } } | calendars[0].hours.mon[0] | 3:32 | a span ends after it begins
calendars | { id = "a", hours = { mon = ["09:00-24:01"] } } | calendars[0].hours.mon[0] | 3:32 | a span is written
calendars | { id = "a", hours = { mon = ["09:00-12:00", "11:00-13:00"] } } | calendars[0].hours.mon[1] | 3:47 | begins before the one before it ends
calendars | { id = "a", hours = ["09:00-12:00"] } | calendars[0].hours | 3:23 | must be a table, not a list
calendars | { id = "a", hours = {}, timezone = "Lisbon" } | calendars[0].timezone | 3:38 | no time zone such as
calendars | { id = "a", hours = {} }, { id = "a", hours = {} } | calendars[1].id | 3:36 | the calendar a a second time
calendars | { id = "a", hours = {}, holidays = ["2026-02-30"] } | calendars[0].holidays[0] | 3:39 | a day is written
calendars | { id = "a", hours = {}, holidays = [2026-12-25] } | calendars[0].holidays[0] | 3:39 | not a date or time without quotes
"#;

#[test]
fn rules_are_checked() {
    for row in cells(RULES) {
        let [entry, path, place, words] = row[..] else {
            panic!("{row:?}")
        };
        has_fault(&format!("{SMALL}rules = [\n  {entry},\n]\n"), path, place, words);
    }
}

const RULES: &str = r#"
{ team = "desk" } | rules[0].name | 7:3 | is missing
{ name = "a", team = "desk" }, { name = "a", team = "desk" } | rules[1].name | 7:43 | the rule a a second time
{ name = "a" } | rules[0] | 7:3 | names neither a team nor an agent
{ name = "a", outcome = "manual", agent = "ana" } | rules[0] | 7:3 | names no team in whose queue to wait
{ name = "a", team = "disk" } | rules[0].team | 7:24 | the team disk, which the plan does not have; did you mean `desk`?
{ name = "a", team = "desk", fallback = ["desk"] } | rules[0].fallback | 7:43 | which is the team itself
{ name = "a", team = "desk", response = "x" } | rules[0].response | 7:43 | the response policy x
{ name = "a", team = "desk", priority = "top" } | rules[0].priority | 7:43 | must be one of low, normal, high, urgent
{ name = "a", team = "desk", reopen = true } | rules[0].reopen | 7:41 | must be a text, not true or false
{ name = "a", team = "desk", skills = { x = -1 } } | rules[0].skills.x | 7:47 | must be from 0 to 255
{ name = "a", team = "desk", when = 5 } | rules[0].when | 7:39 | must be a text, not a number
{ name = "a", team = "desk", when = "" } | rules[0].when | 7:39 | must not be empty
{ name = "a", team = "desk", relax = [{ drop = "x" }], skills = { x = 1 } } | rules[0].relax[0].after | 7:41 | is missing
{ name = "a", team = "desk", relax = [{ after = "1m" }] } | rules[0].relax[0] | 7:41 | changes nothing
{ name = "a", team = "desk", relax = [{ after = "1m", drop = "x" }] } | rules[0].relax[0].drop | 7:64 | is not among the skills asked for
{ name = "a", team = "desk", relax = [{ after = "2m", notify = true }, { after = "1m", priority = "high" }] } | rules[0].relax[1] | 7:74 | comes before the step before it
{ name = "a", team = "desk", relax = [{ after = "1m", priority = "top" }] } | rules[0].relax[0].priority | 7:68 | must be one of low, normal, high, urgent
{ name = "a", team = "desk", relax = [{ after = "1m", team = "x" }] } | rules[0].relax[0].team | 7:64 | the team x, which the plan does not have
"#;

#[test]
fn the_default_has_neither_name_nor_condition() {
    let plan = SMALL.replace("default = { team = \"desk\" }\n", "");
    has_fault(
        &format!("{plan}default = {{}}"),
        "default",
        "5:11",
        "names neither a team nor an agent",
    );
    let with_when = format!("{plan}default = {{ team = \"desk\", when = \"true\" }}");
    has_fault(&with_when, "default.when", "5:28", "is not a key known here");
}

#[test]
fn each_key_of_the_plan_is_known() {
    // A key nobody takes would be a fault.
    assert!(plan::from_toml(&fixture("every_key.toml")).is_ok());
}
