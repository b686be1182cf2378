//! Parts of what events say: a place, a message, an agent, a fault.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::envelope::Time;
use super::words::Wire;
use crate::domain::agent::Agent;
use crate::domain::bulk::{ItemOutcome, Report};
use crate::domain::conversation::{Conversation, PendingRequest, Route};
use crate::domain::event::{Assignment, MessageRef, RequestOutcome, Terms};
use crate::domain::identity::Leading;
use crate::domain::ids::{ChannelKey, ConversationId, TeamId};
use crate::domain::input::Fault;

/// A conversation found a place, with a person or in a queue.
#[derive(Serialize)]
pub(super) struct Placed<'a> {
    /// Why it waits; null when a person has it.
    pub(super) reason: Option<&'static str>,
    pub(super) rule: Option<&'a str>,
    pub(super) plan_version: u32,
    pub(super) strategy: Option<&'static str>,
    /// Null while it waits: nobody was engaged.
    pub(super) engagement: Option<Uuid>,
    pub(super) note: Option<&'a str>,
    pub(super) priority: &'static str,
    pub(super) waiting_since: Option<Time>,
    pub(super) respond_due_at: Option<Time>,
    #[serde(flatten)]
    pub(super) given: Option<GivenData>,
}

impl<'a> Placed<'a> {
    pub(super) fn by(route: &'a Route, terms: &Terms, after: &Conversation) -> Self {
        Self {
            reason: None,
            rule: route.rule.as_deref(),
            plan_version: terms.plan_version,
            strategy: terms.strategy.map(|strategy| strategy.wire()),
            engagement: None,
            note: None,
            priority: after.priority.wire(),
            waiting_since: after.waiting_since.map(Time),
            respond_due_at: None,
            given: None,
        }
    }
}

/// What is said only of a person's place.
#[derive(Serialize)]
pub(super) struct GivenData {
    by: &'static str,
    over_capacity: bool,
    load: u32,
    /// 0 = unlimited.
    capacity: u32,
}

impl GivenData {
    pub(super) fn of(assignment: &Assignment) -> Self {
        Self {
            by: assignment.by.wire(),
            over_capacity: assignment.over_capacity,
            load: assignment.load,
            capacity: assignment.capacity,
        }
    }
}

/// A request, pending or ended.
#[derive(Serialize)]
pub(super) struct RequestData<'a> {
    request: Uuid,
    engagement: Uuid,
    from: &'a str,
    to: &'a str,
    note: Option<&'a str>,
    /// Why it ended, where that is said.
    reason: Option<&'a str>,
    expires_at: Time,
}

impl<'a> RequestData<'a> {
    pub(super) fn of(request: &'a PendingRequest, reason: Option<&'a str>) -> Self {
        Self {
            request: request.id,
            engagement: request.id,
            from: request.from.as_str(),
            to: request.to.as_str(),
            note: request.note.as_deref(),
            reason,
            expires_at: Time(request.expires_at),
        }
    }
}

/// Why a request ended: in the words of the one who ended it, or in ours.
pub(super) fn reason_of(outcome: &RequestOutcome) -> Option<&str> {
    match outcome {
        RequestOutcome::Rejected(reason) | RequestOutcome::Withdrawn(reason) => Some(reason),
        RequestOutcome::Superseded(reason) => Some(reason.wire()),
        RequestOutcome::Accepted | RequestOutcome::TimedOut => None,
    }
}

/// A message by its outside.
#[derive(Serialize)]
pub(super) struct MessageData<'a> {
    id: &'a str,
    kind: &'a str,
    timestamp: Time,
}

impl<'a> MessageData<'a> {
    pub(super) fn of(message: &'a MessageRef) -> Self {
        Self {
            id: &message.id,
            kind: &message.kind,
            timestamp: Time(message.at),
        }
    }
}

/// An agent as they are now.
#[derive(Serialize)]
pub(super) struct ProfileData<'a> {
    name: &'a str,
    role: &'static str,
    teams: Vec<&'a str>,
    manages: Vec<&'a str>,
    skills: BTreeMap<&'a str, u8>,
    /// Null: the tenant's setting; 0 = unlimited.
    capacity: Option<u32>,
    subscriptions: Vec<&'a str>,
    active: bool,
    may_reply: bool,
}

impl<'a> ProfileData<'a> {
    pub(super) fn of(agent: &'a Agent, member_of: &'a [TeamId], manages: &'a [TeamId]) -> Self {
        let profile = &agent.profile;
        Self {
            name: &profile.name,
            role: profile.role.wire(),
            teams: member_of.iter().map(TeamId::as_str).collect(),
            manages: manages.iter().map(TeamId::as_str).collect(),
            skills: profile
                .skills
                .iter()
                .map(|(skill, level)| (&**skill, *level))
                .collect(),
            capacity: profile.capacity,
            subscriptions: profile.subscriptions.iter().map(ChannelKey::as_str).collect(),
            active: profile.active,
            may_reply: profile.may_reply,
        }
    }
}

/// One thing wrong with a document.
#[derive(Serialize)]
pub(super) struct FaultData<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

impl<'a> FaultData<'a> {
    pub(super) fn of(fault: &'a Fault) -> Self {
        Self {
            path: &fault.path,
            line: fault.line,
            column: fault.column,
            message: &fault.message,
        }
    }
}

/// A conversation, and the kinds of identifiers that lead to it.
#[derive(Serialize)]
pub(super) struct LeadingData {
    conversation: Uuid,
    identifiers: Vec<&'static str>,
}

impl LeadingData {
    pub(super) fn of(leading: &Leading) -> Self {
        Self {
            conversation: leading.conversation.0,
            identifiers: leading.identifiers.iter().map(Wire::wire).collect(),
        }
    }
}

/// What became of a bulk, conversation by conversation.
#[derive(Serialize)]
pub(super) struct BulkData {
    bulk: Uuid,
    results: Vec<ResultData>,
}

#[derive(Serialize)]
struct ResultData {
    conversation: Uuid,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl BulkData {
    pub(super) fn of(report: &Report) -> Self {
        let result = |(conversation, outcome): &(ConversationId, ItemOutcome)| ResultData {
            conversation: conversation.0,
            outcome: outcome.wire(),
            code: match outcome {
                ItemOutcome::Rejected(code) => Some(code.wire()),
                _ => None,
            },
        };
        Self {
            bulk: report.bulk,
            results: report.results.iter().map(result).collect(),
        }
    }
}
