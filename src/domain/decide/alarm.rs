//! A conversation's alarm went off: whatever is due by time alone happens, in this order. See `domain::alarm` for what is
//! looked at, and when.

use jiff::Timestamp;

use super::super::conversation::Conversation;
use super::super::event::Event;
use super::super::state::State;
use super::story::Story;
use super::{absence, breaches, relaxing};

/// Does what is due. Each part looks whether it still is: what happened before it may have settled it.
pub fn due(state: &State, conversation: &Conversation, now: Timestamp) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    for part in [
        relaxing::grow_stale,
        relaxing::relax,
        absence::look_for_owner,
        breaches::warn,
        breaches::respond_due,
        breaches::try_again,
        breaches::window_ends,
        breaches::close_idle,
    ] {
        part(state, &mut story);
    }
    story.events
}
