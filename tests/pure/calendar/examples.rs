//! Calendars one can check by looking at a clock on the wall.

use std::time::Duration;

use jiff::Timestamp;

use super::{Span, daily, office, span, time, zone};
use crate::support::{HOUR, MINUTE};
use switchboard::domain::calendar::Calendar;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn an_office_opens_and_closes_by_its_own_clock() {
    // A Friday in São Paulo, three hours behind.
    let office = office("America/Sao_Paulo", &[]);
    assert!(!office.is_open(time("2026-11-20T11:59:59.999Z")));
    assert!(office.is_open(time("2026-11-20T12:00:00Z")));
    assert!(office.is_open(time("2026-11-20T20:59:59.999Z")));
    assert!(!office.is_open(time("2026-11-20T21:00:00Z")));
    let monday = Some(time("2026-11-23T12:00:00Z"));
    assert_eq!(office.next_opening(time("2026-11-20T12:00:00Z")), monday);
    assert_eq!(office.next_opening(time("2026-11-21T03:00:00Z")), monday);
    assert_eq!(
        office.next_change(time("2026-11-20T12:00:00Z")),
        Some(time("2026-11-20T21:00:00Z"))
    );
    assert_eq!(office.next_change(time("2026-11-20T21:00:00Z")), monday);
}

#[test]
fn working_time_stands_still_over_night_and_the_weekend() {
    let office = office("UTC", &[]);
    let friday = time("2026-11-20T17:50:00Z");
    assert_eq!(
        office.after_working(friday, 10 * MINUTE),
        Some(time("2026-11-20T18:00:00Z")),
        "the end of the day counts as reached"
    );
    assert_eq!(
        office.after_working(friday, 15 * MINUTE),
        Some(time("2026-11-23T09:05:00Z"))
    );
    assert_eq!(
        office.after_working(time("2026-11-21T12:00:00Z"), MINUTE),
        Some(time("2026-11-23T09:01:00Z"))
    );
    assert_eq!(
        office.after_working(friday, 45 * HOUR + 10 * MINUTE),
        Some(time("2026-11-27T18:00:00Z"))
    );
}

#[test]
fn no_work_at_all_is_done_at_once() {
    let friday_night = time("2026-11-20T22:00:00Z");
    assert_eq!(
        office("UTC", &[]).after_working(friday_night, Duration::ZERO),
        Some(friday_night)
    );
}

#[test]
fn a_holiday_is_closed_all_day_by_the_local_date() {
    let office = office("America/Sao_Paulo", &["2026-12-25"]);
    assert!(!office.is_open(time("2026-12-25T15:00:00Z")));
    assert_eq!(
        office.next_opening(time("2026-12-24T15:00:00Z")),
        Some(time("2026-12-28T12:00:00Z"))
    );
    assert_eq!(
        office.after_working(time("2026-12-24T20:00:00Z"), 2 * HOUR),
        Some(time("2026-12-28T13:00:00Z"))
    );
    let night = Calendar::new(
        zone("America/Sao_Paulo"),
        std::array::from_fn(|_| vec![span("00:00-24:00")]),
        ["2026-12-25".parse().unwrap()],
    );
    assert!(night.is_open(time("2026-12-25T02:59:59Z")));
    assert!(!night.is_open(time("2026-12-25T03:00:00Z")));
    assert!(night.is_open(time("2026-12-26T03:00:00Z")));
}

#[test]
fn a_night_shift_goes_on_past_midnight() {
    let night = daily("UTC", &["00:00-06:00", "22:00-24:00"]);
    assert!(night.is_open(time("2026-11-20T23:59:59.999Z")));
    assert!(night.is_open(time("2026-11-21T00:00:00Z")));
    assert_eq!(
        night.next_change(time("2026-11-20T22:30:00Z")),
        Some(time("2026-11-21T06:00:00Z"))
    );
    assert_eq!(
        night.next_opening(time("2026-11-20T22:30:00Z")),
        Some(time("2026-11-21T22:00:00Z")),
        "midnight is no opening"
    );
    assert_eq!(
        night.after_working(time("2026-11-20T23:00:00Z"), 8 * HOUR),
        Some(time("2026-11-21T23:00:00Z"))
    );
}

#[test]
fn hours_the_clock_leaves_out_do_not_count() {
    // Lisbon goes from 01:00 to 02:00 on the last Sunday of March.
    let early = daily("Europe/Lisbon", &["00:30-03:00"]);
    let since = time("2026-03-29T00:30:00Z");
    assert!(early.is_open(since));
    assert_eq!(early.next_change(since), Some(time("2026-03-29T02:00:00Z")));
    let lost = daily("Europe/Lisbon", &["01:15-01:45"]);
    assert_eq!(
        lost.next_opening(time("2026-03-28T12:00:00Z")),
        Some(time("2026-03-30T00:15:00Z"))
    );
    let half_lost = daily("Europe/Lisbon", &["01:30-02:30"]);
    assert_eq!(
        half_lost.next_opening(time("2026-03-28T12:00:00Z")),
        Some(time("2026-03-29T01:00:00Z")),
        "it opens when the clock is put forward over its beginning"
    );
    assert_eq!(
        half_lost.after_working(time("2026-03-28T12:00:00Z"), HOUR),
        Some(time("2026-03-30T01:00:00Z"))
    );
}

