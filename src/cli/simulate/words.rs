//! What people write on the command line and in files: durations, rates, lengths of time by chance, hours.

use std::time::Duration;

use jiff::civil::{Time, Weekday};

use crate::contract::duration;
use crate::simulate::chance::Lasts;
use crate::simulate::traffic::Rate;

/// Spread of `lognormal` where none is given: as large as the mean, which is common for handling times.
const USUAL_VARIATION: f64 = 1.0;
/// The highest rate: a million an hour is beyond any tenant.
const HIGHEST_RATE: f64 = 1_000_000.0;

/// `90s`, `6m`, `24h`.
pub fn length(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| format!("`{text}` is no duration like 90s, 6m or 24h"))
}

/// `6m`, `constant:6m`, `exponential:6m`, `lognormal:6m` or `lognormal:6m:0.8`.
pub fn lasts(text: &str) -> Result<Lasts, String> {
    let mut parts = text.split(':');
    let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    match (first, second, third, parts.next()) {
        (mean, None, None, None) | ("exponential", Some(mean), None, None) => {
            length(mean).map(|mean| Lasts::Exponential { mean })
        }
        ("constant", Some(always), None, None) => length(always).map(Lasts::Constant),
        ("lognormal", Some(mean), spread, None) => Ok(Lasts::LogNormal {
            mean: length(mean)?,
            variation: match spread {
                None => USUAL_VARIATION,
                Some(spread) => {
                    let spread = spread.parse().ok().filter(|spread| (0.0..=10.0).contains(spread));
                    spread.ok_or_else(|| format!("`{text}`: the spread is a number from 0 to 10"))?
                }
            },
        }),
        _ => Err(format!(
            "`{text}` is not like 6m, constant:6m, exponential:6m or lognormal:6m:0.8"
        )),
    }
}

/// `120/h`, `2/m`, or `09:00-18:00=120/h`.
pub fn rate(text: &str) -> Result<Rate, String> {
    let (span, rate) = match text.split_once('=') {
        Some((span, rate)) => (Some(hours(span)?), rate),
        None => (None, text),
    };
    let wrong = || format!("`{text}` is no rate like 120/h, 2/m or 09:00-18:00=120/h");
    let (number, unit) = rate.split_once('/').ok_or_else(wrong)?;
    let in_an_hour = match unit {
        "s" => 3600.0,
        "m" => 60.0,
        "h" => 1.0,
        "d" => 1.0 / 24.0,
        _ => return Err(wrong()),
    };
    let per_hour = number.parse::<f64>().map_err(|_| wrong())? * in_an_hour;
    if !(0.0..=HIGHEST_RATE).contains(&per_hour) {
        return Err(format!("`{text}`: a rate is from 0 to {HIGHEST_RATE} an hour"));
    }
    Ok(Rate {
        per_hour,
        hours: span,
    })
}

/// `09:00-18:00`; over midnight where the second is not later; `24:00` is midnight.
pub fn hours(text: &str) -> Result<(Time, Time), String> {
    let wrong = || format!("`{text}` is no span of hours like 09:00-18:00");
    let time = |text: &str| match text {
        "24:00" => Some(Time::midnight()),
        _ => text.parse().ok(),
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    time(from).zip(time(to)).ok_or_else(wrong)
}

/// `mon` to `sun`.
pub fn weekday(text: &str) -> Result<Weekday, String> {
    match text {
        "mon" => Ok(Weekday::Monday),
        "tue" => Ok(Weekday::Tuesday),
        "wed" => Ok(Weekday::Wednesday),
        "thu" => Ok(Weekday::Thursday),
        "fri" => Ok(Weekday::Friday),
        "sat" => Ok(Weekday::Saturday),
        "sun" => Ok(Weekday::Sunday),
        _ => Err(format!("`{text}` is no day: mon tue wed thu fri sat sun")),
    }
}
