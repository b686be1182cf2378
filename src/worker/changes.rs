//! What a batch changes and says, gathered while it folds and written in one round trip.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::try_join;

use super::applied::{self, Activated, Applied};
use super::bulks::Bulks;
use super::eligible::Eligible;
use super::entry::Entry;
use super::graces::Graces;
use super::leaving::Leaving;
use super::on_record;
use super::world::{Touched, World, people_in, turns_in};
use crate::contract::envelope::{Destination, OutMessage, Publishing};
use crate::contract::{Trace, event, notification, outcome, parcel, partition};
use crate::domain::agent::{Presence, Profile};
use crate::domain::conversation::Conversation;
use crate::domain::event::{Change, Kind, Quiet, Recorded};
use crate::domain::ids::{AgentId, ConversationId, Partition, TeamId, Tenant};
use crate::domain::input::{Body, Input, Timer};
use crate::domain::notify::told;
use crate::store::conversations::Saved;
use crate::store::outbox;
use crate::store::plans::Activation;
use crate::store::timers::{NewTimer, TimerKind};
use crate::store::{Session, StoreError, agents, bulk, conversations, matching, plans, records, timers};

/// What a batch changes and says.
#[derive(Debug)]
pub struct Changes {
    publishing: Publishing,
    messages: BTreeMap<Partition, Vec<OutMessage>>,
    /// By conversation: whether only ordinary messages happened to it.
    touched: BTreeMap<(Tenant, ConversationId), bool>,
    /// Conversations whose clock is written, changed or not.
    clocks: BTreeSet<ConversationId>,
    people: BTreeSet<(Tenant, AgentId)>,
    turns: BTreeSet<(Tenant, TeamId, AgentId)>,
    /// Tenants whose people or memberships an upsert or a plan wrote.
    rewritten: BTreeSet<Tenant>,
    draining: BTreeMap<Tenant, bool>,
    /// Who can no longer be waited for: the requests they have not answered are looked at again.
    gone: BTreeSet<(Tenant, AgentId)>,
    presences: BTreeMap<(Tenant, AgentId), Option<Timestamp>>,
    graces: Graces,
    bulks: Bulks,
    leaving: Leaving,
    eligible: Eligible,
    /// Timers whose work was more than a batch takes.
    again: Vec<NewTimer>,
    recorded: Vec<(Tenant, Recorded)>,
    activated: Vec<(Tenant, Activated)>,
    /// What came of a plan, for whoever applied it by hand.
    applied: Option<Applied>,
}

/// What was written, and what is left to do about it.
#[derive(Debug, Default)]
pub struct Written {
    /// Our own messages, to publish now.
    pub own: Vec<OutMessage>,
    /// The row that holds them.
    pub own_row: Option<i64>,
    /// Lanes with something to do now: homes of others that have rows, and all whose requests are to be looked at.
    pub wake: BTreeSet<Partition>,
    /// What came of the last plan or refused command.
    pub applied: Option<Applied>,
}

impl Changes {
    /// Nothing yet.
    pub fn new(partitions: u16) -> Self {
        Self {
            publishing: Publishing { partitions },
            messages: BTreeMap::new(),
            touched: BTreeMap::new(),
            clocks: BTreeSet::new(),
            people: BTreeSet::new(),
            turns: BTreeSet::new(),
            rewritten: BTreeSet::new(),
            draining: BTreeMap::new(),
            gone: BTreeSet::new(),
            presences: BTreeMap::new(),
            graces: Graces::default(),
            bulks: Bulks::default(),
            leaving: Leaving::default(),
            eligible: Eligible::default(),
            again: Vec::new(),
            recorded: Vec::new(),
            activated: Vec::new(),
            applied: None,
        }
    }

    /// The document of the plan that this batch put in force last.
    pub fn activated(&self, tenant: &Tenant) -> Option<&serde_json::Value> {
        let mut of_tenant = self.activated.iter().filter(|(of, _)| of == tenant);
        of_tenant.next_back().map(|(_, activated)| &activated.document)
    }

    /// Timers to set again.
    pub fn set_again(&mut self, again: Vec<NewTimer>) {
        self.again = again;
    }

