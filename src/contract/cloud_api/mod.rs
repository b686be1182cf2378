//! Webhook bodies of WhatsApp's Cloud API. One body can mix business numbers, fields and several messages: none is lost.

mod content;
mod people;

use self::content::content;
use self::people::{People, Who};
use super::arrived::{ArrivedFact, Dedupe, Direction, Skip};
use super::dead::{Dead, DeadReason};
use super::each::each;
use super::forward;
use super::identity::{self, AliasKind, Identity};
use super::json::{Object, cut};
use super::message::{self, MAX_MESSAGE_ID_BYTES};
use super::reading::Reading;
use super::time;
use crate::domain::conversation::Contact;
use crate::domain::ids::{ChannelKey, MAX_CHANNEL_BYTES};
use crate::domain::input::{Origin, What};

/// The provider word of the Cloud API's channels.
const PROVIDER: &str = "whatsapp";

/// Characters kept of what the bot says about the conversation it hands over.
const MAX_REASON_CHARS: usize = 500;

/// Whether an object is such a body.
pub(super) fn is_webhook(object: &Object<'_, '_>) -> bool {
    object
        .text("object")
        .is_ok_and(|name| name == "whatsapp_business_account")
}

/// Reads a body. What is wrong with one message is noted and the others are read.
pub(super) fn read(reading: &mut Reading, body: &Object<'_, '_>) {
    each(reading, body.list("entry"), |reading, entry| {
        let entry = entry.object()?;
        each(reading, entry.list("changes"), |reading, item| {
            change(reading, &item.object()?)
        });
        Ok(())
    });
}

/// What one change says depends on its field only where its contents do not tell.
fn change(reading: &mut Reading, change: &Object<'_, '_>) -> Result<(), Dead> {
    let field = change.text("field")?;
    let Some(value) = change.object("value")? else {
        reading.skip(Skip::Empty, 1);
        return Ok(());
    };
    match &*field {
        "history" | "smb_app_state_sync" => reading.skip(Skip::Import, 1),
        "messaging_handovers" => handover(reading, &value)?,
        field => {
            let told = messages(reading, &value, field == "standby") + uncounted(reading, &value);
            if told == 0 {
                let about_messages = ["messages", "smb_message_echoes", "message_echoes", "standby"];
                let empty = field.is_empty() || about_messages.contains(&field);
                reading.skip(if empty { Skip::Empty } else { Skip::Notice }, 1);
            }
        }
    }
    Ok(())
}

/// Counts what is told beside messages; how many things there were.
fn uncounted(reading: &mut Reading, value: &Object<'_, '_>) -> usize {
    let lists = [
        ("statuses", Skip::Receipt),
        ("user_actions", Skip::UserAction),
        ("calls", Skip::Call),
        ("history", Skip::Import),
        ("state_sync", Skip::Import),
        ("errors", Skip::Error),
    ];
    let mut told = 0;
    for (name, skip) in lists {
        match value.list(name) {
            Ok(list) => {
                reading.skip(skip, list.len());
                told += list.len();
            }
            Err(dead) => {
                reading.refuse(dead);
                told += 1;
            }
        }
    }
    told
}

/// Reads the messages of a value, the customers' and the business's own; how many there were.
fn messages(reading: &mut Reading, value: &Object<'_, '_>, standby: bool) -> usize {
    let mut told = 0;
    let mut people = None;
    for (name, direction) in [
        ("messages", Direction::Received),
        ("message_echoes", Direction::Sent),
        ("smb_message_echoes", Direction::Sent),
    ] {
        let list = value.list(name);
        told += usize::from(list.is_err()); // something was told, though not what
        each(reading, list, |reading, item| {
            told += 1;
            let people = people.get_or_insert_with(|| People::read(reading, value));
            let about = About {
                channel: channel(value)?,
                people,
                direction,
                standby,
            };
            one(reading, &about, &item.object()?)
        });
    }
    told
}

/// The business number of a value.
fn channel(value: &Object<'_, '_>) -> Result<ChannelKey, Dead> {
    let metadata = value.object("metadata")?;
    let metadata = metadata.as_ref().ok_or_else(|| value.missing("metadata"))?;
    numbered(metadata)
}

/// The channel of an object that has a `phone_number_id`.
fn numbered(object: &Object<'_, '_>) -> Result<ChannelKey, Dead> {
    let number = object.required("phone_number_id", MAX_CHANNEL_BYTES)?;
    let not_one = || object.place().bad("has a phone_number_id that is none");
    ChannelKey::new(&format!("{PROVIDER}:{number}")).ok_or_else(not_one)
}

