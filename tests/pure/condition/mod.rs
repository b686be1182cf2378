//! Conditions: what they may ask, what is refused when they are compiled, and that nothing makes them panic.

mod answers;
mod made;
mod refusals;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchboard::domain::calendar::Calendar;
use switchboard::domain::condition::{Condition, EvaluationError, Facts};
use switchboard::domain::conversation::{Contact, Conversation, Priority};
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition};
use switchboard::domain::input::Message;
use uuid::Uuid;

/// A message of a customer who wrote before, on a Saturday evening in São Paulo.
struct Given {
    message: Option<Message>,
    conversation: Conversation,
    now: Timestamp,
    calendar: Option<Calendar>,
}

impl Given {
    fn new() -> Self {
        let channel = ChannelKey::new("whatsapp:123456789012345").unwrap();
        let id = ConversationId(Uuid::nil());
        let now: Timestamp = "2026-11-21T22:30:00Z".parse().unwrap();
        let mut conversation = Conversation::unborn(id, channel, "key".into(), Partition(0));
        let attributes = [("tier", "gold"), ("score", "7"), ("odd key", "x")];
        conversation.contact = Arc::new(Contact {
            name: "Ana".into(),
            language: "pt".into(),
            country: "BR".into(),
            attributes: attributes.map(|(name, value)| (name.into(), value.into())).into(),
        });
        conversation.episode = 2;
        conversation.priority = Priority::High;
        conversation.last_owner = Some(AgentId::new("mark").unwrap());
        conversation.waiting_since = Some("2026-11-21T22:28:30Z".parse().unwrap());
        let message = Message {
            id: "wamid.1".into(),
            kind: "text".into(),
            turn: true,
            text: "Olá, preciso da segunda via da FATURA 1234".into(),
            referral: "ad-77".into(),
            reply_to: "wamid.0".into(),
        };
        Self {
            message: Some(message),
            conversation,
            now,
            calendar: None,
        }
    }

    fn holds(&self, source: &str) -> Result<bool, EvaluationError> {
        let condition = Condition::compile(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        self.answer(&condition)
    }

    fn answer(&self, condition: &Condition) -> Result<bool, EvaluationError> {
        let now = self.now.to_zoned(TimeZone::fixed(jiff::tz::offset(-3)));
        condition.holds(&Facts {
            message: self.message.as_ref(),
            conversation: &self.conversation,
            now,
            calendar: self.calendar.as_ref(),
        })
    }
}
