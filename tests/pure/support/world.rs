//! A tenant's durable world, and batches that load and keep it the way a worker does.
//!
//! What a batch sees is what the worker would have loaded: people only if an input needs them, waiting conversations only
//! if an input may free a place, and of those only the first few of every requirement that no other batch holds. So what
//! holds here holds with paging, with drains in several batches, and while another batch waits for the match row with the
//! rows of its conversations locked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::agent::{Agent, Membership, Presence};
use switchboard::domain::conversation::Conversation;
use switchboard::domain::decide::needs_roster;
use switchboard::domain::event::{Kind, Recorded};
use switchboard::domain::fold::fold;
use switchboard::domain::ids::{AgentId, ConversationId, TeamId};
use switchboard::domain::input::{Action, Body, Command, Input, Timer};
use switchboard::domain::plan::{Plan, Strategy};
use switchboard::domain::state::{Requirement, State};
use uuid::Uuid;

use super::chats::{self, Chat};
use super::people::Person;
use super::plans::Draft;
use super::start;
use super::step::Step;

/// Batches that finish what is due at once, at most: each gives away a place, and tests have far fewer conversations.
const MOST_BATCHES: usize = 200;

/// What the database holds between batches.
#[derive(Debug, Clone)]
pub struct World {
    pub plan: Arc<Plan>,
    pub agents: BTreeMap<AgentId, Agent>,
    pub teams: BTreeMap<TeamId, Membership>,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub drain_pending: bool,
    pub now: Timestamp,
    /// Waiting conversations of one requirement that a batch loads.
    pub page: usize,
    /// Conversations that waited in a team which a plan dropped: until they are looked at again they wait for nothing
    /// else, even if the next plan has the team again.
    pub dropped: BTreeSet<ConversationId>,
    /// Timers that are due at once: a drain goes on; a new plan asks to look at dropped teams' queues.
    drain_due: bool,
    reexamine_due: bool,
    inputs: u64,
}

/// Inputs whose conversations are locked; the match row comes next.
#[derive(Debug)]
pub struct Batch {
    inputs: Vec<Input>,
    now: Timestamp,
    pub holds: BTreeSet<ConversationId>,
}

impl World {
    /// Under this plan, with nobody in it yet.
    pub fn new(plan: Draft) -> Self {
        let plan = plan.build();
        let teams = plan.teams.iter().map(|(id, team)| {
            let mut membership = Membership::default();
            membership.set_members(&team.members);
            membership.managers = team.managers.clone();
            (id.clone(), membership)
        });
        Self {
            teams: teams.collect(),
            plan: Arc::new(plan),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
            drain_pending: false,
            now: start(),
            page: 100,
            dropped: BTreeSet::new(),
            drain_due: false,
            reexamine_due: false,
            inputs: 0,
        }
    }

    /// Someone is there from the beginning.
    pub fn add_person(&mut self, person: Person) {
        let agent = person.build();
        self.agents.insert(agent.id.clone(), agent);
    }

    /// A conversation stands like this from the beginning.
    pub fn add_chat(&mut self, chat: Chat) {
        let conversation = chat.build();
        if let Some(owner) = conversation.carried_by() {
            let owner = self.agents.get_mut(owner).expect("people are set up first");
            owner.carry(conversation.team.as_ref(), 1);
        }
        self.conversations.insert(conversation.id, conversation);
    }

    /// Takes inputs in and locks the rows of the conversations they are about.
    pub fn receive(&mut self, bodies: Vec<Body>) -> Batch {
        let inputs: Vec<Input> = bodies.into_iter().map(|body| self.input(body)).collect();
        let holds = inputs.iter().flat_map(subjects).collect();
        Batch {
            inputs,
            now: self.now,
            holds,
        }
    }

    fn input(&mut self, body: Body) -> Input {
        self.inputs += 1;
        Input {
            cause: format!("input-{}", self.inputs).into(),
            key: Uuid::from_u128(u128::from(self.inputs)),
            body,
        }
    }

