//! Durations as plans and commands write them: a whole number and one of `ms s m h d`.

use std::time::Duration;

/// The shortest: below it a clock would mean nothing on a busy lane.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest: a leap year, so that no sum with a time leaves the calendar.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Units from the longest to the shortest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The duration a text says, from 100 ms to a year.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let millis = number.parse::<u64>().ok()?.checked_mul(*millis)?;
    let duration = Duration::from_millis(millis);
    (SHORTEST..=LONGEST).contains(&duration).then_some(duration)
}

/// The text that says this duration, in the longest unit that does so exactly.
pub(super) fn text(duration: Duration) -> String {
    let whole = duration.as_millis();
    let fits = |(_, millis): &&(&str, u64)| whole != 0 && whole.is_multiple_of(u128::from(*millis));
    match UNITS.iter().find(fits) {
        Some((unit, millis)) => format!("{}{unit}", whole / u128::from(*millis)),
        None => "0s".into(),
    }
}
