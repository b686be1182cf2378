//! Inputs in a few words.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Contact, Priority};
use switchboard::domain::ids::{ChannelKey, ConversationId};
use switchboard::domain::input::{
    Action, Actor, Body, Command, Fact, Message, Origin, Recipient, ReplyBody, System, Timer, Upsert, What,
    Wish,
};

use super::plans::Draft;
use super::{agent, channel, id, start, team};
use crate::company::{self, name_of};

/// Something a gateway reports, being written.
#[derive(Debug, Clone)]
pub struct Report(Fact);

/// The customer writes a text.
pub fn turn(number: u8) -> Report {
    received(number, "text", true)
}

/// The customer does something that is no turn.
pub fn reaction(number: u8) -> Report {
    received(number, "reaction", false)
}

pub fn received(number: u8, kind: &str, turn: bool) -> Report {
    report(number, What::Received(message(kind, turn)))
}

/// The business writes outside the gate.
pub fn sent(number: u8, origin: Origin) -> Report {
    let message = message("text", false);
    let leave_unassigned = false;
    report(
        number,
        What::Sent {
            message,
            origin,
            leave_unassigned,
        },
    )
}

/// This agent writes outside the gate.
pub fn sent_by(number: u8, sender: &str) -> Report {
    sent(number, Origin::Agent(agent(sender)))
}

/// A bot hands over.
pub fn handover(number: u8) -> Report {
    let reason = "the customer asked for a person".into();
    report(number, What::Handover { reason })
}

fn report(number: u8, what: What) -> Report {
    Report(Fact {
        conversation: id(number),
        channel: channel(),
        conflict: Vec::new(),
        contact: Contact::default(),
        at: start(),
        standby: false,
        what,
    })
}

fn message(kind: &str, turn: bool) -> Message {
    Message {
        id: "wamid.TEST".into(),
        kind: kind.into(),
        turn,
        ..Message::default()
    }
}

impl Report {
    pub fn at(mut self, at: Timestamp) -> Self {
        self.0.at = at;
        self
    }

    /// Without a claim on what nobody owns.
    pub fn leaving_unassigned(mut self) -> Self {
        if let What::Sent { leave_unassigned, .. } = &mut self.0.what {
            *leave_unassigned = true;
        }
        self
    }

    /// While a bot holds the chat.
    pub fn standby(mut self) -> Self {
        self.0.standby = true;
        self
    }

    /// From a customer of whom this is known.
    pub fn from(mut self, contact: Contact) -> Self {
        self.0.contact = contact;
        self
    }

    /// From a customer who speaks this language.
    pub fn in_language(self, language: &str) -> Self {
        let language = language.into();
        self.from(Contact {
            language,
            ..Contact::default()
        })
    }

    /// Through this business number.
    pub fn on(mut self, channel: ChannelKey) -> Self {
        self.0.channel = channel;
        self
    }

    /// Having clicked on this advertisement.
    pub fn referred_by(mut self, referral: &str) -> Self {
        if let What::Received(message) = &mut self.0.what {
            message.referral = referral.into();
        }
        self
    }

    /// Saying this.
    pub fn saying(mut self, text: &str) -> Self {
        if let What::Received(message) = &mut self.0.what {
            message.text = text.into();
        }
        self
    }
}

impl From<Report> for Body {
    fn from(report: Report) -> Self {
        Body::Fact(report.0)
    }
}

/// A command being written.
#[derive(Debug, Clone)]
pub struct Says(Command);

/// Who speaks.
#[derive(Debug, Clone)]
pub struct Speaker(Actor);

/// A person of the tenant, or somebody who says so.
pub fn by(actor: &str) -> Speaker {
    Speaker(Actor::Agent(agent(actor)))
}

/// The command line.
pub fn cli() -> Speaker {
    Speaker(Actor::System(System::Cli))
}

/// Anyone who is not supposed to send commands.
pub fn by_actor(actor: Actor) -> Speaker {
    Speaker(actor)
}

impl Speaker {
    fn says(self, name: &str, action: Action) -> Says {
        Says(Command {
            name: name.into(),
            actor: self.0,
            action,
        })
    }

    /// Any wish about any conversation.
    pub fn wishes(self, conversation: ConversationId, wish: Wish) -> Says {
        let name = name_of(&wish);
        let action = Action::Conversation {
            conversation,
            expected_epoch: None,
            note: None,
            wish,
        };
        self.says(name, action)
    }

    pub fn gives(self, number: u8, to: &str) -> Says {
        self.wishes(id(number), Wish::Assign(Recipient::Agent(agent(to))))
    }

    pub fn gives_to_team(self, number: u8, to: &str) -> Says {
        self.wishes(id(number), Wish::Assign(Recipient::Team(team(to))))
    }

