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
use switchboard::domain::absence;
use switchboard::domain::agent::{Agent, Membership, Presence};
use switchboard::domain::alarm;
use switchboard::domain::blocked::Ask;
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
use super::moments::{Moments, given_in};
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
    /// When conversations' alarms go off: kept as lazily as a worker keeps them.
    pub alarms: BTreeMap<ConversationId, Timestamp>,
    /// When it is looked at what somebody owns who is gone.
    graces: BTreeMap<AgentId, Timestamp>,
    /// Who has been gone for too long, or for good: all they own is to be looked at.
    gone: BTreeSet<AgentId>,
    /// What nobody could serve, as managers were told.
    pub blocked: BTreeSet<Ask>,
    /// When time alone makes somebody eligible.
    pub moments: Moments,
    /// Who was given what automatically, and when: all of it.
    pub given: Vec<(AgentId, Timestamp)>,
    /// Timers that are due at once: a drain goes on; a new plan asks to look at dropped teams' queues.
    drain_due: bool,
    reexamine_due: bool,
    /// People who were removed or deactivated: what they own is looked at again at once.
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
            plan: Arc::new(plan.clone()),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
            drain_pending: false,
            now: start(),
            page: 100,
            dropped: BTreeSet::new(),
            alarms: BTreeMap::new(),
            graces: BTreeMap::new(),
            gone: BTreeSet::new(),
            blocked: BTreeSet::new(),
            moments: Moments::of(&plan, start()),
            given: Vec::new(),
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
        let id = conversation.id;
        self.conversations.insert(id, conversation);
        self.set_alarm(id);
    }

    /// A timer is written only if it is to go off earlier than the one there is.
    fn set_alarm(&mut self, id: ConversationId) {
        let next = self
            .conversations
            .get(&id)
            .and_then(|conversation| alarm::next(conversation, &self.plan));
        if let Some(next) = next {
            let set = self.alarms.entry(id).or_insert(next);
            *set = next.min(*set);
        }
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
        if batch.inputs.iter().any(is_drain) {
            self.moments.claim(&self.plan, batch.now);
        }
        for input in &batch.inputs {
            let before = self.clone();
            let events = fold(&mut state, input, batch.now);
            self.keep(&state, &events, with_roster);
            self.moments.note(&self.plan, &self.agents, &events, batch.now);
            self.given.extend(events.iter().filter_map(given_in));
            self.keep_alarms(input, &events);
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
            // Newcomers wait behind those whom time made servable.
            let overdue = self.moments.have_come(batch.now) && self.somebody_waits();
            state.drain_pending = self.drain_pending || overdue;
            state.blocked = self.blocked.clone();
            let places: usize = batch.inputs.iter().map(places_in).sum();
            if places > 0 {
                self.load_queues(&mut state, others, self.page.min(places + 1));
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
                state.unwatched |= known.may_be_matched();
                state.put(known.clone());
            }
            None => {
                if let Body::Fact(fact) = &input.body {
                    let mut unborn = chats::unborn(id);
                    unborn.channel = fact.channel.clone();
                    state.put(unborn);
                }
            }
        }
    }

    /// The first of every requirement; what other batches hold is skipped without using up a place.
    fn load_queues(&self, state: &mut State, others: &BTreeSet<ConversationId>, each: usize) {
        let mut queues: BTreeMap<Requirement, Vec<&Conversation>> = BTreeMap::new();
        for conversation in self.conversations.values().filter(|c| !others.contains(&c.id)) {
            if let Some(requirement) = Requirement::of(conversation) {
                queues.entry(requirement).or_default().push(conversation);
            }
        }
        queues.retain(|requirement, _| self.is_drained(&requirement.team));
        for (requirement, mut queue) in queues {
            queue.sort_by_key(|c| (c.waits_from(), c.id));
            let page: Vec<_> = queue.into_iter().take(each).cloned().collect();
            let ids: Vec<_> = page.iter().map(|c| c.id).collect();
            for conversation in page {
                state.unsettled |= conversation.may_be_matched();
                state.unwatched |= conversation.may_be_matched();
                state.put(conversation);
            }
            if ids.len() >= each {
                state.more_wait(&[requirement], &ids);
            }
        }
    }

    fn somebody_waits(&self) -> bool {
        self.conversations.values().any(|c| Requirement::of(c).is_some())
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
            self.blocked = state.blocked.clone();
        }
        for recorded in events {
            match &recorded.event.kind {
                Kind::DrainPending(pending) => {
                    (self.drain_pending, self.drain_due) = (*pending, *pending);
                }
                Kind::PlanActivated { unchanged: false, .. } => {
                    self.reexamine_due = true;
                    let lost = self.conversations.values().filter(|c| self.lost_its_team(c));
                    let lost: Vec<_> = lost.map(|c| c.id).collect();
                    self.dropped.extend(lost);
                    let everyone: Vec<_> = self.agents.keys().cloned().collect();
                    everyone.iter().for_each(|agent| self.measure_anew(agent));
                }
                Kind::PresenceChanged {
                    agent,
                    presence,
                    previous,
                    ..
                } if presence != previous => self.set_grace(agent),
                Kind::GraceOver { agent } => drop(self.gone.insert(agent.clone())),
                Kind::AgentRemoved { agent } => drop(self.gone.insert(agent.id.clone())),
                Kind::AgentUpserted { agent, .. } if !agent.profile.active => {
                    self.gone.insert(agent.id.clone());
                }
                Kind::Conversation(id, change) if change.raises_epoch() => drop(self.dropped.remove(id)),
                _ => {}
            }
        }
    }

    /// An alarm that went off is no longer set, whatever came of it.
    fn keep_alarms(&mut self, input: &Input, events: &[Recorded]) {
        if let Body::Timer(Timer::OwnerGone { conversation }) = &input.body {
            self.set_alarm(*conversation);
        }
        if let Body::Timer(Timer::Alarm { conversation }) = &input.body {
            self.alarms.remove(conversation);
            self.set_alarm(*conversation);
        }
        for recorded in events {
            if let Kind::Conversation(id, _) = &recorded.event.kind {
                self.set_alarm(*id);
            }
        }
    }

    /// As a worker does: the timer is that of the last presence, under the plan in force.
    fn set_grace(&mut self, id: &AgentId) {
        let settings = &self.plan.settings;
        let ends = self
            .agents
            .get(id)
            .and_then(|agent| absence::grace_ends(agent, settings));
        match ends {
            Some(ends) => drop(self.graces.insert(id.clone(), ends)),
            None => drop(self.graces.remove(id)),
        }
    }

    /// Under a new plan: whose grace is over and who has nothing need not be looked at.
    fn measure_anew(&mut self, id: &AgentId) {
        let agent = &self.agents[id];
        let ends = absence::grace_ends(agent, &self.plan.settings);
        if agent.load() > 0 || ends.is_none_or(|ends| ends > self.now) {
            self.set_grace(id);
        }
    }

    /// Looks at what people own who are gone, but for what others hold.
    fn owners_gone(&mut self, others: &BTreeSet<ConversationId>) -> Vec<Timer> {
        let owned = |c: &&Conversation| c.owned_by().is_some_and(|owner| self.gone.contains(owner));
        let (held, free): (Vec<_>, Vec<_>) = self
            .conversations
            .values()
            .filter(owned)
            .partition(|c| others.contains(&c.id));
        let asked = free.iter().map(|c| Timer::OwnerGone { conversation: c.id });
        let asked = asked.collect();
        self.gone = held.iter().filter_map(|c| c.owned_by()).cloned().collect();
        asked
    }

    /// Whether anything is due at once.
    pub fn is_busy(&self) -> bool {
        let in_vain = self
            .conversations
            .values()
            .any(|c| self.waits_for_someone_gone(c));
        let come = self.moments.have_come(self.now);
        come || self.drain_due || self.reexamine_due || in_vain || !self.gone.is_empty()
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
            if self.alarms.get(&c.id).is_some_and(|at| *at <= now) {
                due.push(Timer::Alarm { conversation: c.id });
            }
        }
        for agent in self.agents.values() {
            if agent.presence_expires.is_some_and(|expires| expires <= now) {
                let agent = agent.id.clone();
                due.push(Timer::PresenceExpired { agent });
            }
        }
        self.graces.retain(|agent, ends| {
            let over = *ends <= now;
            if over {
                due.push(Timer::Absent { agent: agent.clone() });
            }
            !over
        });
        due.extend(self.owners_gone(others));
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
        // Claimed when the batch has the match row.
        let come = self.moments.have_come(self.now);
        if std::mem::take(&mut self.drain_due) || come {
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
        let overdue = self.moments.have_come(self.now) && self.somebody_waits();
        state.drain_pending = self.drain_pending || overdue;
        state.blocked = self.blocked.clone();
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

fn is_drain(input: &Input) -> bool {
    matches!(input.body, Body::Timer(Timer::DrainQueues))
}

fn subject<'a>(state: &'a State, input: &Input) -> Option<&'a Conversation> {
    state.conversation(input.conversation()?)
}

/// How many places an input may free: that many, and one, are loaded of every requirement. What is about one conversation
/// frees the one it is in.
fn places_in(input: &Input) -> usize {
    match (may_free(input), input.conversation()) {
        (false, _) => 0,
        (true, Some(_)) => 1,
        (true, None) => 100,
    }
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
