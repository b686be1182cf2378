//! Who is told of what: the table of notifications, pure.
//!
//! It is read for one input at a time, so that a turn which opens, queues or assigns its conversation is told once and
//! not twice. What an input tells never depends on what else was loaded with it.

use std::collections::BTreeSet;

use super::agent::{Agent, Role};
use super::conversation::{ClockKind, Conversation, Owner, PendingRequest};
use super::event::{Change, Code, Kind, Quiet, Reason, Recorded, RequestOutcome};
use super::ids::{AgentId, ChannelKey, ConversationId, TeamId};
use super::input::{Actor, Command, Recipient};
use super::state::State;

/// Someone is told of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Who is told.
    pub recipient: Recipient,
    /// Why they are.
    pub kind: NotificationKind,
    /// Of which event: its index among the input's events. It always belongs to a conversation.
    pub about: usize,
}

/// Why someone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotificationKind {
    /// The conversation is theirs now.
    Assigned,
    /// It is theirs no more.
    UnassignedFromYou,
    /// The customer wrote.
    Message,
    /// It waits for someone.
    NewConversation,
    /// It will soon have waited longer than its response policy allows.
    ResponseWarning,
    /// It waited longer than its response policy allows.
    ResponseBreach,
    /// It went up, to them or to somebody they should know of.
    Escalated,
    /// Nobody can serve what waits in a queue.
    QueueBlocked,
    /// They are asked to take it.
    RequestReceived,
    /// Whoever they asked takes it.
    RequestAccepted,
    /// Whoever they asked declined.
    RequestRejected,
    /// They are no longer asked.
    RequestWithdrawn,
    /// A request of theirs, or to them, was not answered in time.
    RequestTimedOut,
    /// A request of theirs, or to them, has nothing left to be about.
    RequestSuperseded,
    /// Their reply was refused: somebody else is the assigned agent, or nobody is.
    NotAssignee,
    /// Somebody else wrote to their customer around the gate.
    ReplyUnauthorized,
    /// It is no longer on hold.
    Resumed,
}

/// Who is told of these events of one input, in the order of the events. `state` is as they left it.
///
/// Nobody is told of their own act (but of a reply that was not let through), and nobody the same about one conversation twice.
pub fn told(state: &State, events: &[Recorded]) -> Vec<Notification> {
    let mut telling = Telling {
        state,
        events,
        seen: BTreeSet::new(),
        told: Vec::new(),
    };
    for (about, recorded) in events.iter().enumerate() {
        if let Some((conversation, change)) = recorded.change() {
            telling.of_change(about, conversation, change);
            telling.of_loss(about, recorded);
        }
        telling.of_refusal(about, recorded);
    }
    telling.told
}

