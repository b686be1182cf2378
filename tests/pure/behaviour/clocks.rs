//! The two clocks of a response policy: when they start, go on, warn and stop. What a breach leads to is told in `breaches`.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchboard::domain::calendar::{Calendar, Span};
use switchboard::domain::conversation::Clock;
use switchboard::domain::ids::CalendarId;
use switchboard::domain::plan::Strategy;

use crate::support::chats::chat;
use crate::support::inputs::{alarm_timer, assign_timer, by, reaction, sent, sent_by, turn};
use crate::support::people::online;
use crate::support::plans::{Draft, nobody, plan, support, to};
use crate::support::scenario::{Scenario, given};
use crate::support::{MINUTE, at, policy, start};

fn running(policy_id: &str, since: Timestamp, warn: Option<Timestamp>, due: Timestamp) -> Clock {
    Clock::Running {
        policy: policy(policy_id),
        since,
        warn,
        due,
    }
}

#[track_caller]
fn runs(scenario: &Scenario, policy_id: &str, since: Timestamp, due: Timestamp) {
    assert_eq!(
        scenario.chat(1).assign_clock,
        running(policy_id, since, None, due)
    );
}

/// The owner is waited for since then, for ten minutes.
#[track_caller]
fn awaits_answer(scenario: &Scenario, since: Timestamp) {
    let clock = running("strict", since, Some(since + 8 * MINUTE), since + 10 * MINUTE);
    assert_eq!(scenario.chat(1).respond_clock, clock);
}

#[track_caller]
fn awaits_nothing(scenario: &Scenario) {
    assert_eq!(scenario.chat(1).respond_clock, Clock::Off);
}

/// Assign within five minutes, answer within ten, warn two minutes before.
fn strict(draft: Draft) -> Draft {
    draft
        .policy("strict", |policy| {
            policy.assign_within = Some(5 * MINUTE);
            policy.respond_within = Some(10 * MINUTE);
            policy.warn_before = Some(2 * MINUTE);
        })
        .usual_response("strict")
        .keeping()
}

/// Ana has what the customer has not written in yet; Ben is there too.
fn of_ana() -> Scenario {
    given(strict(support(Strategy::LeastLoaded, &["ana", "ben"])))
        .agents([online("ana"), online("ben")])
        .conversation(chat(1).with("ana").of("support"))
}

#[test]
fn a_conversation_left_with_nobody_has_a_clock_even_under_a_policy_without_one() {
    let patient = plan()
        .response("patient", None)
        .usual_response("patient")
        .otherwise(nobody());
    let left = given(patient)
        .when(turn(1))
        .then(["opened by customer", "received", "with nobody"]);
    runs(&left, "built-in", at(Duration::ZERO), at(5 * MINUTE));
}

#[test]
fn what_is_unassigned_has_a_clock_even_under_a_policy_without_one() {
    let patient = support(Strategy::LeastLoaded, &["ana"])
        .response("patient", None)
        .usual_response("patient");
    let left = given(patient)
        .agents([online("ana")])
        .conversation(chat(1).with("ana").of("support"))
        .after(MINUTE)
        .when(by("ana").unassigns(1))
        .then(["unassigned by command"]);
    runs(&left, "built-in", at(MINUTE), at(6 * MINUTE));
}

#[test]
fn the_assign_clock_warns_once_and_is_breached_once() {
    given(strict(support(Strategy::LeastLoaded, &["ana"])))
        .when(turn(1))
        .then([
            "opened by customer",
            "received",
            "queued in support: no agent free",
        ])
        .when_time_passes(2 * MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["strict warned of assign"])
        .when(alarm_timer(1))
        .then([])
        .when_time_passes(2 * MINUTE)
        .then(["strict breached"])
        .when(assign_timer(1))
        .then([])
        .when_time_passes(60 * MINUTE)
        .then([]);
}

#[test]
fn a_warning_that_comes_too_late_is_none_and_the_breach_is_told_once() {
    given(strict(support(Strategy::LeastLoaded, &["ana"])))
        .when(turn(1))
        .after(5 * MINUTE)
        .when(alarm_timer(1))
        .then(["strict breached"])
        .when(assign_timer(1))
        .then([]);
}

#[test]
fn what_was_warned_of_in_one_queue_is_not_warned_of_again_in_the_next() {
    let two = strict(support(Strategy::LeastLoaded, &["ana"])).team("sales", Strategy::LeastLoaded, &["ben"]);
    let moved = given(two)
        .agents([online("root").admin()])
        .when(turn(1))
        .when_time_passes(3 * MINUTE)
        .then(["strict warned of assign"])
        .when(by("root").gives_to_team(1, "sales"))
        .then(["queued in sales: transfer"]);
    runs(&moved, "strict", at(Duration::ZERO), at(5 * MINUTE));
}

