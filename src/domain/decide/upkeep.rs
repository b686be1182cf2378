//! What leaves a conversation with whoever has it: set aside, taken up again, more urgent, a note.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::conversation::Priority;
use super::super::event::{Change, Code, Reason};
use super::super::permission::{self, Acting};
use super::super::state::State;
use super::commands::{Asked, Refused, say};
use super::story::Story;

/// Sets it aside; one that is on hold already gets another end.
pub fn hold(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    until: Option<Timestamp>,
) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::conduct(state, acting, &story.draft).map_err(say)?;
    let held = Change::Held {
        until,
        note: asked.note.clone(),
    };
    story.then(asked.command.actor.clone(), held);
    Ok(())
}

/// Takes it up again: its owner keeps it, even above their capacity.
pub fn resume(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::conduct(state, acting, &story.draft).map_err(say)?;
    let resumed = Change::Resumed {
        reason: Reason::Command,
        note: asked.note.clone(),
    };
    story.then(asked.command.actor.clone(), resumed);
    Ok(())
}

/// Says how urgent it is: one that waits changes its place.
pub fn prioritize(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    priority: Priority,
) -> Result<(), Refused> {
    if story.draft.is_closed() {
        return Err((Code::Closed, "the conversation is closed"));
    }
    permission::prioritize(state, acting, &story.draft).map_err(say)?;
    let prioritized = Change::Prioritized {
        priority,
        note: asked.note.clone(),
    };
    story.then(asked.command.actor.clone(), prioritized);
    Ok(())
}

/// Writes something down for colleagues, also on what is closed.
pub fn note(
    state: &State,
    story: &mut Story,
    acting: Acting<'_>,
    asked: &Asked<'_>,
    text: &Arc<str>,
) -> Result<(), Refused> {
    permission::view(state, acting, &story.draft).map_err(say)?;
    let added = Change::NoteAdded {
        id: story.draft.id.derive("note", story.draft.sequence + 1),
        text: text.clone(),
    };
    story.then(asked.command.actor.clone(), added);
    Ok(())
}
