//! Queues that nobody could serve: managers are told once, until somebody could again.
//!
//! Served by nobody is not the same as waiting. Where those who could serve a queue are there and merely full, held back
//! by the burst guard or off until their shift, what waits is on its way; where nobody like that is there, somebody has to know.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::agent::{Agent, Skills};
use super::conversation::Conversation;
use super::ids::{AgentId, ConversationId, TeamId};
use super::matching;
use super::plan::Strategy;
use super::state::State;

/// What a queue asks of whoever is to serve it: a [`super::state::Requirement`] without how urgent it is and who had it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ask {
    /// Whose queue.
    pub team: TeamId,
    /// Whom the rule prefers, member or not.
    pub agent: Option<AgentId>,
    /// Skill levels they must have.
    pub skills: Skills,
}

impl Ask {
    /// What this conversation asks; `None` unless a strategy may give it away.
    pub fn of(conversation: &Conversation) -> Option<Self> {
        let queue = conversation
            .owner
            .queue()
            .filter(|_| conversation.may_be_matched())?;
        Some(Self {
            team: queue.clone(),
            agent: conversation.route.agent.clone(),
            skills: conversation.route.skills.clone(),
        })
    }
}

/// Those of the announced that somebody could serve now, or that no longer are queues which a strategy empties.
pub fn servable_again(state: &State) -> Vec<Ask> {
    let again = state.blocked.iter().filter(|ask| is_servable(state, ask));
    again.cloned().collect()
}

/// Of these conversations, the first of each queue that nobody could serve and of which nobody was told.
pub fn newly_blocked(
    state: &State,
    waiting: impl Iterator<Item = ConversationId>,
    now: Timestamp,
) -> Vec<(ConversationId, Ask)> {
    let mut seen = BTreeSet::new();
    let mut blocked = Vec::new();
    for conversation in waiting.filter_map(|id| state.conversation(id)) {
        let Some(ask) = Ask::of(conversation).filter(|ask| !state.blocked.contains(ask)) else {
            continue;
        };
        if seen.insert(ask.clone()) && is_on_duty(state, &ask.team, now) && !is_servable(state, &ask) {
            blocked.push((conversation.id, ask));
        }
    }
    blocked
}

/// Whether somebody who could take it, now or with a little patience, is there.
fn is_servable(state: &State, ask: &Ask) -> bool {
    let emptied = |strategy| strategy != Strategy::Manual;
    let Some(team) = state
        .teams
        .get(&ask.team)
        .filter(|_| state.plan.strategy(&ask.team).is_some_and(emptied))
    else {
        return true;
    };
    let serves = |agent: &Agent| {
        agent.profile.may_reply
            && matching::takes_new(state, agent)
            && matching::is_skilled(agent, &ask.skills)
    };
    let members = team.members.iter().map(|member| &member.agent);
    let mut candidates = ask.agent.iter().chain(members);
    candidates.any(|id| state.active_agent(id).is_some_and(serves))
}

/// Outside its hours nobody is missed: what waits then waits for the next shift.
fn is_on_duty(state: &State, team: &TeamId, now: Timestamp) -> bool {
    let calendar = state.plan.calendar_of(None, Some(team));
    calendar.is_none_or(|calendar| calendar.is_open(now))
}
