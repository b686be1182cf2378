//! Durations as plans and commands write them: a whole number and one of `ms s m h d`.

use std::time::Duration;

/// The shortest: below it a clock would mean nothing on a busy lane.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest: a leap year, so that no sum with a time leaves the calendar.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The duration a text says, from 100 ms to a year.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
    let duration = Duration::from_millis(millis);
    (SHORTEST..=LONGEST).contains(&duration).then_some(duration)
}
