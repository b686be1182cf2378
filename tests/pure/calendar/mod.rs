//! Calendars: what counts as working time, across midnights, holidays and changes of the clock.

mod examples;
mod properties;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchboard::domain::calendar::{Calendar, Span};

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `09:00-12:30`.
fn span(text: &str) -> Span {
    let minute = |time: &str| {
        let (hours, minutes) = time.split_once(':').expect("a time has a colon");
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    };
    let (from, until) = text.split_once('-').expect("a span has a dash");
    Span {
        from: minute(from),
        until: minute(until),
    }
}

/// The same hours every day.
fn daily(zone_name: &str, spans: &[&str]) -> Calendar {
    let spans: Vec<Span> = spans.iter().map(|text| span(text)).collect();
    Calendar::new(zone(zone_name), std::array::from_fn(|_| spans.clone()), [])
}

/// Monday to Friday, 09:00 to 18:00.
fn office(zone_name: &str, holidays: &[&str]) -> Calendar {
    let hours = std::array::from_fn(|day| {
        if day < 5 {
            vec![span("09:00-18:00")]
        } else {
            Vec::new()
        }
    });
    let holidays = holidays.iter().map(|day| day.parse().unwrap());
    Calendar::new(zone(zone_name), hours, holidays)
}
