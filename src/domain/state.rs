//! What a batch has loaded of one tenant's world: the core reads and changes this and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::agent::{Agent, Membership};
use super::conversation::Conversation;
use super::ids::{AgentId, ConversationId, TeamId};
use super::plan::{Plan, Strategy};

/// Where priority always wins, a step is worth this much waiting: longer than any conversation waits.
const ALWAYS: SignedDuration = SignedDuration::from_hours(24 * 365 * 100);

/// One tenant's world, as far as a batch loaded it.
#[derive(Debug, Clone)]
pub struct State {
    /// The plan in force.
    pub plan: Arc<Plan>,
    /// Everyone, by id. Empty when nothing in the batch can touch ownership (`decide::needs_roster`).
    pub agents: BTreeMap<AgentId, Agent>,
    /// Who is in which team.
    pub teams: BTreeMap<TeamId, Membership>,
    /// A drain stopped at its bound: until it goes on, newcomers wait behind it.
    pub drain_pending: bool,
    conversations: HashMap<ConversationId, Conversation>,
    waiting: BTreeMap<Place, Requirement>,
    /// Requirements of which more conversations wait than were loaded, with the last place that was.
    more_waiting: BTreeMap<Requirement, Place>,
    /// Whether a plan of this batch empties queues that were not loaded, or in another order than they were.
    pub queues_outdated: bool,
    /// Whether a freed place (or a waiting conversation that another lane's drain skipped) still has to be offered.
    pub unsettled: bool,
}

/// A place in the order of all queues: rank (waiting time plus priority's head start), then age, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    rank: Timestamp,
    waits_from: Timestamp,
    /// Whose place it is.
    pub conversation: ConversationId,
}

/// What a waiting conversation asks of an agent. Conversations that ask for the same are served by the same agents, so
/// each requirement is a queue without head-of-line blocking: `priority +skill:level … @preferred -excluded …`, ids hold no spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The team in whose queue it waits.
    pub team: TeamId,
    /// The rest, as one word list.
    pub needs: Arc<str>,
}

impl Requirement {
    /// What this conversation asks; `None` unless a strategy may give it away.
    pub fn of(conversation: &Conversation) -> Option<Self> {
        let team = conversation
            .owner
            .queue()
            .filter(|_| conversation.may_be_matched())?
            .clone();
        let mut needs = conversation.priority.steps().to_string();
        for (skill, level) in &conversation.route.skills {
            needs.push_str(&format!(" +{skill}:{level}"));
        }
        if let Some(agent) = &conversation.route.agent {
            needs.push_str(&format!(" @{agent}"));
        }
        for agent in &conversation.excluded {
            needs.push_str(&format!(" -{agent}"));
        }
        Some(Self {
            team,
            needs: needs.into(),
        })
    }
}

impl State {
    /// A tenant's world with nothing loaded but its plan.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            agents: BTreeMap::new(),
            teams: BTreeMap::new(),
            drain_pending: false,
            conversations: HashMap::new(),
            waiting: BTreeMap::new(),
            more_waiting: BTreeMap::new(),
            queues_outdated: false,
            unsettled: false,
        }
    }

    /// A conversation, if it is loaded.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.get(&id)
    }

    /// All loaded conversations.
    pub fn conversations(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.values()
    }

    /// Puts a conversation in, as loaded or as evolved, and its queue place with it.
    pub fn put(&mut self, conversation: Conversation) {
        if let Some(before) = self.conversations.get(&conversation.id) {
            let place = self.place(before);
            self.waiting.remove(&place);
        }
        if let Some(requirement) = self.requirement(&conversation) {
            self.waiting.insert(self.place(&conversation), requirement);
        }
        self.conversations.insert(conversation.id, conversation);
    }

    /// Takes a conversation out to change it: `put` must follow.
    pub fn take(&mut self, id: ConversationId) -> Option<Conversation> {
        let conversation = self.conversations.remove(&id)?;
        let place = self.place(&conversation);
        self.waiting.remove(&place);
        Some(conversation)
    }

    /// The loaded conversations that a strategy may give away, first come first.
    pub fn waiting(&self) -> impl Iterator<Item = (&Place, &Requirement)> {
        self.waiting.iter()
    }

    /// More conversations of these requirements may wait than the loaded page of their queues holds: whatever comes after
    /// the page's last of them need not be what comes next.
    pub fn more_wait(&mut self, requirements: &[Requirement], page: &[ConversationId]) {
        for conversation in page.iter().filter_map(|id| self.conversations.get(id)) {
            if let Some(requirement) = Requirement::of(conversation).filter(|one| requirements.contains(one))
            {
                let place = self.place(conversation);
                let last = self.more_waiting.entry(requirement).or_insert(place);
                *last = place.max(*last);
            }
        }
    }

    /// Requirements of which more conversations wait than were loaded, with the last place that was.
    pub fn more_waiting(&self) -> &BTreeMap<Requirement, Place> {
        &self.more_waiting
    }

    /// After a new plan: priorities' head starts and teams' strategies may be others now.
    pub fn reorder_waiting(&mut self) {
        self.waiting = self
            .conversations
            .values()
            .filter_map(|conversation| Some((self.place(conversation), self.requirement(conversation)?)))
            .collect();
    }

    /// What the conversation asks, if it waits in a queue that a strategy of the present plan empties.
    fn requirement(&self, conversation: &Conversation) -> Option<Requirement> {
        let requirement = Requirement::of(conversation)?;
        let strategy = self.plan.strategy(&requirement.team)?;
        (strategy != Strategy::Manual).then_some(requirement)
    }

    fn place(&self, conversation: &Conversation) -> Place {
        let step = SignedDuration::try_from(self.plan.settings.aging)
            .ok()
            .filter(|step| !step.is_zero())
            .unwrap_or(ALWAYS);
        let waits_from = conversation.waits_from();
        let head_start = step.checked_mul(conversation.priority.steps()).unwrap_or(ALWAYS);
        let rank = waits_from.checked_sub(head_start).unwrap_or(Timestamp::MIN);
        Place {
            rank,
            waits_from,
            conversation: conversation.id,
        }
    }

    /// The teams an agent is a member of, in the order of ids.
    pub fn teams_of<'a>(&'a self, agent: &'a AgentId) -> impl Iterator<Item = &'a TeamId> {
        self.teams
            .iter()
            .filter(|(_, team)| team.has_member(agent))
            .map(|(id, _)| id)
    }

    /// Whether an agent manages a team.
    pub fn manages(&self, agent: &AgentId, team: &TeamId) -> bool {
        self.teams.get(team).is_some_and(|team| team.has_manager(agent))
    }

    /// The limit that holds for an agent; 0 = unlimited.
    pub fn capacity_of(&self, agent: &Agent) -> u32 {
        agent.profile.capacity.unwrap_or(self.plan.settings.capacity)
    }

    /// Whether a person may act: known and active.
    pub fn active_agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.get(id).filter(|agent| agent.profile.active)
    }

    /// Puts or takes the weight of a conversation on or off whoever carries it.
    pub fn weigh(&mut self, conversation: &Conversation, change: i32) {
        if let Some(agent) = conversation.carried_by().and_then(|id| self.agents.get_mut(id)) {
            agent.carry(conversation.team.as_ref(), change);
        }
    }
}
