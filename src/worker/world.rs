//! A batch's view of the tenants it touches: loaded before the fold, compared with itself after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::Entry;
use crate::domain::agent::Agent;
use crate::domain::alarm;
use crate::domain::conversation::Conversation;
use crate::domain::decide::needs_roster;
use crate::domain::event::{Change, Kind, Recorded};
use crate::domain::fold::fold;
use crate::domain::ids::{AgentId, ConversationId, Partition, TeamId, Tenant};
use crate::domain::input::{Action, Body, Input, Timer};
use crate::domain::plan::{Plan, Strategy};
use crate::domain::state::State;
use crate::store::conversations::Loaded;
use crate::store::queue::Page;
use crate::store::timers::TimerKind;

/// Everything loaded for a batch, by tenant.
#[derive(Debug, Default)]
pub struct World {
    states: BTreeMap<Tenant, State>,
    stored: HashMap<ConversationId, Stored>,
}

/// What the database says of a conversation before the batch.
#[derive(Debug, Clone)]
struct Stored {
    exists: bool,
    marked: bool,
    /// When its alarm is set to go off.
    alarm: Option<Timestamp>,
    /// Whether it went off in this batch.
    alarmed: bool,
    dues: Dues,
}

/// When a conversation's timers are due, by what they are for.
pub type Dues = [(TimerKind, Option<Timestamp>); 3];

/// The timers a conversation should have.
pub fn dues(conversation: &Conversation) -> Dues {
    let request = conversation.request.as_ref();
    [
        (TimerKind::Assign, conversation.assign_clock.due()),
        (TimerKind::Hold, conversation.held_until),
        (TimerKind::Request, request.map(|request| request.expires_at)),
    ]
}

/// What a batch does with one tenant's people and queues, which decides what it must load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Who is there and who owns what: the match row is locked.
    pub roster: bool,
    /// How many places may become free, at most: so many of those who wait for the same are loaded. 0: none are.
    pub places: usize,
}

/// Places that a batch reckons with: what frees more of them leaves the rest to a drain that goes on.
pub const MOST_PLACES: usize = 100;

/// A conversation that the batch changed.
#[derive(Debug)]
pub struct Touched<'a> {
    /// As it is now.
    pub conversation: &'a Conversation,
    /// Whether it has a row already.
    pub exists: bool,
    /// Its timers that are due at another time than before; `None`: no longer at all.
    pub changed_dues: Vec<(TimerKind, Option<Timestamp>)>,
    /// Whether another lane had left its mark.
    pub marked: bool,
    /// When its alarm goes off from now on.
    pub alarm: Option<Timestamp>,
    /// Whether that is a moment for which there is no timer yet.
    pub alarm_is_new: bool,
}

impl World {
    /// Makes room for a tenant under its plan.
    pub fn enter(&mut self, tenant: &Tenant, plan: impl FnOnce() -> Arc<Plan>) -> &mut State {
        self.states
            .entry(tenant.clone())
            .or_insert_with(|| State::new(plan()))
    }

    /// A tenant's state.
    pub fn state(&self, tenant: &Tenant) -> Option<&State> {
        self.states.get(tenant)
    }

    /// Puts a conversation in that has a row.
    pub fn put_loaded(&mut self, loaded: Loaded) {
        let Loaded {
            tenant,
            conversation,
            marked,
            alarm,
        } = loaded;
        let dues = dues(&conversation);
        // One that waits may be found once more, at the head of its queue: what is known of it since stays.
        self.stored.entry(conversation.id).or_insert(Stored {
            exists: true,
            marked,
            alarm,
            alarmed: false,
            dues,
        });
        if let Some(state) = self.states.get_mut(&tenant) {
            // One that waits while this batch holds it was skipped by the drains of others: it is offered again.
            // And whether anybody can serve it at all, those who changed that meanwhile could not see.
            state.unsettled |= conversation.may_be_matched();
            state.unwatched |= conversation.may_be_matched();
            state.put(conversation);
        }
    }

