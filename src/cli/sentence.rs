//! What `why` and `chat show` say in words: what someone lacks, how it ends, when.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::domain::agent::{Presence, Skills};
use crate::domain::why::{Lack, Unblock};

/// Moments as the tenant's people read them.
pub struct Clock {
    now: Timestamp,
    zone: TimeZone,
}

impl Clock {
    /// Now, in this time zone.
    pub fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// `09:12`, or `2026-11-20 09:12` where it is not today.
    pub fn minute(&self, at: Timestamp) -> String {
        self.shown(at, "%H:%M")
    }

    fn shown(&self, at: Timestamp, time: &str) -> String {
        let local = at.to_zoned(self.zone.clone());
        let today = self.now.to_zoned(self.zone.clone()).date();
        if local.date() == today {
            local.strftime(time).to_string()
        } else {
            local.strftime(&format!("%Y-%m-%d {time}")).to_string()
        }
    }

    /// How a candidate stands: `away since 09:12`, `at 5 of 5`.
    pub fn state(&self, lack: &Lack) -> String {
        match lack {
            Lack::Active => "not active".into(),
            Lack::Permission => "may not reply".into(),
            Lack::Presence { is, since } => self.absent(*is, *since),
            Lack::Hours { opens } => self.until("not at work", *opens),
            Lack::Burst { ends } => match ends {
                Some(ends) => format!("given enough for now, until {}", self.shown(*ends, "%H:%M:%S")),
                None => "given enough for now".into(),
            },
            Lack::HadIt => "had it already".into(),
            Lack::Skills(skills) => format!("without {}", needs(skills)),
            Lack::Room { capacity, close, .. } => format!("at {} of {capacity}", capacity + close - 1),
        }
    }

    fn absent(&self, is: Presence, since: Option<Timestamp>) -> String {
        let word = if is == Presence::Away { "away" } else { "offline" };
        match since {
            Some(since) => format!("{word} since {}", self.minute(since)),
            None => word.into(),
        }
    }

    fn until(&self, what: &str, end: Option<Timestamp>) -> String {
        match end {
            Some(end) => format!("{what} until {}", self.minute(end)),
            None => what.into(),
        }
    }

    /// What has to happen: `comes online (away since 09:12)`, `closes 1 of 5`.
    fn way_out(&self, lack: &Lack) -> String {
        match lack {
            Lack::Active => "is made active".into(),
            Lack::Permission => "is allowed to reply".into(),
            Lack::Presence { is, since } => format!("comes online ({})", self.absent(*is, *since)),
            Lack::Hours { opens: Some(opens) } => format!("is at work again at {}", self.minute(*opens)),
            Lack::Hours { opens: None } => "is given working hours".into(),
            Lack::Burst { ends: Some(ends) } => {
                format!("may be given the next one at {}", self.shown(*ends, "%H:%M:%S"))
            }
            Lack::Burst { ends: None } => "may be given the next one in a while".into(),
            Lack::HadIt => "is given it by hand, having had it already".into(),
            Lack::Skills(skills) => format!("gets {}", needs(skills)),
            Lack::Room { capacity, close, .. } => format!("closes {close} of {}", capacity + close - 1),
        }
    }

    /// Everything that has to happen.
    pub fn ways_out(&self, way: &Unblock, name: &str) -> String {
        let all: Vec<String> = way.lacks.iter().map(|lack| self.way_out(lack)).collect();
        format!("{name} {}", and(&all))
    }

    /// How they stand: `Léa, away since 09:12`.
    pub fn standing(&self, way: &Unblock, name: &str) -> String {
        let all: Vec<String> = way.lacks.iter().map(|lack| self.state(lack)).collect();
        format!("{name}, {}", and(&all))
    }
}

/// A lack for programs.
pub fn lack_value(lack: &Lack) -> Value {
    match lack {
        Lack::Active => json!({ "what": "inactive" }),
        Lack::Permission => json!({ "what": "may_not_reply" }),
        Lack::Presence { is, since } => {
            let word = if *is == Presence::Away { "away" } else { "offline" };
            json!({ "what": word, "since": since.map(|at| at.to_string()) })
        }
        Lack::Hours { opens } => json!({ "what": "hours", "until": opens.map(|at| at.to_string()) }),
        Lack::Burst { ends } => json!({ "what": "burst", "until": ends.map(|at| at.to_string()) }),
        Lack::HadIt => json!({ "what": "excluded" }),
        Lack::Skills(skills) => json!({ "what": "skill", "skills": skills_value(skills) }),
        Lack::Room {
            limit,
            capacity,
            close,
        } => {
            use crate::domain::why::Limit;
            let word = match limit {
                Limit::Agent => "capacity",
                Limit::Team => "team_capacity",
                Limit::Tenant => "tenant_capacity",
            };
            json!({ "what": word, "capacity": capacity, "close": close })
        }
    }
}

/// Skills for programs.
pub fn skills_value(skills: &Skills) -> Value {
    let pairs = skills
        .iter()
        .map(|(skill, level)| (skill.to_string(), json!(level)));
    Value::Object(pairs.collect())
}

/// `french:1, sales:2`.
pub fn needs(skills: &Skills) -> String {
    let all: Vec<String> = skills
        .iter()
        .map(|(skill, level)| format!("{skill}:{level}"))
        .collect();
    all.join(", ")
}

/// `a, b and c`.
pub fn and(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `1 waits`, `12 wait`.
pub fn wait(count: i64) -> String {
    if count == 1 {
        "1 waits".into()
    } else {
        format!("{count} wait")
    }
}

/// `45 s`, `12 min`, `3 h`: as exact as a guess deserves.
pub fn about(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
