//! What holds of every simulation, whatever is played.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::time;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use switchboard::domain::agent::Presence;
use switchboard::domain::plan::{Plan, Strategy as Way};
use switchboard::simulate::chance::Lasts;
use switchboard::simulate::compare::compare;
use switchboard::simulate::outcome::End;
use switchboard::simulate::report::Report;
use switchboard::simulate::shifts::{Shift, Shifts};
use switchboard::simulate::trace::Arrival;

use super::{playable, played, played_in_shifts, traffic};
use crate::support::people::online;
use crate::support::plans::{plan, skilled, support, to};
use crate::support::{HOUR, MINUTE, agent, start, team};

const WAYS: [Way; 4] = [Way::RoundRobin, Way::LeastLoaded, Way::LongestIdle, Way::Ranked];

/// Two teams that share a person, one of them with a limit of its own, and a rule that asks for a skill.
fn company(way: Way, capacity: u32) -> Plan {
    let plan = plan()
        .team("desk", way, &["ana", "ben", "cleo"])
        .team("sales", way, &["cleo", "dan"])
        .limited_to("sales", 1)
        .rule("french", "contact.language == 'fr'", skilled("desk", "french", 1))
        .rule("buys", "message.text.startsWith('buy')", to("sales"))
        .default_to("desk")
        .setting(|settings| settings.capacity = capacity)
        .writes(online("ana").skill("french", 2))
        .writes(online("ben").capacity(1))
        .writes(online("cleo"))
        .writes(online("dan"));
    playable(plan)
}

/// Customers of three kinds, of whom some come back.
fn mixed(per_hour: f64, lasts: Duration, seed: u64) -> Vec<Arrival> {
    let mut traffic = traffic(per_hour, lasts, Lasts::Exponential { mean: 8 * MINUTE });
    let usual = traffic.kinds[0].clone();
    let mut french = usual.clone();
    let mut contact = (*french.contact).clone();
    contact.language = "fr".into();
    french.contact = contact.into();
    let mut buys = usual.clone();
    buys.message = super::saying("buy one").into();
    buys.answer = Lasts::Constant(2 * MINUTE);
    traffic.kinds.extend([french, buys]);
    let mut arrivals = traffic.draw(seed).expect("it is few");
    for (number, arrival) in arrivals.iter_mut().enumerate() {
        arrival.customer = format!("{}", number % 40).into();
    }
    arrivals
}