    /// Puts a conversation in that has no row yet.
    pub fn put_unborn(&mut self, tenant: &Tenant, conversation: Conversation) {
        let dues = dues(&conversation);
        self.stored.insert(
            conversation.id,
            Stored {
                exists: false,
                marked: false,
                alarm: None,
                alarmed: false,
                dues,
            },
        );
        if let Some(state) = self.states.get_mut(tenant) {
            state.put(conversation);
        }
    }

    /// Puts the heads of a tenant's queues in.
    pub fn put_page(&mut self, tenant: &Tenant, page: Page) {
        let heads: Vec<_> = page.conversations.iter().map(|one| one.conversation.id).collect();
        for loaded in page.conversations {
            self.put_loaded(loaded);
        }
        if let Some(state) = self.states.get_mut(tenant) {
            state.more_wait(&page.more, &heads);
        }
    }

    /// Whether another lane wrote outbox rows for a conversation of this batch whose home this lane is.
    pub fn meets_mark(&self, home: Partition) -> bool {
        self.states
            .values()
            .flat_map(State::conversations)
            .any(|c| c.home == home && self.stored.get(&c.id).is_some_and(|stored| stored.marked))
    }

    /// Conversations of this home whose mark is answered by publishing what waited for it.
    pub fn marked_at_home(&self, home: Partition) -> BTreeSet<ConversationId> {
        let marked = |id: &ConversationId| self.stored.get(id).is_some_and(|stored| stored.marked);
        let all = self.states.values().flat_map(State::conversations);
        all.filter(|c| c.home == home && marked(&c.id))
            .map(|c| c.id)
            .collect()
    }

    /// The timer of a conversation's alarm is this batch's: it is set anew, if there is something to wait for.
    pub fn alarm_went_off(&mut self, id: ConversationId) {
        if let Some(stored) = self.stored.get_mut(&id) {
            stored.alarm = None;
            stored.alarmed = true;
        }
    }

    /// Conversations whose alarm went off in this batch.
    pub fn alarmed(&self) -> impl Iterator<Item = ConversationId> {
        let alarmed = self.stored.iter().filter(|(_, stored)| stored.alarmed);
        alarmed.map(|(id, _)| *id)
    }

    /// What these inputs need of each tenant.
    pub fn needs<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<Tenant, Needs> {
        let mut needs: BTreeMap<Tenant, Needs> = BTreeMap::new();
        for Entry { tenant, input, .. } in entries {
            let conversation = input
                .conversation()
                .and_then(|id| self.states.get(tenant)?.conversation(id));
            let need = needs.entry(tenant.clone()).or_default();
            need.roster |= needs_roster(input, conversation);
            need.places = MOST_PLACES.min(need.places + places_in(input));
        }
        // Whoever holds a waiting conversation has to offer it again, and needs to know to whom.
        for (tenant, state) in &self.states {
            if state.unsettled {
                needs.entry(tenant.clone()).or_default().roster = true;
            }
        }
        needs.retain(|_, need| need.roster);
        needs
    }

    /// Runs one input through the core.
    pub fn fold(&mut self, tenant: &Tenant, input: &Input, now: Timestamp) -> Vec<Recorded> {
        self.states
            .get_mut(tenant)
            .map(|state| fold(state, input, now))
            .unwrap_or_default()
    }

    /// A conversation as it is now.
    pub fn conversation(&self, tenant: &Tenant, id: ConversationId) -> Option<&Conversation> {
        self.states.get(tenant)?.conversation(id)
    }

