//! Events as they are announced: what they are called, which id they have, where they go.

use uuid::Uuid;

use super::envelope::{Attributes, Destination, OutMessage, Publishing};
use super::event_data::Data;
use super::{partition, routing_key};
use crate::domain::event::{Change, Kind, Recorded, RequestOutcome};
use crate::domain::ids::{AgentId, ChannelKey, Tenant};

/// Every type of event after `switchboard.`: its entity, a dot, what happened to it.
pub const fn kinds_of_events() -> &'static [&'static str] {
    &[
        "conversation.opened",
        "conversation.reopened",
        "conversation.queued",
        "conversation.assigned",
        "conversation.unassigned",
        "conversation.closed",
        "conversation.held",
        "conversation.resumed",
        "conversation.prioritized",
        "conversation.note_added",
        "conversation.escalated",
        "assignment.requested",
        "assignment.accepted",
        "assignment.rejected",
        "assignment.withdrawn",
        "assignment.timed_out",
        "assignment.superseded",
        "message.received",
        "message.sent",
        "reply.authorized",
        "reply.unauthorized",
        "response.warned",
        "response.breached",
        "agent.upserted",
        "agent.removed",
        "agent.presence_changed",
        "plan.activated",
        "bulk.completed",
        "bulk.undone",
        "contact.forgotten",
        "contact.identity_conflict",
        "command.rejected",
    ]
}

/// The event's type after `switchboard.`; `None`: it is not announced.
fn kind(recorded: &Recorded) -> Option<&'static str> {
    Some(match &recorded.event.kind {
        Kind::Conversation(_, change) => match change {
            Change::Opened { .. } => "conversation.opened",
            Change::Reopened { .. } => "conversation.reopened",
            Change::Queued { .. } => "conversation.queued",
            Change::Assigned(_) => "conversation.assigned",
            Change::Unassigned { .. } => "conversation.unassigned",
            Change::Closed { .. } => "conversation.closed",
            Change::Held { .. } => "conversation.held",
            Change::Resumed { .. } => "conversation.resumed",
            Change::Prioritized { .. } => "conversation.prioritized",
            Change::NoteAdded { .. } => "conversation.note_added",
            Change::Requested(_) => "assignment.requested",
            Change::RequestEnded { outcome, .. } => match outcome {
                RequestOutcome::Accepted => "assignment.accepted",
                RequestOutcome::Rejected(_) => "assignment.rejected",
                RequestOutcome::Withdrawn(_) => "assignment.withdrawn",
                RequestOutcome::TimedOut => "assignment.timed_out",
                RequestOutcome::Superseded(_) => "assignment.superseded",
            },
            Change::ReplyAuthorized { .. } => "reply.authorized",
            Change::ReplyUnauthorized { .. } => "reply.unauthorized",
            Change::MessageReceived { .. } => "message.received",
            Change::MessageSent { .. } => "message.sent",
            Change::ResponseBreached { .. } => "response.breached",
            Change::ResponseWarned { .. } => "response.warned",
            Change::Escalated { .. } => "conversation.escalated",
            Change::Quiet(_) => return None,
        },
        Kind::AgentUpserted { .. } => "agent.upserted",
        Kind::AgentRemoved { .. } => "agent.removed",
        Kind::BulkDone(report) if report.undo => "bulk.undone",
        Kind::BulkDone(_) => "bulk.completed",
        Kind::ContactForgotten { .. } => "contact.forgotten",
        Kind::IdentityConflict(_) => "contact.identity_conflict",
        Kind::PresenceChanged { .. } => "agent.presence_changed",
        Kind::PlanActivated { .. } => "plan.activated",
        Kind::CommandRejected(_) => "command.rejected",
        Kind::Skipped(_)
        | Kind::GraceOver { .. }
        | Kind::DrainPending(_)
        | Kind::QueueServable(_)
        | Kind::BulkAccepted(_)
        | Kind::BulkItemDone(_) => {
            return None;
        }
    })
}

