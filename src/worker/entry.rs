//! The inputs of a batch's fold, with what belongs to each and is none of the core's business.

use std::collections::HashSet;
use std::sync::Arc;

use metrics::counter;
use uuid::Uuid;

use super::gather::{Pending, ReplyTo, Work};
use super::resolve::Resolved;
use super::world::World;
use crate::contract::derive;
use crate::domain::ids::Tenant;
use crate::domain::input::{Body, Fact, Input, What};
use crate::telemetry;

/// An input of the fold, with where its outcome goes.
#[derive(Debug)]
pub struct Entry {
    /// Whose.
    pub tenant: Tenant,
    /// It.
    pub input: Input,
    /// Whether it was there before: then it only gets an answer.
    pub duplicate: bool,
    /// The customer's phone, to tell the country by; dropped with the batch.
    phone: Option<String>,
    /// Where the one who sent it wants the outcome.
    pub reply: Option<ReplyTo>,
    /// For a plan: its document.
    pub document: Option<serde_json::Value>,
    /// Which of the pending it came from; none for timers.
    pub place: Option<usize>,
}

impl Entry {
    /// An input that nobody waits for.
    pub fn timed(tenant: Tenant, input: Input) -> Self {
        Self::answered(tenant, input, None)
    }

    /// An input that did not arrive now, and who waits for it, if anybody does.
    pub fn answered(tenant: Tenant, input: Input, reply: Option<ReplyTo>) -> Self {
        Self {
            tenant,
            input,
            duplicate: false,
            phone: None,
            reply,
            document: None,
            place: None,
        }
    }
}

/// The inputs in order of arrival. A key met twice in one batch is new the first time only.
pub fn inputs(pending: &[Pending<'_>], fresh: &HashSet<Uuid>, resolved: &Resolved) -> Vec<Entry> {
    let mut fresh = fresh.clone();
    let mut entries = Vec::with_capacity(pending.len());
    for (place, one) in pending.iter().enumerate() {
        let duplicate = !fresh.remove(&one.key);
        let (cause, body, phone, document) = match one.what {
            Work::Fact(fact) => {
                let Some(conversation) = resolved.conversations.get(&place).copied() else {
                    counter!(telemetry::SKIPPED, "reason" => "no_conversation").increment(1);
                    continue;
                };
                let body = Body::Fact(Fact {
                    conversation,
                    channel: fact.channel.clone(),
                    contact: fact.contact.clone(),
                    at: fact.at,
                    standby: fact.standby,
                    what: fact.what.clone(),
                });
                (
                    fact.cause.clone(),
                    body,
                    fact.identity.phone().map(str::to_owned),
                    None,
                )
            }
            Work::Command(command) => (
                command.cause.clone(),
                Body::Command(command.command.clone()),
                None,
                command.document.clone(),
            ),
        };
        let input = Input {
            cause,
            key: one.key,
            body,
        };
        let reply = one.reply_to.clone();
        entries.push(Entry {
            tenant: one.tenant.clone(),
            input,
            duplicate,
            phone,
            reply,
            document,
            place: Some(place),
        });
    }
    entries
}

/// Language and country, where the gateway does not say and a rule asks: only where something is routed. A text that no
/// rule asks for goes no further.
pub fn complete(world: &World, entry: &mut Entry) {
    let Body::Fact(fact) = &mut entry.input.body else {
        return;
    };
    let Some(state) = world.state(&entry.tenant) else {
        return;
    };
    let owned = state
        .conversation(fact.conversation)
        .is_some_and(|c| c.carried_by().is_some());
    let What::Received(message) = &mut fact.what else {
        return;
    };
    let reads = state.plan.reads();
    let routed = !owned && message.turn;
    if routed && reads.language && fact.contact.language.is_empty() {
        fact.contact.language = derive::language(&message.text).into();
    }
    let phone = entry
        .phone
        .as_deref()
        .filter(|_| routed && reads.country && fact.contact.country.is_empty());
    if let Some(phone) = phone {
        fact.contact.country = derive::country(phone).into();
    }
    if !reads.text {
        message.text = Arc::from("");
    }
}
