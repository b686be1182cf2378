//! What a good plan means.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;
use switchboard::contract::plan;
use switchboard::domain::agent::Role;
use switchboard::domain::calendar::{Calendar, Span};
use switchboard::domain::conversation::{Priority, Relaxation};
use switchboard::domain::ids::{AgentId, CalendarId, ChannelKey, PolicyId, TeamId};
use switchboard::domain::plan::{
    Burst, MayClaim, MayReassign, Moves, Outcome, Outside, Plan, Reopen, ResponsePolicy, Settings, Strategy,
};

use super::{SMALL, fixture, good, small_with};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn team(id: &str) -> TeamId {
    TeamId::new(id).unwrap()
}

fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

fn calendar(id: &str) -> CalendarId {
    CalendarId::new(id).unwrap()
}

fn policy(id: &str) -> PolicyId {
    PolicyId::new(id).unwrap()
}

fn clinic() -> Plan {
    good(&fixture("clinic.toml")).plan
}

#[test]
fn a_plan_that_uses_what_is_in_force_raises_no_doubt() {
    assert_eq!(good(&fixture("clinic.toml")).warnings, vec![]);
    assert_eq!(good(SMALL).warnings, vec![]);
}

#[test]
fn a_plan_has_no_version_before_it_is_activated() {
    assert_eq!(clinic().version, 0);
    assert_eq!(clinic().tenant.as_str(), "clinic");
}

#[test]
fn settings_mean_what_they_say() {
    let settings = clinic().settings;
    assert_eq!(settings.response, Some(policy("quick")));
    assert_eq!(settings.capacity, 4);
    assert_eq!(settings.reopen, Reopen::Sticky);
    assert_eq!(settings.agents_may_claim, MayClaim::Teams);
    assert_eq!(settings.agents_may_reassign, MayReassign::Own);
    assert!(settings.supervisors_may_close);
    assert!(!settings.assign_away);
    assert_eq!(settings.aging, Duration::from_secs(300));
    assert_eq!(settings.timezone.iana_name(), Some("America/Sao_Paulo"));
    let settings = good(&fixture("every_key.toml")).plan.settings;
    assert_eq!(settings.reopen, Reopen::Unassign);
    assert_eq!(settings.agents_may_claim, MayClaim::Any);
    assert_eq!(settings.agents_may_reassign, MayReassign::None);
    assert!(!settings.supervisors_may_close);
    assert!(settings.assign_away);
    assert_eq!(settings.aging, Duration::from_millis(500));
    assert_eq!(settings.request_timeout, Duration::from_secs(120));
    assert_eq!((settings.on_away, settings.on_offline), (Moves::Keep, Moves::All));
    let unanswered = small_with("settings = { on_away = \"unanswered\" }");
    assert_eq!(good(&unanswered).plan.settings.on_away, Moves::Unanswered);
    assert_eq!(settings.offline_after, Duration::from_secs(7 * 60));
    let window = Duration::from_secs(300);
    assert_eq!(settings.burst, Some(Burst { limit: 5, window }));
    assert_eq!(settings.max_hops, 4);
    assert_eq!(settings.max_age, Some(30 * DAY));
    assert_eq!(settings.close_idle_after, Some(DAY));
    assert_eq!(settings.calendar, Some(calendar("office")));
}

#[test]
fn what_settings_leave_out_is_as_documented() {
    let (given, default) = (good(SMALL).plan.settings, Settings::default());
    assert_eq!(format!("{given:?}"), format!("{default:?}"));
    assert_eq!((default.capacity, default.reopen), (0, Reopen::Sticky));
    assert_eq!(default.aging, Duration::from_secs(600));
    assert_eq!(default.request_timeout, Duration::from_secs(120));
    assert_eq!(
        (default.on_away, default.on_offline),
        (Moves::Keep, Moves::Unanswered)
    );
    assert_eq!(
        (default.offline_after, default.max_hops),
        (Duration::from_secs(300), 3)
    );
    assert_eq!((default.burst, default.calendar), (None, None));
    assert_eq!((default.max_age, default.close_idle_after), (None, None));
}

#[test]
fn zero_is_never() {
    let never = "settings = { max_age = \"0s\", close_idle_after = \"0s\", max_hops = 0 }";
    let settings = good(&small_with(never)).plan.settings;
    assert_eq!(
        (settings.max_age, settings.close_idle_after, settings.max_hops),
        (None, None, 0)
    );
}