    pub fn unassigns(self, number: u8) -> Says {
        self.wishes(id(number), Wish::Unassign)
    }

    pub fn closes(self, number: u8) -> Says {
        self.wishes(id(number), Wish::Close)
    }

    pub fn reopens(self, number: u8) -> Says {
        self.wishes(id(number), Wish::Reopen)
    }

    pub fn holds(self, number: u8, until: Option<Timestamp>) -> Says {
        self.wishes(id(number), Wish::Hold { until })
    }

    pub fn resumes(self, number: u8) -> Says {
        self.wishes(id(number), Wish::Resume)
    }

    /// Offers it to a colleague.
    pub fn asks(self, number: u8, to: &str) -> Says {
        self.wishes(id(number), company::ask(to))
    }

    pub fn accepts(self, number: u8) -> Says {
        self.wishes(id(number), company::accept())
    }

    pub fn rejects(self, number: u8, reason: &str) -> Says {
        self.wishes(id(number), company::reject(reason))
    }

    pub fn withdraws(self, number: u8, reason: &str) -> Says {
        self.wishes(id(number), company::withdraw(reason))
    }

    /// Writes to the customer through the gate.
    pub fn replies(self, number: u8) -> Says {
        self.wishes(id(number), company::reply("on its way"))
    }

    pub fn replies_with(self, number: u8, template: bool, leave_unassigned: bool) -> Says {
        let message = ReplyBody("{}".into());
        let wish = Wish::Reply {
            message,
            template,
            leave_unassigned,
        };
        self.wishes(id(number), wish)
    }

    pub fn notes(self, number: u8, text: &str) -> Says {
        self.wishes(id(number), Wish::Note { text: text.into() })
    }

    pub fn prioritizes(self, number: u8, priority: Priority) -> Says {
        self.wishes(id(number), Wish::Prioritize(priority))
    }

    pub fn sets(self, of: &str, presence: Presence) -> Says {
        let agent = agent(of);
        let action = Action::Presence {
            agent,
            presence,
            ttl: None,
        };
        self.says("presence", action)
    }

    pub fn sets_for(self, of: &str, presence: Presence, ttl: Duration) -> Says {
        let agent = agent(of);
        let ttl = Some(ttl);
        let action = Action::Presence { agent, presence, ttl };
        self.says("presence", action)
    }

    pub fn upserts(self, of: &str, fields: Upsert) -> Says {
        let agent = agent(of);
        self.says("agent.upsert", Action::UpsertAgent { agent, fields })
    }

    pub fn removes(self, of: &str) -> Says {
        let agent = agent(of);
        self.says("agent.remove", Action::RemoveAgent { agent })
    }

    pub fn applies(self, plan: Draft) -> Says {
        let plan = Arc::new(plan.build());
        let unchanged = false;
        self.says("plan.apply", Action::ApplyPlan { plan, unchanged })
    }

    /// Applies a plan whose document says the same as the one in force.
    pub fn reapplies(self, plan: Draft) -> Says {
        let plan = Arc::new(plan.build());
        let unchanged = true;
        self.says("plan.apply", Action::ApplyPlan { plan, unchanged })
    }

    pub fn mumbles(self, conversation: Option<ConversationId>) -> Says {
        let action = Action::Malformed {
            conversation,
            message: "to is missing".into(),
            errors: Vec::new(),
        };
        self.says("assign", action)
    }
}

impl Says {
    /// Only if the conversation has this epoch.
    pub fn expecting(mut self, epoch: u64) -> Self {
        if let Action::Conversation { expected_epoch, .. } = &mut self.0.action {
            *expected_epoch = Some(epoch);
        }
        self
    }

    pub fn saying(mut self, text: &str) -> Self {
        if let Action::Conversation { note, .. } = &mut self.0.action {
            *note = Some(text.into());
        }
        self
    }
}

impl From<Says> for Body {
    fn from(says: Says) -> Self {
        Body::Command(says.0)
    }
}

/// The sweep found this one stranded.
pub fn found_stranded(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::Stranded { conversation })
}

/// The timer of a conversation's assign clock, due or not.
pub fn assign_timer(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::AssignDue { conversation })
}

/// A conversation's alarm, due or not.
pub fn alarm_timer(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::Alarm { conversation })
}

/// The timer of a conversation on hold, due or not.
pub fn hold_timer(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::HoldEnds { conversation })
}

/// The timer of a conversation's request, due or not.
pub fn request_timer(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::RequestDue { conversation })
}

/// A conversation's home is to see whether whoever is asked is still there.
pub fn recipient_timer(number: u8) -> Body {
    let conversation = id(number);
    Body::Timer(Timer::RecipientGone { conversation })
}
