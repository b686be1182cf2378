//! What one message would become, said in full: the offline decoder.
//!
//! It reads with the worker's own reader and asks the worker's own rules; nothing is decided here a second time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::mask::Personal;
use super::routed::{self, Known, Routed};
use crate::contract::identity::Alias;
use crate::contract::words::Wire;
use crate::contract::{
    Adapter, Announced, Arrived, ArrivedCommand, ArrivedFact, Carries, Dedupe, HANDOVER, Incoming, Limits,
    RECEIVED, SENT, Skip, partition, read,
};
use crate::domain::ids::ChannelKey;
use crate::domain::input::{Action, Actor, Fault, Message, Origin, What};

/// How to look at a message.
pub struct Lens<'a> {
    /// When it would arrive.
    pub arrival: Timestamp,
    /// How much is read.
    pub limits: Limits,
    /// What the queue takes that it would come by.
    pub adapter: Adapter,
    /// How many partitions there are.
    pub partitions: u16,
    /// What is known of a channel's plan.
    pub plans: &'a dyn Fn(&ChannelKey) -> Known,
    /// How much of the customer is shown.
    pub personal: Personal,
}

/// What one message would become.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Which message: its file and its number there.
    pub message: String,
    /// What it was recognised as; `None`: as nothing.
    pub format: Option<&'static str>,
    /// What it was recognised by.
    pub because: String,
    /// What it says of messages and customers, in order.
    pub facts: Vec<Fact>,
    /// What it asks for.
    pub commands: Vec<Command>,
    /// What is understood and means nothing to ownership.
    pub skipped: Vec<Skipped>,
    /// Why it, or a part of it, would be a dead letter.
    pub dead: Option<Dead>,
}

/// A fact, and where it would go.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// The CloudEvent type under which it is forwarded.
    pub r#type: &'static str,
    pub channel: String,
    /// `received` or `sent`; a handover has none.
    pub direction: Option<&'static str>,
    pub kind: Option<String>,
    /// Whether somebody has to answer it.
    pub turn: Option<bool>,
    pub message_id: Option<String>,
    pub timestamp: String,
    /// Where the time is from: `message`, `event` (the envelope, or a handover's own) or `arrival`.
    pub timestamp_from: &'static str,
    pub standby: bool,
    /// Who wrote what was sent: `agent`, `phone` or `automation`.
    pub origin: Option<&'static str>,
    pub agent: Option<String>,
    pub leave_unassigned: bool,
    /// What names the advertisement it came from.
    pub referral: Option<String>,
    pub reply_to: Option<String>,
    /// The customer's identifiers by kind.
    pub identifiers: BTreeMap<&'static str, String>,
    /// Those they had before, if they changed.
    pub previous: BTreeMap<&'static str, String>,
    pub name: Option<String>,
    pub language: Option<String>,
    pub country: Option<String>,
    /// The names of what the gateway says of the customer.
    pub attributes: Vec<String>,
    pub text_chars: usize,
    pub text: Option<String>,
    pub dedupe_key: String,
    pub partition_key: String,
    /// Whether the publisher gave the key; else it is computed.
    pub partition_key_given: bool,
    pub partition: u16,
    /// What the rules would do with it.
    pub route: Routed,
}

/// A command, and where it would go.
#[derive(Debug, Serialize)]
pub struct Command {
    pub name: String,
    pub actor: String,
    pub tenant: String,
    pub conversation: Option<String>,
    /// Why it would be refused whatever the state, if it would.
    pub malformed: Option<String>,
    /// What is wrong where, in a plan.
    pub errors: Vec<PlanError>,
    pub dedupe_key: String,
    /// `None`: that of its conversation, which the ingress looks up.
    pub partition_key: Option<String>,
    pub partition_key_given: bool,
    pub partition: Option<u16>,
}

