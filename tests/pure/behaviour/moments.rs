//! What time alone changes: shifts that begin and end, bursts that pass, and what has grown too old.

use std::time::Duration;

use switchboard::domain::agent::Presence;
use switchboard::domain::event::PassedOver;
use switchboard::domain::plan::{Outside, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, reaction, turn};
use crate::support::people::{offline, online};
use crate::support::plans::{Draft, plan, saturdays, support};
use crate::support::scenario::given;
use crate::support::{HOUR, MINUTE, at};

/// Ten o'clock, and so many minutes, as calendars count.
const TEN: u16 = 600;

fn quiet(draft: Draft) -> Draft {
    draft.keeping().response("never", None).usual_response("never")
}

fn by_load(members: &[&str]) -> Draft {
    quiet(support(Strategy::LeastLoaded, members))
}

#[test]
fn the_first_to_come_gets_a_wave_at_a_time_and_not_the_whole_night() {
    let waits = |number: u8| {
        chat(number)
            .waiting_in("support")
            .waiting_since(at(u32::from(number) * MINUTE))
    };
    given(by_load(&["ana"]).burst(2, 5 * MINUTE))
        .agents([offline("ana")])
        .conversation(waits(1))
        .conversation(waits(2))
        .conversation(waits(3))
        .conversation(waits(4))
        .conversation(waits(5))
        .after(HOUR)
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "ana online, was offline",
            "1: assigned to ana by auto",
            "2: assigned to ana by auto",
        ])
        .when_time_passes(5 * MINUTE - Duration::from_secs(1))
        .then([])
        .when_time_passes(Duration::from_secs(1))
        .then([
            "the drain begins again",
            "3: assigned to ana by auto",
            "4: assigned to ana by auto",
        ])
        .when_time_passes(5 * MINUTE)
        .then(["the drain begins again", "5: assigned to ana by auto"]);
}

#[test]
fn the_burst_guard_slides_and_says_so() {
    let burst = given(by_load(&["ana"]).burst(2, 5 * MINUTE))
        .agents([online("ana")])
        .when(turn(1))
        .then_last(["assigned to ana by auto"])
        .after(3 * MINUTE)
        .when(turn(2))
        .then_last(["assigned to ana by auto"])
        .when(turn(3))
        .then_last(["queued in support: no agent free"]);
    assert_eq!(burst.passed_over("ana"), Some(PassedOver::Burst));
    // Five minutes after the first, not after the second.
    burst
        .when_time_passes(2 * MINUTE)
        .then(["the drain begins again", "3: assigned to ana by auto"]);
}

#[test]
fn what_a_person_gives_counts_for_no_burst() {
    given(by_load(&["ana"]).burst(1, 5 * MINUTE))
        .agents([online("ana"), online("root").admin()])
        .conversation(chat(1).waiting_in("support").by_hand())
        .when(by("root").gives(1, "ana"))
        .when(turn(2))
        .then_last(["assigned to ana by auto"])
        .when(turn(3))
        .then_last(["queued in support: no agent free"])
        .when(by("root").gives(3, "ana"))
        .then(["assigned to ana by manual"]);
}

#[test]
fn whom_time_frees_is_kept_for_those_who_waited() {
    given(by_load(&["ana"]).burst(1, 5 * MINUTE))
        .agents([online("ana")])
        .when(turn(1))
        .when(turn(2))
        .then_last(["queued in support: no agent free"])
        .after(5 * MINUTE)
        // The timer has not been looked at, and a newcomer is faster.
        .when(turn(3).at(at(5 * MINUTE)))
        .then_last(["queued in support: no agent free"])
        .when_time_passes(Duration::ZERO)
        .then(["the drain begins again", "2: assigned to ana by auto"]);
}

fn open_in_a_while(outside: Outside) -> Draft {
    quiet(plan())
        .team("support", Strategy::LeastLoaded, &["ana"])
        .team("night", Strategy::LeastLoaded, &["ben"])
        .falls_back_to("support", &["night"])
        .calendar("office", saturdays(&[(TEN + 10, TEN + 20), (TEN + 30, TEN + 40)]))
        .works_by("support", "office", outside)
        .default_to("support")
}