    /// Takes what one input led to. `world` is as the input left it.
    pub fn add(&mut self, world: &World, entry: &Entry, recorded: Vec<Recorded>) {
        let (tenant, input, reply) = (&entry.tenant, &entry.input, entry.reply.as_ref());
        let trace = entry.trace.as_ref();
        let Some(state) = world.state(tenant) else {
            return;
        };
        for event in &recorded {
            let home = self.home(tenant, event);
            if let Some(message) = event::render(event, tenant, &self.publishing) {
                self.say(home, message, trace);
            }
        }
        for notification in told(state, &recorded) {
            let about = &recorded[notification.about];
            let home = self.home(tenant, about);
            if let Some(message) = notification::render(&notification, about, state) {
                self.say(home, message, trace);
            }
        }
        // In the row of the event it repeats, behind it: whoever publishes that row publishes both.
        if let (Some(reply), Some(outcome)) = (reply, outcome::of(input, &recorded)) {
            let home = self.home(tenant, outcome);
            if let Some(answer) = outcome::render(outcome, tenant, &self.publishing, reply.as_wire()) {
                self.say(home, answer, trace);
            }
        }
        self.people.extend(
            people_in(&recorded)
                .into_iter()
                .map(|agent| (tenant.clone(), agent)),
        );
        self.turns.extend(
            turns_in(&recorded)
                .into_iter()
                .map(|(team, agent)| (tenant.clone(), team, agent)),
        );
        for event in &recorded {
            self.note(tenant, input, event, entry.document.as_ref());
            self.leaving.note(tenant, &event.event.kind);
            self.eligible.note(tenant, &event.event.kind, event.event.at);
            self.graces.note(tenant, state, &event.event);
            let home = self.tenant_home(tenant);
            self.bulks.note(tenant, input, &event.event, home, reply);
        }
        if let Body::Timer(Timer::OwnerGone { conversation }) = input.body {
            // What stays with someone who is gone gets its alarm by the plan that is in force now.
            self.touched.entry((tenant.clone(), conversation)).or_insert(true);
        }
        self.recorded.extend(
            recorded
                .into_iter()
                .filter(on_record::is_kept)
                .map(|event| (tenant.clone(), event)),
        );
    }

    /// A duplicate changes nothing; whoever asked for an answer gets one.
    pub fn answer_duplicate(&mut self, entry: &Entry, now: Timestamp) {
        let Entry { tenant, input, .. } = entry;
        let Some(reply) = &entry.reply else { return };
        let home = self.tenant_home(tenant);
        if let Some(answer) = outcome::duplicate(input, now, tenant, &self.publishing, reply.as_wire()) {
            self.say(home, answer, entry.trace.as_ref());
        }
    }

    /// Leaves a message to a lane, in the trace of what caused it.
    fn say(&mut self, home: Partition, mut message: OutMessage, trace: Option<&Trace>) {
        if let Some(trace) = trace {
            message.belongs_to(trace);
        }
        self.messages.entry(home).or_default().push(message);
    }

    /// The lane that publishes an event: its conversation's home, or that of its own subject's key.
    fn home(&self, tenant: &Tenant, event: &Recorded) -> Partition {
        match (&event.event.kind, &event.after) {
            (Kind::Conversation(..) | Kind::CommandRejected(_), Some(after)) => after.home,
            (Kind::PresenceChanged { agent, .. }, _) => self.partition(&format!("agent/{agent}")),
            (Kind::ContactForgotten { partition_key, .. }, _) => self.partition(partition_key),
            (Kind::IdentityConflict(conflict), _) => conflict.home,
            (Kind::AgentUpserted { agent, .. } | Kind::AgentRemoved { agent }, _) => {
                self.partition(&format!("agent/{}", agent.id))
            }
            _ => self.tenant_home(tenant),
        }
    }

    fn tenant_home(&self, tenant: &Tenant) -> Partition {
        self.partition(&format!("tenant/{tenant}"))
    }

    fn partition(&self, key: &str) -> Partition {
        Partition(partition::of(key, self.publishing.partitions))
    }

