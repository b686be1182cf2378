//! Native commands. One that names its tenant is never dropped: what cannot be read becomes a malformed action, which
//! the core refuses like any other, so that whoever sent it hears of it.

mod bulk;
mod plan;
mod reply;
mod upsert;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::arrived::ArrivedCommand;
use super::cloudevent::CloudEvent;
use super::dead::{Dead, DeadReason};
use super::duration;
use super::identity::Alias;
use super::json::{Item, Object, cut};
use super::place::Place;
use super::time;
use crate::domain::agent::Presence;
use crate::domain::conversation::Priority;
use crate::domain::ids::{AgentId, ConversationId, IdError, TeamId, Tenant};
use crate::domain::input::{Action, Actor, Command, Fault, Recipient, Wish};

/// How the types of commands begin; the rest is the command's name.
pub const TYPE_PREFIX: &str = "switchboard.command.";

/// Every command: what stands after `switchboard.command.` in its type. What is not in this list is not read.
pub const fn names_of_commands() -> &'static [&'static str] {
    &[
        "assign",
        "unassign",
        "request",
        "accept",
        "reject",
        "withdraw",
        Command::REPLY,
        "hold",
        "resume",
        "close",
        "reopen",
        "note",
        "priority",
        "bulk_assign",
        "bulk_undo",
        "presence",
        "agent.upsert",
        "agent.remove",
        "contact.forget",
        "plan.apply",
    ]
}

/// Characters kept of a command's name; the longest of ours has fourteen.
const MAX_NAME_CHARS: usize = 64;

/// Longest text that should be an id, in bytes: beyond it the exact complaint of the id is not worth having.
pub(super) const MAX_ID_TEXT_BYTES: usize = 1_024;

/// Longest handoff note, note or reason, in characters: it is kept, and shown whole.
const MAX_NOTE_CHARS: usize = 4_096;

/// Why a command cannot be read.
pub(super) struct Unreadable {
    message: String,
    errors: Vec<Fault>,
}

impl From<Dead> for Unreadable {
    fn from(dead: Dead) -> Self {
        Self {
            message: dead.detail,
            errors: Vec::new(),
        }
    }
}

impl Unreadable {
    /// A reason for people, with every fault of the document it came in.
    pub(super) fn new(message: impl Into<String>, errors: Vec<Fault>) -> Self {
        let message = message.into();
        Self { message, errors }
    }
}

/// Reads one command. Only what names no tenant, or is no object, is dead.
pub(super) fn read(name: &str, event: &CloudEvent<'_>) -> Result<ArrivedCommand, Dead> {
    let data = Object::parse(&event.data, Place::root("")).map_err(|dead| {
        let detail = "the command's data is not a JSON object";
        Dead::new(dead.reason, detail)
    })?;
    let tenant = tenant(&data)?;
    let (actor, read) = match actor(&data) {
        Ok(actor) => (actor, action(name, event, &tenant, &data)),
        // Nobody to speak of: the gateway it came through.
        Err(unreadable) => (Actor::Gateway, Err(unreadable)),
    };
    let read = read.unwrap_or_else(|Unreadable { message, errors }| {
        let malformed = Action::Malformed {
            conversation: conversation(&data).ok(),
            message: message.into(),
            errors,
        };
        malformed.into()
    });
    Ok(ArrivedCommand {
        cause: event.id.clone(),
        dedupe: event.dedupe(),
        tenant,
        partition_key: event.partition_key.clone(),
        command: Command {
            name: cut(name, MAX_NAME_CHARS).into(),
            actor,
            action: read.action,
        },
        document: read.document,
        contact: read.contact,
        trace: event.trace.clone(),
    })
}

fn tenant(data: &Object<'_, '_>) -> Result<Tenant, Dead> {
    let unknown = |dead: Dead| Dead::new(DeadReason::UnknownTenant, dead.detail);
    let text = data.required("tenant", MAX_ID_TEXT_BYTES).map_err(unknown)?;
    Tenant::new(&text).map_err(|error| {
        let detail = format_args!("tenant is none: {error}");
        Dead::new(DeadReason::UnknownTenant, detail)
    })
}

