//! A small company to decide for: team `support` (Mark and Martha; managed by Boss), Ana who only subscribes to the
//! channel, Root the admin. Every id, key and time is the same in every run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::agent::{Presence, Profile, Role};
use switchboard::domain::bulk::{Item, ItemOutcome, Order, Report, Task};
use switchboard::domain::conversation::{Contact, Conversation};
use switchboard::domain::event::Recorded;
use switchboard::domain::fold::fold;
use switchboard::domain::identity::{AliasKind, Leading};
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, PolicyId, TeamId, Tenant};
use switchboard::domain::input::{
    Action, Actor, Body, Command, Fact, Fault, Input, Message, Origin, Recipient, ReplyBody, System, Timer,
    Upsert, What, Wish,
};
use switchboard::domain::plan::{Channel, Plan, ResponsePolicy, Strategy, Target, Team};
use switchboard::domain::state::State;
use uuid::Uuid;

pub const CHANNEL: &str = "whatsapp:123456789012345";
/// The key of SEMANTICS' own vector: CRC-32 puts it on partition 4 of 8.
pub const PARTITION_KEY: &str = "a4739f991883260a";
pub const PARTITIONS: u16 = 8;

/// The conversation most tests are about.
pub const CHAT: ConversationId = ConversationId(Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0001));
/// Another one.
pub const OTHER_CHAT: ConversationId =
    ConversationId(Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0002));

/// The bulk of these tests.
pub const BULK: Uuid = Uuid::from_u128(0x0193_5f2a_0000_7000_8000_0000_0000_0b01);

/// The company as a batch would have loaded it, and the clock.
pub struct Company {
    pub state: State,
    pub now: Timestamp,
    inputs: u128,
}

/// What one input led to.
pub struct Happened {
    pub input: Input,
    pub events: Vec<Recorded>,
}

pub fn tenant() -> Tenant {
    Tenant::new("acme").unwrap()
}

pub fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

pub fn team(id: &str) -> TeamId {
    TeamId::new(id).unwrap()
}

pub fn channel() -> ChannelKey {
    ChannelKey::new(CHANNEL).unwrap()
}

pub fn to_agent(id: &str) -> Wish {
    Wish::Assign(Recipient::Agent(agent(id)))
}

pub fn to_team(id: &str) -> Wish {
    Wish::Assign(Recipient::Team(team(id)))
}

/// The plan: everything goes to `support`, whose strategy is `least_loaded`.
pub fn plan() -> Plan {
    let mut plan = Plan::empty(tenant());
    let subscribers = BTreeSet::from([agent("ana"), agent("mark")]);
    let of_channel = Channel {
        subscribers,
        phone_agent: None,
    };
    plan.channels.insert(channel(), of_channel);
    for (id, name, role) in [
        ("ana", "Ana", Role::Agent),
        ("boss", "Bianca", Role::Manager),
        ("mark", "Mark", Role::Agent),
        ("martha", "Martha", Role::Agent),
        ("root", "Ruth", Role::Admin),
    ] {
        let profile = Profile {
            name: name.into(),
            role,
            ..Profile::named(&agent(id))
        };
        plan.agents.insert(agent(id), profile);
    }
    let support = Team {
        members: vec![agent("mark"), agent("martha")],
        managers: vec![agent("boss")],
        strategy: Strategy::LeastLoaded,
        capacity: None,
        response: None,
        fallback: Vec::new(),
        calendar: None,
        outside: Default::default(),
    };
    plan.teams.insert(team("support"), support);
    plan.default = Some(Target {
        team: Some(team("support")),
        ..Target::default()
    });
    plan
}

/// The usual plan under a policy that waits ten minutes for an answer and warns two before.
pub fn strict(write: impl FnOnce(&mut ResponsePolicy)) -> Plan {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let mut strict = ResponsePolicy {
        respond_within: Some(minutes(10)),
        warn_before: Some(minutes(2)),
        ..ResponsePolicy::built_in()
    };
    write(&mut strict);
    let mut plan = plan();
    let id = PolicyId::new("strict").unwrap();
    plan.responses.insert(id.clone(), strict);
    plan.settings.response = Some(id);
    plan
}

impl Company {
    /// With everyone offline.
    pub fn with(plan: Plan) -> Self {
        let mut company = Self {
            state: State::new(Arc::new(Plan::empty(tenant()))),
            now: "2026-11-21T10:00:00.25Z".parse().unwrap(),
            inputs: 0,
        };
        company.apply(plan);
        company
    }