/// The early and the late, with an hour of both, and a night in between.
fn shifts() -> Shifts {
    let shift = |agents: &[&str], from, to| Shift {
        agents: agents.iter().map(|id| agent(id)).collect(),
        days: Vec::new(),
        hours: vec![(from, to)],
    };
    Shifts {
        timezone: TimeZone::UTC,
        shifts: vec![
            shift(&["ana", "cleo"], time(8, 0, 0, 0), time(15, 0, 0, 0)),
            shift(&["ben", "dan"], time(14, 0, 0, 0), time(22, 0, 0, 0)),
        ],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_arrival_comes_to_exactly_one_end_and_no_limit_is_exceeded(
        seed in 0..1000u64,
        way in proptest::sample::select(&WAYS[..]),
        capacity in 1..4u32,
        per_hour in 10.0..120.0f64,
    ) {
        let plan = company(way, capacity);
        let arrivals = mixed(per_hour, 2 * HOUR, seed);
        let played = played(&plan, &arrivals);
        let report = Report::of(&played);
        let ends = report.ends;
        prop_assert_eq!(played.outcomes.len(), arrivals.len());
        prop_assert_eq!(report.conversations + report.further, arrivals.len() as u64);
        prop_assert_eq!(ends.closed + ends.in_hand + ends.queued + ends.unowned, report.conversations);
        // Everyone is always there and the plan leaves nothing to people: in the end all are served.
        prop_assert_eq!(ends.closed, report.conversations);
        prop_assert_eq!(report.waits.ended + report.waits.never, report.conversations);
        let closed: u64 = report.agents.iter().map(|agent| agent.closed).sum();
        prop_assert_eq!(closed, ends.closed);
        for agent in &report.agents {
            prop_assert!(agent.capacity > 0 && agent.peak <= agent.capacity, "{agent:?}");
            prop_assert!(agent.utilisation.is_some_and(|part| (0.0..=1.0).contains(&part)), "{agent:?}");
        }
    }

    #[test]
    fn nobody_gets_anything_outside_their_shift(seed in 0..1000u64, way in proptest::sample::select(&WAYS[..])) {
        let plan = company(way, 3);
        let arrivals = mixed(30.0, 24 * HOUR, seed);
        let shifts = shifts();
        let played = played_in_shifts(&plan, &arrivals, &shifts);
        let mut came = 0;
        for outcome in &played.outcomes {
            let Some((agent, at)) = &outcome.given else { continue };
            let until_then = shifts.turns(agent, start(), *at + MINUTE);
            let last = until_then.iter().rev().find(|turn| turn.at <= *at);
            prop_assert_eq!(last.map(|turn| turn.presence), Some(Presence::Online), "{} at {}", agent, at);
            came += 1;
        }
        prop_assert!(came > 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_and_another_seed_another(seed in 0..1000u64) {
        let plan = company(Way::RoundRobin, 2);
        let report = |seed| Report::of(&played(&plan, &mixed(40.0, 3 * HOUR, seed)));
        prop_assert_eq!(report(seed), report(seed));
        prop_assert_ne!(report(seed), report(seed + 1));
    }

    #[test]
    fn two_equal_plans_differ_in_nothing(seed in 0..1000u64) {
        let plan = company(Way::LeastLoaded, 2);
        let arrivals = mixed(40.0, 3 * HOUR, seed);
        let comparison = compare(&played(&plan, &arrivals).outcomes, &played(&plan, &arrivals).outcomes, 10);
        prop_assert_eq!(comparison.same, comparison.conversations);
        prop_assert!(comparison.conversations > 0);
        prop_assert!(comparison.differences.is_empty());
    }
}

#[test]
fn more_people_make_shorter_waits_and_the_comparison_says_for_whom() {
    let with = |members: &[&str]| playable(support(Way::RoundRobin, members).setting(|s| s.capacity = 1));
    let arrivals = traffic(11.0, 12 * HOUR, Lasts::Exponential { mean: 10 * MINUTE })
        .draw(7)
        .expect("it is few");
    let few = played(&with(&["ana", "ben"]), &arrivals);
    let more = played(&with(&["ana", "ben", "cleo", "dan"]), &arrivals);
    let (before, after) = (Report::of(&few), Report::of(&more));
    assert!(
        after.waits.p95 < before.waits.p95,
        "{:?} {:?}",
        before.waits,
        after.waits
    );
    let comparison = compare(&few.outcomes, &more.outcomes, 3);
    assert!(comparison.sooner > 0 && comparison.later == 0, "{comparison:?}");
    assert_eq!(comparison.differences.len(), 3);
    let parts = [
        comparison.same,
        comparison.same_agent,
        comparison.other_agent,
        comparison.other_team,
        comparison.gained,
        comparison.lost,
    ];
    assert_eq!(parts.iter().sum::<u64>(), comparison.conversations);
}

#[test]
fn what_a_plan_leaves_to_people_stays_where_it_is() {
    let plan = playable(
        plan()
            .team("desk", Way::Manual, &["ana"])
            .rule("spam", "message.text == 'spam'", crate::support::plans::nobody())
            .default_to("desk"),
    );
    let mut arrivals = mixed(20.0, HOUR, 1);
    arrivals[0].message = super::saying("spam").into();
    let report = Report::of(&played(&plan, &arrivals));
    assert_eq!(report.ends.unowned, 1);
    assert_eq!(report.ends.queued, report.conversations - 1);
    assert_eq!(report.waits.never, report.conversations);
}

#[test]
fn a_policy_that_nobody_can_keep_is_breached_once_each() {
    let hasty =
        |draft: crate::support::plans::Draft| draft.response("hasty", Some(MINUTE)).usual_response("hasty");
    let plan = hasty(support(Way::RoundRobin, &["ana"]).setting(|s| s.capacity = 1))
        .writes(online("boss").admin())
        .build();
    let mut arrivals = traffic(60.0, HOUR, Lasts::Constant(10 * MINUTE))
        .draw(3)
        .expect("it is few");
    arrivals.truncate(5);
    for arrival in &mut arrivals {
        arrival.at = start();
    }
    let played = played(&plan, &arrivals);
    let breached: Vec<_> = played.outcomes.iter().map(|outcome| outcome.breaches).collect();
    assert_eq!(breached, [0, 1, 1, 1, 1]);
    let waits: Vec<_> = played
        .outcomes
        .iter()
        .map(|one| one.wait().expect("all are served").as_mins())
        .collect();
    assert_eq!(waits, [0, 10, 20, 30, 40]);
}

#[test]
fn who_went_home_answers_when_they_are_back_and_finishes_what_they_began() {
    let plan = playable(support(Way::RoundRobin, &["ana"]).setting(|settings| {
        settings.capacity = 2;
        settings.on_offline = switchboard::domain::plan::Moves::Keep;
    }));
    let day = Shifts {
        timezone: TimeZone::UTC,
        shifts: vec![Shift {
            agents: vec![agent("ana")],
            days: Vec::new(),
            hours: vec![(time(9, 0, 0, 0), time(11, 0, 0, 0))],
        }],
    };
    // The world begins at ten; ana goes at eleven.
    let mut arrivals = traffic(60.0, HOUR, Lasts::Constant(30 * MINUTE))
        .draw(1)
        .expect("it is few");
    arrivals.truncate(2);
    for (arrival, minutes) in arrivals.iter_mut().zip([40, 59]) {
        arrival.at = start() + minutes * MINUTE;
        arrival.answer = 5 * MINUTE;
    }
    let played = played_in_shifts(&plan, &arrivals, &day);
    let minutes = |at: jiff::Timestamp| at.duration_since(start()).as_mins();
    let ends: Vec<_> = played
        .outcomes
        .iter()
        .map(|outcome| match outcome.end {
            End::Closed(at) => (minutes(outcome.answered.expect("it was answered")), minutes(at)),
            ref other => panic!("{other:?}"),
        })
        .collect();
    // The first was answered and goes on after hours; the second waits for nine o'clock.
    assert_eq!(ends, [(45, 70), (23 * 60 + 5, 23 * 60 + 30)]);
}

#[test]
fn a_customer_who_comes_back_meets_who_knows_them() {
    let plan = playable(support(Way::RoundRobin, &["ana", "ben"]));
    let mut arrivals = traffic(60.0, HOUR, Lasts::Constant(MINUTE))
        .draw(1)
        .expect("it is few");
    arrivals.truncate(4);
    for (number, arrival) in arrivals.iter_mut().enumerate() {
        arrival.at = start() + number as u32 * HOUR;
        arrival.customer = "the same".into();
    }
    // While the third is open, the fourth is a further message of it.
    arrivals[3].at = arrivals[2].at + MINUTE / 2;
    let played = played(&plan, &arrivals);
    let given: Vec<_> = played.outcomes[..3]
        .iter()
        .map(|outcome| outcome.given.as_ref().map(|(who, _)| who))
        .collect();
    assert_eq!(given, [Some(&agent("ana")); 3]);
    assert_eq!(played.outcomes[3].end, End::Further);
    let report = Report::of(&played);
    assert_eq!((report.conversations, report.further), (3, 1));
}

#[test]
fn turns_are_compared_with_what_would_have_been_even() {
    let plan = playable(support(Way::RoundRobin, &["ana", "ben", "cleo"]));
    let arrivals = traffic(30.0, 10 * HOUR, Lasts::Constant(MINUTE))
        .draw(5)
        .expect("it is few");
    let report = Report::of(&played(&plan, &arrivals));
    let desk = report
        .teams
        .iter()
        .find(|one| one.team == Some(team("support")))
        .expect("it is reported");
    let by_agent: BTreeMap<_, _> = desk
        .turns
        .iter()
        .map(|turns| (turns.agent.as_str(), turns))
        .collect();
    let chosen: u64 = by_agent.values().map(|turns| turns.chosen).sum();
    assert_eq!(chosen, arrivals.len() as u64);
    for turns in by_agent.values() {
        let ideal = turns.ideal.expect("round robin has one");
        assert!((turns.chosen as f64 - ideal).abs() < 1.0, "{turns:?}");
    }
    assert!(desk.unevenness().is_some_and(|part| part < 0.01));
}
