//! The loop over virtual time: what is due next is an input of the fold, and what the fold says makes more of it due.
//!
//! People behave simply. Whoever gets a conversation answers it after a while (the arrival says how long) and closes it
//! when its service is over. Who has gone home finishes what they have answered, and begins nothing new until they are
//! back. Nobody takes a conversation by themselves: what a plan leaves to people stays where it is.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::agenda::{Agenda, Engagement, What};
use super::alarms::{self, Clock, Written};
use super::outcome::{End, Outcome};
use super::pins::Pins;
use super::shifts::Shifts;
use super::trace::Arrival;
use super::workday::Workday;
use crate::domain::absence;
use crate::domain::agent::Presence;
use crate::domain::conversation::Conversation;
use crate::domain::decision::Decision;
use crate::domain::event::{Assignment, Change, Kind, Recorded};
use crate::domain::fairness::Book;
use crate::domain::fold::fold;
use crate::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, PolicyId, TeamId};
use crate::domain::input::{
    Action, Actor, Body, Command, Fact, Input, ReplyBody, System, Timer, Upsert, What as Reported, Wish,
};
use crate::domain::plan::Plan;
use crate::domain::state::State;

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Scenario<'a> {
    /// Under which plan.
    pub plan: Arc<Plan>,
    /// Who writes when, in the order of time.
    pub arrivals: &'a [Arrival],
    /// Who is there when.
    pub shifts: &'a Shifts,
    /// When it begins: nobody has anything, nobody waits.
    pub begins: Timestamp,
    /// When nobody comes any more: people's days are reckoned up to here.
    pub closes: Timestamp,
    /// When it ends: what is not over by then stays where it is.
    pub ends: Timestamp,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Arrivals so far.
    pub arrivals: usize,
    /// Of so many.
    pub of: usize,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Played {
    /// The plan as it was in force.
    pub plan: Arc<Plan>,
    /// What came of each arrival, in their order.
    pub outcomes: Vec<Outcome>,
    /// Everyone's day.
    pub workdays: BTreeMap<AgentId, Workday>,
    /// The turns of each team's members.
    pub books: BTreeMap<TeamId, Book>,
    /// Everyone's limit; 0 = unlimited.
    pub capacities: BTreeMap<AgentId, u32>,
    /// Broken response policies.
    pub breaches: BTreeMap<PolicyId, u64>,
    /// Agents whom the plan names and does not write: taken as agents without skills and limits of their own.
    pub assumed: BTreeSet<AgentId>,
    /// Arrivals that were routed as they had been when they happened.
    pub pinned: u64,
    /// What the core said happened, all in all.
    pub events: u64,
}

/// The core refused the plan; its words say why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan would be refused: {0}")]
pub struct Refused(Arc<str>);

