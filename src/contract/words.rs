//! The words that stand for enums on the wire: every one in one place, because outside clients compare them.

use crate::domain::agent::{Presence, Role};
use crate::domain::bulk::ItemOutcome;
use crate::domain::conversation::{ClockKind, EscalationReason, Priority, Status};
use crate::domain::event::{By, Code, Reason};
use crate::domain::identity::AliasKind;
use crate::domain::input::{Origin, System};
use crate::domain::notify::NotificationKind;
use crate::domain::plan::Strategy;

/// Something that is a word on the wire.
pub trait Wire {
    /// The word.
    fn wire(&self) -> &'static str;
}

/// All words of a sort.
pub trait Words {
    /// Each once: every arm of [`Wire::wire`], so none can be missing.
    const WORDS: &'static [&'static str];
}

/// Says which word stands for what, and with it which words there are.
macro_rules! words {
    ($sort:ty { $($meant:pat => $word:literal,)+ }) => {
        impl Wire for $sort {
            fn wire(&self) -> &'static str {
                match self {
                    $($meant => $word,)+
                }
            }
        }

        impl Words for $sort {
            const WORDS: &'static [&'static str] = &[$($word,)+];
        }
    };
}

// In events and in the hashes of identifiers alike.
words! {
    AliasKind {
        AliasKind::Phone => "phone",
        AliasKind::Bsuid => "bsuid",
        AliasKind::ParentBsuid => "parent_bsuid",
        AliasKind::Lid => "lid",
        AliasKind::Group => "group",
    }
}

words! {
    Status {
        Status::Open => "open",
        Status::OnHold => "on_hold",
        Status::Closed => "closed",
    }
}

words! {
    Priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

words! {
    Role {
        Role::Agent => "agent",
        Role::Manager => "manager",
        Role::Admin => "admin",
    }
}

words! {
    Presence {
        Presence::Online => "online",
        Presence::Away => "away",
        Presence::Offline => "offline",
    }
}

words! {
    Strategy {
        Strategy::RoundRobin => "round_robin",
        Strategy::LeastLoaded => "least_loaded",
        Strategy::LongestIdle => "longest_idle",
        Strategy::Ranked => "ranked",
        Strategy::Manual => "manual",
    }
}

// Who wrote from outside the gate; which agent is said beside it.
words! {
    Origin {
        Origin::Agent(_) => "agent",
        Origin::Phone => "phone",
        Origin::Automation => "automation",
    }
}

// The ids of our own actors.
words! {
    System {
        System::Router => "router",
        System::Timer => "timer",
        System::Sweep => "sweep",
        System::Cli => "cli",
    }
}

words! {
    ClockKind {
        ClockKind::Assign => "assign",
        ClockKind::Respond => "respond",
    }
}

words! {
    EscalationReason {
        EscalationReason::Breach => "breach",
        EscalationReason::Hops => "hops",
        EscalationReason::Window => "window",
    }
}

words! {
    By {
        By::Auto => "auto",
        By::Sticky => "sticky",
        By::Manual => "manual",
        By::Claim => "claim",
        By::Bulk => "bulk",
        By::FirstReply => "first_reply",
        By::Request => "request",
        By::Escalation => "escalation",
    }
}

words! {
    Reason {
        Reason::Customer => "customer",
        Reason::Handover => "handover",
        Reason::Command => "command",
        Reason::Plan => "plan",
        Reason::NoAgentFree => "no_agent_free",
        Reason::ManualTeam => "manual_team",
        Reason::Transfer => "transfer",
        Reason::AgentRemoved => "agent_removed",
        Reason::Forgotten => "forgotten",
        Reason::OwnerOffline => "owner_offline",
        Reason::Breach => "breach",
        Reason::Idle => "idle",
        Reason::Agent => "agent",
        Reason::Until => "until",
        Reason::OwnerChanged => "owner_changed",
        Reason::Closed => "closed",
        Reason::RecipientUnavailable => "recipient_unavailable",
        Reason::RecipientRemoved => "recipient_removed",
    }
}

// What became of an item of a bulk; the code of a refusal is said beside it.
words! {
    ItemOutcome {
        ItemOutcome::Assigned => "assigned",
        ItemOutcome::Queued => "queued",
        ItemOutcome::Rejected(_) => "rejected",
        ItemOutcome::Unchanged => "unchanged",
        ItemOutcome::Undone => "undone",
        ItemOutcome::Skipped => "skipped",
    }
}

words! {
    Code {
        Code::Invalid => "invalid",
        Code::ReasonRequired => "reason_required",
        Code::NotFound => "not_found",
        Code::UnknownAgent => "unknown_agent",
        Code::UnknownTeam => "unknown_team",
        Code::EpochConflict => "epoch_conflict",
        Code::Closed => "closed",
        Code::NoPendingRequest => "no_pending_request",
        Code::AlreadyAssigned => "already_assigned",
        Code::NotAssignee => "not_assignee",
        Code::NotPermitted => "not_permitted",
        Code::RequestPending => "request_pending",
        Code::TargetUnavailable => "target_unavailable",
        Code::WindowClosed => "window_closed",
    }
}

words! {
    NotificationKind {
        NotificationKind::Assigned => "assigned",
        NotificationKind::UnassignedFromYou => "unassigned_from_you",
        NotificationKind::Message => "message",
        NotificationKind::NewConversation => "new_conversation",
        NotificationKind::ResponseWarning => "response_warning",
        NotificationKind::ResponseBreach => "response_breach",
        NotificationKind::Escalated => "escalated",
        NotificationKind::QueueBlocked => "queue_blocked",
        NotificationKind::RequestReceived => "request_received",
        NotificationKind::RequestAccepted => "request_accepted",
        NotificationKind::RequestRejected => "request_rejected",
        NotificationKind::RequestWithdrawn => "request_withdrawn",
        NotificationKind::RequestTimedOut => "request_timed_out",
        NotificationKind::RequestSuperseded => "request_superseded",
        NotificationKind::NotAssignee => "not_assignee",
        NotificationKind::ReplyUnauthorized => "reply_unauthorized",
        NotificationKind::Resumed => "resumed",
    }
}