    /// What an event leaves to be written beside its message.
    fn note(
        &mut self,
        tenant: &Tenant,
        input: &Input,
        event: &Recorded,
        document: Option<&serde_json::Value>,
    ) {
        match &event.event.kind {
            Kind::Conversation(id, change) => {
                let ordinary = match change {
                    Change::MessageReceived { contact, .. } => contact.is_none(),
                    Change::MessageSent { .. }
                    | Change::ReplyAuthorized { .. }
                    | Change::ReplyUnauthorized { .. }
                    | Change::NoteAdded { .. } => true,
                    _ => false,
                };
                let owned = event
                    .after
                    .as_ref()
                    .is_some_and(|conversation| conversation.carried_by().is_some());
                let only_ordinary = self.touched.entry((tenant.clone(), *id)).or_insert(true);
                *only_ordinary &= ordinary && owned;
                if matches!(change, Change::Quiet(Quiet::ClockStarted(_))) {
                    self.clocks.insert(*id);
                }
            }
            Kind::AgentUpserted { agent, .. } => {
                self.rewritten.insert(tenant.clone());
                if !may_be_asked(&agent.profile) {
                    self.gone.insert((tenant.clone(), agent.id.clone()));
                }
            }
            Kind::AgentRemoved { agent } => {
                self.rewritten.insert(tenant.clone());
                self.gone.insert((tenant.clone(), agent.id.clone()));
                self.presences.insert((tenant.clone(), agent.id.clone()), None);
            }
            Kind::ContactForgotten { conversation, .. } => {
                let erased = conversation.iter().map(|id| ((tenant.clone(), *id), false));
                self.touched.extend(erased);
            }
            Kind::PresenceChanged {
                agent,
                expires,
                presence,
                ..
            } => {
                if *presence == Presence::Offline {
                    self.gone.insert((tenant.clone(), agent.clone()));
                }
                self.presences.insert((tenant.clone(), agent.clone()), *expires);
            }
            Kind::PlanActivated { plan, unchanged } => {
                self.rewritten.insert(tenant.clone());
                let gone = plan.agents.iter().filter(|(_, profile)| !may_be_asked(profile));
                self.gone.extend(gone.map(|(id, _)| (tenant.clone(), id.clone())));
                self.applied = Some(Applied::Activated {
                    version: plan.version,
                    unchanged: *unchanged,
                });
                if let Some(document) = document.filter(|_| !unchanged) {
                    let activated = Activated {
                        plan: plan.clone(),
                        document: document.clone(),
                        actor: applied::actor_text(&event.event.actor),
                        cause: input.cause.to_string(),
                        at: event.event.at,
                    };
                    self.activated.push((tenant.clone(), activated));
                }
            }
            Kind::DrainPending(pending) => drop(self.draining.insert(tenant.clone(), *pending)),
            Kind::CommandRejected(refusal) => {
                let (message, errors) = (refusal.message.to_string(), refusal.errors.clone());
                self.applied = Some(Applied::Refused { message, errors });
            }
            Kind::GraceOver { .. }
            | Kind::QueueServable(_)
            | Kind::Skipped(_)
            | Kind::BulkAccepted(_)
            | Kind::BulkItemDone(_)
            | Kind::BulkDone(_)
            | Kind::IdentityConflict(_) => {}
        }
    }

