//! What a notification says to a person: one sentence, colleagues by name, the customer not at all.

use std::sync::Arc;

use crate::domain::conversation::{ClockKind, Conversation, EscalationReason, Owner};
use crate::domain::event::{By, Change, Reason, Recorded, RequestOutcome};
use crate::domain::ids::AgentId;
use crate::domain::input::{Actor, Recipient};
use crate::domain::notify::{Notification, NotificationKind};
use crate::domain::state::State;

/// Characters of a handoff note that a sentence shows: the size of a lock screen. The whole note stands beside it.
const MAX_NOTE_CHARS: usize = 160;

/// The sentence for this notification of this event.
pub(super) fn of(notification: &Notification, recorded: &Recorded, state: &State) -> String {
    if notification.kind == NotificationKind::NotAssignee {
        return "You are not the assigned agent of this conversation: your reply was not sent.".to_owned();
    }
    let Some((conversation, change)) = recorded.change() else {
        return String::new();
    };
    let actor = match &recorded.event.actor {
        Actor::Agent(agent) => Some(agent),
        Actor::System(_) | Actor::Customer | Actor::Gateway => None,
    };
    match notification.kind {
        NotificationKind::NewConversation => waits(conversation, change, actor, state),
        NotificationKind::Message => wrote(conversation),
        NotificationKind::Assigned => given(change, actor, state),
        NotificationKind::UnassignedFromYou => lost(conversation, actor, state),
        NotificationKind::ResponseWarning => warned(conversation, change),
        NotificationKind::ResponseBreach => breached(conversation, change),
        NotificationKind::Escalated => escalated(conversation, change, state),
        NotificationKind::QueueBlocked => match conversation.owner.queue() {
            Some(team) => format!("Nobody in {team} can take what waits there."),
            None => "Nobody can take a conversation that waits.".to_owned(),
        },
        NotificationKind::Resumed => "A conversation of yours is no longer on hold.".to_owned(),
        NotificationKind::ReplyUnauthorized => match actor {
            Some(actor) => format!("{} wrote in a conversation of yours.", name(state, actor)),
            None => "Somebody wrote from the phone in a conversation of yours.".to_owned(),
        },
        NotificationKind::RequestReceived
        | NotificationKind::RequestAccepted
        | NotificationKind::RequestRejected
        | NotificationKind::RequestWithdrawn
        | NotificationKind::RequestTimedOut
        | NotificationKind::RequestSuperseded => about_request(notification, change, state),
        NotificationKind::NotAssignee => String::new(),
    }
}

fn waits(conversation: &Conversation, change: &Change, actor: Option<&AgentId>, state: &State) -> String {
    let actor = actor.map(|actor| name(state, actor));
    match (change, actor) {
        (Change::Queued { team, note, .. }, Some(actor)) => {
            with_note(format!("{actor} sent a conversation to {team}"), note)
        }
        (Change::Unassigned { note, .. }, Some(actor)) => {
            let told = "A conversation waits for someone to take it, given back by";
            with_note(format!("{told} {actor}"), note)
        }
        (Change::Unassigned { .. }, None) => "A conversation waits for someone to take it.".to_owned(),
        (
            Change::Queued {
                team,
                reason: Reason::Breach,
                ..
            },
            None,
        ) => format!("A conversation that was not answered in time waits in {team}."),
        (Change::Queued { team, .. }, None) => format!("{} waits in {team}.", which(conversation)),
        _ => format!("{} waits for someone to take it.", which(conversation)),
    }
}

/// What it is to those who never had it.
fn which(conversation: &Conversation) -> &'static str {
    if conversation.episode > 1 {
        "A returning customer's conversation"
    } else {
        "A new conversation"
    }
}

fn wrote(conversation: &Conversation) -> String {
    match &conversation.owner {
        Owner::Agent(_) => "A customer wrote in a conversation of yours.".to_owned(),
        Owner::Team(team) => format!("A customer wrote in a conversation that waits in {team}."),
        Owner::Nobody => "A customer wrote in a conversation that nobody has taken.".to_owned(),
    }
}

fn given(change: &Change, actor: Option<&AgentId>, state: &State) -> String {
    let Change::Assigned(assignment) = change else {
        return "A conversation was assigned to you.".to_owned();
    };
    let told = match (actor, assignment.by, &assignment.team) {
        (Some(actor), By::Auto, Some(team)) => format!(
            "{} sent a conversation to {team}, and it was assigned to you",
            name(state, actor)
        ),
        (Some(actor), _, _) => format!("{} assigned a conversation to you", name(state, actor)),
        (None, By::Sticky, _) => "A customer of yours is back".to_owned(),
        (None, By::Escalation, _) => "A conversation went up to you".to_owned(),
        (None, _, _) => "A conversation was assigned to you".to_owned(),
    };
    with_note(told, &assignment.note)
}

