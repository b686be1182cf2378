//! What a batch has loaded of one tenant's world: the core reads and changes this and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::agent::{Agent, Membership};
use super::blocked::Ask;
use super::conversation::{Conversation, Priority};
use super::exclusion;
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
    /// What nobody could serve when it was last looked: managers are told once, until somebody can.
    pub blocked: BTreeSet<Ask>,
    conversations: HashMap<ConversationId, Conversation>,
    waiting: BTreeMap<Place, Requirement>,
    /// The same by what they ask: each a queue without head-of-line blocking. None is empty.
    queues: BTreeMap<Requirement, BTreeSet<Place>>,
    /// Requirements of which more conversations wait than were loaded, with the last place that was.
    more_waiting: BTreeMap<Requirement, Place>,
    /// Whether a plan of this batch empties queues that were not loaded, or in another order than they were.
    pub queues_outdated: bool,
    /// Whether a freed place (or a waiting conversation that another lane's drain skipped) still has to be offered.
    pub unsettled: bool,
    /// Whether people, plan or hours changed, and nobody has looked yet if somebody can still serve what waits.
    pub unwatched: bool,
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
/// each requirement is a queue without head-of-line blocking: `priority +skill:level … @preferred -excluded … !` (with the mark
/// where the exclusions are final); ids hold no spaces.
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
        // Those that may yet be freed of their exclusions are served by other people than those that are not.
        if !conversation.excluded.is_empty() && exclusion::are_final(conversation) {
            needs.push_str(" !");
        }
        Some(Self {
            team,
            needs: needs.into(),
        })
    }
}

/// By how much a conversation of this priority is ahead of a normal one that has waited as long.
pub fn head_start(plan: &Plan, priority: Priority) -> SignedDuration {
    let step = SignedDuration::try_from(plan.settings.aging)
        .ok()
        .filter(|step| !step.is_zero())
        .unwrap_or(ALWAYS);
    step.checked_mul(priority.steps()).unwrap_or(ALWAYS)
}

impl State {
    /// A tenant's world with nothing loaded but its plan.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            agents: BTreeMap::new(),
            teams: BTreeMap::new(),
            drain_pending: false,
            blocked: BTreeSet::new(),
            conversations: HashMap::new(),
            waiting: BTreeMap::new(),
            queues: BTreeMap::new(),
            more_waiting: BTreeMap::new(),
            queues_outdated: false,
            unsettled: false,
            unwatched: false,
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
            self.leave(place);
        }
        if let Some(requirement) = self.requirement(&conversation) {
            self.line_up(self.place(&conversation), requirement);
        }
        self.conversations.insert(conversation.id, conversation);
    }

    /// Takes a conversation out to change it: `put` must follow.
    pub fn take(&mut self, id: ConversationId) -> Option<Conversation> {
        let conversation = self.conversations.remove(&id)?;
        let place = self.place(&conversation);
        self.leave(place);
        Some(conversation)
    }

    /// Takes a conversation out for good: it is over, and its customer will not come back (a simulation knows).
    pub fn forget(&mut self, id: ConversationId) {
        self.take(id);
    }

    fn line_up(&mut self, place: Place, requirement: Requirement) {
        self.queues.entry(requirement.clone()).or_default().insert(place);
        self.waiting.insert(place, requirement);
    }

    fn leave(&mut self, place: Place) {
        let Some(requirement) = self.waiting.remove(&place) else {
            return;
        };
        if let Some(queue) = self.queues.get_mut(&requirement) {
            queue.remove(&place);
            if queue.is_empty() {
                self.queues.remove(&requirement);
            }
        }
    }

    /// What is asked by anybody who waits, each with the place of the first who asks it.
    pub fn heads(&self) -> impl Iterator<Item = (Place, &Requirement)> {
        let head = |(requirement, queue): (_, &BTreeSet<Place>)| Some((*queue.first()?, requirement));
        self.queues.iter().filter_map(head)
    }

    /// Who asks for the same, and comes next after this place.
    pub fn behind(&self, place: Place, requirement: &Requirement) -> Option<Place> {
        let queue = self.queues.get(requirement)?;
        queue
            .range((Bound::Excluded(place), Bound::Unbounded))
            .next()
            .copied()
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
        let waiting: Vec<_> = self
            .conversations
            .values()
            .filter_map(|conversation| Some((self.place(conversation), self.requirement(conversation)?)))
            .collect();
        self.waiting.clear();
        self.queues.clear();
        for (place, requirement) in waiting {
            self.line_up(place, requirement);
        }
    }

    /// What the conversation asks, if it waits in a queue that a strategy of the present plan empties.
    fn requirement(&self, conversation: &Conversation) -> Option<Requirement> {
        let requirement = Requirement::of(conversation)?;
        let strategy = self.plan.strategy(&requirement.team)?;
        (strategy != Strategy::Manual).then_some(requirement)
    }

    fn place(&self, conversation: &Conversation) -> Place {
        let waits_from = conversation.waits_from();
        let head_start = head_start(&self.plan, conversation.priority);
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

    /// Who carries a conversation before what happens to it now, and for which team.
    pub fn carrier_of(&self, id: ConversationId) -> Option<(&AgentId, Option<&TeamId>)> {
        let conversation = self.conversation(id)?;
        Some((conversation.carried_by()?, conversation.team.as_ref()))
    }

    /// Puts or takes the weight of a conversation on or off whoever carries it.
    pub fn weigh(&mut self, conversation: &Conversation, change: i32) {
        if let Some(agent) = conversation.carried_by().and_then(|id| self.agents.get_mut(id)) {
            agent.carry(conversation.team.as_ref(), change);
        }
    }
}