    /// Writes everything and commits. `home` is the lane whose batch it is; `all_read`: what others left there is published
    /// before it, down to the last row.
    pub async fn write(
        mut self,
        session: &Session,
        world: &World,
        home: Option<Partition>,
        all_read: bool,
    ) -> Result<Written, StoreError> {
        self.write_rarities(session, world).await?;
        let answering = home.filter(|_| all_read);
        let marked = answering
            .map(|home| world.marked_at_home(home))
            .unwrap_or_default();
        // Publishing what others left here answers the mark, also of a conversation that did not change.
        let answered = marked
            .iter()
            .filter_map(|id| world.tenant_of(*id).map(|tenant| (tenant.clone(), *id)));
        // And an alarm that went off is no longer set, whatever came of it.
        let alarmed = world
            .alarmed()
            .filter_map(|id| world.tenant_of(id).map(|tenant| (tenant.clone(), id)));
        for key in answered.chain(alarmed) {
            self.touched.insert(key, false);
        }
        self.put_events_first();
        let sorted = self.sort(world, home, all_read);
        let rows = self.rows();
        let agents: Vec<_> = self
            .people
            .iter()
            .filter_map(|(tenant, id)| Some((tenant, world.agent(tenant, id)?)))
            .collect();
        let turns: Vec<_> = self
            .turns
            .iter()
            .filter_map(|(tenant, team, agent)| Some((tenant, team, agent, world.turn(tenant, team, agent)?)))
            .collect();
        let engagements = on_record::engagements(&self.recorded);
        let endings = on_record::endings(&self.recorded);
        let notes = on_record::notes(&self.recorded);
        let decisions = on_record::decisions(&self.recorded);
        let gone: Vec<_> = self.gone.iter().map(|(tenant, agent)| (tenant, agent)).collect();
        let (set, cleared) = self.timers(world, &sorted.dues, home);
        let writes = async {
            try_join!(
                biased;
                conversations::insert(session, &sorted.new),
                conversations::save(session, &sorted.full),
                conversations::touch(session, &sorted.light),
                agents::save_loads(session, &agents),
                agents::save_turns(session, &turns),
                records::add_engagements(session, &engagements),
                records::end_engagements(session, &endings),
                records::add_notes(session, &notes),
                records::add_decisions(session, &decisions),
                timers::clear(session, &cleared),
                timers::set(session, &set),
                timers::fan_out(session, &gone),
                self.leaving.write(session),
                self.bulks.write_done(session),
                outbox::add(session, &rows),
            )
        };
        let begun = self.bulks.accepted();
        let ((.., fanned_out, left, ends, added), lanes) = if begun.is_empty() {
            (session.commit_after(writes).await?, Vec::new())
        } else {
            // What a bulk is about is asked after this batch's own changes are written.
            let written = writes.await?;
            let lanes = bulk::add(session, begun).await?;
            session.commit().await?;
            (written, lanes)
        };
        let own = home
            .and_then(|home| self.messages.remove(&home))
            .unwrap_or_default();
        let own_row = added
            .iter()
            .find(|(lane, _)| Some(*lane) == home)
            .map(|(_, id)| *id);
        let others = added.iter().map(|(lane, _)| *lane);
        let wake = others
            .filter(|lane| Some(*lane) != home)
            .chain(fanned_out)
            .chain(left)
            .chain(ends)
            .chain(lanes)
            .collect();
        Ok(Written {
            own,
            own_row,
            wake,
            applied: self.applied,
        })
    }

    /// What happens a few times a day: plans, upserts, drains that stop at their bound.
    async fn write_rarities(&self, session: &Session, world: &World) -> Result<(), StoreError> {
        for tenant in &self.rewritten {
            let Some(state) = world.state(tenant) else {
                continue;
            };
            let everyone: Vec<_> = state.agents.values().collect();
            agents::save_profiles(session, tenant, &everyone).await?;
            agents::replace_members(session, tenant, &state.teams).await?;
        }
        for (tenant, activated) in &self.activated {
            let activation = Activation {
                tenant,
                version: activated.plan.version,
                document: &activated.document,
                channels: activated.plan.channels.keys().collect(),
                at: activated.at,
                actor: activated.actor.clone(),
                cause: &activated.cause,
            };
            plans::activate(session, &activation).await?;
        }
        for (tenant, pending) in &self.draining {
            matching::save_drain_pending(session, tenant, *pending).await?;
        }
        self.eligible.write(session, world).await
    }

    /// Conversations by how much of them has to be written.
    fn sort<'a>(&'a self, world: &'a World, home: Option<Partition>, all_read: bool) -> Sorted<'a> {
        let mut sorted = Sorted::default();
        for ((tenant, id), only_ordinary) in &self.touched {
            let Some(touched) = world.touched(tenant, *id) else {
                continue;
            };
            let Touched {
                conversation,
                exists,
                mut changed_dues,
                marked,
                alarm,
                alarm_is_new,
            } = touched;
            if !conversation.exists() {
                continue;
            }
            let elsewhere = Some(conversation.home) != home;
            if alarm_is_new {
                sorted.dues.push((tenant, conversation, TimerKind::Alarm, alarm));
            }
            // Whoever writes for another home leaves its mark; the home answers it by publishing what waits there.
            let saved = Saved {
                tenant,
                conversation,
                marked: elsewhere || marked && !all_read,
                alarm,
            };
            if *only_ordinary && exists && !marked && !elsewhere {
                sorted.light.push(saved);
                continue;
            }
            if exists {
                sorted.full.push(saved)
            } else {
                sorted.new.push(saved)
            }
            let written = changed_dues.iter().any(|(kind, _)| *kind == TimerKind::Assign);
            if self.clocks.contains(id) && !written {
                changed_dues.push((TimerKind::Assign, conversation.assign_clock.due()));
            }
            let changed = changed_dues.into_iter();
            sorted
                .dues
                .extend(changed.map(|(kind, due)| (tenant, conversation, kind, due)));
        }
        sorted
    }