    /// Runs a batch under the match row, and shows every step of it.
    pub fn run(&mut self, batch: Batch, others: &BTreeSet<ConversationId>, watch: &mut dyn FnMut(Step<'_>)) {
        let (mut state, with_roster) = self.load(&batch, others);
        for input in &batch.inputs {
            let before = self.clone();
            let events = fold(&mut state, input, batch.now);
            self.keep(&state, &events, with_roster);
            watch(Step {
                before: &before,
                now: batch.now,
                input,
                events: &events,
                after: self,
                held: others,
            });
        }
    }

    /// What the worker would load for this batch, and whether the people are among it.
    fn load(&self, batch: &Batch, others: &BTreeSet<ConversationId>) -> (State, bool) {
        let mut state = State::new(self.plan.clone());
        for input in &batch.inputs {
            self.load_subject(&mut state, input);
        }
        let needs = |input: &Input| needs_roster(input, subject(&state, input));
        let with_roster = state.unsettled || batch.inputs.iter().any(needs);
        if with_roster {
            state.agents = self.agents.clone();
            state.teams = self.teams.clone();
            state.drain_pending = self.drain_pending;
            if batch.inputs.iter().any(may_free) {
                self.load_queues(&mut state, others);
            }
        }
        (state, with_roster)
    }

    fn load_subject(&self, state: &mut State, input: &Input) {
        for id in subjects(input) {
            self.load_conversation(state, input, id);
        }
    }

    fn load_conversation(&self, state: &mut State, input: &Input, id: ConversationId) {
        match self.conversations.get(&id) {
            Some(known) => {
                // One that waits while this batch holds it was skipped by the drains of others.
                state.unsettled |= known.may_be_matched();
                state.put(known.clone());
            }
            None if matches!(input.body, Body::Fact(_)) => state.put(chats::unborn(id)),
            None => {}
        }
    }

    /// The first of every requirement; what other batches hold is skipped without using up a place.
    fn load_queues(&self, state: &mut State, others: &BTreeSet<ConversationId>) {
        let mut queues: BTreeMap<Requirement, Vec<&Conversation>> = BTreeMap::new();
        for conversation in self.conversations.values().filter(|c| !others.contains(&c.id)) {
            if let Some(requirement) = Requirement::of(conversation) {
                queues.entry(requirement).or_default().push(conversation);
            }
        }
        queues.retain(|requirement, _| self.is_drained(&requirement.team));
        for (requirement, mut queue) in queues {
            queue.sort_by_key(|c| (c.waits_from(), c.id));
            let page: Vec<_> = queue.into_iter().take(self.page).cloned().collect();
            let ids: Vec<_> = page.iter().map(|c| c.id).collect();
            for conversation in page {
                state.unsettled |= conversation.may_be_matched();
                state.put(conversation);
            }
            if ids.len() >= self.page {
                state.more_wait(&[requirement], &ids);
            }
        }
    }

    fn is_drained(&self, team: &TeamId) -> bool {
        self.plan.strategy(team).is_some_and(|s| s != Strategy::Manual)
    }

    /// Writes what a step changed.
    fn keep(&mut self, state: &State, events: &[Recorded], with_roster: bool) {
        let kept = state.conversations().filter(|c| c.exists());
        self.conversations.extend(kept.map(|c| (c.id, c.clone())));
        if with_roster {
            self.agents = state.agents.clone();
            self.teams = state.teams.clone();
            self.plan = state.plan.clone();
            self.drain_pending = state.drain_pending;
        }
        for recorded in events {
            match &recorded.event.kind {
                Kind::DrainPending(pending) => self.drain_due = *pending,
                Kind::PlanActivated { unchanged: false, .. } => {
                    self.reexamine_due = true;
                    let lost = self.conversations.values().filter(|c| self.lost_its_team(c));
                    let lost: Vec<_> = lost.map(|c| c.id).collect();
                    self.dropped.extend(lost);
                }
                Kind::Conversation(id, change) if change.raises_epoch() => drop(self.dropped.remove(id)),
                _ => {}
            }
        }
    }

    /// Whether anything is due at once.
    pub fn is_busy(&self) -> bool {
        let in_vain = self
            .conversations
            .values()
            .any(|c| self.waits_for_someone_gone(c));
        self.drain_due || self.reexamine_due || in_vain
    }

    /// Whether it is offered to someone who cannot answer: the change that made it so left a timer in its home.
    fn waits_for_someone_gone(&self, conversation: &Conversation) -> bool {
        conversation.request.as_ref().is_some_and(|request| {
            !self.agents.get(&request.to).is_some_and(|agent| {
                agent.profile.active && agent.profile.may_reply && agent.presence != Presence::Offline
            })
        })
    }

    /// Claims the timers that are due, as inputs. Those about conversations that others hold wait.
    pub fn due(&mut self, others: &BTreeSet<ConversationId>) -> Vec<Body> {
        let mut due = Vec::new();
        let mine = |c: &&Conversation| !others.contains(&c.id);
        let now = self.now;
        for c in self.conversations.values().filter(mine) {
            if c.assign_clock.due().is_some_and(|due| due <= now) {
                due.push(Timer::AssignDue { conversation: c.id });
            }
            if c.held_until.is_some_and(|until| until <= now) {
                due.push(Timer::HoldEnds { conversation: c.id });
            }
            if c.request
                .as_ref()
                .is_some_and(|request| request.expires_at <= now)
            {
                due.push(Timer::RequestDue { conversation: c.id });
            }
            if self.waits_for_someone_gone(c) {
                due.push(Timer::RecipientGone { conversation: c.id });
            }
        }
        for agent in self.agents.values() {
            if agent.presence_expires.is_some_and(|expires| expires <= now) {
                let agent = agent.id.clone();
                due.push(Timer::PresenceExpired { agent });
            }
        }
        if std::mem::take(&mut self.reexamine_due) {
            self.reexamine_due = self.dropped.iter().any(|id| others.contains(id));
            self.dropped.retain(|id| others.contains(id));
            let lost = self
                .conversations
                .values()
                .filter(mine)
                .filter(|c| self.lost_its_team(c));
            due.extend(lost.map(|c| Timer::Reexamine { conversation: c.id }));
            self.drain_due = true;
        }
        if std::mem::take(&mut self.drain_due) {
            due.push(Timer::DrainQueues);
        }
        due.into_iter().map(Body::Timer).collect()
    }

    /// Whether it waits in a team that the plan does not have.
    fn lost_its_team(&self, conversation: &Conversation) -> bool {
        let queue = conversation.owner.queue().filter(|_| conversation.is_open());
        queue.is_some_and(|team| !self.plan.teams.contains_key(team))
    }

    /// Runs timers until nothing is due at once any more; says in how many batches.
    pub fn finish(&mut self, watch: &mut dyn FnMut(Step<'_>)) -> usize {
        let nobody_else = BTreeSet::new();
        for batches in 0..MOST_BATCHES {
            if !self.is_busy() {
                return batches;
            }
            let due = self.due(&nobody_else);
            let batch = self.receive(due);
            self.run(batch, &nobody_else, watch);
        }
        panic!("after {MOST_BATCHES} batches work is still left for later");
    }

    /// Time passes; nothing happens by itself.
    pub fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// Everything there is, loaded at once.
    pub fn whole_state(&self) -> State {
        let mut state = State::new(self.plan.clone());
        state.agents = self.agents.clone();
        state.teams = self.teams.clone();
        state.drain_pending = self.drain_pending;
        for conversation in self.conversations.values() {
            state.put(conversation.clone());
        }
        state
    }
}

/// The conversations that an input is about: only who erases a customer may mean several.
fn subjects(input: &Input) -> Vec<ConversationId> {
    match &input.body {
        Body::Command(Command {
            action: Action::ForgetContact { conversations, .. },
            ..
        }) => conversations.clone(),
        _ => input.conversation().into_iter().collect(),
    }
}

fn subject<'a>(state: &'a State, input: &Input) -> Option<&'a Conversation> {
    state.conversation(input.conversation()?)
}

/// Whether an input may free a place in somebody's hands: then the queues are loaded.
fn may_free(input: &Input) -> bool {
    match &input.body {
        Body::Fact(_)
        | Body::Timer(
            Timer::AssignDue { .. }
            | Timer::HoldEnds { .. }
            | Timer::RequestDue { .. }
            | Timer::RecipientGone { .. },
        ) => false,
        Body::Command(command) => !matches!(command.action, Action::Malformed { .. }),
        Body::Timer(_) => true,
    }
}
