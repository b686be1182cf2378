//! `[[responses]]` and `[[calendars]]`: how long is too long, and when it counts.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::mentions::{self, Named};
use super::people::{agents_in, each, own_id};
use super::reader::{Fields, Item, Reading};
use super::settings::timezone;
use crate::domain::ids::PolicyId;
use crate::domain::plan::ResponsePolicy;

/// Most response policies.
const MAX_RESPONSES: usize = 1_000;
/// Most calendars.
const MAX_CALENDARS: usize = 1_000;
/// Most spans of working time in a day.
const MAX_SPANS: usize = 24;
/// Most holidays of a calendar: ten years of them.
const MAX_HOLIDAYS: usize = 1_000;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is done about a breach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnBreach {
    Notify,
    Reassign,
    Escalate,
}

const ON_BREACH: [(&str, OnBreach); 3] = [
    ("notify", OnBreach::Notify),
    ("reassign", OnBreach::Reassign),
    ("escalate", OnBreach::Escalate),
];

/// Reads the response policies.
pub(super) fn responses(list: Option<Item<'_>>, reading: &mut Reading) -> BTreeMap<PolicyId, ResponsePolicy> {
    each(list, MAX_RESPONSES, reading, |fields, reading| {
        let id = own_id(fields, Named::Policy, policy_id, reading);
        let assign_within = fields
            .take("assign_within")
            .and_then(|item| item.duration(reading));
        let respond_within = fields.take("respond_within").and_then(|item| {
            reading.later(&item.spot, "responses.respond_within");
            item.duration(reading)
        });
        let on_breach = fields.take("on_breach");
        // Whoever does not say what to do about a breach is told of it, as by the built-in policy.
        let notify = on_breach.is_none_or(|item| notifies(&item, reading));
        if let Some(item) = fields.take("warn_before") {
            item.duration(reading);
            reading.later(&item.spot, "responses.warn_before");
        }
        if let Some(item) = fields.take("hours")
            && item.word(&[("always", false), ("working", true)], reading) == Some(true)
        {
            reading.later(&item.spot, "responses.hours");
        }
        if let Some(at) = fields.take("escalate_to") {
            reading.later(&at.spot, "responses.escalate_to");
            agents_in(fields, "escalate_to", reading);
        }
        Some((
            id?,
            ResponsePolicy {
                assign_within,
                respond_within,
                notify,
            },
        ))
    })
}

/// Whether a breach is told; the other things that can be done about it come later.
fn notifies(item: &Item<'_>, reading: &mut Reading) -> bool {
    let mut said = Vec::new();
    for item in item.list(ON_BREACH.len(), reading) {
        let Some(word) = item.word(&ON_BREACH, reading) else {
            continue;
        };
        match word {
            _ if said.contains(&word) => reading.error(&item.spot, "is there a second time"),
            OnBreach::Notify => {}
            OnBreach::Reassign => reading.later(&item.spot, "responses.on_breach reassign"),
            OnBreach::Escalate => reading.later(&item.spot, "responses.on_breach escalate"),
        }
        said.push(word);
    }
    said.contains(&OnBreach::Notify)
}

fn policy_id(text: &str) -> Result<PolicyId, String> {
    match text {
        ResponsePolicy::BUILT_IN => {
            Err("this is what the policy is called that applies where none is named".into())
        }
        _ => PolicyId::new(text).map_err(|error| error.to_string()),
    }
}

/// Reads the calendars. They are checked and kept in the document; no clock asks for them yet.
pub(super) fn calendars(list: Option<Item<'_>>, reading: &mut Reading) {
    if let Some(list) = &list {
        reading.later(&list.spot, "calendars");
    }
    each(list, MAX_CALENDARS, reading, |fields, reading| {
        let id = own_id(fields, Named::Calendar, PolicyId::new, reading);
        fields.take("timezone").and_then(|item| timezone(&item, reading));
        if let Some(mut days) = fields
            .need("hours", reading)
            .and_then(|item| item.fields(reading))
        {
            for day in DAYS {
                if let Some(item) = days.take(day) {
                    hours(&item, reading);
                }
            }
            days.close(reading);
        }
        if let Some(item) = fields.take("holidays") {
            let date = |text: &str| {
                text.parse::<Date>()
                    .map_err(|_| "a day is written \"2026-12-25\"")
            };
            for item in item.list(MAX_HOLIDAYS, reading) {
                item.id(date, reading);
            }
        }
        Some((id?, ()))
    });
}

/// The calendar a setting, team or agent names.
pub(super) fn calendar_of(fields: &mut Fields<'_>, name: &'static str, reading: &mut Reading) {
    if let Some(item) = fields.take("calendar") {
        mentions::one(&item, Named::Calendar, PolicyId::new, reading);
        reading.later(&item.spot, name);
    }
}

/// A day's spans, one after the other.
fn hours(item: &Item<'_>, reading: &mut Reading) {
    let mut until = 0;
    for item in item.list(MAX_SPANS, reading) {
        let Some((from, to)) = item.id(span, reading) else {
            continue;
        };
        if from < until {
            reading.error(&item.spot, "begins before the one before it ends");
        }
        until = to;
    }
}

/// From and until when, in minutes of the day.
fn span(text: &str) -> Result<(u32, u32), &'static str> {
    let parts = text
        .split_once('-')
        .and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    match parts {
        None => Err("a span is written \"09:00-12:30\""),
        Some((from, to)) if from >= to => Err("a span ends after it begins; one past midnight is two"),
        Some(span) => Ok(span),
    }
}

/// The minute of the day, up to 24:00.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= 24 * 60).then_some(minute)
}
