//! Notifications: one message to one person or team, with a sentence to show them and the ids to act on.
//!
//! The sentence never holds what a customer wrote, nor their name or number: it is shown on lock screens.

use serde::Serialize;
use uuid::Uuid;

use super::envelope::{Attributes, Destination, OutMessage, Sequence, Time};
use super::event_parts::reason_of;
use super::parties::{OwnerData, PartyData};
use super::words::Wire;
use super::{event, routing_key, sentence};
use crate::domain::conversation::PendingRequest;
use crate::domain::event::{Change, Recorded};
use crate::domain::notify::{Notification, NotificationKind};
use crate::domain::state::State;

/// Every kind of notification: what stands after `switchboard.notification.` and last in the routing key.
pub const fn kinds_of_notifications() -> &'static [&'static str] {
    &[
        "assigned",
        "unassigned_from_you",
        "message",
        "new_conversation",
        "response_warning",
        "response_breach",
        "escalated",
        "queue_blocked",
        "request_received",
        "request_accepted",
        "request_rejected",
        "request_withdrawn",
        "request_timed_out",
        "request_superseded",
        "not_assignee",
        "reply_unauthorized",
        "resumed",
    ]
}

/// The notification as a message; `None` if what it tells of belongs to no conversation, which `notify::told` never says.
///
/// `recorded` is the event it tells of; `state`, loaded with the roster or without, knows people's names.
/// Its id is the UUIDv5 whose namespace is the event's id and whose name is `<agent|team>/<recipient id>/<kind>`. What is told
/// without an event of its own (`queue_blocked`) names the conversation's last one; a slash and the input's dedupe key follow
/// in the name, since it may be told again.
pub fn render(notification: &Notification, recorded: &Recorded, state: &State) -> Option<OutMessage> {
    let conversation = recorded.after.as_deref()?;
    let tenant = &state.plan.tenant;
    let kind = notification.kind.wire();
    let recipient = PartyData::from(&notification.recipient);
    let (whom, recipient_id) = (recipient.kind, recipient.id?);
    let event = event::id(recorded);
    let (to_tenant, to_recipient) = (
        routing_key::word(tenant.as_str()),
        routing_key::word(recipient_id),
    );
    let announced = recorded.change().is_none_or(|(_, change)| change.is_announced());
    let name = if announced {
        format!("{whom}/{recipient_id}/{kind}")
    } else {
        format!("{whom}/{recipient_id}/{kind}/{}", recorded.input)
    };
    let key = format!("{whom}.{to_tenant}.{to_recipient}.{kind}");
    let full_kind = format!("notification.{kind}");
    let attributes = Attributes {
        id: Uuid::new_v5(&event, name.as_bytes()),
        tenant,
        kind: &full_kind,
        subject: format!("{whom}/{recipient_id}"),
        time: recorded.event.at,
        partition_key: conversation.partition_key.to_string(),
        partition: conversation.home.0,
        sequence: None,
    };
    let data = Data {
        tenant: tenant.as_str(),
        channel: conversation.channel.as_str(),
        conversation: conversation.id.0,
        recipient,
        kind,
        text: sentence::of(notification, recorded, state),
        event,
        sequence: Sequence(conversation.sequence),
        epoch: conversation.epoch,
        owner: OwnerData::of(&conversation.owner, conversation.team.as_ref()),
        actor: PartyData::from(&recorded.event.actor),
        bulk: recorded.bulk,
        about: About::of(recorded, notification.kind),
    };
    let correlation = recorded.input.to_string();
    Some(attributes.seal(Destination::Notifications, key, Some(correlation), &data))
}

/// What a notification says.
#[derive(Serialize)]
struct Data<'a> {
    tenant: &'a str,
    channel: &'a str,
    conversation: Uuid,
    recipient: PartyData<'a>,
    kind: &'static str,
    text: String,
    event: Uuid,
    sequence: Sequence,
    epoch: u64,
    owner: OwnerData<'a>,
    actor: PartyData<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk: Option<Uuid>,
    #[serde(flatten)]
    about: About<'a>,
}

/// What it says as it applies.
#[derive(Serialize, Default)]
struct About<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageData<'a>>,
}

/// A message by its outside.
#[derive(Serialize)]
struct MessageData<'a> {
    id: &'a str,
    kind: &'a str,
}

impl<'a> About<'a> {
    /// A handoff note is for those who may take over, not for who had it before.
    fn of(recorded: &'a Recorded, kind: NotificationKind) -> Self {
        let about = match recorded.change() {
            Some((_, change)) => Self::of_change(change),
            None => Self::default(),
        };
        match kind {
            NotificationKind::UnassignedFromYou => Self { note: None, ..about },
            _ => about,
        }
    }

    fn of_change(change: &'a Change) -> Self {
        let nothing = Self::default();
        match change {
            Change::Opened { reason, .. } | Change::Reopened { reason, .. } => Self {
                reason: Some(reason.wire()),
                ..nothing
            },
            Change::Resumed { reason, note }
            | Change::Queued { reason, note, .. }
            | Change::Unassigned { reason, note, .. }
            | Change::Closed { reason, note } => Self {
                reason: Some(reason.wire()),
                note: note.as_deref(),
                ..nothing
            },
            Change::Assigned(assignment) => Self {
                note: assignment.note.as_deref(),
                ..nothing
            },
            Change::Requested(request) => Self::of_request(request, None),
            Change::RequestEnded { request, outcome } => Self::of_request(request, reason_of(outcome)),
            Change::MessageReceived { message, .. }
            | Change::MessageSent { message, .. }
            | Change::ReplyUnauthorized { message, .. } => Self {
                message: Some(MessageData {
                    id: &message.id,
                    kind: &message.kind,
                }),
                ..nothing
            },
            Change::ResponseWarned { clock, policy, due }
            | Change::ResponseBreached {
                clock, policy, due, ..
            } => Self {
                policy: Some(policy.as_str()),
                clock: Some(clock.wire()),
                due_at: Some(Time(*due)),
                ..nothing
            },
            Change::Held { .. }
            | Change::Prioritized { .. }
            | Change::NoteAdded { .. }
            | Change::ReplyAuthorized { .. }
            | Change::Quiet(_) => nothing,
            Change::Escalated { why, .. } => Self {
                reason: Some(why.wire()),
                ..nothing
            },
        }
    }

    fn of_request(request: &'a PendingRequest, reason: Option<&'a str>) -> Self {
        Self {
            request: Some(request.id),
            note: request.note.as_deref(),
            reason,
            expires_at: Some(Time(request.expires_at)),
            ..Self::default()
        }
    }
}