/// The id of an announced event, which anyone can compute again: the UUIDv5 whose namespace is the conversation's id and
/// whose name is the event's sequence in decimal without leading zeros ("1", "2", …). An event without a sequence has
/// the input's dedupe key as namespace and, as name, its place among the input's events in decimal, from "0".
pub(super) fn id(recorded: &Recorded) -> Uuid {
    match recorded.change() {
        Some((conversation, _)) => {
            Uuid::new_v5(&conversation.id.0, conversation.sequence.to_string().as_bytes())
        }
        None => Uuid::new_v5(&recorded.input, recorded.ordinal.to_string().as_bytes()),
    }
}

/// The event as a message; `None` if it is not announced.
pub fn render(recorded: &Recorded, tenant: &Tenant, publishing: &Publishing) -> Option<OutMessage> {
    let kind = kind(recorded)?;
    let channel = channel(recorded).map_or(routing_key::NO_CHANNEL.to_owned(), |channel| {
        routing_key::word(channel.channel_id())
    });
    let key = format!("{kind}.{}.{channel}", routing_key::word(tenant.as_str()));
    let attributes = attributes(recorded, kind, tenant, publishing);
    let correlation = recorded.input.to_string();
    let data = Data::of(recorded, tenant)?;
    Some(attributes.seal(Destination::Events, key, Some(correlation), &data))
}

/// The business number it is about, if it is about one.
fn channel(recorded: &Recorded) -> Option<&ChannelKey> {
    match &recorded.event.kind {
        Kind::IdentityConflict(conflict) => Some(&conflict.channel),
        _ => recorded
            .after
            .as_deref()
            .map(|conversation| &conversation.channel),
    }
}

/// Who the event is about and in whose order it stands: its conversation's, else its agent's, else its tenant's.
fn attributes<'a>(
    recorded: &Recorded,
    kind: &'a str,
    tenant: &'a Tenant,
    publishing: &Publishing,
) -> Attributes<'a> {
    let tenant_key = || format!("tenant/{tenant}");
    let of_agent = |agent: &AgentId| (format!("agent/{agent}"), format!("agent/{agent}"));
    let (subject, own_key) = match &recorded.event.kind {
        Kind::Conversation(id, _) => (id.to_string(), tenant_key()),
        Kind::AgentUpserted { agent, .. } | Kind::AgentRemoved { agent } => of_agent(&agent.id),
        Kind::BulkDone(report) => (format!("bulk/{}", report.bulk), tenant_key()),
        Kind::ContactForgotten { partition_key, .. } => {
            (format!("contact/{partition_key}"), partition_key.to_string())
        }
        Kind::IdentityConflict(conflict) => {
            let key = &conflict.partition_key;
            (format!("contact/{key}"), key.to_string())
        }
        Kind::PresenceChanged { agent, .. } => of_agent(agent),
        Kind::PlanActivated { plan, .. } => (format!("plan/{}", plan.version), tenant_key()),
        Kind::CommandRejected(_)
        | Kind::Skipped(_)
        | Kind::GraceOver { .. }
        | Kind::DrainPending(_)
        | Kind::QueueServable(_)
        | Kind::BulkAccepted(_)
        | Kind::BulkItemDone(_) => (format!("command/{}", recorded.cause), tenant_key()),
    };
    let (partition_key, partition) = match (recorded.after.as_deref(), &recorded.event.kind) {
        (Some(conversation), _) => (conversation.partition_key.to_string(), conversation.home.0),
        (None, Kind::IdentityConflict(conflict)) => (own_key, conflict.home.0),
        (None, _) => {
            let partition = partition::of(&own_key, publishing.partitions);
            (own_key, partition)
        }
    };
    Attributes {
        id: id(recorded),
        tenant,
        kind,
        subject,
        time: recorded.event.at,
        partition_key,
        partition,
        sequence: recorded.change().map(|(conversation, _)| conversation.sequence),
    }
}