#[test]
fn calendars_mean_what_they_say_and_are_in_the_tenants_time_zone_unless_they_say_another() {
    let plan = good(&fixture("every_key.toml")).plan;
    let span = |from: u16, until: u16| Span {
        from: from * 60,
        until: until * 60,
    };
    let mut hours = <[Vec<Span>; 7]>::default();
    hours[0] = vec![span(9, 12), span(13, 18)];
    hours[5] = vec![span(0, 24)];
    let zone = |name: &str| TimeZone::get(name).unwrap();
    let expected = Calendar::new(zone("Europe/Lisbon"), hours, ["2026-12-25".parse().unwrap()]);
    assert_eq!(plan.calendars, [(calendar("office"), expected)].into());
    let plan = good(&small_with(
        r#"settings = { timezone = "Asia/Tokyo" }
        [[calendars]]
        id = "short"
        hours = { wed = ["09:30-12:15", "12:15-13:00"] }"#,
    ));
    let mut hours = <[Vec<Span>; 7]>::default();
    let until = 13 * 60;
    hours[2] = vec![Span {
        from: 9 * 60 + 30,
        until,
    }];
    let expected = Calendar::new(zone("Asia/Tokyo"), hours, []);
    assert_eq!(plan.plan.calendars[&calendar("short")], expected);
}

#[test]
fn who_names_a_calendar_has_it_and_who_does_not_has_none_of_their_own() {
    let plan = good(&fixture("every_key.toml")).plan;
    assert_eq!(plan.agents[&agent("ana")].calendar, Some(calendar("office")));
    assert_eq!(plan.agents[&agent("boss")].calendar, None);
    let support = &plan.teams[&team("support")];
    assert_eq!(support.calendar, Some(calendar("office")));
    assert_eq!(support.outside, Outside::Fallback);
    let general = &plan.teams[&team("general")];
    assert_eq!((&general.calendar, general.outside), (&None, Outside::Wait));
}

#[test]
fn channels_agents_and_teams_mean_what_they_say() {
    let plan = good(&fixture("every_key.toml")).plan;
    let channel = &plan.channels[&ChannelKey::new("whatsapp:300000000000001").unwrap()];
    assert_eq!(channel.subscribers, [agent("ana"), agent("boss")].into());
    assert_eq!(channel.phone_agent, Some(agent("ana")));
    let ana = &plan.agents[&agent("ana")];
    assert_eq!(
        (&*ana.name, ana.role, ana.capacity),
        ("Ana", Role::Agent, Some(5))
    );
    assert_eq!(ana.skills, [("french".into(), 1), ("billing".into(), 2)].into());
    assert!(ana.active && ana.may_reply);
    let boss = &plan.agents[&agent("boss")];
    assert_eq!(
        (&*boss.name, boss.role, boss.capacity),
        ("The Boss", Role::Admin, None)
    );
    let support = &plan.teams[&team("support")];
    assert_eq!(support.members, vec![agent("ana")]);
    assert_eq!(support.managers, vec![agent("boss")]);
    assert_eq!((support.strategy, support.capacity), (Strategy::Ranked, Some(2)));
    assert_eq!(support.response, Some(policy("standard")));
    assert_eq!(support.fallback, vec![team("general")]);
    let strategies: Vec<Strategy> = plan.teams.values().map(|team| team.strategy).collect();
    assert_eq!(
        strategies,
        [Strategy::LongestIdle, Strategy::Ranked, Strategy::Manual]
    );
    assert_eq!(
        good(SMALL).plan.teams[&team("desk")].strategy,
        Strategy::RoundRobin
    );
}

