//! Calendars against a slow reference that looks at the clock on the wall every minute, near changes of the clock.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use switchboard::domain::calendar::{Calendar, Span};

use super::{time, zone};

/// Zones whose clocks change by an hour, by half of one, at midnight, by a whole day, or never; with odd offsets.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Lisbon",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Pacific/Apia",
];

/// Minutes that the reference looks at.
const WINDOW: usize = 4 * 24 * 60;

#[derive(Debug)]
struct Given {
    zone: TimeZone,
    hours: [Vec<Span>; 7],
    holidays: BTreeSet<Date>,
    /// The first minute that the reference looks at.
    start: Timestamp,
}

fn minute() -> impl Strategy<Value = u16> {
    prop_oneof![
        2 => Just(0),
        2 => Just(Span::MIDNIGHT),
        6 => (0..=48_u16).prop_map(|half_hours| half_hours * 30),
        2 => 0..=Span::MIDNIGHT,
    ]
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let span = (minute(), minute()).prop_map(|(one, other)| Span {
        from: one.min(other),
        until: one.max(other),
    });
    prop_oneof![1 => Just(Vec::new()), 5 => prop::collection::vec(span, 0..4)]
}

fn given() -> impl Strategy<Value = Given> {
    let changes = ZONES.iter().map(|name| {
        let from = time("2005-01-01T00:00:00Z");
        let zone = zone(name);
        let changes = zone.following(from).map(|change| change.timestamp());
        let changes: Vec<_> = changes
            .take_while(|at| *at < time("2040-01-01T00:00:00Z"))
            .collect();
        let at = if changes.is_empty() { vec![from] } else { changes };
        (zone, at)
    });
    let near = prop::sample::select(changes.collect::<Vec<_>>())
        .prop_flat_map(|(zone, at)| (Just(zone), prop::sample::select(at)));
    let week = prop::collection::vec(spans(), 7);
    let holidays = prop::collection::vec(0..5_i64, 0..3);
    (near, 0..3_i64 * 24 * 60, week, holidays).prop_map(|((zone, change), before, week, holidays)| {
        let minute = change.as_second() / 60 - before;
        let start = Timestamp::from_second(minute * 60).unwrap();
        let day = |days: i64| {
            (start + SignedDuration::from_hours(24 * days))
                .to_zoned(zone.clone())
                .date()
        };
        Given {
            holidays: holidays.into_iter().map(day).collect(),
            hours: week.try_into().expect("a week has seven days"),
            zone,
            start,
        }
    })
}

impl Given {
    fn calendar(&self) -> Calendar {
        Calendar::new(
            self.zone.clone(),
            self.hours.clone(),
            self.holidays.iter().copied(),
        )
    }

    fn minute(&self, index: usize) -> Timestamp {
        self.start + Duration::from_secs(60 * index as u64)
    }

    /// Whether each minute of the window is open, by what the clock on the wall shows.
    fn open(&self) -> Vec<bool> {
        let open = |index| {
            let wall = self.minute(index).to_zoned(self.zone.clone());
            let minute = wall.hour() as u16 * 60 + wall.minute() as u16;
            let spans = &self.hours[wall.weekday().to_monday_zero_offset() as usize];
            !self.holidays.contains(&wall.date())
                && spans
                    .iter()
                    .any(|span| span.from <= minute && minute < span.until)
        };
        (0..WINDOW).map(open).collect()
    }

    /// The calendar's answer is that of the reference, or beyond what the reference looked at.
    fn agrees(&self, fast: Option<Timestamp>, slow: Option<Timestamp>) -> Result<(), TestCaseError> {
        match slow {
            Some(_) => prop_assert_eq!(fast, slow),
            None => prop_assert!(
                fast.is_none_or(|at| at >= self.minute(WINDOW)),
                "the reference sees nothing before {:?}",
                fast
            ),
        }
        Ok(())
    }
}

