//! Who may do what: one table, pure.

use std::collections::BTreeSet;

use super::agent::Role;
use super::conversation::{Conversation, PendingRequest};
use super::event::Code;
use super::ids::{AgentId, TeamId};
use super::input::{Actor, Recipient, System};
use super::plan::{MayClaim, MayReassign};
use super::state::State;

/// A person of the tenant, or the command line, which may do everything.
#[derive(Debug, Clone, Copy)]
pub enum Acting<'a> {
    /// A person.
    Person {
        /// Who.
        id: &'a AgentId,
        /// What they may do.
        role: Role,
    },
    /// The command line.
    Cli,
}

/// Who acts, if they may act at all: known, active, or our own command line.
pub fn acting<'a>(state: &State, actor: &'a Actor) -> Result<Acting<'a>, Code> {
    match actor {
        Actor::System(System::Cli) => Ok(Acting::Cli),
        Actor::Agent(id) => {
            let agent = state.active_agent(id).ok_or(Code::UnknownAgent)?;
            Ok(Acting::Person {
                id,
                role: agent.profile.role,
            })
        }
        Actor::System(System::Router | System::Timer | System::Sweep) | Actor::Customer | Actor::Gateway => {
            Err(Code::UnknownAgent)
        }
    }
}

/// May this actor assign this conversation to that recipient?
pub fn assign(
    state: &State,
    acting: Acting<'_>,
    conversation: &Conversation,
    to: &Recipient,
) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let to_self = matches!(to, Recipient::Agent(agent) if agent == id);
    let owned = conversation.owned_by().is_some();
    if to_self && !owned {
        return claim(state, id, role, conversation);
    }
    let allowed = may_give(state, id, conversation)
        || match role {
            Role::Admin => true,
            Role::Manager => looks_after(state, id, conversation.team.as_ref()) && reaches(state, id, to),
            Role::Agent => false,
        };
    match (allowed, to_self) {
        (true, _) => Ok(()),
        (false, true) => Err(Code::AlreadyAssigned),
        (false, false) => Err(Code::NotPermitted),
    }
}

/// May this actor give this conversation away with many others? Nobody claims in bulk, and being a member of its team is
/// not enough, whatever the plan says of single conversations.
pub fn bulk_assign(
    state: &State,
    acting: Acting<'_>,
    conversation: &Conversation,
    to: &Recipient,
) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let allowed = may_give_own(state, id, conversation)
        || match role {
            Role::Admin => true,
            Role::Manager => looks_after(state, id, conversation.team.as_ref()) && reaches(state, id, to),
            Role::Agent => false,
        };
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// May this actor undo the bulk of that one?
pub fn undo_bulk(acting: Acting<'_>, of: &Actor) -> Result<(), Code> {
    let own = matches!((acting, of), (Acting::Person { id, .. }, Actor::Agent(of)) if id == of);
    if own { Ok(()) } else { administer(acting) }
}

/// May this actor take it from whoever has it?
pub fn unassign(state: &State, acting: Acting<'_>, conversation: &Conversation) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let allowed = may_give(state, id, conversation)
        || match role {
            Role::Admin => true,
            Role::Manager => looks_after(state, id, conversation.team.as_ref()),
            Role::Agent => false,
        };
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// May this actor close it or put it on hold, resume it, or reopen it once closed?
pub fn conduct(state: &State, acting: Acting<'_>, conversation: &Conversation) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let owner = if conversation.is_closed() {
        conversation.last_owner.as_ref()
    } else {
        conversation.owner.agent()
    };
    let supervisors_may = state.plan.settings.supervisors_may_close;
    let allowed = owner == Some(id) || (supervisors_may && supervises(state, id, role, conversation));
    if allowed { Ok(()) } else { Err(Code::NotAssignee) }
}

/// May this actor ask that colleague to take it?
pub fn request(
    state: &State,
    acting: Acting<'_>,
    conversation: &Conversation,
    to: &AgentId,
) -> Result<(), Code> {
    if let Acting::Person { id, .. } = acting
        && conversation.owned_by() == Some(id)
    {
        return Ok(());
    }
    assign(state, acting, conversation, &Recipient::Agent(to.clone()))
}

/// May this actor accept or reject the request?
pub fn answer(acting: Acting<'_>, request: &PendingRequest) -> Result<(), Code> {
    match acting {
        Acting::Person { id, .. } if id != &request.to => Err(Code::NotPermitted),
        Acting::Person { .. } | Acting::Cli => Ok(()),
    }
}

/// May this actor take the request back?
pub fn withdraw(acting: Acting<'_>, request: &PendingRequest) -> Result<(), Code> {
    match acting {
        Acting::Person { id, role } if id != &request.from && role != Role::Admin => Err(Code::NotPermitted),
        Acting::Person { .. } | Acting::Cli => Ok(()),
    }
}

