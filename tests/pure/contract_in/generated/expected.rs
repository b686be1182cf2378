//! What a fact says, in words that a generated body can promise and a reading can be held to.

use switchboard::contract::ArrivedFact;
use switchboard::contract::words::Wire;
use switchboard::domain::input::{Message, Origin, What};

use super::super::identifiers;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// `received`, `sent by phone`, `sent by automation` or `handover`.
    pub what: String,
    pub channel: String,
    /// As `kind=value`, most preferred first.
    pub customer: Vec<String>,
    pub before: Vec<String>,
    pub name: String,
    /// Seconds; none if it does not say.
    pub own_time: Option<i64>,
    pub standby: bool,
    /// Of a message; of a handover only `text`: why.
    pub id: String,
    pub kind: String,
    pub turn: bool,
    pub text: String,
    pub referral: String,
    pub reply_to: String,
}

impl Told {
    pub fn by(fact: &ArrivedFact) -> Self {
        let about = Self {
            channel: fact.channel.to_string(),
            customer: identifiers(fact),
            before: fact
                .previous
                .iter()
                .map(|alias| format!("{}={}", alias.kind.wire(), alias.value))
                .collect(),
            name: fact.contact.name.to_string(),
            own_time: fact.own_time.map(|time| time.as_second()),
            standby: fact.standby,
            ..Self::default()
        };
        match &fact.what {
            What::Received(message) => about.with("received", message),
            What::Sent { message, origin, .. } => match origin {
                Origin::Phone => about.with("sent by phone", message),
                Origin::Automation => about.with("sent by automation", message),
                Origin::Agent(agent) => about.with(&format!("sent by {agent}"), message),
            },
            What::Handover { reason } => Self {
                what: "handover".to_owned(),
                text: reason.to_string(),
                // A handover has no time of its own that duplicates are found by, but it happened when it says.
                own_time: Some(fact.at.as_second()),
                ..about
            },
        }
    }

    fn with(self, what: &str, message: &Message) -> Self {
        Self {
            what: what.to_owned(),
            id: message.id.to_string(),
            kind: message.kind.to_string(),
            turn: message.turn,
            text: message.text.to_string(),
            referral: message.referral.to_string(),
            reply_to: message.reply_to.to_string(),
            ..self
        }
    }
}
