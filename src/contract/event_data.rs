//! What events say: the same fields in all of them, then what only a type says. Never a customer's text, name or number.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::envelope::Time;
use super::event_parts::{
    BulkData, FaultData, GivenData, LeadingData, MessageData, Placed, ProfileData, RequestData, reason_of,
};
use super::parties::{OwnerData, PartyData};
use super::words::Wire;
use crate::domain::conversation::Conversation;
use crate::domain::event::{Change, IdentityConflict, Kind, Recorded};
use crate::domain::ids::{AgentId, Tenant};
use crate::domain::input::Origin;

/// What all events say, then what only this type says. Fields about a conversation are null where there is none.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    tenant: &'a str,
    #[serde(flatten)]
    conversation: ConversationData<'a>,
    previous_owner: Option<OwnerData<'a>>,
    actor: PartyData<'a>,
    cause: &'a str,
    decision: Option<Uuid>,
    /// The bulk it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk: Option<Uuid>,
    #[serde(flatten)]
    more: More<'a>,
}

impl<'a> Data<'a> {
    /// What this event says; `None` if it is not announced.
    pub(super) fn of(recorded: &'a Recorded, tenant: &'a Tenant) -> Option<Self> {
        let conversation = recorded.after.as_deref();
        let decision = recorded.event.decision.as_ref();
        Some(Self {
            tenant: tenant.as_str(),
            conversation: match (&recorded.event.kind, conversation) {
                (Kind::IdentityConflict(conflict), _) => ConversationData::named(conflict),
                (_, conversation) => conversation.map(ConversationData::of).unwrap_or_default(),
            },
            previous_owner: recorded
                .previous_owner
                .as_ref()
                .map(|owner| OwnerData::of(owner, recorded.previous_team.as_ref())),
            actor: PartyData::from(&recorded.event.actor),
            cause: &recorded.cause,
            decision: decision.map(|decision| decision.id),
            bulk: recorded.bulk,
            more: More::of(recorded)?,
        })
    }
}

/// A conversation right after an event; for a refusal, as it stands.
#[derive(Serialize, Default)]
struct ConversationData<'a> {
    channel: Option<&'a str>,
    conversation: Option<Uuid>,
    episode: Option<u32>,
    epoch: Option<u64>,
    status: Option<&'static str>,
    standby: Option<bool>,
    owner: Option<OwnerData<'a>>,
    window_expires_at: Option<Time>,
}

impl<'a> ConversationData<'a> {
    /// Which it is, and nothing of how it stands.
    fn named(conflict: &'a IdentityConflict) -> Self {
        Self {
            channel: Some(conflict.channel.as_str()),
            conversation: Some(conflict.conversation.0),
            ..Self::default()
        }
    }

    fn of(conversation: &'a Conversation) -> Self {
        Self {
            channel: Some(conversation.channel.as_str()),
            conversation: Some(conversation.id.0),
            episode: Some(conversation.episode),
            epoch: Some(conversation.epoch),
            status: Some(conversation.status.wire()),
            standby: Some(conversation.standby),
            owner: Some(OwnerData::of(&conversation.owner, conversation.team.as_ref())),
            window_expires_at: conversation.window_expires_at.map(Time),
        }
    }
}