fn actor(data: &Object<'_, '_>) -> Result<Actor, Unreadable> {
    Ok(Actor::Agent(id(data, "actor", AgentId::new)?))
}

/// What a command asks for, with what the core does not have to know of it.
struct Read {
    action: Action,
    /// A plan's document.
    document: Option<serde_json::Value>,
    /// A customer's identifiers.
    contact: Vec<Alias>,
}

impl From<Action> for Read {
    fn from(action: Action) -> Self {
        Self {
            action,
            document: None,
            contact: Vec::new(),
        }
    }
}

/// What a command of this name asks for.
fn action(
    name: &str,
    event: &CloudEvent<'_>,
    tenant: &Tenant,
    data: &Object<'_, '_>,
) -> Result<Read, Unreadable> {
    let unknown = || Unreadable::new("there is no such command", Vec::new());
    if !names_of_commands().contains(&name) {
        return Err(unknown());
    }
    let action = match name {
        "assign" => about_conversation(data, Wish::Assign(recipient(data)?))?,
        "unassign" => about_conversation(data, Wish::Unassign)?,
        "close" => about_conversation(data, Wish::Close)?,
        "reopen" => about_conversation(data, Wish::Reopen)?,
        "hold" => about_conversation(data, Wish::Hold { until: until(data)? })?,
        "resume" => about_conversation(data, Wish::Resume)?,
        "request" => about_conversation(data, Wish::Request { to: colleague(data)? })?,
        "accept" => about_conversation(
            data,
            Wish::Accept {
                request: request(data)?,
            },
        )?,
        "reject" => {
            let (request, reason) = (request(data)?, reason(data)?);
            about_conversation(data, Wish::Reject { request, reason })?
        }
        "withdraw" => {
            let (request, reason) = (request(data)?, reason(data)?);
            about_conversation(data, Wish::Withdraw { request, reason })?
        }
        Command::REPLY => about_conversation(data, reply::read(data)?)?,
        "note" => about_conversation(data, Wish::Note { text: text(data)? })?,
        "priority" => about_conversation(data, Wish::Prioritize(priority(data)?))?,
        "presence" => presence(data)?,
        "bulk_assign" => bulk::assign(event, data)?,
        "bulk_undo" => bulk::undo(data)?,
        "agent.remove" => bulk::remove_agent(data)?,
        "agent.upsert" => upsert::read(data)?,
        "contact.forget" => {
            let (action, contact) = bulk::forget(data)?;
            return Ok(Read {
                contact,
                ..action.into()
            });
        }
        "plan.apply" => {
            let (plan, document) = plan::read(tenant, data)?;
            let plan = Arc::new(plan);
            let action = Action::ApplyPlan {
                plan,
                unchanged: false, // the worker, which has the plan in force, knows better
            };
            let document = Some(document);
            return Ok(Read {
                document,
                ..action.into()
            });
        }
        _ => return Err(unknown()),
    };
    Ok(action.into())
}

fn about_conversation(data: &Object<'_, '_>, wish: Wish) -> Result<Action, Unreadable> {
    let expected_epoch = data.field("expected_epoch").map(|item| item.number(u64::MAX));
    Ok(Action::Conversation {
        conversation: conversation(data)?,
        expected_epoch: expected_epoch.transpose()?,
        note: note(data)?,
        wish,
    })
}

fn conversation(data: &Object<'_, '_>) -> Result<ConversationId, Dead> {
    let item = data
        .field("conversation")
        .ok_or_else(|| data.missing("conversation"))?;
    let uuid = Uuid::try_parse(&item.text()?).map_err(|_| item.bad("is not a UUID"))?;
    Ok(ConversationId(uuid))
}

fn note(data: &Object<'_, '_>) -> Result<Option<Arc<str>>, Dead> {
    let Some(item) = data.field("note") else {
        return Ok(None);
    };
    let note = prose(&item)?;
    Ok((!note.is_empty()).then_some(note))
}

