//! What a caller who gave a `reply_to` is told of their command.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::envelope::{Attributes, Destination, OutMessage, Publishing};
use super::parties::PartyData;
use super::{event, partition};
use crate::domain::event::{Kind, Recorded};
use crate::domain::ids::Tenant;
use crate::domain::input::{Body, Input, Timer};

/// Where a caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyTo<'a> {
    /// The queue, reached through the default exchange.
    pub queue: &'a str,
    /// Given back as it came.
    pub correlation_id: Option<&'a str>,
}

/// The event that is the outcome of a command: its `command.rejected`, or else the last of its own.
///
/// Its own are the events of the conversation it names, or those of no conversation: the assignments that fill a place
/// it freed are other people's news. `None` for what is no command, or said nothing.
pub fn of<'a>(input: &Input, events: &'a [Recorded]) -> Option<&'a Recorded> {
    match input.body {
        Body::Command(_) | Body::Timer(Timer::BulkDone(_)) => {
            events.iter().rev().find(|recorded| answers(input, recorded))
        }
        Body::Fact(_) | Body::Timer(_) => None,
    }
}

/// The outcome of a command as its caller is told it: the same message as the event.
pub fn render(
    outcome: &Recorded,
    tenant: &Tenant,
    publishing: &Publishing,
    reply: ReplyTo<'_>,
) -> Option<OutMessage> {
    let message = event::render(outcome, tenant, publishing)?;
    Some(addressed(message, reply))
}

fn answers(input: &Input, recorded: &Recorded) -> bool {
    match &recorded.event.kind {
        Kind::CommandRejected(_) => true,
        Kind::Conversation(id, change) => change.is_announced() && input.conversation() == Some(*id),
        Kind::AgentUpserted { .. }
        | Kind::AgentRemoved { .. }
        | Kind::PresenceChanged { .. }
        | Kind::PlanActivated { .. }
        | Kind::ContactForgotten { .. }
        | Kind::BulkDone(_) => true,
        // A bulk is answered when it is done.
        Kind::IdentityConflict(_)
        | Kind::Skipped(_)
        | Kind::GraceOver { .. }
        | Kind::DrainPending(_)
        | Kind::QueueServable(_)
        | Kind::BulkAccepted(_)
        | Kind::BulkItemDone(_) => false,
    }
}

/// The answer to a command that took effect earlier, under the same id. `at` is the time of the answer.
///
/// Its type is `switchboard.command.duplicate`; its id the UUIDv5 whose namespace is the input's dedupe key and whose
/// name is `duplicate`. `None` for what is no command: a fact's duplicate yields nothing.
pub fn duplicate(
    input: &Input,
    at: Timestamp,
    tenant: &Tenant,
    publishing: &Publishing,
    reply: ReplyTo<'_>,
) -> Option<OutMessage> {
    let Body::Command(command) = &input.body else {
        return None;
    };
    let partition_key = format!("tenant/{tenant}");
    let attributes = Attributes {
        id: Uuid::new_v5(&input.key, b"duplicate"),
        tenant,
        kind: "command.duplicate",
        subject: format!("command/{}", input.cause),
        time: at,
        partition: partition::of(&partition_key, publishing.partitions),
        partition_key,
        sequence: None,
    };
    let data = DuplicateData {
        tenant: tenant.as_str(),
        conversation: input.conversation().map(|id| id.0),
        actor: PartyData::from(&command.actor),
        cause: &input.cause,
        command: &command.name,
        outcome: "duplicate",
    };
    let to = Destination::Queue(reply.queue.to_owned());
    let message = attributes.seal(to, reply.queue.to_owned(), None, &data);
    Some(addressed(message, reply))
}

/// What a duplicate's caller is told: that it was one, and which command it was.
#[derive(Serialize)]
struct DuplicateData<'a> {
    tenant: &'a str,
    conversation: Option<Uuid>,
    actor: PartyData<'a>,
    cause: &'a str,
    command: &'a str,
    outcome: &'static str,
}

/// The same message to whoever asked.
fn addressed(message: OutMessage, reply: ReplyTo<'_>) -> OutMessage {
    OutMessage {
        to: Destination::Queue(reply.queue.to_owned()),
        routing_key: reply.queue.to_owned(),
        correlation_id: reply.correlation_id.map(str::to_owned),
        ..message
    }
}