/// Plays a scenario to its end.
pub fn play(scenario: &Scenario<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Played, Refused> {
    let mut world = World::begin(scenario)?;
    let of = scenario.arrivals.len();
    for (number, arrival) in scenario.arrivals.iter().enumerate() {
        if arrival.at >= scenario.ends {
            break;
        }
        world.live_until(arrival.at);
        world.arrive(number, arrival);
        progress(Progress {
            arrivals: number + 1,
            of,
        });
    }
    world.live_until(scenario.closes);
    for workday in world.played.workdays.values_mut() {
        workday.ends(scenario.closes);
    }
    world.live_until(scenario.ends);
    Ok(world.played)
}

struct World {
    state: State,
    now: Timestamp,
    agenda: Agenda,
    inputs: u128,
    pins: Pins,
    /// By arrival: what its customer's conversation is called.
    names: Vec<ConversationId>,
    /// By conversation: how many arrivals are still to come to it.
    to_come: HashMap<ConversationId, u32>,
    /// Conversations that are not over.
    running: HashMap<ConversationId, Running>,
    /// What people have to answer when they are back.
    unbegun: BTreeMap<AgentId, Vec<Engagement>>,
    played: Played,
}

/// A conversation that is not over.
struct Running {
    /// The arrival that began it.
    arrival: usize,
    answer: Duration,
    service: Duration,
    /// Whoever has it has begun with it: when it ends is written down.
    begun: bool,
    written: Written,
}

impl World {
    fn begin(scenario: &Scenario<'_>) -> Result<Self, Refused> {
        let (names, to_come) = names(scenario.arrivals);
        let tenant = scenario.plan.tenant.clone();
        let mut world = Self {
            state: State::new(Arc::new(Plan::empty(tenant))),
            now: scenario.begins,
            agenda: Agenda::default(),
            inputs: 0,
            pins: Pins::of(&scenario.plan),
            names,
            to_come,
            running: HashMap::new(),
            unbegun: BTreeMap::new(),
            played: Played {
                plan: scenario.plan.clone(),
                outcomes: scenario
                    .arrivals
                    .iter()
                    .map(|arrival| Outcome::of(arrival.at))
                    .collect(),
                workdays: BTreeMap::new(),
                books: BTreeMap::new(),
                capacities: BTreeMap::new(),
                breaches: BTreeMap::new(),
                assumed: BTreeSet::new(),
                pinned: 0,
                events: 0,
            },
        };
        world.apply(&scenario.plan)?;
        world.people(scenario);
        Ok(world)
    }

    /// Puts the plan in force the way a worker does.
    fn apply(&mut self, plan: &Arc<Plan>) -> Result<(), Refused> {
        let action = Action::ApplyPlan {
            plan: plan.clone(),
            unchanged: false,
        };
        let recorded = self.fold(self.command(Actor::System(System::Cli), "plan.apply", action));
        for event in recorded {
            if let Kind::CommandRejected(refusal) = event.event.kind {
                return Err(Refused(refusal.message));
            }
        }
        self.pins = Pins::of(&self.state.plan);
        self.played.plan = self.state.plan.clone();
        Ok(())
    }

    /// Whoever the plan names is there, and comes and goes by their shifts.
    fn people(&mut self, scenario: &Scenario<'_>) {
        let members = self.state.teams.values().flat_map(|team| &team.members);
        let unknown = members.filter(|member| !self.state.agents.contains_key(&member.agent));
        self.played.assumed = unknown.map(|member| member.agent.clone()).collect();
        for agent in self.played.assumed.clone() {
            let fields = Upsert::default();
            let action = Action::UpsertAgent { agent, fields };
            self.happens(self.command(Actor::System(System::Cli), "agent.upsert", action));
        }
        for agent in self.state.agents.values() {
            self.played
                .workdays
                .insert(agent.id.clone(), Workday::beginning(scenario.begins));
            self.played
                .capacities
                .insert(agent.id.clone(), self.state.capacity_of(agent));
            for turn in scenario.shifts.turns(&agent.id, scenario.begins, scenario.ends) {
                self.agenda.write(turn.at, What::Turns(turn.agent, turn.presence));
            }
        }
        if let Some(next) = alarms::next_opening(&self.state.plan, scenario.begins) {
            self.agenda.write(next, What::Opens);
        }
    }

    /// Everything that is due before or at this moment.
    fn live_until(&mut self, moment: Timestamp) {
        while self.agenda.next_at().is_some_and(|at| at <= moment) {
            if let Some((at, what)) = self.agenda.take() {
                self.now = at;
                self.live(what);
            }
        }
        self.now = moment;
    }

    fn live(&mut self, what: What) {
        match what {
            What::Clock(conversation, clock) => self.clock(conversation, clock),
            What::Absent(agent) => self.happens(Body::Timer(Timer::Absent { agent })),
            What::OwnerGone(conversation) => self.happens(Body::Timer(Timer::OwnerGone { conversation })),
            What::Opens => self.opens(),
            What::Drain => self.drain(),
            What::Answers(engagement) => self.answers(engagement),
            What::Closes(engagement) => self.closes(engagement),
            What::Turns(agent, presence) => self.turns(agent, presence),
        }
    }

    /// A customer writes.
    fn arrive(&mut self, number: usize, arrival: &Arrival) {
        let id = self.names[number];
        if let Some(to_come) = self.to_come.get_mut(&id) {
            *to_come -= 1;
        }
        match self.running.entry(id) {
            Entry::Occupied(_) => self.played.outcomes[number].end = End::Further,
            Entry::Vacant(vacant) => drop(vacant.insert(Running::of(number, arrival))),
        }
        if self.state.conversation(id).is_none() {
            let unborn =
                Conversation::unborn(id, arrival.channel.clone(), id.to_string().into(), Partition(0));
            self.state.put(unborn);
        }
        let fact = Fact {
            conversation: id,
            channel: arrival.channel.clone(),
            conflict: Vec::new(),
            contact: (*arrival.contact).clone(),
            at: arrival.at,
            standby: false,
            what: Reported::Received((*arrival.message).clone()),
        };
        let pinned = arrival
            .routed
            .as_ref()
            .and_then(|routed| self.pins.plan(routed))
            .cloned();
        let Some(pinned) = pinned else {
            return self.happens(Body::Fact(fact));
        };
        self.played.pinned += 1;
        let whole = std::mem::replace(&mut self.state.plan, pinned);
        self.happens(Body::Fact(fact));
        self.state.plan = whole;
    }

    /// A moment that was written down for a clock: it may have been put off since.
    fn clock(&mut self, id: ConversationId, clock: Clock) {
        if let Some(running) = self.running.get_mut(&id) {
            running.written[clock as usize] = None;
        }
        let plan = self.state.plan.clone();
        let due = |world: &Self| world.state.conversation(id).and_then(|one| clock.due(one, &plan));
        if due(self).is_some_and(|due| due <= self.now) {
            self.happens(Body::Timer(clock.timer(id)));
        }
        // What is still due was not the core's to change: it would be for ever.
        if let Some(later) = due(self).filter(|due| *due > self.now) {
            self.write_down(id, clock, later);
        }
    }

    fn write_down(&mut self, id: ConversationId, clock: Clock, due: Timestamp) {
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let written = &mut running.written[clock as usize];
        if written.is_none_or(|written| due < written) {
            *written = Some(due);
            self.agenda.write(due.max(self.now), What::Clock(id, clock));
        }
    }

    /// Time alone made someone eligible, perhaps.
    fn drain(&mut self) {
        if self.state.waiting().next().is_some() {
            self.happens(Body::Timer(Timer::DrainQueues));
        }
    }

    /// Working hours begin: whoever waits is offered, and the next time is written down.
    fn opens(&mut self) {
        self.drain();
        if let Some(next) = alarms::next_opening(&self.state.plan, self.now) {
            self.agenda.write(next, What::Opens);
        }
    }

    /// Its owner answers, if they still have it and are there.
    fn answers(&mut self, engagement: Engagement) {
        let Some(owner) = self.owner(engagement) else {
            return;
        };
        let is_there = self
            .state
            .agents
            .get(&owner)
            .is_some_and(|agent| agent.presence != Presence::Offline);
        let begun = self
            .running
            .get(&engagement.conversation)
            .is_some_and(|running| running.begun);
        if !is_there && !begun {
            self.unbegun.entry(owner).or_default().push(engagement);
            return;
        }
        let reply = Wish::Reply {
            message: ReplyBody("".into()),
            template: true,
            leave_unassigned: false,
        };
        self.wish(owner, engagement, Command::REPLY, reply);
        if let Some(running) = self.running.get_mut(&engagement.conversation).filter(|_| !begun) {
            running.begun = true;
            let rest = running.service.saturating_sub(running.answer);
            self.agenda.write(self.now + rest, What::Closes(engagement));
        }
    }

    /// Its owner closes it, if they still have it.
    fn closes(&mut self, engagement: Engagement) {
        if let Some(owner) = self.owner(engagement) {
            if let Some(workday) = self.played.workdays.get_mut(&owner) {
                workday.closed += 1;
            }
            self.wish(owner, engagement, "close", Wish::Close);
        }
    }

    /// Someone comes or goes. Who comes begins with what has waited for them.
    fn turns(&mut self, agent: AgentId, presence: Presence) {
        let action = Action::Presence {
            agent: agent.clone(),
            presence,
            ttl: None,
        };
        self.happens(self.command(Actor::System(System::Cli), "presence", action));
        if presence == Presence::Online {
            for engagement in self.unbegun.remove(&agent).unwrap_or_default() {
                self.answer_later(engagement);
            }
        }
    }

    fn answer_later(&mut self, engagement: Engagement) {
        if let Some(running) = self.running.get(&engagement.conversation) {
            self.agenda
                .write(self.now + running.answer, What::Answers(engagement));
        }
    }

    /// Who has it, if that is still this engagement.
    fn owner(&self, engagement: Engagement) -> Option<AgentId> {
        let conversation = self.state.conversation(engagement.conversation)?;
        conversation
            .owned_by()
            .filter(|_| conversation.epoch == engagement.epoch)
            .cloned()
    }

    fn wish(&mut self, owner: AgentId, engagement: Engagement, name: &str, wish: Wish) {
        let action = Action::Conversation {
            conversation: engagement.conversation,
            expected_epoch: None,
            note: None,
            wish,
        };
        self.happens(self.command(Actor::Agent(owner), name, action));
    }

    fn command(&self, actor: Actor, name: &str, action: Action) -> Body {
        Body::Command(Command {
            name: name.into(),
            actor,
            action,
        })
    }

    fn happens(&mut self, body: Body) {
        let recorded = self.fold(body);
        for event in &recorded {
            self.note(event);
        }
        self.clocks_of(&recorded);
    }

    fn fold(&mut self, body: Body) -> Vec<Recorded> {
        self.inputs += 1;
        let input = Input {
            cause: "simulation".into(),
            key: Uuid::from_u128(self.inputs),
            body,
        };
        fold(&mut self.state, &input, self.now)
    }

    /// Keeps what an event means, and writes down what follows from it.
    fn note(&mut self, recorded: &Recorded) {
        self.played.events += 1;
        match &recorded.event.kind {
            Kind::PresenceChanged { agent, .. } => {
                self.reckon(agent);
                self.watch(agent);
            }
            Kind::GraceOver { agent } => self.grace_over(agent),
            _ => {}
        }
        let Some((after, change)) = recorded.change() else {
            return;
        };
        let before = recorded.previous_owner.as_ref().and_then(|owner| owner.agent());
        for agent in before.into_iter().chain(after.owner.agent()) {
            self.reckon(agent);
        }
        self.tally(change, after);
        if let Some(decision) = &recorded.event.decision {
            self.keep_book(decision);
        }
        self.follow(change, after);
        if after.is_closed() {
            self.over(after.id);
        }
    }

    /// Someone's load or presence may be another now.
    fn reckon(&mut self, id: &AgentId) {
        if let (Some(agent), Some(workday)) = (self.state.agents.get(id), self.played.workdays.get_mut(id)) {
            workday.turns(self.now, agent.load(), agent.presence == Presence::Online);
        }
    }

    /// Someone who is gone for longer than the plan lets pass may lose what they have.
    fn watch(&mut self, id: &AgentId) {
        let agent = self.state.agents.get(id);
        let ends = agent.and_then(|agent| absence::grace_ends(agent, &self.state.plan.settings));
        if let Some(ends) = ends {
            self.agenda.write(ends.max(self.now), What::Absent(id.clone()));
        }
    }

    /// They are gone for too long: all they own is looked at.
    fn grace_over(&mut self, id: &AgentId) {
        let owned = self
            .state
            .conversations()
            .filter(|one| one.owned_by() == Some(id));
        let owned: BTreeSet<_> = owned.map(|one| one.id).collect();
        for id in owned {
            self.agenda.write(self.now, What::OwnerGone(id));
        }
    }

    fn tally(&mut self, change: &Change, after: &Conversation) {
        if let Some(running) = self.running.get(&after.id) {
            self.played.outcomes[running.arrival].learn(change, after, self.now);
        }
        match change {
            Change::Assigned(assignment) => self.tally_choice(assignment),
            Change::ResponseBreached { policy, .. } => {
                *self.played.breaches.entry(policy.clone()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// An automatic choice is somebody's turn.
    fn keep_book(&mut self, decision: &Decision) {
        if let (Some(team), Some(_)) = (&decision.team, decision.strategy) {
            self.played.books.entry(team.clone()).or_default().add(decision);
        }
    }

    fn tally_choice(&mut self, assignment: &Assignment) {
        if let Some(workday) = self.played.workdays.get_mut(&assignment.agent) {
            workday.chosen += 1;
        }
        if let Some(burst) = self.state.plan.settings.burst {
            self.agenda.write(self.now + burst.window, What::Drain);
        }
    }

    /// What people do about it, and the clocks that run now.
    fn follow(&mut self, change: &Change, after: &Conversation) {
        let engagement = Engagement {
            conversation: after.id,
            epoch: after.epoch,
        };
        match change {
            Change::Assigned(_) => {
                if let Some(running) = self.running.get_mut(&after.id) {
                    running.begun = false;
                }
                self.answer_later(engagement);
            }
            Change::MessageReceived { turn: true, .. } if after.owned_by().is_some() => {
                self.answer_later(engagement);
            }
            _ => {}
        }
    }

    /// Writes down the clocks of the conversations that something happened to, as they are now.
    fn clocks_of(&mut self, recorded: &[Recorded]) {
        let mut last = None;
        for id in recorded
            .iter()
            .filter_map(|event| event.change())
            .map(|(after, _)| after.id)
        {
            // The events of a conversation follow each other: it is looked at once.
            if last.replace(id) == Some(id) {
                continue;
            }
            for clock in Clock::ALL {
                let conversation = self.state.conversation(id);
                if let Some(due) = conversation.and_then(|one| clock.due(one, &self.state.plan)) {
                    self.write_down(id, clock, due);
                }
            }
        }
    }

    /// It is over; a customer who never comes back need not be remembered.
    fn over(&mut self, id: ConversationId) {
        self.running.remove(&id);
        if self.to_come.get(&id).is_none_or(|to_come| *to_come == 0) {
            self.to_come.remove(&id);
            self.state.forget(id);
        }
    }
}

impl Running {
    fn of(number: usize, arrival: &Arrival) -> Self {
        Self {
            arrival: number,
            answer: arrival.answer.min(arrival.service),
            service: arrival.service,
            begun: false,
            written: Written::default(),
        }
    }
}

/// Names customers' conversations in the order they first come in, and counts the arrivals of each.
fn names(arrivals: &[Arrival]) -> (Vec<ConversationId>, HashMap<ConversationId, u32>) {
    let mut known: HashMap<(&ChannelKey, &str), ConversationId> = HashMap::new();
    let mut to_come: HashMap<ConversationId, u32> = HashMap::new();
    let name = |arrival| {
        let Arrival {
            channel, customer, ..
        }: &Arrival = arrival;
        let next = ConversationId(Uuid::from_u128(known.len() as u128 + 1));
        let id = *known.entry((channel, customer)).or_insert(next);
        *to_come.entry(id).or_default() += 1;
        id
    };
    (arrivals.iter().map(name).collect(), to_come)
}
