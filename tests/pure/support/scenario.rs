//! Given, when, then: a story about one small world, told in the order it happens.

use std::collections::BTreeSet;
use std::time::Duration;

use switchboard::domain::conversation::{Conversation, Owner};
use switchboard::domain::event::{Assignment, Change, Decision, Kind, PassedOver, Recorded};
use switchboard::domain::input::{Body, Input};

use super::chats::Chat;
use super::lines::lines;
use super::people::Person;
use super::plans::Draft;
use super::world::World;
use super::{agent, id};

/// A world, and what happened last in it.
#[derive(Debug)]
pub struct Scenario {
    pub world: World,
    last: Vec<(Input, Vec<Recorded>)>,
}

/// A world under this plan.
pub fn given(plan: Draft) -> Scenario {
    let world = World::new(plan);
    let last = Vec::new();
    Scenario { world, last }
}

impl Scenario {
    /// With these people.
    pub fn agents<const N: usize>(mut self, people: [Person; N]) -> Self {
        for person in people {
            self.world.add_person(person);
        }
        self
    }

    /// With this conversation.
    pub fn conversation(mut self, chat: Chat) -> Self {
        self.world.add_chat(chat);
        self
    }

    /// With batches that load so many waiting conversations of a kind.
    pub fn page(mut self, page: usize) -> Self {
        self.world.page = page;
        self
    }

    /// This comes in, alone.
    pub fn when(self, body: impl Into<Body>) -> Self {
        self.when_together([body.into()])
    }

    /// These come in, in one batch.
    pub fn when_together<const N: usize>(self, bodies: [Body; N]) -> Self {
        self.run(bodies.into())
    }

    /// Time passes, and whatever is due then happens.
    pub fn when_time_passes(mut self, time: Duration) -> Self {
        self.world.wait(time);
        let due = self.world.due(&BTreeSet::new());
        self.run(due)
    }

    /// Time passes; no timer is looked at.
    pub fn after(mut self, time: Duration) -> Self {
        self.world.wait(time);
        self
    }

    fn run(mut self, bodies: Vec<Body>) -> Self {
        let batch = self.world.receive(bodies);
        let last = &mut self.last;
        last.clear();
        let mut watch = |step: super::step::Step<'_>| last.push((step.input.clone(), step.events.to_vec()));
        self.world.run(batch, &BTreeSet::new(), &mut watch);
        self
    }

    /// The events of what happened last.
    pub fn events(&self) -> impl Iterator<Item = &Recorded> {
        self.last.iter().flat_map(|(_, events)| events)
    }

    /// Exactly this came of it, in this order.
    #[track_caller]
    pub fn then<const N: usize>(self, expected: [&str; N]) -> Self {
        let happened: Vec<String> = self
            .last
            .iter()
            .flat_map(|(input, events)| lines(input, events))
            .collect();
        let inputs: Vec<&Input> = self.last.iter().map(|(input, _)| input).collect();
        assert_eq!(happened, expected, "what came of {inputs:#?}");
        self
    }

    /// This came of it last, in this order, after whatever else.
    #[track_caller]
    pub fn then_last<const N: usize>(self, expected: [&str; N]) -> Self {
        let happened: Vec<String> = self
            .last
            .iter()
            .flat_map(|(input, events)| lines(input, events))
            .collect();
        let last = happened.len().saturating_sub(N);
        assert_eq!(happened[last..], expected, "the last of {happened:#?}");
        self
    }

    /// Whoever has this conversation now: `ana`, `queue of support`, `nobody`.
    #[track_caller]
    pub fn owned(self, number: u8, expected: &str) -> Self {
        let owner = match &self.chat(number).owner {
            Owner::Nobody => "nobody".to_owned(),
            Owner::Team(team) => format!("queue of {team}"),
            Owner::Agent(agent) => agent.to_string(),
        };
        assert_eq!(owner, expected, "the owner of conversation {number}");
        self
    }

    /// The team this conversation belongs to now; "" for none.
    #[track_caller]
    pub fn in_team(self, number: u8, expected: &str) -> Self {
        let team = self.chat(number).team.as_ref().map_or("", |team| team.as_str());
        assert_eq!(team, expected, "the team of conversation {number}");
        self
    }

    /// A conversation as it is now.
    #[track_caller]
    pub fn chat(&self, number: u8) -> &Conversation {
        self.world
            .conversations
            .get(&id(number))
            .expect("the conversation exists")
    }

    /// The assignments among the last events.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.events().filter_map(|recorded| match &recorded.event.kind {
            Kind::Conversation(_, Change::Assigned(assignment)) => Some(&**assignment),
            _ => None,
        })
    }

    /// The only assignment among the last events.
    #[track_caller]
    pub fn assignment(&self) -> &Assignment {
        let mut all = self.assignments();
        let assignment = all.next().expect("something was assigned");
        assert!(all.next().is_none(), "only one was");
        assignment
    }

    /// The only decision among the last events.
    #[track_caller]
    pub fn decision(&self) -> &Decision {
        let mut all = self
            .events()
            .filter_map(|recorded| recorded.event.decision.as_deref());
        let decision = all.next().expect("something was decided");
        assert!(all.next().is_none(), "only one thing was");
        decision
    }

    /// Why this person was passed over in the last decision.
    #[track_caller]
    pub fn passed_over(&self, who: &str) -> Option<PassedOver> {
        let mut candidates = self.decision().candidates.iter();
        let candidate = candidates.find(|candidate| candidate.agent == agent(who));
        candidate.expect("they were a candidate").passed_over
    }
}