#[test]
fn outside_a_teams_hours_it_waits_for_the_next_shift_and_is_given_out_when_that_begins() {
    let closed = given(open_in_a_while(Outside::Wait))
        .agents([online("ana").capacity(1), online("ben")])
        .when(turn(1))
        .then_last(["queued in support: no agent free"]);
    assert_eq!(closed.passed_over("ana"), Some(PassedOver::Hours));
    closed
        .when_time_passes(9 * MINUTE)
        .then([])
        .when_time_passes(MINUTE)
        .then(["the drain begins again", "1: assigned to ana by auto"])
        .when(turn(2))
        .then_last(["queued in support: no agent free"])
        .after(11 * MINUTE)
        // Free, but off.
        .when(by("ana").closes(1))
        .then(["closed by command"])
        // And the shift after that.
        .when_time_passes(9 * MINUTE)
        .then(["the drain begins again", "2: assigned to ana by auto"]);
}

#[test]
fn outside_its_hours_a_team_may_fall_back() {
    given(open_in_a_while(Outside::Fallback))
        .agents([online("ana"), online("ben")])
        .when(turn(1))
        .then_last(["assigned to ben by auto"])
        .in_team(1, "night")
        .after(10 * MINUTE)
        .when(turn(2))
        .then_last(["assigned to ana by auto"]);
    // Nobody anywhere: it waits in its own.
    given(open_in_a_while(Outside::Fallback))
        .agents([online("ana"), offline("ben")])
        .when(turn(1))
        .then_last(["queued in support: no agent free"]);
}

#[test]
fn hours_are_those_of_the_agent_then_of_the_team_then_of_all() {
    let plan = || {
        by_load(&["ana", "ben"])
            .calendar("now", saturdays(&[(TEN, TEN + 60)]))
            .calendar("later", saturdays(&[(TEN + 30, TEN + 60)]))
    };
    let tenant = plan().setting(|settings| settings.calendar = Some(calendar("later")));
    let off = given(tenant.clone())
        .agents([online("ana"), online("ben")])
        .when(turn(1))
        .then_last(["queued in support: no agent free"]);
    assert_eq!(off.passed_over("ana"), Some(PassedOver::Hours));
    given(tenant.clone().works_by("support", "now", Outside::Wait))
        .agents([online("ana").works_by("later"), online("ben")])
        .when(turn(1))
        .then_last(["assigned to ben by auto"]);
    given(tenant)
        .agents([online("ana").works_by("now"), online("ben")])
        .when(turn(1))
        .then_last(["assigned to ana by auto"]);
}

fn calendar(id: &str) -> switchboard::domain::ids::CalendarId {
    switchboard::domain::ids::CalendarId::new(id).expect("it is an id")
}

#[test]
fn what_nothing_happens_in_is_left_to_people_until_the_customer_writes_again() {
    let aged = |draft: Draft| draft.setting(|settings| settings.max_age = Some(HOUR));
    given(aged(by_load(&["ana"])))
        .agents([offline("ana")])
        .when(turn(1))
        .when_time_passes(HOUR - Duration::from_secs(1))
        .then([])
        .when_time_passes(Duration::from_secs(1))
        .then(["left to people"])
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was offline"])
        .owned(1, "queue of support")
        .when(turn(1).at(at(HOUR)))
        .then(["received", "assigned to ana by auto"]);
}

#[test]
fn a_drain_passes_by_what_is_too_old_also_before_its_alarm_was_looked_at() {
    let plan = by_load(&["ana"]).setting(|settings| settings.max_age = Some(HOUR));
    given(plan)
        .agents([offline("ana")])
        .page(1)
        .when(turn(1))
        .after(30 * MINUTE)
        .when(turn(2).at(at(30 * MINUTE)))
        // A reaction is activity.
        .when(turn(3).at(at(30 * MINUTE)))
        .after(31 * MINUTE)
        .when(reaction(2).at(at(61 * MINUTE)))
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "1: left to people",
            "the drain goes on",
            "ana online, was offline",
        ])
        .when_time_passes(Duration::ZERO)
        .owned(1, "queue of support")
        .when_time_passes(Duration::ZERO)
        .when_time_passes(Duration::ZERO)
        .owned(1, "queue of support")
        .owned(2, "ana")
        .owned(3, "ana");
}
