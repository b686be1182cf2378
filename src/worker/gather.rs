//! From what arrived to what is to be done: which tenant's, under which key, and what is dead on arrival.

use uuid::Uuid;

use super::directory::{Active, Directory};
use crate::broker::Delivery;
use crate::contract::outcome;
use crate::contract::{Arrived, ArrivedCommand, ArrivedFact, Dead, DeadReason};
use crate::domain::ids::{ChannelKey, Tenant};
use crate::domain::input::{Action, Command, Fault};

/// The command that may come from a tenant nobody knows yet.
pub const PLAN_APPLY: &str = "plan.apply";

/// A delivery and what could be read in it.
#[derive(Debug)]
pub struct Arrival {
    /// As the broker gave it.
    pub delivery: Delivery,
    /// As the contract reads it.
    pub arrived: Arrived,
}

/// Something to do, not yet known to be new.
#[derive(Debug)]
pub struct Pending<'a> {
    /// Which delivery of the batch brought it.
    pub delivery: usize,
    /// Whose.
    pub tenant: Tenant,
    /// Its dedupe key.
    pub key: Uuid,
    /// Where its sender wants the outcome.
    pub reply_to: Option<ReplyTo>,
    /// What it is.
    pub what: Work<'a>,
}

/// Where a command's sender waits for the outcome.
#[derive(Debug, Clone)]
pub struct ReplyTo {
    queue: String,
    correlation_id: Option<String>,
}

impl ReplyTo {
    /// This queue, and what is given back with the answer.
    pub fn new(queue: String, correlation_id: Option<String>) -> Self {
        Self {
            queue,
            correlation_id,
        }
    }

    /// The queue, and what is given back with the answer.
    pub fn parts(&self) -> (String, Option<String>) {
        (self.queue.clone(), self.correlation_id.clone())
    }

    /// As the contract wants it.
    pub fn as_wire(&self) -> outcome::ReplyTo<'_> {
        outcome::ReplyTo {
            queue: &self.queue,
            correlation_id: self.correlation_id.as_deref(),
        }
    }
}

/// A fact or a command, as it arrived.
#[derive(Debug)]
pub enum Work<'a> {
    /// From a gateway.
    Fact(&'a ArrivedFact),
    /// From a person.
    Command(&'a ArrivedCommand),
}

/// A delivery that (in part) cannot be used.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Which delivery of the batch.
    pub delivery: usize,
    /// Why, and where in it.
    pub dead: Dead,
}

/// What a batch of arrivals asks for.
#[derive(Debug, Default)]
pub struct Gathered<'a> {
    /// In order of arrival.
    pub pending: Vec<Pending<'a>>,
    /// At most one per delivery.
    pub dead: Vec<DeadLetter>,
}

/// Sorts arrivals by what they are, under this directory.
pub fn gather<'a>(arrivals: &'a [Arrival], directory: &Directory) -> Gathered<'a> {
    let mut gathered = Gathered::default();
    for (delivery, arrival) in arrivals.iter().enumerate() {
        let mut dead = arrival.arrived.dead.clone();
        for fact in &arrival.arrived.facts {
            match directory.tenant_of(&fact.channel) {
                Some(tenant) => {
                    let (tenant, key) = (tenant.clone(), fact.dedupe.key());
                    gathered.pending.push(Pending {
                        delivery,
                        tenant,
                        key,
                        reply_to: None,
                        what: Work::Fact(fact),
                    });
                }
                None => drop(dead.get_or_insert_with(|| unknown_channel(fact))),
            }
        }
        for command in &arrival.arrived.commands {
            if is_known(command, directory) {
                let (tenant, key) = (command.tenant.clone(), command.dedupe.key());
                let reply_to = reply_to(&arrival.delivery);
                gathered.pending.push(Pending {
                    delivery,
                    tenant,
                    key,
                    reply_to,
                    what: Work::Command(command),
                });
            } else {
                let detail = "no plan has been applied for the tenant";
                dead.get_or_insert_with(|| Dead::new(DeadReason::UnknownTenant, detail));
            }
        }
        if let Some(dead) = dead {
            gathered.dead.push(DeadLetter { delivery, dead });
        }
    }
    gathered
}

fn reply_to(delivery: &Delivery) -> Option<ReplyTo> {
    let queue = delivery
        .properties
        .reply_to()
        .as_ref()
        .map(|queue| queue.to_string())
        .filter(|queue| !queue.is_empty())?;
    let correlation_id = delivery
        .properties
        .correlation_id()
        .as_ref()
        .map(|id| id.to_string());
    Some(ReplyTo {
        queue,
        correlation_id,
    })
}

fn unknown_channel(fact: &ArrivedFact) -> Dead {
    Dead::new(
        DeadReason::UnknownChannel,
        format_args!("no plan names the channel {}", fact.channel),
    )
}

/// A tenant is known by its plan, and only a plan can make a new one known. A first plan with faults is refused rather
/// than dead-lettered: whoever applies it wants to know the faults.
fn is_known(command: &ArrivedCommand, directory: &Directory) -> bool {
    directory.active(&command.tenant).is_some() || &*command.command.name == PLAN_APPLY
}

/// A plan command, judged against what the database says: what another tenant has claimed, and what is in force already.
pub fn judge_plan(arrived: &ArrivedCommand, taken: &[ChannelKey], active: Option<&Active>) -> Command {
    let command = arrived.command.clone();
    let Action::ApplyPlan { plan, .. } = &command.action else {
        return command;
    };
    if !taken.is_empty() {
        let errors = taken.iter().map(|channel| Fault {
            path: "channels".into(),
            line: 0,
            column: 0,
            message: format!("the channel {channel} belongs to another tenant"),
        });
        let action = Action::Malformed {
            conversation: None,
            message: "the plan claims a channel of another tenant".into(),
            errors: errors.collect(),
        };
        return Command { action, ..command };
    }
    let unchanged = active.is_some_and(|active| Some(&active.document) == arrived.document.as_ref());
    let action = Action::ApplyPlan {
        plan: plan.clone(),
        unchanged,
    };
    Command { action, ..command }
}
