//! People who are not there: how long that may last before what they own moves, by the plan in force.
//!
//! Someone who is away has been absent since they were last online, whatever they were called in between. Someone who is
//! offline has a grace of their own from the moment they went offline: the plan may let those who are away keep what they
//! have, and a phone that drops its connection for a moment is no reason to take it from them. Only where the plan gives
//! new conversations to people who are away, they are as good as there.

use jiff::Timestamp;

use super::agent::{Agent, Presence};
use super::plan::{Moves, Settings};

/// When someone has been gone for long enough that what they own moves; `None`: it never does.
///
/// People who were never seen have been gone since ever.
pub fn grace_ends(agent: &Agent, settings: &Settings) -> Option<Timestamp> {
    let (since, moves) = absence(agent, settings)?;
    let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
    let ends = since
        .checked_add(settings.offline_after)
        .unwrap_or(Timestamp::MAX);
    (agent.profile.active && moves != Moves::Keep).then_some(ends)
}

/// What moves now of what they own.
pub fn moves(agent: &Agent, settings: &Settings, now: Timestamp) -> Moves {
    let is_over = grace_ends(agent, settings).is_some_and(|ends| ends <= now);
    match absence(agent, settings) {
        Some((_, moves)) if is_over => moves,
        _ => Moves::Keep,
    }
}

/// Since when they are gone, and what the plan says of people who are.
fn absence(agent: &Agent, settings: &Settings) -> Option<(Option<Timestamp>, Moves)> {
    match agent.presence {
        Presence::Online => None,
        Presence::Away if settings.assign_away => None,
        Presence::Away => Some((agent.absent_since, settings.on_away)),
        Presence::Offline => Some((agent.offline_since, settings.on_offline)),
    }
}
