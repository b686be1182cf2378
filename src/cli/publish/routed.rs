//! What the rules of a plan would do with a fact, if it opened its conversation.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::contract::words::Wire;
use crate::contract::{ArrivedFact, derive};
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, Partition};
use crate::domain::input::{Message, What};
use crate::domain::plan::{Outcome, Plan};
use crate::domain::routing;

/// What is known of a channel's plan.
#[derive(Debug, Clone)]
pub enum Known {
    /// No plan was given to ask.
    NoPlan,
    /// None of the plans there are names the channel.
    NoTenant,
    /// This plan does.
    Plan(Arc<Plan>),
}

/// What the rules would do with a fact.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Routed {
    /// No plan was given, so nothing is known.
    NoPlan,
    /// No plan names the channel: a dead letter.
    UnknownChannel,
    /// It opens nothing: no rule is asked.
    NotRouted {
        /// Whose plan it is.
        tenant: String,
        /// Why not.
        because: &'static str,
    },
    /// The rules send it somewhere.
    To(Box<To>),
}

/// Where the rules send it.
#[derive(Debug, Serialize)]
pub struct To {
    /// Whose plan it is.
    pub tenant: String,
    /// The rule that matches; `None`: none, so the default counts.
    pub rule: Option<String>,
    /// The team; `None`: none is named.
    pub team: Option<String>,
    /// Whom the rule prefers.
    pub agent: Option<String>,
    /// `auto`, `manual` or `nobody`.
    pub way: &'static str,
    pub priority: &'static str,
    /// Rules that gave no answer, which counts as no match.
    pub failed: Vec<String>,
    /// What was found out for the rules, because one asks for it.
    pub language: Option<String>,
    pub country: Option<String>,
}

impl Routed {
    /// Whether it would be a dead letter.
    pub fn is_dead(&self) -> bool {
        matches!(self, Self::UnknownChannel)
    }
}

/// Asks the rules as for a customer who writes for the first time. Whose conversation is there already is known to the
/// database alone.
pub fn of(fact: &ArrivedFact, known: Known, now: Timestamp) -> Routed {
    let plan = match known {
        Known::NoPlan => return Routed::NoPlan,
        Known::NoTenant => return Routed::UnknownChannel,
        Known::Plan(plan) => plan,
    };
    let not = |because| Routed::NotRouted {
        tenant: plan.tenant.to_string(),
        because,
    };
    let message = match &fact.what {
        What::Received(message) if !message.turn => return not("it is no turn: nobody has to answer it"),
        What::Received(_) if fact.standby => return not("a bot holds the chat, until it hands over"),
        What::Received(message) => Some(message),
        What::Handover { .. } => None,
        What::Sent { .. } => {
            return not("the business sent it: it may claim a conversation, and routes none");
        }
    };
    Routed::To(Box::new(to(&plan, fact, message, now)))
}

fn to(plan: &Plan, fact: &ArrivedFact, message: Option<&Message>, now: Timestamp) -> To {
    let mut contact = fact.contact.clone();
    let reads = plan.reads();
    // As the worker does: found out only where a rule asks.
    if let Some(message) = message.filter(|_| reads.language && contact.language.is_empty()) {
        contact.language = derive::language(&message.text).into();
    }
    if let Some(phone) = fact
        .identity
        .phone()
        .filter(|_| message.is_some() && reads.country && contact.country.is_empty())
    {
        contact.country = derive::country(phone).into();
    }
    let id = ConversationId(Uuid::nil());
    let conversation = Conversation {
        episode: 1,
        waiting_since: message.map(|_| fact.at),
        contact: Arc::new(contact.clone()),
        ..Conversation::unborn(id, fact.channel.clone(), fact.home_key(), Partition(0))
    };
    let routed = routing::route(plan, &conversation, message, now);
    let target = routed.target;
    let found = |text: &Arc<str>, asked: bool| (asked && !text.is_empty()).then(|| text.to_string());
    To {
        tenant: plan.tenant.to_string(),
        rule: routed.rule.as_ref().map(ToString::to_string),
        team: target.and_then(|target| Some(target.team.as_ref()?.to_string())),
        agent: target.and_then(|target| Some(target.agent.as_ref()?.to_string())),
        way: match target.map(|target| target.outcome) {
            Some(Outcome::Auto) => "auto",
            Some(Outcome::Manual) => "manual",
            Some(Outcome::Nobody) | None => "nobody",
        },
        priority: target
            .map_or_else(Default::default, |target| target.priority)
            .wire(),
        failed: routed.failed.iter().map(ToString::to_string).collect(),
        language: found(&contact.language, reads.language),
        country: found(&contact.country, reads.country),
    }
}