/// What the messages of one list have in common.
struct About<'v> {
    channel: ChannelKey,
    people: &'v People,
    direction: Direction,
    standby: bool,
}

/// Reads one message.
fn one(reading: &mut Reading, about: &About<'_>, said: &Object<'_, '_>) -> Result<(), Dead> {
    if said.field("group_id").is_some() {
        reading.skip(Skip::Group, 1);
        return Ok(());
    }
    let id = said.required("id", MAX_MESSAGE_ID_BYTES)?;
    let who = match about.direction {
        Direction::Received => about.people.sender(said)?,
        Direction::Sent => about.people.recipient(said)?,
    };
    let Who {
        identity,
        previous,
        name,
    } = who;
    let mut message = message::message(&id, &said.text("type")?, &content(said)?);
    message.referral = message::referral(said.field("referral"))?;
    if let Some(context) = said.object("context")? {
        message.reply_to = message::reply_to(&context.text("id")?);
    }
    let own_time = said
        .field("timestamp")
        .map(|item| time::read(&item))
        .transpose()?;
    let id = message.id.clone();
    reading.fact(Ok(ArrivedFact {
        cause: id.clone(),
        dedupe: Dedupe::Message {
            channel: about.channel.clone(),
            direction: about.direction,
            id,
        },
        own_time,
        channel: about.channel.clone(),
        identity,
        previous,
        partition_key: None,
        contact: Contact {
            name,
            ..Contact::default()
        },
        at: time::settle(own_time.or(reading.enveloped), reading.arrival, said.place())?,
        standby: about.standby,
        what: match about.direction {
            Direction::Received => What::Received(message),
            Direction::Sent => What::Sent {
                message,
                // While a bot holds the chat, it is the one who writes; otherwise a person at the phone.
                origin: if about.standby {
                    Origin::Automation
                } else {
                    Origin::Phone
                },
                leave_unassigned: false,
            },
        },
        trace: reading.trace.clone(),
    }));
    Ok(())
}

/// A bot that held the chat passes it to people. Anything else that is told of control means nothing to ownership.
fn handover(reading: &mut Reading, value: &Object<'_, '_>) -> Result<(), Dead> {
    let Some(passed) = value.object("control_passed")? else {
        reading.skip(Skip::Notice, 1);
        return Ok(());
    };
    let recipient = value.object("recipient")?;
    let channel = numbered(recipient.as_ref().ok_or_else(|| value.missing("recipient"))?)?;
    let identity = handed_over(value)?;
    let reason = match passed.field("metadata") {
        Some(item) => item.text_of_any()?,
        None => "".into(),
    };
    let own_time = value
        .field("timestamp")
        .map(|item| time::read(&item))
        .transpose()?;
    let at = time::settle(own_time.or(reading.enveloped), reading.arrival, value.place())?;
    // It has no id of its own: the same customer, number and time make it the same handover.
    let time = own_time.map_or_else(String::new, |time| time.to_string());
    let id = identity::hashed(&["handover", channel.as_str(), identity.identifier(), &time]);
    let id: std::sync::Arc<str> = format!("handover/{id}").into();
    reading.fact(Ok(ArrivedFact {
        cause: id.clone(),
        dedupe: Dedupe::Event {
            source: forward::source(&channel).into(),
            id,
        },
        own_time: None,
        channel,
        identity,
        previous: Vec::new(),
        partition_key: None,
        contact: Contact::default(),
        at,
        standby: false,
        what: What::Handover {
            reason: cut(&reason, MAX_REASON_CHARS).into(),
        },
        trace: reading.trace.clone(),
    }));
    Ok(())
}

/// The customer of a handover.
fn handed_over(value: &Object<'_, '_>) -> Result<Identity, Dead> {
    let nobody = || value.place().dead(DeadReason::NoIdentity, "has no usable sender");
    let sender = value.object("sender")?.ok_or_else(nobody)?;
    let mut found = identity::Found::default();
    found.offer_phone(&sender.text("phone_number")?);
    found.offer(AliasKind::Bsuid, &sender.text("user_id")?);
    found.offer(AliasKind::ParentBsuid, &sender.text("parent_user_id")?);
    found.identity().ok_or_else(nobody)
}
