//! A large team whose members are all busy, and the customers who wait for them.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::CliError;
use super::stage::Stage;
use crate::contract::partition;
use crate::domain::agent::{Agent, Membership, Presence, Profile};
use crate::domain::alarm;
use crate::domain::conversation::{Contact, Conversation};
use crate::domain::fold::fold;
use crate::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, TeamId, Tenant};
use crate::domain::input::{Body, Fact, Input, Message, What};
use crate::domain::plan::Plan;
use crate::domain::state::State;
use crate::store::conversations::{self, Saved};
use crate::store::timers::{self, NewTimer, TimerKind};
use crate::store::{Session, agents};

/// Rows written by one statement.
const ROWS: usize = 1_000;
/// The team.
const TEAM: &str = "t";
/// Since when the longest-waiting customer waits: everyone else came after.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Members of the team, each with room for one conversation.
    pub agents: usize,
    /// Conversations that wait.
    pub waiting: usize,
    /// Different skills that they ask for, each agent having one of them; 1: nobody asks for any.
    pub requirements: usize,
}

/// A tenant of its own.
pub struct Crowd {
    /// Whose.
    pub tenant: Tenant,
    size: Size,
    channel: ChannelKey,
    team: TeamId,
    partitions: u16,
    plan: Arc<Plan>,
    /// What each agent owns, in their order.
    owned: Vec<ConversationId>,
}

impl Crowd {
    /// Puts the plan in force, then writes the people and the conversations: each is what the core makes of a first
    /// message, written by the worker's own statements.
    pub async fn gather(stage: &Stage, size: Size) -> Result<Self, CliError> {
        let tenant = Tenant::new(&format!("bench-{}", size.waiting))?;
        let channel = ChannelKey::new(&format!("whatsapp:{:015}", size.waiting))
            .ok_or("a channel is a kind and a number")?;
        let team = TeamId::new(TEAM)?;
        let plan = stage.apply(&plan_text(&tenant, &channel, size)).await?;
        let mut crowd = Self {
            tenant,
            size,
            channel,
            team,
            partitions: stage.topology.partitions,
            plan,
            owned: Vec::with_capacity(size.agents),
        };
        let session = stage.store.session().await?;
        session.begin().await?;
        crowd.write(&session).await?;
        session.commit().await?;
        Ok(crowd)
    }