/// What a person wrote to another, whole.
fn prose(item: &Item<'_, '_>) -> Result<Arc<str>, Dead> {
    let text = item.text()?;
    if text.chars().count() > MAX_NOTE_CHARS {
        return Err(item.bad(format_args!("is longer than {MAX_NOTE_CHARS} characters")));
    }
    Ok(text.into())
}

/// The text of a note, which must say something.
fn text(data: &Object<'_, '_>) -> Result<Arc<str>, Dead> {
    let item = data.field("text").ok_or_else(|| data.missing("text"))?;
    let text = prose(&item)?;
    if text.trim().is_empty() {
        return Err(item.bad("says nothing"));
    }
    Ok(text)
}

/// Why; "" where it is not said, which has a code of its own.
fn reason(data: &Object<'_, '_>) -> Result<Arc<str>, Dead> {
    let item = data.field("reason");
    item.map_or(Ok(Arc::from("")), |item| prose(&item))
}

/// The request that is meant, if it is said.
fn request(data: &Object<'_, '_>) -> Result<Option<Uuid>, Dead> {
    let uuid = |item: Item<'_, '_>| Uuid::try_parse(&item.text()?).map_err(|_| item.bad("is not a UUID"));
    data.field("request").map(uuid).transpose()
}

fn until(data: &Object<'_, '_>) -> Result<Option<Timestamp>, Dead> {
    data.field("until").map(|item| time::read(&item)).transpose()
}

fn priority(data: &Object<'_, '_>) -> Result<Priority, Dead> {
    let item = data.field("priority").ok_or_else(|| data.missing("priority"))?;
    match &*item.text()? {
        "low" => Ok(Priority::Low),
        "normal" => Ok(Priority::Normal),
        "high" => Ok(Priority::High),
        "urgent" => Ok(Priority::Urgent),
        _ => Err(item.bad("is not low, normal, high or urgent")),
    }
}

/// A person to ask; a team cannot be asked.
fn colleague(data: &Object<'_, '_>) -> Result<AgentId, Dead> {
    match recipient(data)? {
        Recipient::Agent(agent) => Ok(agent),
        Recipient::Team(_) => Err(data.place().bad("asks a team: only a person can answer")),
    }
}

/// Exactly one of an agent and a team.
fn recipient(data: &Object<'_, '_>) -> Result<Recipient, Dead> {
    let to = data.object("to")?.ok_or_else(|| data.missing("to"))?;
    match (to.field("agent"), to.field("team")) {
        (Some(_), None) => Ok(Recipient::Agent(id(&to, "agent", AgentId::new)?)),
        (None, Some(_)) => Ok(Recipient::Team(id(&to, "team", TeamId::new)?)),
        (Some(_), Some(_)) => Err(to.place().bad("names both an agent and a team")),
        (None, None) => Err(to.place().bad("names neither an agent nor a team")),
    }
}

fn presence(data: &Object<'_, '_>) -> Result<Action, Dead> {
    let agent = id(data, "agent", AgentId::new)?;
    let item = data.field("presence").ok_or_else(|| data.missing("presence"))?;
    let presence = match &*item.text()? {
        "online" => Presence::Online,
        "away" => Presence::Away,
        "offline" => Presence::Offline,
        _ => return Err(item.bad("is not online, away or offline")),
    };
    let ttl = data.field("ttl").map(|item| ttl(&item)).transpose()?;
    Ok(Action::Presence { agent, presence, ttl })
}

fn ttl(item: &Item<'_, '_>) -> Result<Duration, Dead> {
    let text = item.text()?;
    duration::parse(&text).ok_or_else(|| item.bad("is not a duration like \"90s\" or \"2m\""))
}

/// An id that must be there.
pub(super) fn id<T>(
    data: &Object<'_, '_>,
    name: &'static str,
    new: fn(&str) -> Result<T, IdError>,
) -> Result<T, Dead> {
    let text = data.required(name, MAX_ID_TEXT_BYTES)?;
    let item = data.field(name).ok_or_else(|| data.missing(name))?;
    new(&text).map_err(|error| item.bad(format_args!("is no id: {error}")))
}
