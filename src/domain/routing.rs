//! The first step: the first rule that matches says where a conversation goes.

use std::sync::Arc;

use jiff::Timestamp;

use super::condition::Facts;
use super::conversation::Conversation;
use super::input::Message;
use super::plan::{Plan, Target};

/// Where the rules send a conversation.
#[derive(Debug, Clone)]
pub struct Routed<'a> {
    /// The rule that matched; `None`: the default, or nothing.
    pub rule: Option<Arc<str>>,
    /// Where to; `None`: to nobody.
    pub target: Option<&'a Target>,
    /// Rules whose condition failed to answer: they count as no match.
    pub failed: Vec<Arc<str>>,
}

/// Asks the plan's rules in order.
pub fn route<'a>(
    plan: &'a Plan,
    conversation: &Conversation,
    message: Option<&Message>,
    now: Timestamp,
) -> Routed<'a> {
    let facts = Facts {
        message,
        conversation,
        now: now.to_zoned(plan.settings.timezone.clone()),
        calendar: plan.calendar_of(None, None),
    };
    let mut failed = Vec::new();
    for rule in &plan.rules {
        match rule
            .when
            .as_ref()
            .map_or(Ok(true), |condition| condition.holds(&facts))
        {
            Ok(true) => {
                return Routed {
                    rule: Some(rule.name.clone()),
                    target: Some(&rule.target),
                    failed,
                };
            }
            Ok(false) => {}
            Err(_) => failed.push(rule.name.clone()),
        }
    }
    Routed {
        rule: None,
        target: plan.default.as_ref(),
        failed,
    }
}