#[test]
fn what_would_warn_before_its_clock_starts_never_warns() {
    let hasty = support(Strategy::LeastLoaded, &["ana"])
        .policy("hasty", |policy| {
            policy.assign_within = Some(MINUTE);
            policy.warn_before = Some(MINUTE);
        })
        .usual_response("hasty");
    let waits = given(hasty).when(turn(1));
    runs(&waits, "hasty", at(Duration::ZERO), at(MINUTE));
}

/// Saturday's customers are waited for from Monday, nine o'clock, in the time of Lisbon.
#[test]
fn where_only_working_time_counts_a_weekend_does_not() {
    let nine_to_five = vec![Span {
        from: 9 * 60,
        until: 17 * 60,
    }];
    let mut hours: [Vec<Span>; 7] = Default::default();
    hours[..5].fill(nine_to_five);
    let lisbon = TimeZone::get("Europe/Lisbon").expect("the zone is known");
    let office = Calendar::new(lisbon, hours, []);
    let working = strict(support(Strategy::LeastLoaded, &["ana"]))
        .calendar("office", office)
        .setting(|settings| settings.calendar = CalendarId::new("office").ok())
        .policy("strict", |policy| {
            policy.assign_within = Some(5 * MINUTE);
            policy.respond_within = Some(10 * MINUTE);
            policy.warn_before = Some(2 * MINUTE);
            policy.working_hours = true;
        });
    let waits = given(working).when(turn(1));
    let monday: Timestamp = "2026-11-23T09:00:00Z".parse().expect("a time");
    let clock = running(
        "strict",
        at(Duration::ZERO),
        Some(monday + 3 * MINUTE),
        monday + 5 * MINUTE,
    );
    assert_eq!(waits.chat(1).assign_clock, clock);
    let given_on_monday = waits
        .agents([online("ana")])
        .after(monday.duration_since(start()).unsigned_abs() + MINUTE)
        .when(by("ana").gives(1, "ana"));
    let since = monday + MINUTE;
    let clock = running("strict", since, Some(since + 8 * MINUTE), since + 10 * MINUTE);
    assert_eq!(given_on_monday.chat(1).respond_clock, clock);
}

#[test]
fn the_first_unanswered_turn_starts_the_clock_on_the_answer_and_later_ones_leave_it() {
    let waits = of_ana().when(turn(1).at(at(MINUTE))).then(["received"]);
    awaits_answer(&waits, at(MINUTE));
    let waits = waits.when(turn(1).at(at(3 * MINUTE))).then(["received"]);
    awaits_answer(&waits, at(MINUTE));
}

#[test]
fn what_is_no_turn_starts_no_clock() {
    awaits_nothing(&of_ana().when(reaction(1)).then(["received, no turn"]));
}

#[test]
fn a_turn_from_before_the_change_of_owner_is_waited_for_from_that_change() {
    let given = of_ana().after(5 * MINUTE).when(by("ana").gives(1, "ben"));
    awaits_nothing(&given);
    awaits_answer(&given.when(turn(1).at(at(MINUTE))), at(5 * MINUTE));
}

#[test]
fn a_new_owner_has_the_whole_time() {
    let given = of_ana()
        .when(turn(1).at(at(MINUTE)))
        .after(5 * MINUTE)
        .when(by("ana").gives(1, "ben"));
    awaits_answer(&given, at(5 * MINUTE));
}

#[test]
fn whoever_is_assigned_what_waits_is_waited_for() {
    let waits = given(strict(support(Strategy::LeastLoaded, &["ana"])))
        .agents([online("ana")])
        .after(MINUTE)
        .when(turn(1))
        .then(["opened by customer", "received", "assigned to ana by auto"]);
    awaits_answer(&waits, at(MINUTE));
}

#[test]
fn the_owners_reply_through_the_gate_stops_it() {
    let waits = of_ana().when(turn(1));
    let answered = waits.when(by("ana").replies(1)).then(["reply authorized"]);
    awaits_nothing(&answered);
    // The next turn starts another run.
    awaits_answer(&answered.when(turn(1).at(at(2 * MINUTE))), at(2 * MINUTE));
}

