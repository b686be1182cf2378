//! Whom an episode no longer asks, and when that would leave nobody to ask.
//!
//! Whoever was silent, declined a request or let it pass is not chosen again automatically in the episode. Where that
//! leaves a team without any member, the exclusions are cleared, once: better somebody twice than nobody ever.

use std::collections::BTreeSet;

use super::conversation::Conversation;
use super::ids::{AgentId, TeamId};
use super::state::State;

/// Whether it is time to clear a conversation's exclusions, with one more: they leave nobody in the team, for the first time.
pub fn lose_their_point(
    state: &State,
    conversation: &Conversation,
    team: &TeamId,
    one_more: Option<&AgentId>,
) -> bool {
    if are_final(conversation) {
        return false;
    }
    let mut excluded = conversation.excluded.clone();
    excluded.extend(one_more.cloned());
    !excluded.is_empty() && leave_nobody(state, team, &excluded)
}

/// Whether its exclusions stay whatever happens: they were cleared before, or somebody gave it away.
pub fn are_final(conversation: &Conversation) -> bool {
    conversation.care.exclusions_cleared || is_given_away(conversation)
}

/// Whether its last owner is excluded because they gave it away themselves: then it waits for somebody else, or for a person.
fn is_given_away(conversation: &Conversation) -> bool {
    let by_choice = |owner: &AgentId| {
        let moved = conversation.care.hops.iter().any(|hop| &hop.from == owner);
        conversation.excluded.contains(owner) && !moved
    };
    conversation.last_owner.as_ref().is_some_and(by_choice)
}

/// Whether all of a team's members who could ever be chosen are among these.
pub fn leave_nobody(state: &State, team: &TeamId, excluded: &BTreeSet<AgentId>) -> bool {
    let members = state.teams.get(team).into_iter().flat_map(|team| &team.members);
    let mut choosable = members
        .filter_map(|member| state.active_agent(&member.agent))
        .filter(|agent| agent.profile.may_reply)
        .peekable();
    choosable.peek().is_some() && choosable.all(|agent| excluded.contains(&agent.id))
}
