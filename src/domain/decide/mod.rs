//! `decide`: what happens because of an input. Reads the state, changes nothing.

mod absence;
mod administration;
mod alarm;
mod breaches;
mod bulk;
mod clocks;
mod commands;
mod escalation;
mod facts;
mod leaving;
mod placing;
mod queues;
mod relaxing;
mod replies;
mod requests;
mod reroute;
mod story;
mod timers;
mod upkeep;

use jiff::Timestamp;

use super::conversation::Conversation;
use super::event::{BulkAccepted, Event};
use super::input::{Action, Body, Fact, Input, Origin, Timer, What};
use super::state::State;
pub use queues::offer;

/// What happens because of this input, in order. An input that means nothing here yields an event that only counts it.
pub fn decide(state: &State, input: &Input, now: Timestamp) -> Vec<Event> {
    match &input.body {
        Body::Fact(fact) => facts::decide(state, fact, now),
        Body::Command(command) => match &command.action {
            Action::Conversation {
                conversation,
                expected_epoch,
                note,
                wish,
            } => {
                let asked = commands::Asked {
                    command,
                    wish,
                    expected_epoch: *expected_epoch,
                    note: note.clone(),
                };
                commands::decide(state, *conversation, asked, now)
            }
            Action::Malformed {
                conversation,
                message,
                errors,
            } => {
                let event = commands::malformed(command, *conversation, message.clone(), errors.clone(), now);
                vec![event]
            }
            Action::BulkAssign {
                bulk,
                selection,
                to,
                note,
                taken,
            } => {
                let wanted = bulk::Wanted {
                    bulk: *bulk,
                    selection,
                    to,
                    note,
                    taken: *taken,
                };
                vec![bulk::accept(state, command, wanted, now)]
            }
            Action::BulkUndo { bulk, past } => {
                vec![bulk::accept_undo(state, command, *bulk, past.as_ref(), now)]
            }
            Action::Reroute {
                bulk,
                made,
                engagements,
            } => {
                let accepted = BulkAccepted::Reroute {
                    bulk: *bulk,
                    made: made.clone(),
                    engagements: engagements.clone(),
                };
                vec![reroute::accept(state, command, made, accepted, now)]
            }
            Action::RemoveAgent { agent } => leaving::remove(state, command, agent, now),
            Action::ForgetContact { conversations, keys } => {
                leaving::forget(state, command, conversations, keys, now)
            }
            Action::Presence { .. } | Action::UpsertAgent { .. } | Action::ApplyPlan { .. } => {
                administration::decide(state, command, now)
            }
        },
        Body::Timer(timer) => timers::decide(state, timer, now),
    }
}

/// Whether an input may read or change who is there, who is in which team, or who owns what. If no input of a batch
/// does, the batch leaves the tenant's match row alone, and `decide` says the same with an empty roster.
pub fn needs_roster(input: &Input, conversation: Option<&Conversation>) -> bool {
    match &input.body {
        Body::Fact(fact) => fact_needs_roster(fact, conversation),
        Body::Command(_) => true,
        Body::Timer(Timer::BulkDone(_)) => false,
        Body::Timer(_) => true,
    }
}

/// An ordinary message on a conversation that an agent owns needs nobody else.
fn fact_needs_roster(fact: &Fact, conversation: Option<&Conversation>) -> bool {
    let owner = conversation.and_then(Conversation::carried_by);
    let Some((conversation, owner)) = conversation.zip(owner) else {
        return true;
    };
    match &fact.what {
        What::Received(_) | What::Handover { .. } => false,
        What::Sent { origin, .. } => match origin {
            Origin::Agent(agent) => agent != owner,
            // The channel may say whose phone it is.
            Origin::Phone => conversation.echoed_by(fact.at).is_none(),
            Origin::Automation => false,
        },
    }
}