fn lost(conversation: &Conversation, actor: Option<&AgentId>, state: &State) -> String {
    let fate = match &conversation.owner {
        Owner::Agent(owner) if actor == Some(owner) => "taken over".to_owned(),
        Owner::Agent(owner) => format!("assigned to {}", name(state, owner)),
        Owner::Team(team) => format!("sent to {team}"),
        Owner::Nobody => "taken from you".to_owned(),
    };
    match actor {
        Some(actor) => format!("A conversation of yours was {fate} by {}.", name(state, actor)),
        None => format!("A conversation of yours was {fate}."),
    }
}

fn in_team(conversation: &Conversation) -> String {
    match &conversation.team {
        Some(team) => format!(" in {team}"),
        None => String::new(),
    }
}

/// What a clock waits for.
fn awaited(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Assign => "an owner",
        ClockKind::Respond => "an answer",
    }
}

fn warned(conversation: &Conversation, change: &Change) -> String {
    let Change::ResponseWarned { clock, policy, .. } = change else {
        return String::new();
    };
    let (place, awaited) = (in_team(conversation), awaited(*clock));
    format!("A conversation{place} will soon have waited longer for {awaited} than \"{policy}\" allows.")
}

fn breached(conversation: &Conversation, change: &Change) -> String {
    let Change::ResponseBreached { clock, policy, .. } = change else {
        return String::new();
    };
    let (place, awaited) = (in_team(conversation), awaited(*clock));
    format!("A conversation{place} has waited longer for {awaited} than \"{policy}\" allows.")
}

fn escalated(conversation: &Conversation, change: &Change, state: &State) -> String {
    let Change::Escalated { why, to } = change else {
        return String::new();
    };
    let place = in_team(conversation);
    let reason = match why {
        EscalationReason::Breach => "was not answered in time",
        EscalationReason::Hops => "has moved too often",
        EscalationReason::Window => "can soon be answered by templates only",
    };
    match (to, why) {
        (Some(agent), _) => format!(
            "A conversation{place} {reason}: it goes to {}.",
            name(state, agent)
        ),
        // Most policies only ask to tell of it: nobody was looked for.
        (None, EscalationReason::Window) => {
            format!("A conversation{place} {reason}, and its customer waits for an answer.")
        }
        (None, EscalationReason::Breach | EscalationReason::Hops) => {
            format!("A conversation{place} {reason}, and nobody is there to take it.")
        }
    }
}

/// A request, told to the one who asked or to the one who was asked.
fn about_request(notification: &Notification, change: &Change, state: &State) -> String {
    let (request, outcome) = match change {
        Change::Requested(request) => (request, None),
        Change::RequestEnded { request, outcome } => (request, Some(outcome)),
        _ => return String::new(),
    };
    let (from, to) = (name(state, &request.from), name(state, &request.to));
    let asked = notification.recipient == Recipient::Agent(request.to.clone());
    let which = if asked {
        format!("The chat assignment request of {from}")
    } else {
        format!("Your chat assignment request to {to}")
    };
    match outcome {
        None => format!("{from} has sent you a chat assignment request."),
        Some(RequestOutcome::Accepted) => format!("{to} has accepted your chat assignment request."),
        Some(RequestOutcome::Rejected(reason)) => {
            let told = format!("{to} has rejected your chat assignment request");
            with_note(told, &Some(reason.clone()))
        }
        Some(RequestOutcome::Withdrawn(reason)) => {
            let told = format!("{from} has withdrawn the chat assignment request");
            with_note(told, &Some(reason.clone()))
        }
        Some(RequestOutcome::TimedOut) => format!("{which} was not answered in time."),
        Some(RequestOutcome::Superseded(reason)) => match reason {
            Reason::Closed => format!("{which} has ended: the conversation was closed."),
            Reason::RecipientUnavailable | Reason::RecipientRemoved => {
                format!("{which} has ended: {to} is not available.")
            }
            _ => format!("{which} has ended: the conversation has another owner."),
        },
    }
}

/// The name people know a colleague by; their id where the roster is not loaded.
fn name<'a>(state: &'a State, id: &'a AgentId) -> &'a str {
    match state.agents.get(id) {
        Some(agent) => &agent.profile.name,
        None => id.as_str(),
    }
}

/// Ends a sentence, with the beginning of the note that came along.
fn with_note(told: String, note: &Option<Arc<str>>) -> String {
    let Some(note) = note.as_deref().filter(|note| !note.trim().is_empty()) else {
        return told + ".";
    };
    let line: String = note
        .chars()
        .take(MAX_NOTE_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let cut = if note.chars().nth(MAX_NOTE_CHARS).is_some() {
        "…"
    } else {
        ""
    };
    format!("{told}: \"{}{cut}\"", line.trim())
}
