//! The inputs of a batch's fold, in order of arrival, each with where its outcome goes.

use std::collections::{BTreeSet, HashSet};

use metrics::counter;
use uuid::Uuid;

use super::batch::Failure;
use super::directory::Directory;
use super::gather::{self, Pending, ReplyTo, Work};
use super::resolve::Resolved;
use crate::contract::{ArrivedCommand, Trace};
use crate::domain::ids::Tenant;
use crate::domain::input::{Action, Body, Fact, Input};
use crate::store::{Session, matching, plans};
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
    pub phone: Option<String>,
    /// Where the one who sent it wants the outcome.
    pub reply: Option<ReplyTo>,
    /// For a plan: its document.
    pub document: Option<serde_json::Value>,
    /// Which of the pending it came from; none for timers.
    pub place: Option<usize>,
    /// The trace that all it causes belongs to.
    pub trace: Option<Trace>,
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
            trace: None,
        }
    }
}

/// Which of them are new. A key met twice in one batch is new the first time only.
pub fn new(pending: &[Pending<'_>], fresh: &HashSet<Uuid>) -> Vec<bool> {
    let mut fresh = fresh.clone();
    pending.iter().map(|one| fresh.remove(&one.key)).collect()
}

/// The inputs in order of arrival. Of those that were there before only commands are left: they may want an answer.
pub fn arrived(pending: &[Pending<'_>], new: &[bool], resolved: &Resolved) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(pending.len());
    for (place, one) in pending.iter().enumerate() {
        let duplicate = !new[place];
        if duplicate && matches!(one.what, Work::Fact(_)) {
            continue;
        }
        let (cause, body, phone, document, trace) = match one.what {
            Work::Fact(fact) => {
                let Some(conversation) = resolved.conversations.get(&place).copied() else {
                    counter!(telemetry::SKIPPED, "reason" => "no_conversation").increment(1);
                    continue;
                };
                let body = Body::Fact(Fact {
                    conversation,
                    channel: fact.channel.clone(),
                    conflict: resolved.conflicts.get(&place).cloned().unwrap_or_default(),
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
                    &fact.trace,
                )
            }
            Work::Command(command) => (
                command.cause.clone(),
                Body::Command(command.command.clone()),
                None,
                command.document.clone(),
                &command.trace,
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
            trace: trace.clone(),
        });
    }
    entries
}

/// Plans are judged against what other tenants have claimed, before the core sees them. Whoever may get a first plan gets
/// a match row to be locked by.
pub async fn judge_plans(
    session: &Session,
    directory: &Directory,
    pending: &[Pending<'_>],
    entries: &mut [Entry],
) -> Result<(), Failure> {
    let applies = |entry: &&Entry| !entry.duplicate && command(entry, pending).is_some_and(applies_plan);
    let applied_to: BTreeSet<Tenant> = entries
        .iter()
        .filter(applies)
        .map(|entry| entry.tenant.clone())
        .collect();
    for tenant in &applied_to {
        matching::create(session, tenant).await?;
    }
    for entry in entries.iter_mut().filter(|entry| !entry.duplicate) {
        let Some(arrived) = command(entry, pending) else {
            continue;
        };
        if let Action::ApplyPlan { plan, .. } = &arrived.command.action {
            let channels: Vec<_> = plan.channels.keys().collect();
            let taken = plans::taken(session, &entry.tenant, &channels).await?;
            let active = directory.active(&entry.tenant).map(|active| &**active);
            entry.input.body = Body::Command(gather::judge_plan(arrived, &taken, active));
        }
    }
    Ok(())
}

/// The command an entry came from, if it was one.
fn command<'a>(entry: &Entry, pending: &'a [Pending<'_>]) -> Option<&'a ArrivedCommand> {
    match pending.get(entry.place?)?.what {
        Work::Command(command) => Some(command),
        Work::Fact(_) => None,
    }
}

fn applies_plan(command: &ArrivedCommand) -> bool {
    matches!(command.command.action, Action::ApplyPlan { .. })
}