/// A fault of a plan.
#[derive(Debug, Serialize)]
pub struct PlanError {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// What is passed over, how often, and why.
#[derive(Debug, Serialize)]
pub struct Skipped {
    pub reason: &'static str,
    pub times: u32,
    pub means: &'static str,
}

/// Why it would be a dead letter.
#[derive(Debug, Serialize)]
pub struct Dead {
    pub reason: &'static str,
    pub detail: String,
}

/// Reads a message and says what it would become.
pub fn explain(message: String, incoming: &Incoming<'_>, lens: &Lens<'_>) -> Explanation {
    let arrived = read(incoming, lens.arrival, &lens.limits, lens.adapter);
    let facts = arrived.facts.iter().map(|fact| explain_fact(fact, lens));
    let commands = arrived
        .commands
        .iter()
        .map(|command| explain_command(command, lens));
    let skipped = arrived.skipped.iter().map(|(skip, times)| Skipped {
        reason: skip.label(),
        times: *times,
        means: means(*skip),
    });
    Explanation {
        message,
        format: arrived.form.carries.map(format_of),
        because: because(&arrived, lens.adapter),
        facts: facts.collect(),
        commands: commands.collect(),
        skipped: skipped.collect(),
        dead: arrived.dead.as_ref().map(|dead| Dead {
            reason: dead.reason.wire(),
            detail: dead.detail.clone(),
        }),
    }
}

impl Explanation {
    /// Whether it would take effect without a dead letter.
    pub fn is_good(&self) -> bool {
        let refused = self.commands.iter().any(|command| command.malformed.is_some());
        let unknown = self.facts.iter().any(|fact| fact.route.is_dead());
        self.dead.is_none() && !refused && !unknown
    }
}

fn format_of(carries: Carries) -> &'static str {
    match carries {
        Carries::Command => "command",
        Carries::Fact => "native fact",
        Carries::Gateway(adapter) => match adapter {
            Adapter::CloudApi => "Cloud API webhook",
            Adapter::UnoApi => "Cloud API webhook, wrapped by UnoAPI",
            Adapter::Evolution => "Evolution API event",
            Adapter::Whatsmeow => "wuzapi or Evolution Go event",
            Adapter::Detect | Adapter::CloudEvents => "CloudEvent",
        },
    }
}

fn because(arrived: &Arrived, adapter: Adapter) -> String {
    let event = arrived.form.event.map(|by| match by {
        Announced::ContentType => "its content type makes it a structured CloudEvent",
        Announced::Headers => "its headers make it a binary CloudEvent",
        Announced::Specversion => "`specversion` in the body makes it a structured CloudEvent",
    });
    let shape = arrived.form.carries.map(|carries| match carries {
        Carries::Command | Carries::Fact => "by its type",
        Carries::Gateway(Adapter::CloudApi) => "by its `object`",
        Carries::Gateway(Adapter::UnoApi) => "by the `object` of its `payload`",
        Carries::Gateway(Adapter::Evolution) => "by `event`, `instance` and `data`",
        Carries::Gateway(_) => "by `type`, `event` and `userID`, or `event`, `data` and `instanceId`",
    });
    let mut reasons: Vec<&str> = event.into_iter().chain(shape).collect();
    if reasons.is_empty() {
        reasons.push("nothing in it says what it is");
    }
    let pinned = match adapter {
        Adapter::Detect => String::new(),
        pinned => format!("; read as {} and nothing else", pinned.wire()),
    };
    format!("{}{pinned}", reasons.join(", "))
}

fn means(skip: Skip) -> &'static str {
    match skip {
        Skip::Receipt => "the fate of a message we sent: sent, delivered, read, failed",
        Skip::Import => "chats or contacts imported from the phone app",
        Skip::UserAction => "something done without a message",
        Skip::Call => "a call",
        Skip::Group => "a message in a group",
        Skip::Error => "an error the provider reports about itself",
        Skip::Notice => "news about the account, or between devices",
        Skip::Empty => "nothing is in it",
    }
}