    async fn write(&mut self, session: &Session) -> Result<(), CliError> {
        let began = Timestamp::now() - LONGEST;
        let numbers: Vec<usize> = (0..self.size.agents).collect();
        for part in numbers.chunks(ROWS) {
            let (mut people, mut chats) = (Vec::new(), Vec::new());
            for number in part {
                let (agent, chat) = self.busy(*number, began)?;
                self.owned.push(chat.id);
                people.push(agent);
                chats.push(chat);
            }
            let people: Vec<_> = people.iter().map(|agent| (&self.tenant, agent)).collect();
            agents::save_loads(session, &people).await?;
            self.keep(session, &chats).await?;
        }
        let numbers: Vec<usize> = (0..self.size.waiting).collect();
        for part in numbers.chunks(ROWS) {
            let waiting = part.iter().map(|number| self.waits(*number, began));
            self.keep(session, &waiting.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    async fn keep(&self, session: &Session, chats: &[Conversation]) -> Result<(), CliError> {
        let saved: Vec<_> = chats
            .iter()
            .map(|conversation| Saved {
                tenant: &self.tenant,
                conversation,
                marked: false,
                alarm: alarm::next(conversation, &self.plan),
            })
            .collect();
        conversations::insert(session, &saved).await?;
        let due = |chat: &Conversation| {
            [
                (TimerKind::Assign, chat.assign_clock.due()),
                (TimerKind::Alarm, alarm::next(chat, &self.plan)),
            ]
        };
        let clocks = chats.iter().flat_map(|chat| {
            due(chat).into_iter().filter_map(|(kind, due)| {
                Some(NewTimer {
                    tenant: self.tenant.clone(),
                    kind,
                    subject: chat.id.to_string(),
                    lane: chat.home,
                    due: Some(due?),
                })
            })
        });
        timers::set(session, &clocks.collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// One of the team, and the conversation they own.
    fn busy(&self, number: usize, at: Timestamp) -> Result<(Agent, Conversation), CliError> {
        let id = agent(number)?;
        let profile = self.plan.agents.get(&id).cloned();
        let mut agent = Agent::new(id.clone(), profile.unwrap_or_else(|| Profile::named(&id)));
        agent.presence = Presence::Online;
        let mut alone = Membership::default();
        alone.join(&id);
        let mut state = State::new(self.plan.clone());
        state.agents.insert(id.clone(), agent);
        state.teams.insert(self.team.clone(), alone);
        let chat = self.writes(&mut state, number, at);
        let agent = state.agents.remove(&id).ok_or("the agent is gone")?;
        Ok((agent, chat))
    }

    /// A customer for whom nobody is free.
    fn waits(&self, number: usize, began: Timestamp) -> Conversation {
        let mut state = State::new(self.plan.clone());
        state.teams.insert(self.team.clone(), Membership::default());
        let at = began + SignedDuration::from_millis(i64::try_from(number).unwrap_or(i64::MAX));
        let mut chat = self.writes(&mut state, self.size.agents + number, at);
        if let Some(skill) = skill(self.size, number) {
            chat.route.skills.insert(skill.into(), 1);
        }
        chat
    }

    /// A customer writes for the first time.
    fn writes(&self, state: &mut State, number: usize, at: Timestamp) -> Conversation {
        let id = ConversationId(Uuid::now_v7());
        let key = format!("{}-{number}", self.tenant);
        let home = Partition(partition::of(&key, self.partitions));
        let unborn = Conversation::unborn(id, self.channel.clone(), key.as_str().into(), home);
        state.put(unborn.clone());
        let message = Message {
            id: key.as_str().into(),
            kind: "text".into(),
            turn: true,
            ..Message::default()
        };
        let fact = Fact {
            conversation: id,
            channel: self.channel.clone(),
            conflict: Vec::new(),
            contact: Contact::default(),
            at,
            standby: false,
            what: What::Received(message),
        };
        let input = Input {
            cause: key.into(),
            key: id.0,
            body: Body::Fact(fact),
        };
        fold(state, &input, at);
        state.take(id).unwrap_or(unborn)
    }

    /// The conversation that this member of the team owned at the beginning.
    pub fn owned_by(&self, number: usize) -> ConversationId {
        self.owned[number]
    }

    /// The lane that handles what is said about it first.
    pub fn partition_of(&self, number: usize) -> (String, u16) {
        let key = format!("{}-{number}", self.tenant);
        let partition = partition::of(&key, self.partitions);
        (key, partition)
    }
}

/// A member of the team.
pub fn agent(number: usize) -> Result<AgentId, CliError> {
    Ok(AgentId::new(&format!("a{number}"))?)
}

/// What the customer, or the agent, with this number asks or has.
fn skill(size: Size, number: usize) -> Option<String> {
    (size.requirements > 1).then(|| format!("s{}", number % size.requirements))
}

fn plan_text(tenant: &Tenant, channel: &ChannelKey, size: Size) -> String {
    // A clock long enough never to run out while it is measured.
    let mut text = format!(
        "tenant = \"{tenant}\"\n[settings]\nresponse = \"slow\"\n[[responses]]\nid = \"slow\"\nassign_within = \"7d\"\n\
         [[channels]]\nkey = \"{channel}\"\n[[agents]]\nid = \"boss\"\nrole = \"admin\"\n"
    );
    let mut members = String::new();
    for number in 0..size.agents {
        let _ = write!(text, "[[agents]]\nid = \"a{number}\"\ncapacity = 1\n");
        if let Some(skill) = skill(size, number) {
            let _ = writeln!(text, "skills = {{ {skill} = 1 }}");
        }
        let _ = write!(members, "\"a{number}\", ");
    }
    let _ = write!(
        text,
        "[[teams]]\nid = \"{TEAM}\"\nmembers = [{members}]\n[default]\nteam = \"{TEAM}\"\n"
    );
    text
}
