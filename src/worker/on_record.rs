//! What events leave on record for people: engagements, how requests came out, notes, decisions.

use crate::contract::words::Wire;
use crate::domain::conversation::Owner;
use crate::domain::event::{By, Change, Kind, Recorded, RequestOutcome};
use crate::domain::ids::{AgentId, Tenant};
use crate::domain::input::Actor;
use crate::store::records::{DecisionRecord, Ending, Engagement, EngagementStatus, Note};

/// Whether people can look it up later.
pub fn is_kept(event: &Recorded) -> bool {
    let told = matches!(
        event.event.kind,
        Kind::Conversation(
            _,
            Change::Assigned(_)
                | Change::Requested(_)
                | Change::RequestEnded { .. }
                | Change::NoteAdded { .. }
        )
    );
    let given_up = matches!(event.event.kind, Kind::Conversation(_, Change::Unassigned { .. }));
    told || given_up && event.bulk.is_some() || event.event.decision.is_some()
}

/// Assignments, and requests that were made.
pub fn engagements(recorded: &[(Tenant, Recorded)]) -> Vec<Engagement<'_>> {
    fn engagement((tenant, event): &(Tenant, Recorded)) -> Option<Engagement<'_>> {
        let (conversation, change) = event.change()?;
        let (id, by, from, to, note, status) = match change {
            // What was asked for is on record since it was.
            Change::Assigned(assignment) if assignment.by == By::Request => return None,
            Change::Assigned(assignment) => (
                assignment.engagement,
                assignment.by,
                event.previous_owner.as_ref().unwrap_or(&Owner::Nobody),
                Some(&assignment.agent),
                &assignment.note,
                EngagementStatus::Done,
            ),
            // Nobody has it yet, and it was an operation all the same.
            Change::Queued { note, .. } | Change::Unassigned { note, .. } if event.bulk.is_some() => (
                conversation.id.derive("engagement", conversation.sequence),
                By::Bulk,
                event.previous_owner.as_ref().unwrap_or(&Owner::Nobody),
                None,
                note,
                EngagementStatus::Done,
            ),
            Change::Requested(request) => (
                request.id,
                By::Request,
                &conversation.owner,
                Some(&request.to),
                &request.note,
                EngagementStatus::Requested,
            ),
            _ => return None,
        };
        Some(Engagement {
            tenant,
            id,
            conversation: conversation.id,
            by,
            from,
            to,
            requester: person(&event.event.actor),
            status,
            note: note.as_deref(),
            decision: event.event.decision.as_ref().map(|decision| decision.id),
            at: event.event.at,
        })
    }
    recorded.iter().filter_map(engagement).collect()
}

fn person(actor: &Actor) -> Option<&AgentId> {
    match actor {
        Actor::Agent(agent) => Some(agent),
        Actor::System(_) | Actor::Customer | Actor::Gateway => None,
    }
}

/// How requests came out.
pub fn endings(recorded: &[(Tenant, Recorded)]) -> Vec<Ending<'_>> {
    fn ending((tenant, event): &(Tenant, Recorded)) -> Option<Ending<'_>> {
        let (_, Change::RequestEnded { request, outcome }) = event.change()? else {
            return None;
        };
        let (status, reason) = match outcome {
            RequestOutcome::Accepted => (EngagementStatus::Accepted, None),
            RequestOutcome::Rejected(reason) => (EngagementStatus::Rejected, Some(&**reason)),
            RequestOutcome::Withdrawn(reason) => (EngagementStatus::Withdrawn, Some(&**reason)),
            RequestOutcome::TimedOut => (EngagementStatus::TimedOut, None),
            RequestOutcome::Superseded(reason) => (EngagementStatus::Superseded, Some(reason.wire())),
        };
        Some(Ending {
            tenant,
            id: request.id,
            status,
            reason,
            at: event.event.at,
        })
    }
    recorded.iter().filter_map(ending).collect()
}

/// What agents wrote down for each other.
pub fn notes(recorded: &[(Tenant, Recorded)]) -> Vec<Note<'_>> {
    fn note((tenant, event): &(Tenant, Recorded)) -> Option<Note<'_>> {
        let (conversation, Change::NoteAdded { id, text }) = event.change()? else {
            return None;
        };
        let Actor::Agent(author) = &event.event.actor else {
            return None;
        };
        Some(Note {
            tenant,
            id: *id,
            conversation: conversation.id,
            author: author.as_str(),
            text,
            at: event.event.at,
        })
    }
    recorded.iter().filter_map(note).collect()
}

/// Why automatic choices came out as they did.
pub fn decisions(recorded: &[(Tenant, Recorded)]) -> Vec<DecisionRecord<'_>> {
    fn record((tenant, event): &(Tenant, Recorded)) -> Option<DecisionRecord<'_>> {
        let decision = event.event.decision.as_deref()?;
        Some(DecisionRecord {
            tenant,
            cause: &event.cause,
            at: event.event.at,
            asked_by: person(&event.event.actor),
            epoch: event.after.as_ref().map(|conversation| conversation.epoch),
            decision,
        })
    }
    recorded.iter().filter_map(record).collect()
}
