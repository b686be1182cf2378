//! Shifts: who is there when.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::domain::agent::Presence;
use crate::domain::ids::AgentId;

/// When people are there. Without any shift everyone always is; with some, who is in none never comes.
#[derive(Debug, Clone)]
pub struct Shifts {
    /// What their hours are read in.
    pub timezone: TimeZone,
    /// They.
    pub shifts: Vec<Shift>,
}

/// Some people's hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Whose.
    pub agents: Vec<AgentId>,
    /// On which days; none: on all.
    pub days: Vec<Weekday>,
    /// From and to; to may be before from: over midnight, and belongs to the day it begins on.
    pub hours: Vec<(Time, Time)>,
}

/// Someone comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub agent: AgentId,
    /// Whether they come or go.
    pub presence: Presence,
}

impl Shifts {
    /// Nobody has one: everyone is always there.
    pub fn none() -> Self {
        Self {
            timezone: TimeZone::UTC,
            shifts: Vec::new(),
        }
    }

    /// When this person comes and goes between two moments. Hours that touch or overlap are one.
    pub fn turns(&self, agent: &AgentId, begins: Timestamp, ends: Timestamp) -> Vec<Turn> {
        let mut hours = self.hours_of(agent, begins, ends);
        hours.sort_unstable();
        let mut turns: Vec<Turn> = Vec::new();
        for (from, to) in hours {
            match turns.last_mut() {
                Some(going) if going.at >= from => going.at = going.at.max(to),
                _ => turns.extend([(from, Presence::Online), (to, Presence::Offline)].map(
                    |(at, presence)| {
                        let agent = agent.clone();
                        Turn { at, agent, presence }
                    },
                )),
            }
        }
        // Who is there at the end stays: nothing says that they go.
        turns.retain(|turn| turn.at < ends);
        turns
    }

    fn hours_of(&self, agent: &AgentId, begins: Timestamp, ends: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        if self.shifts.is_empty() {
            return vec![(begins, ends)];
        }
        // A shift that began the day before may still last.
        let mut day = begins
            .to_zoned(self.timezone.clone())
            .date()
            .saturating_sub(1.day());
        let last = ends.to_zoned(self.timezone.clone()).date();
        let mut found = Vec::new();
        while day <= last {
            let shifts = self.shifts.iter().filter(|shift| shift.agents.contains(agent));
            let shifts = shifts.filter(|shift| shift.days.is_empty() || shift.days.contains(&day.weekday()));
            for (from, to) in shifts.flat_map(|shift| &shift.hours) {
                let over_midnight = if to > from { 0 } else { 1 };
                let moment = |day: jiff::civil::Date, time: Time| {
                    let local = self
                        .timezone
                        .to_ambiguous_zoned(day.to_datetime(time))
                        .compatible();
                    local.map(|zoned| zoned.timestamp()).unwrap_or(Timestamp::MAX)
                };
                let begin = moment(day, *from).max(begins);
                let end = moment(day.saturating_add(over_midnight.days()), *to).min(ends);
                if begin < end {
                    found.push((begin, end));
                }
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        found
    }
}

/// How much of an hour a time is.
pub fn hours(time: SignedDuration) -> f64 {
    Duration::try_from(time).map_or(0.0, |time| time.as_secs_f64() / 3600.0)
}