/// The moment by which this much has been worked, minute by minute.
fn slow_after_working(
    given: &Given,
    open: &[bool],
    since: usize,
    seconds: u64,
    work: Duration,
) -> Option<Timestamp> {
    let mut left = work;
    let mut passed = Duration::from_secs(seconds);
    for (index, open) in open.iter().enumerate().skip(since) {
        let here = Duration::from_secs(60) - passed;
        if *open && left <= here {
            return Some(given.minute(index) + passed + left);
        }
        if *open {
            left -= here;
        }
        passed = Duration::ZERO;
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_calendar_is_open_when_the_clock_on_the_wall_says_so(given in given()) {
        let calendar = given.calendar();
        for (index, open) in given.open().into_iter().enumerate() {
            let minute = given.minute(index);
            prop_assert_eq!(calendar.is_open(minute), open, "{}", minute);
            let last = minute + Duration::from_nanos(59_999_999_999);
            prop_assert_eq!(calendar.is_open(last), open, "{}", last);
        }
    }

    #[test]
    fn openings_and_changes_are_those_one_sees_minute_by_minute(
        given in given(), index in 0..WINDOW, seconds in prop_oneof![Just(0), 1..60_u64],
    ) {
        let (calendar, open) = (given.calendar(), given.open());
        let after = given.minute(index) + Duration::from_secs(seconds);
        let changes = |wanted: fn(bool, bool) -> bool| {
            let mut later = index + 1..WINDOW;
            later.find(|at| wanted(open[at - 1], open[*at])).map(|at| given.minute(at))
        };
        given.agrees(calendar.next_change(after), changes(|before, now| before != now))?;
        given.agrees(calendar.next_opening(after), changes(|before, now| !before && now))?;
    }

    #[test]
    fn working_time_passes_as_one_sees_minute_by_minute(
        given in given(),
        index in 0..WINDOW / 2,
        seconds in prop_oneof![Just(0), 1..60_u64],
        work in prop_oneof![1..7_200_u64, 1..40_000_u64, (0..48_u64).prop_map(|hours| hours * 1_800)],
    ) {
        let (calendar, open) = (given.calendar(), given.open());
        let since = given.minute(index) + Duration::from_secs(seconds);
        let work = Duration::from_secs(work);
        let fast = calendar.after_working(since, work);
        if work.is_zero() {
            prop_assert_eq!(fast, Some(since));
        } else {
            given.agrees(fast, slow_after_working(&given, &open, index, seconds, work))?;
        }
    }

    #[test]
    fn working_time_never_goes_back_and_adds_up(
        given in given(),
        (first, second) in (0..9_000_000_u64, 0..9_000_000_u64),
        (one, other) in (0..90_000_u64, 0..90_000_u64),
    ) {
        let calendar = given.calendar();
        let (one, other) = (Duration::from_millis(one), Duration::from_secs(other));
        let since = given.start + Duration::from_millis(first);
        let later = since + Duration::from_millis(second);
        let Some(done) = calendar.after_working(since, one) else {
            prop_assert!(one.is_zero() || calendar.next_opening(since).is_none());
            return Ok(());
        };
        prop_assert!(done >= since + one, "working time is no faster than time");
        prop_assert!(calendar.after_working(later, one).is_none_or(|then| then >= done));
        prop_assert_eq!(calendar.after_working(done, other), calendar.after_working(since, one + other));
    }

    #[test]
    fn after_an_opening_it_is_open_and_after_a_change_it_is_not_what_it_was(given in given(), steps in 1..20_usize) {
        let calendar = given.calendar();
        let mut at = given.start;
        for _ in 0..steps {
            let Some(change) = calendar.next_change(at) else { return Ok(()) };
            let before = change - Duration::from_nanos(1);
            prop_assert!(change > at);
            prop_assert_ne!(calendar.is_open(change), calendar.is_open(before), "{}", change);
            prop_assert_eq!(calendar.is_open(at), calendar.is_open(before), "nothing changed in between");
            if let Some(opening) = calendar.next_opening(at) {
                prop_assert!(opening >= change && calendar.is_open(opening));
            }
            at = change;
        }
    }
}