    /// The usual plan, everyone offline.
    pub fn asleep() -> Self {
        Self::with(plan())
    }

    /// The usual plan with these people online.
    pub fn with_online(agents: &[&str]) -> Self {
        let mut company = Self::asleep();
        for id in agents {
            company.online(id);
        }
        company
    }

    /// Mark, who is the only one there, owns what his customer waits for.
    pub fn owned_by_mark(plan: Plan) -> Self {
        let mut company = Self::with(plan);
        company.online("mark");
        company.turn(CHAT);
        company
    }

    /// Someone comes online.
    pub fn online(&mut self, id: &str) -> Happened {
        self.presence(Actor::System(System::Cli), id, Presence::Online)
    }

    /// The alarm of the usual conversation goes off.
    pub fn alarm(&mut self, after: Duration) -> Happened {
        self.timer(after, Timer::Alarm { conversation: CHAT })
    }

    /// Runs an input, one second after the one before.
    pub fn happens(&mut self, body: Body) -> Happened {
        self.now += Duration::from_secs(1);
        self.inputs += 1;
        let number = self.inputs;
        let input = Input {
            cause: format!("input-{number}").into(),
            key: Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0000 + number),
            body,
        };
        if let Some(id) = input.conversation()
            && self.state.conversation(id).is_none()
        {
            let home = Partition(4);
            self.state
                .put(Conversation::unborn(id, channel(), PARTITION_KEY.into(), home));
        }
        let events = fold(&mut self.state, &input, self.now);
        Happened { input, events }
    }

    pub fn fact(&mut self, conversation: ConversationId, standby: bool, what: What) -> Happened {
        let contact = Contact {
            name: "Gloria Contreras".into(),
            ..Contact::default()
        };
        let at = self.now;
        let channel = channel();
        self.happens(Body::Fact(Fact {
            conversation,
            channel,
            conflict: Vec::new(),
            contact,
            at,
            standby,
            what,
        }))
    }

    /// The customer writes.
    pub fn turn(&mut self, conversation: ConversationId) -> Happened {
        self.fact(conversation, false, What::Received(message("text", true)))
    }

    /// The customer writes; their business-scoped user id leads to another conversation.
    pub fn turn_in_conflict(&mut self, conversation: ConversationId, other: ConversationId) -> Happened {
        let leading = |conversation, kind| Leading {
            conversation,
            identifiers: vec![kind],
        };
        let at = self.now;
        self.happens(Body::Fact(Fact {
            conversation,
            channel: channel(),
            conflict: vec![
                leading(conversation, AliasKind::Phone),
                leading(other, AliasKind::Bsuid),
            ],
            contact: Contact::default(),
            at,
            standby: false,
            what: What::Received(message("text", true)),
        }))
    }

    /// The business writes outside the gate.
    pub fn sent(&mut self, conversation: ConversationId, origin: Origin) -> Happened {
        let message = message("text", false);
        let leave_unassigned = false;
        self.fact(
            conversation,
            false,
            What::Sent {
                message,
                origin,
                leave_unassigned,
            },
        )
    }

    pub fn handover(&mut self, conversation: ConversationId) -> Happened {
        let reason = "asked for a person".into();
        self.fact(conversation, false, What::Handover { reason })
    }

    pub fn command(&mut self, actor: Actor, name: &str, action: Action) -> Happened {
        self.happens(Body::Command(Command {
            name: name.into(),
            actor,
            action,
        }))
    }

    /// A person wants something of a conversation.
    pub fn wish(&mut self, actor: &str, conversation: ConversationId, wish: Wish) -> Happened {
        self.wish_with_note(actor, conversation, wish, None)
    }

    pub fn wish_with_note(
        &mut self,
        actor: &str,
        conversation: ConversationId,
        wish: Wish,
        note: Option<&str>,
    ) -> Happened {
        let name = name_of(&wish);
        let note = note.map(Into::into);
        let action = Action::Conversation {
            conversation,
            expected_epoch: None,
            note,
            wish,
        };
        self.command(Actor::Agent(agent(actor)), name, action)
    }

    pub fn presence(&mut self, actor: Actor, of: &str, presence: Presence) -> Happened {
        let action = Action::Presence {
            agent: agent(of),
            presence,
            ttl: None,
        };
        self.command(actor, "presence", action)
    }

    pub fn upsert(&mut self, of: &str, fields: Upsert) -> Happened {
        let action = Action::UpsertAgent {
            agent: agent(of),
            fields,
        };
        self.command(Actor::Agent(agent("root")), "agent.upsert", action)
    }

    /// Root takes someone out.
    pub fn remove(&mut self, whom: &str) -> Happened {
        let action = Action::RemoveAgent { agent: agent(whom) };
        self.command(Actor::Agent(agent("root")), "agent.remove", action)
    }

    /// Root erases the customer of this conversation.
    pub fn forget(&mut self, conversation: ConversationId) -> Happened {
        let action = Action::ForgetContact {
            conversations: vec![conversation],
            keys: vec![PARTITION_KEY.into()],
        };
        self.command(Actor::Agent(agent("root")), "contact.forget", action)
    }

    /// The turn of a conversation in a bulk of Root's.
    pub fn in_bulk(&mut self, conversation: ConversationId, wish: Wish) -> Happened {
        let Wish::Assign(to) = wish else {
            panic!("a bulk gives conversations away");
        };
        let note = Some("Mark is on holiday.".into());
        let order = Order {
            bulk: BULK,
            actor: Actor::Agent(agent("root")),
            task: Task::Assign { to, note },
        };
        let item = Item {
            run: BULK,
            order: Arc::new(order),
            place: 0,
            conversation,
            was: None,
        };
        self.timer(Duration::ZERO, Timer::Bulk(Box::new(item)))
    }

    /// A bulk of Root's, or its undoing, is done.
    pub fn bulk_done(&mut self, undo: bool, results: &[(ConversationId, ItemOutcome)]) -> Happened {
        let report = Report {
            bulk: BULK,
            actor: Actor::Agent(agent("root")),
            undo,
            results: results.to_vec(),
        };
        self.timer(Duration::ZERO, Timer::BulkDone(Arc::new(report)))
    }

    pub fn apply(&mut self, plan: Plan) -> Happened {
        let action = Action::ApplyPlan {
            plan: Arc::new(plan),
            unchanged: false,
        };
        self.command(Actor::System(System::Cli), "plan.apply", action)
    }

    pub fn malformed(&mut self, conversation: Option<ConversationId>, errors: Vec<Fault>) -> Happened {
        let message = "the plan has errors".into();
        let action = Action::Malformed {
            conversation,
            message,
            errors,
        };
        self.command(Actor::Agent(agent("root")), "plan.apply", action)
    }

    /// A timer of the conversation comes due at this moment.
    pub fn timer(&mut self, after: Duration, timer: Timer) -> Happened {
        self.now += after;
        self.happens(Body::Timer(timer))
    }

    /// The conversation's assign clock runs out.
    pub fn assign_due(&mut self, conversation: ConversationId) -> Happened {
        self.now += ResponsePolicy::built_in().assign_within.unwrap();
        self.happens(Body::Timer(Timer::AssignDue { conversation }))
    }
}

