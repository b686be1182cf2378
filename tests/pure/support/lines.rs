//! Events as one line each, the way a person would tell them: what tests compare and what failures print.

use switchboard::domain::agent::Presence;
use switchboard::domain::bulk::ItemOutcome;
use switchboard::domain::conversation::{ClockKind, EscalationReason};
use switchboard::domain::event::{
    Assignment, By, Change, Code, Kind, Quiet, Reason, Recorded, RequestOutcome,
};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::{Input, Origin};

use super::id;

/// What an input led to. Events of another conversation than the input's begin with its number.
pub fn lines(input: &Input, events: &[Recorded]) -> Vec<String> {
    let own = input.conversation();
    events
        .iter()
        .map(|recorded| &recorded.event.kind)
        .filter(|kind| !is_watching(kind))
        .map(|kind| line(own, kind))
        .collect()
}

/// Whether a queue finds anybody is a story of its own, and would be told in every other one.
fn is_watching(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::QueueServable(_) | Kind::Conversation(_, Change::Quiet(Quiet::QueueBlocked(_)))
    )
}

fn line(own: Option<ConversationId>, kind: &Kind) -> String {
    match kind {
        Kind::Conversation(id, change) if Some(*id) == own => of_change(change),
        Kind::Conversation(id, change) => format!("{}: {}", number(*id), of_change(change)),
        Kind::AgentUpserted { agent, .. } => format!("{} written", agent.id),
        Kind::PresenceChanged {
            agent,
            presence,
            previous,
            ..
        } => format!(
            "{agent} {}, was {}",
            of_presence(*presence),
            of_presence(*previous)
        ),
        Kind::PlanActivated {
            plan,
            unchanged: false,
        } => format!("plan {} in force", plan.version),
        Kind::PlanActivated {
            plan,
            unchanged: true,
        } => format!("plan {} unchanged", plan.version),
        Kind::CommandRejected(refusal) => format!("refused: {}", of_code(refusal.code)),
        Kind::AgentRemoved { agent } => format!("{} removed", agent.id),
        Kind::ContactForgotten { .. } => "contact forgotten".into(),
        Kind::IdentityConflict(conflict) => format!("{} conversations in conflict", conflict.leads.len()),
        Kind::GraceOver { agent } => format!("{agent} gone for too long"),
        Kind::BulkAccepted(_) => "bulk accepted".into(),
        Kind::BulkItemDone(item) => of_item(item.outcome),
        Kind::BulkDone(report) => format!("bulk done, {} conversations", report.results.len()),
        Kind::Skipped(why) => format!("skipped: {why}"),
        Kind::QueueServable(ask) => format!("queue of {} served again", ask.team),
        Kind::DrainPending(true) => "the drain goes on".into(),
        Kind::DrainPending(false) => "the drain begins again".into(),
    }
}

fn of_item(outcome: ItemOutcome) -> String {
    match outcome {
        ItemOutcome::Assigned => "item: assigned".into(),
        ItemOutcome::Queued => "item: queued".into(),
        ItemOutcome::Rejected(code) => format!("item: rejected, {}", of_code(code)),
        ItemOutcome::Unchanged => "item: unchanged".into(),
        ItemOutcome::Undone => "item: undone".into(),
        ItemOutcome::Skipped => "item: skipped".into(),
    }
}

fn number(conversation: ConversationId) -> u8 {
    (0..u8::MAX)
        .find(|number| id(*number) == conversation)
        .unwrap_or(u8::MAX)
}