#[test]
fn members_keep_the_order_they_are_written_in() {
    let plan = good(&SMALL.replace(r#"["ana"]"#, r#"["zoe", "ana", "mia"]"#)).plan;
    assert_eq!(
        plan.teams[&team("desk")].members,
        vec![agent("zoe"), agent("ana"), agent("mia")]
    );
}

#[test]
fn an_agent_without_a_name_goes_by_the_id() {
    assert_eq!(&*good(SMALL).plan.agents[&agent("ana")].name, "ana");
}

#[test]
fn a_policy_that_does_not_say_what_to_do_about_a_breach_notifies() {
    let plan = good(&small_with(
        r#"[[responses]]
        id = "silent"
        assign_within = "1m"
        on_breach = []
        [[responses]]
        id = "usual"
        assign_within = "1m""#,
    ));
    let expected = |notify| ResponsePolicy {
        assign_within: Some(Duration::from_secs(60)),
        respond_within: None,
        notify,
        ..ResponsePolicy::built_in()
    };
    assert_eq!(plan.plan.responses[&policy("silent")], expected(false));
    assert_eq!(plan.plan.responses[&policy("usual")], expected(true));
}

#[test]
fn a_policy_means_what_it_says() {
    let plan = good(&fixture("every_key.toml")).plan;
    let expected = ResponsePolicy {
        assign_within: Some(Duration::from_secs(120)),
        respond_within: Some(Duration::from_secs(900)),
        warn_before: Some(Duration::from_secs(60)),
        working_hours: true,
        notify: true,
        reassign: true,
        escalate: true,
        escalate_to: vec![agent("boss")],
    };
    assert_eq!(plan.responses[&policy("standard")], expected);
    let plan = good(&small_with(
        r#"[[responses]]
        id = "up"
        respond_within = "1m"
        on_breach = ["escalate"]"#,
    ));
    let up = &plan.plan.responses[&policy("up")];
    assert!(up.escalate && up.escalate_to.is_empty(), "to the managers, then");
    assert!(!up.notify && !up.reassign && !up.working_hours);
}

#[test]
fn steps_of_relaxation_mean_what_they_say_in_their_order() {
    let plan = good(&fixture("every_key.toml")).plan;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let step = |after| Relaxation {
        after: minutes(after),
        ..Relaxation::default()
    };
    let expected = [
        Relaxation {
            drop: Some("french".into()),
            ..step(2)
        },
        Relaxation {
            team: Some(team("general")),
            ..step(5)
        },
        Relaxation {
            priority: Some(Priority::Urgent),
            ..step(5)
        },
        Relaxation {
            notify: true,
            ..step(9)
        },
    ];
    assert_eq!(*plan.rules[0].target.relax, expected);
    assert!(plan.default.unwrap().relax.is_empty());
}

#[test]
fn rules_keep_their_order_and_mean_what_they_say() {
    let plan = good(&fixture("every_key.toml")).plan;
    let names: Vec<&str> = plan.rules.iter().map(|rule| &*rule.name).collect();
    assert_eq!(names, ["french", "advertisements", "receipts"]);
    let french = &plan.rules[0];
    assert_eq!(
        french.when.as_ref().map(|when| when.source()),
        Some("contact.language == \"fr\"")
    );
    assert_eq!(french.target.team, Some(team("support")));
    assert_eq!(french.target.agent, Some(agent("ana")));
    assert_eq!(french.target.skills, [("french".into(), 1)].into());
    assert_eq!(french.target.priority, Priority::High);
    assert_eq!(french.target.response, Some(policy("standard")));
    assert_eq!(french.target.reopen, Some(Reopen::Reroute));
    assert_eq!(french.target.fallback, Some(vec![team("general")]));
    assert_eq!(plan.rules[1].target.outcome, Outcome::Manual);
    assert_eq!(plan.rules[2].target.outcome, Outcome::Nobody);
    let default = plan.default.unwrap();
    assert_eq!(
        (default.team, default.priority),
        (Some(team("general")), Priority::Low)
    );
    assert_eq!((default.outcome, default.fallback), (Outcome::Auto, None));
}

#[test]
fn a_rule_may_take_away_its_teams_fallback() {
    let rule = clinic().rules.remove(2);
    assert_eq!(rule.target.fallback, Some(vec![]));
}

#[test]
fn only_a_plan_whose_rules_read_texts_asks_for_them() {
    assert!(clinic().reads().text);
    assert!(!good(&fixture("every_key.toml")).plan.reads().text);
}

#[test]
fn the_same_plan_in_toml_and_in_json_is_the_same_document_and_the_same_plan() {
    for name in ["clinic.toml", "every_key.toml"] {
        let toml = good(&fixture(name));
        let text = serde_json::to_string_pretty(&toml.document).unwrap();
        for json in [
            plan::from_json(&toml.document).unwrap(),
            plan::from_json_text(&text).unwrap(),
        ] {
            assert_eq!(json.document, toml.document);
            assert_eq!(format!("{:?}", json.plan), format!("{:?}", toml.plan));
        }
    }
}

#[test]
fn null_is_as_if_it_were_not_there() {
    let with = json!({ "tenant": "t", "settings": { "response": null, "capacity": 2 }, "default": null });
    let without = json!({ "tenant": "t", "settings": { "capacity": 2 } });
    let (with, without) = (
        plan::from_json(&with).unwrap(),
        plan::from_json(&without).unwrap(),
    );
    assert_eq!(with.document, without.document);
    assert_eq!(
        without.document,
        json!({ "tenant": "t", "settings": { "capacity": 2 } })
    );
    assert!(with.plan.default.is_none());
}

#[test]
fn ten_thousand_agents_fit() {
    let ids: Vec<String> = (0..10_000).map(|number| format!("agent-{number:05}")).collect();
    let agents: Vec<_> = ids
        .iter()
        .map(|id| json!({ "id": id, "name": id, "role": "agent", "capacity": 5, "skills": { "a": 1, "b": 2 } }))
        .collect();
    let document = json!({
        "tenant": "large", "agents": agents, "teams": [{ "id": "all", "members": ids }], "default": { "team": "all" },
    });
    assert_eq!(
        plan::from_json_text(&document.to_string())
            .unwrap()
            .plan
            .agents
            .len(),
        10_000
    );
    assert_eq!(
        plan::from_json(&document).unwrap().plan.teams[&team("all")]
            .members
            .len(),
        10_000
    );
}
