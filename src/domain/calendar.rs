//! Working time: which moments count, when the next ones come, and when so much of them has passed.
//!
//! A moment is working time if the wall clock of the calendar's time zone shows one of the weekday's spans and the day is no
//! holiday. When the clock is put forward, hours it leaves out are nobody's; when it is put back, the hours it shows twice
//! count twice. Time is walked by days and changes of the clock, never by minutes, and only so far.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// How far ahead the next opening or closing is looked for: two years and a leap day.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 731);

/// How far ahead working time is added up: ten years. The longest duration of a plan fits at 17 hours a week.
const WORK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 3_653);

/// The longest day: a clock that is put back makes another day of the hours it shows again.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Minutes of a day that are worked: from the first until right before the second, which may be [`Span::MIDNIGHT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first minute of the day that counts.
    pub from: u16,
    /// The minute of the day at which it ends.
    pub until: u16,
}

impl Span {
    /// The end of the day.
    pub const MIDNIGHT: u16 = 24 * 60;
}

/// A plan's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    timezone: TimeZone,
    /// From Monday on; within a day sorted, none touching the next.
    hours: [Vec<Span>; 7],
    holidays: BTreeSet<Date>,
}

/// Time with one date and one offset from UTC: a day, or the part of it before or after the clock is changed.
#[derive(Clone, Copy)]
struct Day {
    date: Date,
    /// Where the minutes of the day count from.
    midnight: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

impl Calendar {
    /// A calendar with these spans for each day from Monday on; empty spans mean nothing, touching ones are one.
    pub fn new(timezone: TimeZone, hours: [Vec<Span>; 7], holidays: impl IntoIterator<Item = Date>) -> Self {
        Self {
            timezone,
            hours: hours.map(merged),
            holidays: holidays.into_iter().collect(),
        }
    }

    /// All that it says: its time zone, its spans from Monday on, its holidays.
    pub fn parts(&self) -> (&TimeZone, &[Vec<Span>; 7], &BTreeSet<Date>) {
        let Self {
            timezone,
            hours,
            holidays,
        } = self;
        (timezone, hours, holidays)
    }

    /// Whether no day has any working time.
    pub fn is_never_open(&self) -> bool {
        self.hours.iter().all(Vec::is_empty)
    }

    /// Whether every moment is working time: nothing has to be looked for.
    fn never_closes(&self) -> bool {
        let whole = [Span {
            from: 0,
            until: Span::MIDNIGHT,
        }];
        self.holidays.is_empty() && self.hours.iter().all(|day| *day == whole)
    }

    /// Whether this moment is working time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let now = self.timezone.to_offset(at).to_datetime(at);
        let minute = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        let mut spans = self.spans(now.date()).iter();
        spans.any(|span| span.from <= minute && minute < span.until)
    }

    /// When working time next begins, after this moment; `None` if not within two years.
    pub fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        if self.never_closes() {
            return None;
        }
        let mut until = None;
        for (from, end) in self.worked(after, AHEAD) {
            if from > after && until != Some(from) {
                return Some(from);
            }
            until = Some(end);
        }
        None
    }

    /// When working time next begins or ends, after this moment; `None` if not within two years.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        if self.never_closes() {
            return None;
        }
        let mut until = None;
        for (from, end) in self.worked(after, AHEAD) {
            match until {
                None if from > after => return Some(from),
                Some(until) if until != from => return Some(until),
                _ => until = Some(end),
            }
        }
        let limit = after.saturating_add(AHEAD).ok()?;
        until.filter(|until| *until < limit)
    }

    /// The moment by which this much working time has passed since then; `None` if that takes more than ten years.
    pub fn after_working(&self, since: Timestamp, work: Duration) -> Option<Timestamp> {
        let mut left = SignedDuration::try_from(work).ok()?;
        if left.is_zero() {
            return Some(since);
        }
        for (from, end) in self.worked(since, WORK_AHEAD) {
            let here = end.duration_since(from);
            if left <= here {
                return from.checked_add(left).ok();
            }
            left -= here;
        }
        None
    }

    fn spans(&self, date: Date) -> &[Span] {
        if self.holidays.contains(&date) {
            return &[];
        }
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        self.hours.get(weekday).map_or(&[], Vec::as_slice)
    }

    /// Working time from this moment on, in order. What goes on past midnight or a change of the clock comes in parts that touch.
    fn worked(
        &self,
        from: Timestamp,
        ahead: SignedDuration,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let ahead = if self.is_never_open() {
            SignedDuration::ZERO
        } else {
            ahead
        };
        self.days(from, ahead).flat_map(|day| {
            self.spans(day.date)
                .iter()
                .filter_map(move |span| day.part(*span))
        })
    }

    /// The days from this moment on; the last is the one that ends after `ahead`.
    fn days(&self, from: Timestamp, ahead: SignedDuration) -> impl Iterator<Item = Day> + '_ {
        let limit = from.saturating_add(ahead).unwrap_or(Timestamp::MAX);
        let mut next = Some(from);
        let mut steady: Option<Steady> = None;
        std::iter::from_fn(move || {
            let at = next?;
            let now = match steady.take() {
                Some(steady) if steady.until.is_none_or(|until| at < until) => steady,
                _ => Steady::of(&self.timezone, at),
            };
            let day = now.day(at)?;
            steady = Some(now);
            next = (day.until < limit).then_some(day.until);
            Some(day)
        })
    }
}

/// An offset from UTC, and until when it stays.
struct Steady {
    offset: Offset,
    until: Option<Timestamp>,
}

impl Steady {
    fn of(timezone: &TimeZone, at: Timestamp) -> Self {
        Self {
            offset: timezone.to_offset(at),
            until: timezone.following(at).next().map(|change| change.timestamp()),
        }
    }

    /// The day of this moment, from it on; none at the end of time.
    fn day(&self, at: Timestamp) -> Option<Day> {
        let date = self.offset.to_datetime(at).date();
        let midnight = self
            .offset
            .to_timestamp(date.to_datetime(Time::midnight()))
            .ok()?;
        let end = midnight.checked_add(DAY).ok()?;
        Some(Day {
            date,
            midnight,
            from: at,
            until: self.until.map_or(end, |until| until.min(end)),
        })
    }
}

impl Day {
    /// What of this span is in this part of the day.
    fn part(self, span: Span) -> Option<(Timestamp, Timestamp)> {
        let minute = |minute: u16| {
            self.midnight
                .checked_add(SignedDuration::from_mins(minute.into()))
                .ok()
        };
        let from = minute(span.from)?.max(self.from);
        let until = minute(span.until)?.min(self.until);
        (from < until).then_some((from, until))
    }
}

/// The same minutes in as few spans as there can be, in order.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    for span in &mut spans {
        span.until = span.until.min(Span::MIDNIGHT);
    }
    spans.retain(|span| span.from < span.until);
    spans.sort_unstable();
    spans.dedup_by(|next, span| {
        let touches = next.from <= span.until;
        if touches {
            span.until = span.until.max(next.until);
        }
        touches
    });
    spans
}
