//! Recipes whose point is what is done about those who do not answer.

use switchboard::domain::event::{Change, Kind};

use super::{MINUTE, Story, company};
use crate::support::inputs::{by, turn};
use crate::support::scenario::Scenario;

const FRIDAY_NOON: &str = "2026-11-20T12:00:00Z";

/// Whether the last input told of something like this.
fn told(company: &Scenario, like: fn(&Change) -> bool) -> bool {
    company.events().any(|recorded| match &recorded.event.kind {
        Kind::Conversation(_, change) => like(change),
        _ => false,
    })
}

fn warned(company: &Scenario) -> bool {
    told(company, |change| matches!(change, Change::ResponseWarned { .. }))
}

fn breached(company: &Scenario) -> bool {
    told(company, |change| {
        matches!(change, Change::ResponseBreached { .. })
    })
}

#[test]
fn the_owner_is_warned_and_then_the_next_colleague_has_it() {
    let company = company("escalation", FRIDAY_NOON, ["ana", "ben", "lia"])
        .writes(1, "Hello?")
        .owned(1, "ana")
        .passes(10 * MINUTE);
    assert!(warned(&company));
    let company = company.owned(1, "ana").passes(5 * MINUTE);
    assert!(breached(&company));
    company.owned(1, "ben");
}

#[test]
fn whoever_answers_in_time_keeps_it() {
    company("escalation", FRIDAY_NOON, ["ana", "ben", "lia"])
        .writes(1, "Hello?")
        .after(14 * MINUTE)
        .when(by("ana").replies(1))
        .passes(MINUTE)
        .owned(1, "ana");
}

#[test]
fn a_complaint_goes_up_to_the_first_lead_who_is_there() {
    for (leads, expected) in [(["lia", "max"], "lia"), (["max", "ben"], "max")] {
        let [one, other] = leads;
        let company = company("escalation", FRIDAY_NOON, ["ana", one, other])
            .writes(1, "I want a refund")
            .passes(10 * MINUTE);
        assert!(told(&company, |change| matches!(
            change,
            Change::Escalated { .. }
        )));
        company.owned(1, expected);
    }
}

#[test]
fn whoever_does_not_answer_a_click_loses_it_to_the_next() {
    company("ad-traffic", FRIDAY_NOON, ["nia", "otto", "tom"])
        .gets(turn(1).referred_by("120210000000000101"))
        .owned(1, "nia")
        .passes(2 * MINUTE)
        .owned(1, "otto");
}