#[test]
fn the_owners_message_around_the_gate_stops_it() {
    let answered = of_ana().when(turn(1)).when(sent_by(1, "ana"));
    awaits_nothing(&answered);
}

#[test]
fn what_others_send_leaves_it_running() {
    let waits = of_ana().when(turn(1));
    let waits = waits
        .when(sent_by(1, "ben"))
        .then(["sent by ben", "reply unauthorized"]);
    awaits_answer(&waits, at(Duration::ZERO));
    let waits = waits.when(sent(1, switchboard::domain::input::Origin::Automation));
    awaits_answer(&waits, at(Duration::ZERO));
    let waits = waits.when(sent(1, switchboard::domain::input::Origin::Phone));
    awaits_answer(&waits, at(Duration::ZERO));
}

#[test]
fn it_survives_being_set_aside() {
    let held = of_ana()
        .when(turn(1))
        .when(by("ana").holds(1, None))
        .then(["held"]);
    awaits_answer(&held, at(Duration::ZERO));
    held.when_time_passes(8 * MINUTE)
        .then(["strict warned of respond"])
        .when_time_passes(2 * MINUTE)
        .then(["strict breached: respond"]);
}

#[test]
fn a_turn_on_what_is_set_aside_starts_it() {
    let back = of_ana()
        .when(by("ana").holds(1, None))
        .when(turn(1).at(at(MINUTE)));
    let back = back.then(["resumed by customer", "received"]);
    awaits_answer(&back, at(MINUTE));
}

#[test]
fn nobody_has_to_answer_what_is_closed_or_what_nobody_has() {
    awaits_nothing(&of_ana().when(turn(1)).when(by("ana").closes(1)));
    awaits_nothing(&of_ana().when(turn(1)).when(by("ana").unassigns(1)));
    awaits_nothing(&of_ana().when(turn(1).standby()).when(by("ana").closes(1)));
}

#[test]
fn a_reopening_by_its_last_owner_waits_for_the_next_turn() {
    let reopened = of_ana()
        .when(turn(1))
        .when(by("ana").closes(1))
        .after(MINUTE)
        .when(by("ana").reopens(1))
        .then(["reopened by command, kept"]);
    awaits_nothing(&reopened);
    awaits_answer(&reopened.when(turn(1).at(at(2 * MINUTE))), at(2 * MINUTE));
}

#[test]
fn the_owner_is_warned_once_and_then_late_once() {
    of_ana()
        .when(turn(1))
        .when_time_passes(8 * MINUTE)
        .then(["strict warned of respond"])
        .when(alarm_timer(1))
        .then([])
        .when_time_passes(2 * MINUTE)
        .then(["strict breached: respond"])
        .when(turn(1).at(at(11 * MINUTE)))
        .then(["received"])
        .when_time_passes(60 * MINUTE)
        .then([]);
}

#[test]
fn an_answer_leaves_the_alarm_and_it_finds_nothing_to_do() {
    let answered = of_ana().when(turn(1)).when(by("ana").replies(1));
    assert_eq!(
        answered.world.alarms.get(&crate::support::id(1)),
        Some(&at(8 * MINUTE))
    );
    let quiet = answered.when_time_passes(8 * MINUTE).then([]);
    assert_eq!(quiet.world.alarms.get(&crate::support::id(1)), None);
}

#[test]
fn the_policy_is_the_routes_then_the_teams_then_the_tenants_then_the_built_in_one() {
    let respond = |minutes: u32| {
        move |policy: &mut switchboard::domain::plan::ResponsePolicy| {
            policy.respond_within = Some(MINUTE * minutes);
        }
    };
    let routed = |response: Option<&str>| {
        let mut target = to("support");
        target.response = response.map(policy);
        support(Strategy::LeastLoaded, &["ana"])
            .policy("routes", respond(1))
            .policy("teams", respond(2))
            .policy("tenants", respond(3))
            .otherwise(target)
    };
    let due = |draft: Draft| {
        let assigned = given(draft).agents([online("ana")]).when(turn(1));
        assigned.chat(1).respond_clock.due()
    };
    let all = routed(Some("routes"))
        .answers_by("support", "teams")
        .usual_response("tenants");
    assert_eq!(due(all), Some(at(MINUTE)));
    let of_team = routed(None)
        .answers_by("support", "teams")
        .usual_response("tenants");
    assert_eq!(due(of_team), Some(at(2 * MINUTE)));
    assert_eq!(due(routed(None).usual_response("tenants")), Some(at(3 * MINUTE)));
    assert_eq!(due(routed(None)), Some(at(30 * MINUTE)));
}
