//! What goes out, as outside clients see it.

mod addresses;
mod answers;
mod golden;
mod golden_clocks;
pub mod histories;
mod properties;
mod sentences;
mod trace;
mod words;

use switchboard::contract::envelope::{OutMessage, Publishing};
use switchboard::contract::outcome::{self, ReplyTo};
use switchboard::contract::{event, notification};
use switchboard::domain::notify::told;

use crate::company::{Company, Happened, PARTITIONS, tenant};

pub const PUBLISHING: Publishing = Publishing {
    partitions: PARTITIONS,
};

/// The events of an input as they are published.
pub fn events(happened: &Happened) -> Vec<OutMessage> {
    let render = |recorded| event::render(recorded, &tenant(), &PUBLISHING);
    happened.events.iter().filter_map(render).collect()
}

/// The notifications of an input as they are published.
pub fn notifications(company: &Company, happened: &Happened) -> Vec<OutMessage> {
    told(&company.state, &happened.events)
        .iter()
        .map(|told| {
            let about = &happened.events[told.about];
            notification::render(told, about, &company.state).expect("it is about a conversation")
        })
        .collect()
}

/// What a caller would be told of a command: its outcome, and that it came again.
pub fn answers(company: &Company, happened: &Happened) -> Vec<OutMessage> {
    let reply = ReplyTo {
        queue: "caller",
        correlation_id: Some("42"),
    };
    let tenant = tenant();
    let outcome = outcome::of(&happened.input, &happened.events)
        .and_then(|outcome| outcome::render(outcome, &tenant, &PUBLISHING, reply));
    let again = outcome::duplicate(&happened.input, company.now, &tenant, &PUBLISHING, reply);
    outcome.into_iter().chain(again).collect()
}

/// Everything that leaves because of an input.
pub fn leaving(company: &Company, happened: &Happened) -> Vec<OutMessage> {
    let mut all = events(happened);
    all.extend(notifications(company, happened));
    all.extend(answers(company, happened));
    all
}

/// The first message of this kind (without `switchboard.`).
#[track_caller]
pub fn one(messages: Vec<OutMessage>, kind: &str) -> OutMessage {
    let full = format!("switchboard.{kind}");
    let found = messages.iter().position(|message| message.kind == full);
    let Some(index) = found else {
        let kinds: Vec<_> = messages.iter().map(|message| &message.kind).collect();
        panic!("no {kind} among {kinds:?}");
    };
    messages.into_iter().nth(index).expect("it was found there")
}

/// The body as JSON.
pub fn json(message: &OutMessage) -> serde_json::Value {
    serde_json::from_str(&message.body).expect("bodies are JSON")
}
