//! Recipes whose point is when people work.

use super::{MINUTE, Story, company, time};
use crate::support::HOUR;

#[test]
fn the_office_that_is_at_work_serves_whatever_comes() {
    company("follow-the-sun", "2026-11-24T10:00:00Z", ["ines", "joe", "mei"])
        .writes(1, "Morning in Lisbon")
        .owned(1, "ines")
        .at("2026-11-24T16:30:00Z")
        .writes(2, "Lisbon and Denver are both at work")
        .owned(2, "ines")
        .at("2026-11-24T20:00:00Z")
        .writes(3, "Afternoon in Denver")
        .owned(3, "joe")
        .at("2026-11-25T02:00:00Z")
        .writes(4, "Morning in Singapore")
        .owned(4, "mei")
        .in_team(4, "singapore");
}

#[test]
fn offices_keep_their_hours_when_their_clocks_are_changed() {
    // Denver is on summer time from 8 March, Lisbon from 29 March.
    company("follow-the-sun", "2027-03-08T17:30:00Z", ["ines", "joe", "mei"])
        .writes(1, "Half past eleven in Denver, 17:30 in Lisbon")
        .owned(1, "joe")
        .at("2027-03-29T16:30:00Z")
        .writes(2, "Half past ten in Denver, 17:30 in Lisbon")
        .owned(2, "joe");
}

#[test]
fn on_the_weekend_customers_wait_for_where_monday_begins() {
    company("follow-the-sun", "2026-11-28T12:00:00Z", ["ines", "joe", "mei"])
        .writes(1, "Is anyone there?")
        .owned(1, "queue of lisbon")
        .passes(10 * MINUTE)
        .owned(1, "queue of denver")
        .passes(35 * HOUR)
        .owned(1, "queue of singapore")
        .passes(HOUR)
        .owned(1, "mei");
}

#[test]
fn by_night_what_can_wait_rests_until_morning_without_an_alarm() {
    let company = company("night-shift", "2026-11-20T23:00:00Z", ["ana", "nils"])
        .writes(1, "Hello")
        .owned(1, "queue of day");
    assert_eq!(
        company.chat(1).assign_clock.due(),
        Some(time("2026-11-21T08:15:00Z"))
    );
    company.passes(9 * HOUR).owned(1, "ana");
}

#[test]
fn on_a_holiday_the_other_country_helps_out() {
    company("holiday", "2026-12-01T13:00:00Z", ["ana", "caio"])
        .writes(1, "A holiday in Portugal")
        .owned(1, "caio")
        .at("2026-12-02T13:00:00Z")
        .writes(2, "A working day in Portugal")
        .owned(2, "ana");
}

#[test]
fn when_all_have_a_holiday_nobody_is_late_before_the_next_working_day() {
    let company = company("holiday", "2026-12-25T13:00:00Z", ["ana", "caio"])
        .writes(1, "Merry Christmas, where is my parcel?")
        .owned(1, "queue of portugal");
    assert_eq!(
        company.chat(1).assign_clock.due(),
        Some(time("2026-12-28T09:30:00Z"))
    );
    company
        .passes(68 * HOUR - MINUTE)
        .owned(1, "queue of portugal")
        .passes(MINUTE)
        .owned(1, "ana");
}
