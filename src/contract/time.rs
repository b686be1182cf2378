//! When something happened: the ways gateways write a time, and how far it is believed.

use jiff::{SignedDuration, Timestamp};

use super::dead::{Dead, DeadReason};
use super::json::Item;
use super::place::Place;

/// Older facts are dead-lettered: duplicates are remembered this long, which is a day longer than gateways redeliver.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);

/// How far a clock may run ahead of ours before its times are replaced by ours.
pub const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Unix times above this are milliseconds: as seconds it is the year 5138, as milliseconds 1973.
const LAST_SECOND: i64 = 100_000_000_000;

/// A time as any publisher writes it: RFC 3339, or Unix seconds or milliseconds, as a text or a number.
pub(super) fn read(item: &Item<'_, '_>) -> Result<Timestamp, Dead> {
    let text = item.text_of_any()?;
    parse(&text).ok_or_else(|| item.bad("is not a time"))
}

/// The same from a header.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = match text.parse::<i64>() {
        Ok(number) if number.abs() > LAST_SECOND => Timestamp::from_millisecond(number).ok()?,
        Ok(number) => Timestamp::from_second(number).ok()?,
        Err(_) => match text.parse::<f64>() {
            // Python's `time.time()`. The cast saturates, and what is out of range is then no time.
            Ok(seconds) => Timestamp::from_microsecond((seconds * 1e6) as i64).ok()?,
            Err(_) => text.parse().ok()?,
        },
    };
    Some(to_micros(time))
}

/// A time as Postgres keeps it: what is decided in memory must equal what is read back.
pub(super) fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// When a fact counts as having happened: its own time, else its envelope's, else its arrival; never far ahead of us.
/// A fact older than [`STALE_AFTER`] is `too_old`: nobody remembers any more whether it was seen.
pub(super) fn settle(
    said: Option<Timestamp>,
    arrival: Timestamp,
    place: &Place<'_>,
) -> Result<Timestamp, Dead> {
    let Some(said) = said else {
        return Ok(arrival);
    };
    let age = arrival.duration_since(said);
    if age > STALE_AFTER {
        let days = STALE_AFTER.as_hours() / 24;
        return Err(place.dead(DeadReason::TooOld, format_args!("is older than {days} days")));
    }
    Ok(if age < -AHEAD { arrival } else { said })
}