fn explain_fact(fact: &ArrivedFact, lens: &Lens<'_>) -> Fact {
    let personal = lens.personal;
    let (r#type, message) = match &fact.what {
        What::Received(message) => (RECEIVED, Some(message)),
        What::Sent { message, .. } => (SENT, Some(message)),
        What::Handover { .. } => (HANDOVER, None),
    };
    let said = |of: fn(&Message) -> &Arc<str>| message.map(of).filter(|text| !text.is_empty());
    let (origin, agent, leave_unassigned) = sender(&fact.what);
    let key = fact.home_key();
    Fact {
        r#type,
        channel: fact.channel.to_string(),
        direction: match &fact.dedupe {
            Dedupe::Message { direction, .. } => Some(direction.wire()),
            Dedupe::Event { .. } => None,
        },
        kind: said(|message| &message.kind).map(|kind| kind.to_string()),
        turn: message.map(|message| message.turn),
        message_id: said(|message| &message.id).map(|id| personal.identifier(id)),
        timestamp: fact.at.to_string(),
        timestamp_from: timestamp_from(fact, lens.arrival),
        standby: fact.standby,
        origin,
        agent,
        leave_unassigned,
        referral: said(|message| &message.referral).map(|referral| referral.to_string()),
        reply_to: said(|message| &message.reply_to).map(|id| personal.identifier(id)),
        identifiers: identifiers(fact.identity.aliases(), personal),
        previous: identifiers(fact.previous.iter(), personal),
        name: personal.words(&fact.contact.name),
        language: some(&fact.contact.language),
        country: some(&fact.contact.country),
        attributes: fact.contact.attributes.keys().map(ToString::to_string).collect(),
        text_chars: message.map_or(0, |message| message.text.chars().count()),
        text: message.and_then(|message| personal.words(&message.text)),
        dedupe_key: fact.dedupe.key().to_string(),
        partition: partition::of(&key, lens.partitions),
        partition_key: key.to_string(),
        partition_key_given: fact.partition_key.is_some(),
        route: routed::of(fact, (lens.plans)(&fact.channel), lens.arrival),
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn sender(what: &What) -> (Option<&'static str>, Option<String>, bool) {
    match what {
        What::Received(_) | What::Handover { .. } => (None, None, false),
        What::Sent {
            origin,
            leave_unassigned,
            ..
        } => match origin {
            Origin::Agent(agent) => (Some("agent"), Some(agent.to_string()), *leave_unassigned),
            Origin::Phone => (Some("phone"), None, *leave_unassigned),
            Origin::Automation => (Some("automation"), None, *leave_unassigned),
        },
    }
}

/// A time that is not believed is replaced by the arrival's, wherever it was from.
fn timestamp_from(fact: &ArrivedFact, arrival: Timestamp) -> &'static str {
    if fact.own_time == Some(fact.at) {
        "message"
    } else if fact.at == arrival {
        "arrival"
    } else {
        "event"
    }
}

fn identifiers<'a>(
    aliases: impl Iterator<Item = &'a Alias>,
    personal: Personal,
) -> BTreeMap<&'static str, String> {
    let masked = |alias: &Alias| (alias.kind.wire(), personal.identifier(&alias.value));
    aliases.map(masked).collect()
}

fn explain_command(arrived: &ArrivedCommand, lens: &Lens<'_>) -> Command {
    let conversation = arrived.conversation();
    let given = arrived.partition_key.as_ref().map(|key| key.to_string());
    let key = given.clone().or_else(|| match conversation {
        Some(_) => None,
        None => Some(arrived.own_key()),
    });
    let (malformed, errors) = match &arrived.command.action {
        Action::Malformed { message, errors, .. } => (Some(message.to_string()), errors.as_slice()),
        _ => (None, &[][..]),
    };
    Command {
        name: arrived.command.name.to_string(),
        actor: match &arrived.command.actor {
            Actor::Agent(agent) => agent.to_string(),
            Actor::System(system) => format!("system/{}", system.wire()),
            Actor::Customer => "customer".into(),
            Actor::Gateway => "gateway".into(),
        },
        tenant: arrived.tenant.to_string(),
        conversation: conversation.map(|id| id.0.to_string()),
        malformed,
        errors: errors.iter().map(error).collect(),
        dedupe_key: arrived.dedupe.key().to_string(),
        partition: key.as_ref().map(|key| partition::of(key, lens.partitions)),
        partition_key: key,
        partition_key_given: given.is_some(),
    }
}

fn error(fault: &Fault) -> PlanError {
    PlanError {
        path: fault.path.clone(),
        line: fault.line,
        column: fault.column,
        message: fault.message.clone(),
    }
}