/// What only this type of event says.
#[derive(Serialize)]
#[serde(untagged)]
enum More<'a> {
    Reason {
        reason: &'static str,
    },
    Noted {
        reason: &'static str,
        note: Option<&'a str>,
    },
    Placed(Placed<'a>),
    Received {
        message: MessageData<'a>,
        turn: bool,
    },
    Sent {
        message: MessageData<'a>,
        turn: bool,
        agent: Option<&'a str>,
        origin: &'static str,
    },
    Held {
        note: Option<&'a str>,
        until: Option<Time>,
    },
    Prioritized {
        priority: &'static str,
        note: Option<&'a str>,
    },
    NoteAdded {
        note_id: Uuid,
        text: &'a str,
    },
    Request(RequestData<'a>),
    Authorized {
        message: &'a RawValue,
        template: bool,
    },
    Clock {
        policy: &'a str,
        clock: &'static str,
        due_at: Time,
    },
    Escalated {
        reason: &'static str,
        to: Option<&'a str>,
    },
    Presence {
        agent: &'a str,
        presence: &'static str,
        previous: Option<&'static str>,
        expires_at: Option<Time>,
    },
    Upserted {
        agent: &'a str,
        presence: &'static str,
        previous: Option<&'static str>,
        profile: ProfileData<'a>,
    },
    Removed {
        agent: &'a str,
        presence: &'static str,
        previous: Option<&'static str>,
    },
    Bulk(BulkData),
    Forgotten {},
    IdentityConflict {
        conversations: Vec<LeadingData>,
    },
    Plan {
        version: u32,
        unchanged: bool,
    },
    Refused {
        command: &'a str,
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<FaultData<'a>>,
    },
}

impl<'a> More<'a> {
    fn of(recorded: &'a Recorded) -> Option<Self> {
        match &recorded.event.kind {
            Kind::Conversation(_, change) => Self::of_change(recorded.after.as_deref()?, change),
            Kind::PresenceChanged {
                agent,
                presence,
                previous,
                expires,
            } => Some(More::Presence {
                agent: agent.as_str(),
                presence: presence.wire(),
                previous: Some(previous.wire()),
                expires_at: expires.map(Time),
            }),
            Kind::AgentUpserted {
                agent,
                member_of,
                manages,
            } => Some(More::Upserted {
                agent: agent.id.as_str(),
                presence: agent.presence.wire(),
                previous: None,
                profile: ProfileData::of(agent, member_of, manages),
            }),
            Kind::PlanActivated { plan, unchanged } => Some(More::Plan {
                version: plan.version,
                unchanged: *unchanged,
            }),
            Kind::CommandRejected(refusal) => Some(More::Refused {
                command: &refusal.command,
                code: refusal.code.wire(),
                message: &refusal.message,
                errors: refusal.errors.iter().map(FaultData::of).collect(),
            }),
            Kind::AgentRemoved { agent } => Some(More::Removed {
                agent: agent.id.as_str(),
                presence: agent.presence.wire(),
                previous: None,
            }),
            Kind::BulkDone(report) => Some(More::Bulk(BulkData::of(report))),
            Kind::ContactForgotten { .. } => Some(More::Forgotten {}),
            Kind::IdentityConflict(conflict) => Some(More::IdentityConflict {
                conversations: conflict.leads.iter().map(LeadingData::of).collect(),
            }),
            Kind::Skipped(_)
            | Kind::GraceOver { .. }
            | Kind::DrainPending(_)
            | Kind::QueueServable(_)
            | Kind::BulkAccepted(_)
            | Kind::BulkItemDone(_) => None,
        }
    }

    fn of_change(after: &'a Conversation, change: &'a Change) -> Option<Self> {
        Some(match change {
            Change::Opened { reason, .. } | Change::Reopened { reason, .. } => More::Reason {
                reason: reason.wire(),
            },
            Change::Unassigned { reason, note, .. }
            | Change::Closed { reason, note }
            | Change::Resumed { reason, note } => More::Noted {
                reason: reason.wire(),
                note: note.as_deref(),
            },
            Change::Held { until, note } => More::Held {
                note: note.as_deref(),
                until: until.map(Time),
            },
            Change::Prioritized { priority, note } => More::Prioritized {
                priority: priority.wire(),
                note: note.as_deref(),
            },
            Change::NoteAdded { id, text } => More::NoteAdded { note_id: *id, text },
            Change::Requested(request) => More::Request(RequestData::of(request, None)),
            Change::RequestEnded { request, outcome } => {
                More::Request(RequestData::of(request, reason_of(outcome)))
            }
            // The command was read from JSON: what it carries is JSON.
            Change::ReplyAuthorized { message, template } => More::Authorized {
                message: serde_json::from_str(&message.0).ok()?,
                template: *template,
            },
            Change::Queued {
                reason,
                route,
                note,
                terms,
                ..
            } => More::Placed(Placed {
                reason: Some(reason.wire()),
                note: note.as_deref(),
                ..Placed::by(route, terms, after)
            }),
            Change::Assigned(assignment) => More::Placed(Placed {
                note: assignment.note.as_deref(),
                engagement: Some(assignment.engagement),
                respond_due_at: assignment.respond_clock.due().map(Time),
                given: Some(GivenData::of(assignment)),
                ..Placed::by(&assignment.route, &assignment.terms, after)
            }),
            Change::MessageReceived { message, turn, .. } => More::Received {
                message: MessageData::of(message),
                turn: *turn,
            },
            Change::MessageSent { message, origin, .. } | Change::ReplyUnauthorized { message, origin } => {
                More::Sent {
                    message: MessageData::of(message),
                    turn: false,
                    agent: match origin {
                        Origin::Agent(agent) => Some(agent.as_str()),
                        Origin::Phone | Origin::Automation => None,
                    },
                    origin: origin.wire(),
                }
            }
            Change::ResponseWarned { clock, policy, due }
            | Change::ResponseBreached {
                clock, policy, due, ..
            } => More::Clock {
                policy: policy.as_str(),
                clock: clock.wire(),
                due_at: Time(*due),
            },
            Change::Escalated { why, to } => More::Escalated {
                reason: why.wire(),
                to: to.as_ref().map(AgentId::as_str),
            },
            Change::Quiet(_) => return None,
        })
    }
}
