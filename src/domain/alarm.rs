//! When a conversation next has to be looked at because of time alone, beside the timers it has for what is exact.
//!
//! A conversation has one alarm, and it is kept lazily: it may go off too early and find nothing to do, never too late.
//! So the ordinary message and the ordinary reply, which move clocks all day, seldom move a timer.
//!
//! Whatever an alarm names has an end of its own: what is due changes the conversation so that it is not due again.

use std::time::Duration;

use jiff::Timestamp;

use super::conversation::{Conversation, Relaxation};
use super::plan::{Moves, Plan};

/// A conversation whose customer waits is escalated when this little is left of the 24 hours in which people may write freely.
pub const WINDOW_LEAD: Duration = Duration::from_secs(2 * 60 * 60);

/// When to look next, by what is known now; `None`: time alone changes nothing.
pub fn next(conversation: &Conversation, plan: &Plan) -> Option<Timestamp> {
    if conversation.is_closed() || conversation.standby {
        return None;
    }
    let moments = [
        conversation.respond_clock.warns(),
        conversation.respond_clock.due(),
        conversation.assign_clock.warns(),
        escalation_retries(conversation),
        window_ends(conversation),
        relaxes(conversation).map(|(_, at)| at),
        goes_stale(conversation, plan),
        is_idle(conversation, plan),
        owner_missed(conversation, plan),
    ];
    moments.into_iter().flatten().min()
}

/// When an escalation that found nobody is tried again.
pub fn escalation_retries(conversation: &Conversation) -> Option<Timestamp> {
    conversation
        .care
        .escalation
        .as_ref()
        .map(|pending| pending.retry_at)
}

/// When the window's end is near enough to tell: once for each end, and only while a customer waits.
pub fn window_ends(conversation: &Conversation) -> Option<Timestamp> {
    conversation.waiting_since?;
    let end = conversation.window_expires_at?;
    let told = conversation.care.window_told == Some(end);
    (!told).then(|| end.checked_sub(WINDOW_LEAD).unwrap_or(Timestamp::MIN))
}

/// The next step in which it asks for less, and when.
pub fn relaxes(conversation: &Conversation) -> Option<(&Relaxation, Timestamp)> {
    let waits = conversation.is_open() && conversation.owner.queue().is_some();
    let route = &conversation.route;
    let step = route.relax.get(route.relaxed).filter(|_| waits)?;
    let at = route.relaxing_since?.checked_add(step.after).ok()?;
    Some((step, at))
}

/// When it is too old to be assigned automatically.
pub fn goes_stale(conversation: &Conversation, plan: &Plan) -> Option<Timestamp> {
    let max_age = plan.settings.max_age.filter(|_| conversation.may_be_matched())?;
    conversation.last_activity.checked_add(max_age).ok()
}

/// When nothing has happened in it for long: one whose customer waits for an answer is not idle.
pub fn is_idle(conversation: &Conversation, plan: &Plan) -> Option<Timestamp> {
    let idle = conversation.is_open() && conversation.waiting_since.is_none();
    let after = plan.settings.close_idle_after.filter(|_| idle)?;
    conversation.last_activity.checked_add(after).ok()
}

/// When a turn has waited for its owner as long as owners may be away: it is looked whether they are there. Whoever was
/// given it later has as long from then.
pub fn owner_missed(conversation: &Conversation, plan: &Plan) -> Option<Timestamp> {
    let settings = &plan.settings;
    let moves = settings.on_away != Moves::Keep || settings.on_offline != Moves::Keep;
    conversation.carried_by().filter(|_| moves)?;
    let turn = conversation.waiting_since?;
    let looked = conversation.care.owner_looked_at == Some(turn);
    let waits_for_them_since = conversation.owned_since.map_or(turn, |since| since.max(turn));
    (!looked)
        .then(|| waits_for_them_since.checked_add(settings.offline_after).ok())
        .flatten()
}