/// Someone who may be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Addressee<'a> {
    Agent(&'a AgentId),
    Team(&'a TeamId),
}

/// The notifications of one input, as they come together.
struct Telling<'a> {
    state: &'a State,
    events: &'a [Recorded],
    seen: BTreeSet<(ConversationId, NotificationKind, Addressee<'a>)>,
    told: Vec<Notification>,
}

impl<'a> Telling<'a> {
    /// The rows of the table, event by event.
    fn of_change(&mut self, about: usize, conversation: &'a Conversation, change: &'a Change) {
        use NotificationKind::{
            Assigned, Escalated, Message, NewConversation, ReplyUnauthorized, RequestReceived,
            ResponseBreach, ResponseWarning, Resumed,
        };
        match change {
            Change::Opened { .. } | Change::Reopened { .. } | Change::Unassigned { .. } => {
                if self.ends_with_nobody(conversation.id) {
                    self.tell_subscribers(about, &conversation.channel, NewConversation);
                }
            }
            Change::Queued { team, .. } => {
                self.tell(about, Addressee::Team(team), NewConversation);
                self.tell_subscribers(about, &conversation.channel, NewConversation);
            }
            Change::MessageReceived { turn: true, .. } => {
                if !conversation.standby && !self.is_told_otherwise(about, conversation.id) {
                    self.tell_of_turn(about, conversation, Message);
                }
            }
            Change::Assigned(assignment) => {
                self.tell_active(about, &assignment.agent, Assigned);
            }
            Change::ResponseBreached { notify: true, .. } => {
                self.tell_managers(about, conversation.team.as_ref(), ResponseBreach);
                if let Some(owner) = conversation.owner.agent() {
                    self.tell_active(about, owner, ResponseBreach);
                }
            }
            Change::ResponseWarned { clock, .. } => match (clock, conversation.owner.agent()) {
                (ClockKind::Respond, Some(owner)) => self.tell_active(about, owner, ResponseWarning),
                _ => self.tell_managers(about, conversation.team.as_ref(), ResponseWarning),
            },
            Change::Escalated { .. } => {
                self.tell_managers(about, conversation.team.as_ref(), Escalated);
            }
            Change::Requested(request) => {
                self.tell_active(about, &request.to, RequestReceived);
            }
            Change::RequestEnded { request, outcome } => self.of_ending(about, request, outcome),
            Change::ReplyUnauthorized { .. } => {
                // Like a turn: the owner is told without a look at the roster.
                if let Some(owner) = conversation.owned_by() {
                    self.tell(about, Addressee::Agent(owner), ReplyUnauthorized);
                }
            }
            Change::Resumed {
                reason: Reason::Until,
                ..
            } => {
                if let Some(owner) = conversation.owned_by() {
                    self.tell_active(about, owner, Resumed);
                }
            }
            Change::MessageReceived { turn: false, .. }
            | Change::Resumed { .. }
            | Change::Held { .. }
            | Change::Prioritized { .. }
            | Change::NoteAdded { .. }
            | Change::ReplyAuthorized { .. }
            | Change::ResponseBreached { notify: false, .. }
            | Change::MessageSent { .. }
            | Change::Closed { .. } => {}
            Change::Quiet(quiet) => self.of_quiet(about, conversation, quiet),
        }
    }

    /// What is not announced may still be for managers to know: that what waits in their queue finds nobody.
    fn of_quiet(&mut self, about: usize, conversation: &'a Conversation, quiet: &Quiet) {
        let told = match quiet {
            Quiet::QueueBlocked(_) | Quiet::ExclusionsCleared => true,
            Quiet::Relaxed(route) => {
                let taken = route
                    .relaxed
                    .checked_sub(1)
                    .and_then(|step| route.relax.get(step));
                taken.is_some_and(|step| step.notify)
            }
            Quiet::ClockStarted(_)
            | Quiet::WentStale
            | Quiet::OwnerLookedAt(_)
            | Quiet::Learned(_)
            | Quiet::EscalationPending(_) => false,
        };
        if told {
            let team = conversation.team.as_ref();
            self.tell_managers(about, team, NotificationKind::QueueBlocked);
        }
    }

    /// How a request ended concerns the other of the two; if neither ended it, both.
    fn of_ending(&mut self, about: usize, request: &'a PendingRequest, outcome: &RequestOutcome) {
        let (kind, requester, recipient) = match outcome {
            RequestOutcome::Accepted => (NotificationKind::RequestAccepted, true, false),
            RequestOutcome::Rejected(_) => (NotificationKind::RequestRejected, true, false),
            RequestOutcome::Withdrawn(_) => (NotificationKind::RequestWithdrawn, false, true),
            RequestOutcome::TimedOut => (NotificationKind::RequestTimedOut, true, true),
            RequestOutcome::Superseded(_) => (NotificationKind::RequestSuperseded, true, true),
        };
        if requester {
            self.tell_active(about, &request.from, kind);
        }
        if recipient {
            self.tell_active(about, &request.to, kind);
        }
    }

    /// Whose reply was refused because they are not the assigned agent hears of it, as the only one of their own act.
    fn of_refusal(&mut self, about: usize, recorded: &'a Recorded) {
        let Kind::CommandRejected(refusal) = &recorded.event.kind else {
            return;
        };
        if refusal.code == Code::NotAssignee
            && &*refusal.command == Command::REPLY
            && refusal.conversation.is_some()
            && let Actor::Agent(actor) = &recorded.event.actor
        {
            self.told.push(Notification {
                recipient: Recipient::Agent(actor.clone()),
                kind: NotificationKind::NotAssignee,
                about,
            });
        }
    }

    /// Whoever loses a conversation that was not closed hears of it; a reopening takes nothing from anybody.
    fn of_loss(&mut self, about: usize, recorded: &'a Recorded) {
        if let Some(Owner::Agent(previous)) = &recorded.previous_owner
            && !recorded.was_closed
        {
            self.tell_active(about, previous, NotificationKind::UnassignedFromYou);
        }
    }

    /// A turn concerns whoever has the conversation; while that is no person, everyone who may take it.
    ///
    /// The owner is told without a look at the roster: it is not loaded when a message needs nobody else.
    fn tell_of_turn(&mut self, about: usize, conversation: &'a Conversation, kind: NotificationKind) {
        match &conversation.owner {
            Owner::Agent(owner) => self.tell(about, Addressee::Agent(owner), kind),
            Owner::Team(team) => {
                self.tell(about, Addressee::Team(team), kind);
                self.tell_subscribers(about, &conversation.channel, kind);
            }
            Owner::Nobody => self.tell_subscribers(about, &conversation.channel, kind),
        }
    }

    fn tell_subscribers(&mut self, about: usize, channel: &ChannelKey, kind: NotificationKind) {
        let subscribed = |agent: &&Agent| agent.profile.subscriptions.contains(channel);
        for agent in self.state.agents.values().filter(subscribed) {
            self.tell_active(about, &agent.id, kind);
        }
    }

    /// The team's managers; where there is none to hear it, the tenant's admins.
    fn tell_managers(&mut self, about: usize, team: Option<&TeamId>, kind: NotificationKind) {
        let state = self.state;
        let managers = team
            .and_then(|team| state.teams.get(team))
            .map_or(&[][..], |team| &team.managers);
        let mut anyone = false;
        for manager in managers.iter().filter(|id| state.active_agent(id).is_some()) {
            anyone = true;
            self.tell(about, Addressee::Agent(manager), kind);
        }
        if !anyone {
            let is_admin = |agent: &&Agent| agent.profile.role == Role::Admin;
            for admin in state.agents.values().filter(is_admin) {
                self.tell_active(about, &admin.id, kind);
            }
        }
    }

    /// Tells a person who may still act.
    fn tell_active(&mut self, about: usize, id: &'a AgentId, kind: NotificationKind) {
        if self.state.active_agent(id).is_some() {
            self.tell(about, Addressee::Agent(id), kind);
        }
    }

    /// Tells someone, unless it was their own act or they heard it already.
    fn tell(&mut self, about: usize, to: Addressee<'a>, kind: NotificationKind) {
        let Some(recorded) = self.events.get(about) else {
            return;
        };
        let own_act =
            matches!((&recorded.event.actor, to), (Actor::Agent(actor), Addressee::Agent(id)) if actor == id);
        let Some((conversation, _)) = recorded.change().filter(|_| !own_act) else {
            return;
        };
        if self.seen.insert((conversation.id, kind, to)) {
            let recipient = match to {
                Addressee::Agent(id) => Recipient::Agent(id.clone()),
                Addressee::Team(id) => Recipient::Team(id.clone()),
            };
            self.told.push(Notification {
                recipient,
                kind,
                about,
            });
        }
    }

    /// Whether the whole input leaves the conversation with nobody, and with no bot either.
    fn ends_with_nobody(&self, id: ConversationId) -> bool {
        let last = self
            .events
            .iter()
            .rev()
            .filter_map(Recorded::change)
            .find(|(conversation, _)| conversation.id == id);
        last.is_some_and(|(end, _)| end.owner == Owner::Nobody && !end.standby)
    }

    /// Whether another event of this input tells of a turn: the one that began the episode it came with, or the one
    /// that found it a place. A place found before it (in a drain) was found without it.
    fn is_told_otherwise(&self, turn: usize, id: ConversationId) -> bool {
        self.events.iter().enumerate().any(|(index, recorded)| {
            recorded.change().is_some_and(|(conversation, change)| {
                conversation.id == id
                    && match change {
                        Change::Opened { .. } | Change::Reopened { .. } => true,
                        Change::Queued { .. } | Change::Assigned(_) => index > turn,
                        _ => false,
                    }
            })
        })
    }
}
