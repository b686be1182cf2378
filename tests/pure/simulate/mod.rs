//! The core on virtual time: held against theory, against itself, and against what was asked of it.

mod docs;
mod erlang;
mod plays;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use switchboard::domain::input::Message;
use switchboard::domain::plan::Plan;
use switchboard::simulate::chance::Lasts;
use switchboard::simulate::shifts::Shifts;
use switchboard::simulate::trace::Arrival;
use switchboard::simulate::traffic::{Kind, Rate, Traffic};
use switchboard::simulate::world::Played;
use switchboard::simulate::{Scenario, play};

use crate::support::people::online;
use crate::support::plans::Draft;
use crate::support::{HOUR, at, channel, start};

/// A plan somebody may apply, whose conversations nobody has to be reminded of.
pub fn playable(plan: Draft) -> Plan {
    plan.writes(online("boss").admin())
        .response("silent", None)
        .usual_response("silent")
        .build()
}

/// Customers of one kind at one rate.
pub fn traffic(per_hour: f64, lasts: Duration, service: Lasts) -> Traffic {
    Traffic {
        begins: start(),
        lasts,
        rates: vec![Rate {
            per_hour,
            hours: None,
        }],
        timezone: TimeZone::UTC,
        kinds: vec![Kind {
            weight: 1.0,
            channels: vec![channel()],
            contact: Arc::default(),
            message: Arc::new(saying("hello")),
            answer: Lasts::Constant(Duration::ZERO),
            service,
        }],
    }
}

/// Plays arrivals with everyone always there, long enough for all to end.
pub fn played(plan: &Plan, arrivals: &[Arrival]) -> Played {
    played_in_shifts(plan, arrivals, &Shifts::none())
}

pub fn played_in_shifts(plan: &Plan, arrivals: &[Arrival], shifts: &Shifts) -> Played {
    let last = arrivals.last().map_or(start(), |arrival| arrival.at);
    let scenario = Scenario {
        plan: Arc::new(plan.clone()),
        arrivals,
        shifts,
        begins: start(),
        closes: last,
        ends: last.max(at(HOUR)) + 240 * HOUR,
    };
    play(&scenario, &mut |_| {}).expect("the plan is good")
}

pub fn saying(text: &str) -> Message {
    Message {
        id: "m".into(),
        kind: "text".into(),
        turn: true,
        text: text.into(),
        ..Message::default()
    }
}
