//! The words of the contract, written out once more: a changed word breaks every client that compares it.

use switchboard::contract::words::Wire;
use switchboard::domain::agent::{Presence, Role};
use switchboard::domain::conversation::{Priority, Status};
use switchboard::domain::event::{By, Code, Reason};
use switchboard::domain::input::{Origin, System};
use switchboard::domain::notify::NotificationKind;
use switchboard::domain::plan::Strategy;

use crate::company::agent;

fn words<const N: usize>(values: [&dyn Wire; N]) -> [&'static str; N] {
    values.map(Wire::wire)
}

#[test]
fn statuses_priorities_and_roles_have_their_words() {
    assert_eq!(
        words([&Status::Open, &Status::OnHold, &Status::Closed]),
        ["open", "on_hold", "closed"]
    );
    assert_eq!(
        words([
            &Priority::Low,
            &Priority::Normal,
            &Priority::High,
            &Priority::Urgent
        ]),
        ["low", "normal", "high", "urgent"]
    );
    assert_eq!(
        words([&Role::Agent, &Role::Manager, &Role::Admin]),
        ["agent", "manager", "admin"]
    );
    assert_eq!(
        words([&Presence::Online, &Presence::Away, &Presence::Offline]),
        ["online", "away", "offline"]
    );
}

#[test]
fn strategies_have_the_words_of_the_plan() {
    assert_eq!(
        words([
            &Strategy::RoundRobin,
            &Strategy::LeastLoaded,
            &Strategy::LongestIdle,
            &Strategy::Ranked,
            &Strategy::Manual,
        ]),
        ["round_robin", "least_loaded", "longest_idle", "ranked", "manual"]
    );
}

#[test]
fn origins_and_our_own_actors_have_their_words() {
    let by_agent = Origin::Agent(agent("mark"));
    assert_eq!(
        words([&by_agent, &Origin::Phone, &Origin::Automation]),
        ["agent", "phone", "automation"]
    );
    assert_eq!(
        words([&System::Router, &System::Timer, &System::Sweep, &System::Cli]),
        ["router", "timer", "sweep", "cli"]
    );
}

#[test]
fn ways_and_reasons_have_their_words() {
    assert_eq!(
        words([
            &By::Auto,
            &By::Sticky,
            &By::Manual,
            &By::Claim,
            &By::FirstReply,
            &By::Request
        ]),
        ["auto", "sticky", "manual", "claim", "first_reply", "request"]
    );
    assert_eq!(
        words([
            &Reason::Customer,
            &Reason::Handover,
            &Reason::Command,
            &Reason::Plan,
            &Reason::NoAgentFree,
            &Reason::ManualTeam,
            &Reason::Transfer,
            &Reason::Agent,
            &Reason::Until,
            &Reason::OwnerChanged,
            &Reason::Closed,
            &Reason::RecipientUnavailable,
            &Reason::RecipientRemoved,
        ]),
        [
            "customer",
            "handover",
            "command",
            "plan",
            "no_agent_free",
            "manual_team",
            "transfer",
            "agent",
            "until",
            "owner_changed",
            "closed",
            "recipient_unavailable",
            "recipient_removed"
        ]
    );
}

#[test]
fn refusals_have_the_codes_of_the_contract() {
    assert_eq!(
        words([
            &Code::Invalid,
            &Code::ReasonRequired,
            &Code::NotFound,
            &Code::UnknownAgent,
            &Code::UnknownTeam,
            &Code::EpochConflict,
            &Code::Closed,
            &Code::NoPendingRequest,
            &Code::AlreadyAssigned,
            &Code::NotAssignee,
            &Code::NotPermitted,
            &Code::RequestPending,
            &Code::TargetUnavailable,
            &Code::WindowClosed,
        ]),
        [
            "invalid",
            "reason_required",
            "not_found",
            "unknown_agent",
            "unknown_team",
            "epoch_conflict",
            "closed",
            "no_pending_request",
            "already_assigned",
            "not_assignee",
            "not_permitted",
            "request_pending",
            "target_unavailable",
            "window_closed",
        ]
    );
}

#[test]
fn notifications_have_the_kinds_of_the_contract() {
    assert_eq!(
        words([
            &NotificationKind::Assigned,
            &NotificationKind::UnassignedFromYou,
            &NotificationKind::Message,
            &NotificationKind::NewConversation,
            &NotificationKind::ResponseWarning,
            &NotificationKind::ResponseBreach,
            &NotificationKind::Escalated,
            &NotificationKind::QueueBlocked,
            &NotificationKind::RequestReceived,
            &NotificationKind::RequestAccepted,
            &NotificationKind::RequestRejected,
            &NotificationKind::RequestWithdrawn,
            &NotificationKind::RequestTimedOut,
            &NotificationKind::RequestSuperseded,
            &NotificationKind::NotAssignee,
            &NotificationKind::ReplyUnauthorized,
            &NotificationKind::Resumed,
        ]),
        switchboard::contract::notification::kinds_of_notifications()
    );
}
