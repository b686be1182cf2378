//! `[[calendars]]`: when people work, and who names them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::mentions::{self, Named};
use super::people::{each, own_id};
use super::reader::{Fields, Item, Reading};
use super::settings::timezone;
use crate::domain::calendar::{Calendar, Span};
use crate::domain::ids::CalendarId;

/// Most calendars.
const MAX_CALENDARS: usize = 1_000;
/// Most spans of working time in a day.
const MAX_SPANS: usize = 24;
/// Most holidays of a calendar: ten years of them.
const MAX_HOLIDAYS: usize = 1_000;

pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads the calendars; one that names no time zone is in the tenant's.
pub(super) fn read(
    list: Option<Item<'_>>,
    usual: &TimeZone,
    reading: &mut Reading,
) -> BTreeMap<CalendarId, Calendar> {
    each(list, MAX_CALENDARS, reading, |fields, reading| {
        let id = own_id(fields, Named::Calendar, CalendarId::new, reading);
        let zone = fields.take("timezone").and_then(|item| timezone(&item, reading));
        let hours = fields.need("hours", reading).map(|item| week(&item, reading));
        let holidays = fields.take("holidays").map(|item| holidays(&item, reading));
        let zone = zone.unwrap_or_else(|| usual.clone());
        Some((
            id?,
            Calendar::new(zone, hours.unwrap_or_default(), holidays.unwrap_or_default()),
        ))
    })
}

/// The calendar that settings, a team or an agent name.
pub(super) fn named_in(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<CalendarId> {
    let item = fields.take("calendar")?;
    mentions::one(&item, Named::Calendar, CalendarId::new, reading)
}

/// The hours of each day, from Monday on.
fn week(item: &Item<'_>, reading: &mut Reading) -> [Vec<Span>; 7] {
    let mut week = <[Vec<Span>; 7]>::default();
    let Some(mut days) = item.fields(reading) else {
        return week;
    };
    for (day, spans) in DAYS.into_iter().zip(&mut week) {
        *spans = days
            .take(day)
            .map(|item| hours(&item, reading))
            .unwrap_or_default();
    }
    days.close(reading);
    week
}

/// A day's spans, one after the other.
fn hours(item: &Item<'_>, reading: &mut Reading) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for item in item.list(MAX_SPANS, reading) {
        let Some(span) = item.id(span, reading) else {
            continue;
        };
        if spans.last().is_some_and(|before| span.from < before.until) {
            reading.error(&item.spot, "begins before the one before it ends");
        }
        spans.push(span);
    }
    spans
}

fn holidays(item: &Item<'_>, reading: &mut Reading) -> BTreeSet<Date> {
    let date = |text: &str| {
        text.parse::<Date>()
            .map_err(|_| "a day is written \"2026-12-25\"")
    };
    let items = item.list(MAX_HOLIDAYS, reading).into_iter();
    items.filter_map(|item| item.id(date, reading)).collect()
}

fn span(text: &str) -> Result<Span, &'static str> {
    let parts = text
        .split_once('-')
        .and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
    match parts {
        None => Err("a span is written \"09:00-12:30\""),
        Some((from, until)) if from >= until => Err("a span ends after it begins; one past midnight is two"),
        Some((from, until)) => Ok(Span { from, until }),
    }
}

/// The minute of the day, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= Span::MIDNIGHT).then_some(minute)
}