fn of_change(change: &Change) -> String {
    let held = |standby: &bool| if *standby { ", held by a bot" } else { "" };
    match change {
        Change::Opened { reason, standby, .. } => {
            format!("opened by {}{}", of_reason(*reason), held(standby))
        }
        Change::Reopened {
            reason,
            standby,
            kept,
            ..
        } => {
            let kept = if *kept { ", kept" } else { "" };
            format!("reopened by {}{kept}{}", of_reason(*reason), held(standby))
        }
        Change::MessageReceived { turn: true, .. } => "received".into(),
        Change::MessageReceived { turn: false, .. } => "received, no turn".into(),
        Change::MessageSent { origin, .. } => match origin {
            Origin::Agent(agent) => format!("sent by {agent}"),
            Origin::Phone => "sent from the phone".into(),
            Origin::Automation => "sent by automation".into(),
        },
        Change::Queued { team, reason, .. } => format!("queued in {team}: {}", of_reason(*reason)),
        Change::Assigned(assignment) => of_assignment(assignment),
        Change::Unassigned { reason, .. } => format!("unassigned by {}", of_reason(*reason)),
        Change::Closed { reason, .. } => format!("closed by {}", of_reason(*reason)),
        Change::Held { until, .. } => format!("held{}", if until.is_some() { " until then" } else { "" }),
        Change::Resumed { reason, .. } => format!("resumed by {}", of_reason(*reason)),
        Change::Prioritized { priority, .. } => format!("priority {priority:?}"),
        Change::NoteAdded { .. } => "note added".into(),
        Change::Requested(request) => format!("{} asks {}", request.from, request.to),
        Change::RequestEnded { outcome, .. } => match outcome {
            RequestOutcome::Accepted => "request accepted".into(),
            RequestOutcome::Rejected(_) => "request rejected".into(),
            RequestOutcome::Withdrawn(_) => "request withdrawn".into(),
            RequestOutcome::TimedOut => "request timed out".into(),
            RequestOutcome::Superseded(reason) => format!("request superseded: {}", of_reason(*reason)),
        },
        Change::ReplyAuthorized { .. } => "reply authorized".into(),
        Change::ReplyUnauthorized { .. } => "reply unauthorized".into(),
        Change::Quiet(quiet) => match quiet {
            Quiet::ClockStarted(_) => "with nobody".into(),
            Quiet::Relaxed(_) => "relaxed".into(),
            Quiet::WentStale => "left to people".into(),
            Quiet::OwnerLookedAt(_) => "owner looked at".into(),
            Quiet::Learned(_) => "learned".into(),
            Quiet::EscalationPending(_) => "escalation pending".into(),
            Quiet::ExclusionsCleared => "exclusions cleared".into(),
            Quiet::QueueBlocked(ask) => format!("queue of {} blocked", ask.team),
        },
        Change::ResponseWarned { clock, policy, .. } => format!("{policy} warned of {}", of_clock(*clock)),
        Change::ResponseBreached {
            clock: ClockKind::Assign,
            policy,
            ..
        } => format!("{policy} breached"),
        Change::ResponseBreached { clock, policy, .. } => format!("{policy} breached: {}", of_clock(*clock)),
        Change::Escalated { why, to } => {
            let why = match why {
                EscalationReason::Breach => "breach",
                EscalationReason::Hops => "hops",
                EscalationReason::Window => "window",
            };
            let to = to.as_ref().map_or("nobody", |agent| agent.as_str());
            format!("escalated by {why} to {to}")
        }
    }
}

fn of_clock(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Assign => "assign",
        ClockKind::Respond => "respond",
    }
}

fn of_assignment(assignment: &Assignment) -> String {
    let by = match assignment.by {
        By::Auto => "auto",
        By::Sticky => "sticky",
        By::Manual => "manual",
        By::Claim => "claim",
        By::FirstReply => "first reply",
        By::Request => "request",
        By::Bulk => "bulk",
        By::Escalation => "escalation",
    };
    let over = if assignment.over_capacity {
        ", over capacity"
    } else {
        ""
    };
    format!("assigned to {} by {by}{over}", assignment.agent)
}

pub fn of_presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Away => "away",
        Presence::Offline => "offline",
    }
}

pub fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Customer => "customer",
        Reason::Handover => "handover",
        Reason::Command => "command",
        Reason::Plan => "plan",
        Reason::NoAgentFree => "no agent free",
        Reason::ManualTeam => "manual team",
        Reason::Transfer => "transfer",
        Reason::Agent => "agent",
        Reason::Until => "until",
        Reason::OwnerChanged => "owner changed",
        Reason::Closed => "closed",
        Reason::RecipientUnavailable => "recipient unavailable",
        Reason::RecipientRemoved => "recipient removed",
        Reason::AgentRemoved => "agent removed",
        Reason::Forgotten => "forgotten",
        Reason::OwnerOffline => "owner offline",
        Reason::Breach => "breach",
        Reason::Idle => "idle",
    }
}

pub fn of_code(code: Code) -> &'static str {
    match code {
        Code::Invalid => "invalid",
        Code::ReasonRequired => "reason_required",
        Code::NoPendingRequest => "no_pending_request",
        Code::RequestPending => "request_pending",
        Code::WindowClosed => "window_closed",
        Code::NotFound => "not_found",
        Code::UnknownAgent => "unknown_agent",
        Code::UnknownTeam => "unknown_team",
        Code::EpochConflict => "epoch_conflict",
        Code::Closed => "closed",
        Code::AlreadyAssigned => "already_assigned",
        Code::NotAssignee => "not_assignee",
        Code::NotPermitted => "not_permitted",
        Code::TargetUnavailable => "target_unavailable",
    }
}