    /// What has to be saved of a conversation.
    pub fn touched(&self, tenant: &Tenant, id: ConversationId) -> Option<Touched<'_>> {
        let conversation = self.conversation(tenant, id)?;
        let stored = self.stored.get(&id)?;
        let now = dues(conversation).into_iter().zip(stored.dues);
        let changed = now.filter(|(now, before)| now != before);
        let changed_dues = changed.map(|(now, _)| now).collect();
        let plan = &self.states.get(tenant)?.plan;
        let next = alarm::next(conversation, plan);
        // One that goes off too early sets itself again: most of them never have to.
        let alarm_is_new = next.is_some_and(|next| stored.alarm.is_none_or(|set| next < set));
        Some(Touched {
            conversation,
            exists: stored.exists,
            changed_dues,
            marked: stored.marked,
            alarm: if alarm_is_new { next } else { stored.alarm },
            alarm_is_new,
        })
    }

    /// Whose a loaded conversation is.
    pub fn tenant_of(&self, id: ConversationId) -> Option<&Tenant> {
        self.states
            .iter()
            .find(|(_, state)| state.conversation(id).is_some())
            .map(|(tenant, _)| tenant)
    }

    /// A person as they are now.
    pub fn agent(&self, tenant: &Tenant, id: &AgentId) -> Option<&Agent> {
        self.states.get(tenant)?.agents.get(id)
    }

    /// A member's place in the ring as it is now.
    pub fn turn(&self, tenant: &Tenant, team: &TeamId, agent: &AgentId) -> Option<u64> {
        let team = self.states.get(tenant)?.teams.get(team)?;
        team.members
            .iter()
            .find(|member| &member.agent == agent)
            .map(|member| member.turn)
    }
}

/// Teams whose queues a strategy empties.
pub fn drained_teams(plan: &Plan) -> Vec<TeamId> {
    let teams = plan
        .teams
        .iter()
        .filter(|(_, team)| team.strategy != Strategy::Manual);
    teams.map(|(id, _)| id.clone()).collect()
}

/// How many places in people's hands an input may free. What is about one conversation frees the one it is in.
fn places_in(input: &Input) -> usize {
    match (may_free(input), input.conversation()) {
        (false, _) => 0,
        (true, Some(_)) => 1,
        (true, None) => MOST_PLACES,
    }
}

/// Whether an input may free a place in somebody's hands.
fn may_free(input: &Input) -> bool {
    match &input.body {
        Body::Command(command) => !matches!(command.action, Action::Malformed { .. }),
        Body::Fact(_)
        | Body::Timer(
            Timer::AssignDue { .. }
            | Timer::HoldEnds { .. }
            | Timer::RequestDue { .. }
            | Timer::RecipientGone { .. }
            | Timer::BulkDone(_),
        ) => false,
        Body::Timer(
            Timer::PresenceExpired { .. }
            | Timer::DrainQueues
            | Timer::Reexamine { .. }
            | Timer::Bulk(_)
            | Timer::OwnerGone { .. }
            | Timer::Alarm { .. }
            | Timer::Absent { .. }
            | Timer::Stranded { .. },
        ) => true,
    }
}

/// The people whose load, turn or presence events changed.
pub fn people_in(recorded: &[Recorded]) -> BTreeSet<AgentId> {
    let mut people = BTreeSet::new();
    for event in recorded {
        match &event.event.kind {
            Kind::PresenceChanged { agent, .. } => drop(people.insert(agent.clone())),
            Kind::AgentUpserted { agent, .. } | Kind::AgentRemoved { agent } => {
                people.insert(agent.id.clone());
            }
            Kind::Conversation(_, change) if change.raises_epoch() => {
                let before = event.previous_owner.as_ref().and_then(|owner| owner.agent());
                let after = event
                    .after
                    .as_ref()
                    .and_then(|conversation| conversation.owner.agent());
                people.extend(before.into_iter().chain(after).cloned());
            }
            _ => {}
        }
    }
    people
}

/// The turns that were used up: team and member.
pub fn turns_in(recorded: &[Recorded]) -> BTreeSet<(TeamId, AgentId)> {
    let assigned = recorded.iter().filter_map(|event| match event.change() {
        Some((_, Change::Assigned(assignment))) => Some((assignment.team.clone()?, assignment.agent.clone())),
        _ => None,
    });
    assigned.collect()
}