/// The wire name of the command with this wish.
pub fn name_of(wish: &Wish) -> &'static str {
    match wish {
        Wish::Assign(_) => "assign",
        Wish::Unassign => "unassign",
        Wish::Close => "close",
        Wish::Reopen => "reopen",
        Wish::Hold { .. } => "hold",
        Wish::Resume => "resume",
        Wish::Request { .. } => "request",
        Wish::Accept { .. } => "accept",
        Wish::Reject { .. } => "reject",
        Wish::Withdraw { .. } => "withdraw",
        Wish::Reply { .. } => "reply",
        Wish::Note { .. } => "note",
        Wish::Prioritize(_) => "priority",
    }
}

/// A reply of this text.
pub fn reply(text: &str) -> Wish {
    Wish::Reply {
        message: ReplyBody(format!("{{\"text\":\"{text}\"}}").into()),
        template: false,
        leave_unassigned: false,
    }
}

/// An offer to this colleague.
pub fn ask(to: &str) -> Wish {
    Wish::Request { to: agent(to) }
}

pub fn accept() -> Wish {
    Wish::Accept { request: None }
}

pub fn reject(reason: &str) -> Wish {
    Wish::Reject {
        request: None,
        reason: reason.into(),
    }
}

pub fn withdraw(reason: &str) -> Wish {
    Wish::Withdraw {
        request: None,
        reason: reason.into(),
    }
}

pub fn message(kind: &str, turn: bool) -> Message {
    Message {
        id: "wamid.TEST".into(),
        kind: kind.into(),
        turn,
        text: "my card was charged twice".into(),
        ..Message::default()
    }
}