#[test]
fn hours_the_clock_shows_twice_count_twice() {
    // Lisbon goes from 02:00 back to 01:00 on the last Sunday of October.
    let twice = daily("Europe/Lisbon", &["01:15-01:45"]);
    let before = time("2026-10-24T23:00:00Z");
    assert_eq!(twice.next_opening(before), Some(time("2026-10-25T00:15:00Z")));
    assert_eq!(
        twice.next_opening(time("2026-10-25T00:15:00Z")),
        Some(time("2026-10-25T01:15:00Z"))
    );
    assert_eq!(
        twice.after_working(before, HOUR),
        Some(time("2026-10-25T01:45:00Z"))
    );
    let through = daily("Europe/Lisbon", &["00:00-03:00"]);
    assert_eq!(
        through.after_working(time("2026-10-24T22:59:00Z"), 4 * HOUR),
        Some(time("2026-10-25T03:00:00Z"))
    );
}

#[test]
fn a_day_that_a_country_skips_has_no_working_time() {
    // Samoa went from Thursday, 29 December 2011 to Saturday, 31 December.
    let office = office("Pacific/Apia", &[]);
    let thursday_evening = time("2011-12-30T04:00:00Z");
    assert!(!office.is_open(thursday_evening));
    assert_eq!(
        office.next_opening(thursday_evening),
        Some(time("2012-01-01T19:00:00Z"))
    );
}

#[test]
fn spans_that_touch_or_overlap_are_one() {
    let parts = daily(
        "UTC",
        &["12:00-18:00", "09:00-12:00", "10:00-11:00", "18:00-18:00"],
    );
    assert_eq!(parts, daily("UTC", &["09:00-18:00"]));
    let beyond = Span {
        from: 23 * 60,
        until: u16::MAX,
    };
    let week = std::array::from_fn(|_| vec![beyond]);
    assert_eq!(
        Calendar::new(zone("UTC"), week, []),
        daily("UTC", &["23:00-24:00"])
    );
}

#[test]
fn a_calendar_that_never_opens_says_so() {
    let never = daily("UTC", &[]);
    let now = time("2026-11-20T12:00:00Z");
    assert!(never.is_never_open() && !never.is_open(now));
    assert_eq!(never.next_opening(now), None);
    assert_eq!(never.next_change(now), None);
    assert_eq!(never.after_working(now, MINUTE), None);
}

#[test]
fn a_calendar_that_never_closes_counts_like_any_clock() {
    let always = daily("America/New_York", &["00:00-24:00"]);
    let now = time("2026-10-20T12:34:56.789Z");
    assert!(always.is_open(now) && !always.is_never_open());
    assert_eq!(always.next_opening(now), None);
    assert_eq!(always.next_change(now), None);
    assert_eq!(always.after_working(now, 40 * DAY), Some(now + 40 * DAY));
}

#[test]
fn what_is_further_away_than_is_looked_for_is_none() {
    let day = |day: &str| day.parse::<jiff::civil::Date>().unwrap();
    let closed_for = |years: i16| {
        let days = day("2026-11-21").series(jiff::Span::new().days(1));
        let holidays = days.take_while(move |date| date.year() < 2026 + years);
        Calendar::new(
            zone("UTC"),
            std::array::from_fn(|_| vec![span("09:00-10:00")]),
            holidays,
        )
    };
    let now = time("2026-11-20T12:00:00Z");
    assert_eq!(
        closed_for(2).next_opening(now),
        Some(time("2028-01-01T09:00:00Z"))
    );
    assert_eq!(closed_for(3).next_opening(now), None);
    assert_eq!(closed_for(3).next_change(now), None);
    assert_eq!(
        closed_for(3).after_working(now, MINUTE),
        Some(time("2029-01-01T09:01:00Z"))
    );
    assert_eq!(closed_for(30).after_working(now, MINUTE), None);
}

#[test]
fn the_longest_duration_of_a_plan_ends_for_whoever_works_seventeen_hours_a_week() {
    let hours = std::array::from_fn(|day| {
        if day == 0 {
            vec![span("07:00-24:00")]
        } else {
            Vec::new()
        }
    });
    let rare = Calendar::new(zone("UTC"), hours, []);
    assert!(
        rare.after_working(time("2026-11-20T12:00:00Z"), 366 * DAY)
            .is_some()
    );
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let office = office("America/New_York", &[]);
    for at in [Timestamp::MIN, Timestamp::MAX] {
        let _ = (
            office.is_open(at),
            office.next_opening(at),
            office.next_change(at),
        );
        let _ = office.after_working(at, Duration::MAX);
    }
}