    /// Events, then notifications, then answers, each kind in its order: nothing promises an order between kinds, and a
    /// broker takes a run of messages for one queue faster than the same ones by turns.
    fn put_events_first(&mut self) {
        for messages in self.messages.values_mut() {
            messages.sort_by_key(|message| match message.to {
                Destination::Events => 0,
                Destination::Notifications => 1,
                Destination::Queue(_) => 2,
            });
        }
    }

    /// One outbox row per home.
    fn rows(&self) -> Vec<(Partition, String)> {
        let full = self.messages.iter().filter(|(_, messages)| !messages.is_empty());
        full.map(|(home, messages)| (*home, parcel::pack(messages)))
            .collect()
    }

    /// Timers to set and to clear.
    fn timers(
        &self,
        world: &World,
        dues: &[ChangedDue<'_>],
        home: Option<Partition>,
    ) -> (Vec<NewTimer>, Vec<(Tenant, TimerKind, String)>) {
        let (mut set, mut clear) = (self.again.clone(), Vec::new());
        for (tenant, conversation, kind, due) in dues {
            let subject = conversation.id.to_string();
            match due {
                Some(due) => set.push(self.timer(tenant, *kind, subject, conversation.home, Some(*due))),
                None => clear.push(((*tenant).clone(), *kind, subject)),
            }
        }
        let presences = self.presences.iter();
        let presences = presences.map(|((tenant, agent), due)| (tenant, agent, TimerKind::Presence, *due));
        let graces = self.graces.ends(world);
        let graces = graces.map(|(tenant, agent, due)| (tenant, agent, TimerKind::Absent, due));
        let bursts = self.eligible.burst_ends(world, &self.people);
        let bursts = bursts.map(|(tenant, agent, due)| (tenant, agent, TimerKind::Burst, Some(due)));
        let people = presences
            .chain(graces)
            .chain(bursts)
            .map(|(tenant, agent, kind, due)| {
                let lane = self.partition(&format!("agent/{agent}"));
                (tenant, kind, agent.to_string(), lane, due)
            });
        let shifts = self.eligible.openings(world).map(|(tenant, due)| {
            let lane = self.tenant_home(tenant);
            (tenant, TimerKind::Opens, String::new(), lane, due)
        });
        for (tenant, kind, subject, lane, due) in people.chain(shifts) {
            match due {
                Some(due) => set.push(self.timer(tenant, kind, subject, lane, Some(due))),
                None => clear.push((tenant.clone(), kind, subject)),
            }
        }
        for (tenant, _) in self.draining.iter().filter(|(_, pending)| **pending) {
            let lane = home.unwrap_or_else(|| self.tenant_home(tenant));
            set.push(self.timer(tenant, TimerKind::Drain, String::new(), lane, None));
        }
        for (tenant, _) in &self.activated {
            for lane in 0..self.publishing.partitions {
                let lane = Partition(lane);
                set.push(self.timer(tenant, TimerKind::Reexamine, lane.to_string(), lane, None));
            }
        }
        (set, clear)
    }

    fn timer(
        &self,
        tenant: &Tenant,
        kind: TimerKind,
        subject: String,
        lane: Partition,
        due: Option<Timestamp>,
    ) -> NewTimer {
        NewTimer {
            tenant: tenant.clone(),
            kind,
            subject,
            lane,
            due,
        }
    }
}

/// A timer of a conversation that is due at another time than before; `None`: no longer at all.
type ChangedDue<'a> = (&'a Tenant, &'a Conversation, TimerKind, Option<Timestamp>);

/// Conversations by how much of them has to be written.
#[derive(Default)]
struct Sorted<'a> {
    new: Vec<Saved<'a>>,
    full: Vec<Saved<'a>>,
    light: Vec<Saved<'a>>,
    dues: Vec<ChangedDue<'a>>,
}

/// Whether somebody can be asked to take a conversation, were they there.
fn may_be_asked(profile: &Profile) -> bool {
    profile.active && profile.may_reply
}