/// May this actor reply to the customer? Nobody but the owner; while there is none, whoever may claim it, and without a
/// claim agents only.
pub fn reply(
    state: &State,
    acting: Acting<'_>,
    conversation: &Conversation,
    leave_unassigned: bool,
) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let is_assignee = match conversation.owned_by() {
        Some(owner) => owner == id,
        None => {
            let without_claim = leave_unassigned && role != Role::Agent;
            !without_claim && claim(state, id, role, conversation).is_ok()
        }
    };
    let may_reply = state
        .active_agent(id)
        .is_some_and(|agent| agent.profile.may_reply);
    match (is_assignee, may_reply) {
        (false, _) => Err(Code::NotAssignee),
        (true, false) => Err(Code::NotPermitted),
        (true, true) => Ok(()),
    }
}

/// May this actor say how urgent it is?
pub fn prioritize(state: &State, acting: Acting<'_>, conversation: &Conversation) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let allowed = conversation.owned_by() == Some(id) || supervises(state, id, role, conversation);
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// What somebody may see besides what they own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Everything.
    Everything,
    /// What is in no team, or in one of these.
    Teams(BTreeSet<TeamId>),
}

/// What this actor may see besides what they own.
pub fn sight(state: &State, acting: Acting<'_>) -> Sight {
    let (id, role) = match acting {
        Acting::Cli
        | Acting::Person {
            role: Role::Admin, ..
        } => return Sight::Everything,
        Acting::Person { .. } if state.plan.settings.agents_view_all => return Sight::Everything,
        Acting::Person { id, role } => (id, role),
    };
    let looks_into =
        |team: &&TeamId| is_in(state, id, team) || (role == Role::Manager && state.manages(id, team));
    Sight::Teams(state.teams.keys().filter(looks_into).cloned().collect())
}

/// May this actor see it, and write notes on it?
pub fn view(state: &State, acting: Acting<'_>, conversation: &Conversation) -> Result<(), Code> {
    let own = matches!(acting, Acting::Person { id, .. } if conversation.owner.agent() == Some(id));
    let allowed = own
        || match sight(state, acting) {
            Sight::Everything => true,
            Sight::Teams(teams) => conversation.team.as_ref().is_none_or(|team| teams.contains(team)),
        };
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// May this actor say whether that agent is there?
pub fn presence(state: &State, acting: Acting<'_>, of: &AgentId) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let allowed = id == of
        || match role {
            Role::Admin => true,
            Role::Manager => state.teams_of(of).any(|team| state.manages(id, team)),
            Role::Agent => false,
        };
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// May this actor write agents and plans?
pub fn administer(acting: Acting<'_>) -> Result<(), Code> {
    match acting {
        Acting::Cli
        | Acting::Person {
            role: Role::Admin, ..
        } => Ok(()),
        Acting::Person { .. } => Err(Code::NotPermitted),
    }
}

/// Taking what no agent owns.
fn claim(state: &State, id: &AgentId, role: Role, conversation: &Conversation) -> Result<(), Code> {
    let own_or_none = conversation
        .team
        .as_ref()
        .is_none_or(|team| is_in(state, id, team));
    let allowed = match (role, state.plan.settings.agents_may_claim) {
        (Role::Admin, _) => true,
        (Role::Manager, _) => own_or_none || looks_after(state, id, conversation.team.as_ref()),
        (Role::Agent, MayClaim::Teams) => own_or_none,
        (Role::Agent, MayClaim::Any) => true,
        (Role::Agent, MayClaim::None) => false,
    };
    if allowed { Ok(()) } else { Err(Code::NotPermitted) }
}

/// What owners and members may give away, whatever else they are.
fn may_give(state: &State, id: &AgentId, conversation: &Conversation) -> bool {
    may_give_own(state, id, conversation) || may_give_any(state, id, conversation)
}

/// The owner may give away what is theirs, unless the tenant says nobody may.
fn may_give_own(state: &State, id: &AgentId, conversation: &Conversation) -> bool {
    conversation.owned_by() == Some(id) && state.plan.settings.agents_may_reassign != MayReassign::None
}

/// Any member of the conversation's team may give it away, where the tenant says so.
fn may_give_any(state: &State, id: &AgentId, conversation: &Conversation) -> bool {
    state.plan.settings.agents_may_reassign == MayReassign::Any
        && conversation
            .team
            .as_ref()
            .is_some_and(|team| is_in(state, id, team))
}

/// Whether somebody stands above the conversation's team.
fn supervises(state: &State, id: &AgentId, role: Role, conversation: &Conversation) -> bool {
    match role {
        Role::Admin => true,
        Role::Manager => conversation
            .team
            .as_ref()
            .is_some_and(|team| state.manages(id, team)),
        Role::Agent => false,
    }
}

/// A manager looks after what is in no team or in one of theirs.
fn looks_after(state: &State, id: &AgentId, team: Option<&TeamId>) -> bool {
    team.is_none_or(|team| state.manages(id, team))
}

/// A manager may give to their teams and to the people in them.
fn reaches(state: &State, id: &AgentId, to: &Recipient) -> bool {
    match to {
        Recipient::Team(team) => state.manages(id, team),
        Recipient::Agent(agent) => state.teams_of(agent).any(|team| state.manages(id, team)),
    }
}

fn is_in(state: &State, id: &AgentId, team: &TeamId) -> bool {
    state.teams.get(team).is_some_and(|team| team.has_member(id))
}
