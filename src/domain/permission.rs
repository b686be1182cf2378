//! Who may do what: one table, pure.

use super::agent::Role;
use super::conversation::{Conversation, Owner};
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
    let owned = conversation.carried_by().is_some();
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

/// May this actor close it, or reopen it once closed?
pub fn close_or_reopen(state: &State, acting: Acting<'_>, conversation: &Conversation) -> Result<(), Code> {
    let Acting::Person { id, role } = acting else {
        return Ok(());
    };
    let owner = if conversation.is_open() {
        conversation.owner.agent()
    } else {
        conversation.last_owner.as_ref()
    };
    let supervises = match role {
        Role::Admin => true,
        Role::Manager => conversation
            .team
            .as_ref()
            .is_some_and(|team| state.manages(id, team)),
        Role::Agent => false,
    };
    let allowed = owner == Some(id) || (state.plan.settings.supervisors_may_close && supervises);
    if allowed { Ok(()) } else { Err(Code::NotAssignee) }
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
    conversation.is_open()
        && conversation.owner == Owner::Agent(id.clone())
        && state.plan.settings.agents_may_reassign != MayReassign::None
}

/// Any member of the conversation's team may give it away, where the tenant says so.
fn may_give_any(state: &State, id: &AgentId, conversation: &Conversation) -> bool {
    state.plan.settings.agents_may_reassign == MayReassign::Any
        && conversation
            .team
            .as_ref()
            .is_some_and(|team| is_in(state, id, team))
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
