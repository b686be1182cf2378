//! Whom to offer a freed place to: of all who wait, first come first, those for whom somebody is there.
//!
//! A team may have thousands of members and its queue hundreds of requirements. Who has room at all is looked up once for
//! each team, so that a requirement nobody can serve costs a glance and not a choice among all members.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::agent::Skills;
use super::conversation::Conversation;
use super::exclusion;
use super::ids::{AgentId, ConversationId, TeamId};
use super::line::Line;
use super::matching::{self, Wanted};
use super::state::{Place, Requirement, State};

/// One pass over the loaded waiting conversations.
///
/// One is enough: each assignment only takes capacity, so what found nobody earlier in the pass finds nobody later; and
/// what asks for the same as one that found nobody need not be asked again.
#[derive(Debug)]
pub struct Offers {
    line: Line,
    /// What the one asks that was given out last.
    asked: Option<Requirement>,
    /// Requirements of which more wait than are loaded, with the last place that is; none of those that nobody can serve.
    beyond: BTreeMap<Requirement, Place>,
    /// The first place of those: whatever comes after it need not be what comes next.
    bound: Option<Place>,
    rooms: BTreeMap<TeamId, Room>,
    now: Timestamp,
}

impl Offers {
    /// Begins with the first who waits.
    pub fn new(state: &State, now: Timestamp) -> Self {
        let beyond = state.more_waiting().clone();
        Self {
            line: Line::of(state),
            asked: None,
            bound: beyond.values().min().copied(),
            beyond,
            rooms: BTreeMap::new(),
            now,
        }
    }

    /// The next one for whom somebody eligible is there, as things stand now. It stops where conversations that are not
    /// loaded may come first.
    pub fn next(&mut self, state: &State) -> Option<ConversationId> {
        while let Some((place, requirement)) = self.line.next(state) {
            if self.bound.is_some_and(|bound| bound < place) {
                return None;
            }
            let conversation = state.conversation(place.conversation);
            let servable = conversation.is_some_and(|conversation| self.is_servable(state, conversation));
            self.asked = Some(requirement);
            if servable {
                return Some(place.conversation);
            }
            self.found_nobody();
        }
        None
    }

    /// The last one found nobody: nor will those who ask for the same.
    pub fn found_nobody(&mut self) {
        let Some(requirement) = self.asked.take() else {
            return;
        };
        if self.beyond.remove(&requirement).is_some() {
            self.bound = self.beyond.values().min().copied();
        }
        self.line.strike();
    }

    /// Whether nobody who could be served is left, loaded or not: to be asked at the end.
    pub fn is_complete(&self) -> bool {
        self.beyond.is_empty()
    }

    /// Someone was given a conversation: they may have no more room.
    pub fn given_to(&mut self, state: &State, agent: &AgentId) {
        for (team, room) in &mut self.rooms {
            room.members
                .retain(|member| member != agent || has_room(state, team, member, self.now));
        }
    }

    fn is_servable(&mut self, state: &State, conversation: &Conversation) -> bool {
        let Some(wanted) = Wanted::by(conversation, self.now) else {
            return false;
        };
        if wants_care(state, conversation, self.now) {
            return true;
        }
        let eligible = |agent: &AgentId| matching::passed_over(state, agent, wanted).is_none();
        if wanted.agent.is_some_and(eligible) {
            return true;
        }
        let Some(team) = wanted.team else {
            return false;
        };
        let room = self
            .rooms
            .entry(team.clone())
            .or_insert_with(|| Room::of(state, team, self.now));
        let taught = |(skill, level): (_, &u8)| room.best.get(skill).is_some_and(|best| best >= level);
        wanted.skills.iter().all(taught) && room.members.iter().any(eligible)
    }
}

/// Whether something has to be done with it although nobody may be there for it: it is left to people, or freed of
/// exclusions that leave nobody.
fn wants_care(state: &State, conversation: &Conversation, now: Timestamp) -> bool {
    let queue = conversation.owner.queue();
    matching::is_too_old(&state.plan, conversation, now)
        || queue.is_some_and(|team| exclusion::lose_their_point(state, conversation, team, None))
}

/// Who of a team has room for one more conversation of it, whatever that asks for.
#[derive(Debug)]
struct Room {
    members: Vec<AgentId>,
    /// The highest level of each skill among those who had room at the beginning.
    best: Skills,
}

impl Room {
    fn of(state: &State, team: &TeamId, now: Timestamp) -> Self {
        let members = state.teams.get(team).into_iter().flat_map(|team| &team.members);
        let members: Vec<AgentId> = members
            .map(|member| &member.agent)
            .filter(|agent| has_room(state, team, agent, now))
            .cloned()
            .collect();
        let mut best = Skills::new();
        let skills = members
            .iter()
            .filter_map(|agent| state.agents.get(agent))
            .flat_map(|agent| &agent.profile.skills);
        for (skill, level) in skills {
            let highest = best.entry(skill.clone()).or_default();
            *highest = (*level).max(*highest);
        }
        Self { members, best }
    }
}

/// Whether a member could be given a conversation of the team that asks for nothing. Who could not is given none at all:
/// whatever a conversation asks for only passes more people over.
fn has_room(state: &State, team: &TeamId, agent: &AgentId, now: Timestamp) -> bool {
    let anything = Wanted {
        team: Some(team),
        agent: None,
        skills: &Skills::new(),
        excluded: &BTreeSet::new(),
        carried: None,
        now,
    };
    matching::passed_over(state, agent, anything).is_none()
}
