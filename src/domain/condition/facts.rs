//! What a condition may ask, and the answers: looked up by name when the condition gets there, borrowed, not copied.

use std::collections::HashMap;

use cel::common::types::{CelBool, CelInt, CelMap, CelMapKey, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use jiff::Zoned;
use jiff::civil::Weekday;

use super::super::calendar::Calendar;
use super::super::conversation::{Contact, Conversation, Priority};
use super::super::ids::{MAX_CHANNEL_BYTES, MAX_ID_CHARS};
use super::super::input::Message;
use super::kind::Kind;
use super::pattern::{self, Pattern};

/// What a condition is asked about.
pub struct Facts<'a> {
    /// The message being routed; none when a conversation is routed again without one.
    pub message: Option<&'a Message>,
    /// The conversation (as it stands after opening), with its contact and channel.
    pub conversation: &'a Conversation,
    /// The decision's time in the plan's time zone.
    pub now: Zoned,
    /// The plan's calendar, if it names one.
    pub calendar: Option<&'a Calendar>,
}

/// One fact of a subject.
pub(super) struct Fact {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its size at most, in bytes: what `review` reckons with. Longer ones would cost more than was allowed.
    pub max_bytes: u64,
}

const fn text(name: &'static str, max_chars: usize) -> Fact {
    Fact {
        name,
        kind: Kind::Text,
        max_bytes: (max_chars * UTF8) as u64,
    }
}

const fn number(name: &'static str) -> Fact {
    Fact {
        name,
        kind: Kind::Number,
        max_bytes: 8,
    }
}

const fn truth(name: &'static str) -> Fact {
    Fact {
        name,
        kind: Kind::Truth,
        max_bytes: 1,
    }
}

/// Bytes of a character at most.
const UTF8: usize = 4;

/// The longest text of a message that is reckoned with, in bytes: WhatsApp's 4,096 characters.
pub const MAX_TEXT_BYTES: usize = MAX_TEXT_CHARS * UTF8;

const MAX_TEXT_CHARS: usize = 4_096;
/// Names, kinds, referrals and attributes are cut to this many characters, or fewer, when they are read.
const MAX_WORD_CHARS: usize = 256;
/// A message id is at most this long, in bytes.
const MAX_MESSAGE_ID_BYTES: usize = 512;
/// A key and a value of at most [`MAX_WORD_CHARS`] each.
pub(super) const MAX_ATTRIBUTE_BYTES: u64 = (MAX_WORD_CHARS * UTF8) as u64;
const MAX_ATTRIBUTES_BYTES: u64 = Contact::MAX_ATTRIBUTES as u64 * 2 * MAX_ATTRIBUTE_BYTES;

/// What a condition may ask, by subject.
pub(super) const SUBJECTS: &[(&str, &[Fact])] = &[
    (
        "message",
        &[
            text("kind", MAX_WORD_CHARS),
            text("text", MAX_TEXT_CHARS),
            text("referral", MAX_WORD_CHARS),
            text("reply_to", MAX_MESSAGE_ID_BYTES),
        ],
    ),
    (
        "contact",
        &[
            text("name", MAX_WORD_CHARS),
            text("language", MAX_WORD_CHARS),
            text("country", MAX_WORD_CHARS),
            Fact {
                name: "attributes",
                kind: Kind::Texts,
                max_bytes: MAX_ATTRIBUTES_BYTES,
            },
            truth("returning"),
        ],
    ),
    ("channel", &[text("key", MAX_CHANNEL_BYTES)]),
    (
        "conversation",
        &[
            number("episode"),
            text("previous_owner", MAX_ID_CHARS),
            text("priority", 6),
            number("waiting"),
        ],
    ),
    ("now", &[number("hour"), text("weekday", 3), truth("working")]),
];

/// The facts and patterns of one evaluation, by the names a reviewed condition has for them.
pub(super) struct Variables<'a> {
    pub facts: &'a Facts<'a>,
    pub patterns: &'a [Pattern],
}

impl VariableResolver for Variables<'_> {
    /// The interpreter asks for the longest name first: `contact.attributes.vip`, then `contact.attributes`.
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let conversation = self.facts.conversation;
        let contact = &*conversation.contact;
        let now = &self.facts.now;
        let of_message = |part: fn(&Message) -> &str| borrowed(self.facts.message.map_or("", part));
        let value = match name {
            "message.kind" => of_message(|message| &message.kind),
            "message.text" => of_message(|message| &message.text),
            "message.referral" => of_message(|message| &message.referral),
            "message.reply_to" => of_message(|message| &message.reply_to),
            "contact.name" => borrowed(&contact.name),
            "contact.language" => borrowed(&contact.language),
            "contact.country" => borrowed(&contact.country),
            "contact.attributes" => attributes(contact),
            "contact.returning" => CowVal::owned(CelBool::from(conversation.episode > 1)),
            "channel.key" => borrowed(conversation.channel.as_str()),
            "conversation.episode" => whole(conversation.episode.into()),
            "conversation.previous_owner" => borrowed(
                conversation
                    .last_owner
                    .as_ref()
                    .map_or("", |owner| owner.as_str()),
            ),
            "conversation.priority" => borrowed(priority(conversation.priority)),
            "conversation.waiting" => whole(waiting(conversation, now)),
            "now.hour" => whole(now.hour().into()),
            "now.weekday" => borrowed(weekday(now.weekday())),
            "now.working" => CowVal::owned(CelBool::from(working(self.facts))),
            _ => {
                if let Some(pattern) = pattern::named(name, self.patterns) {
                    return Some(CowVal::Borrowed(pattern));
                }
                let key = name.strip_prefix("contact.attributes.")?;
                borrowed(contact.attributes.get(key)?)
            }
        };
        Some(value)
    }
}

fn borrowed(text: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(text))
}

fn whole<'b>(number: i64) -> CowVal<'b, 'b> {
    CowVal::owned(CelInt::from(number))
}

fn attributes(contact: &Contact) -> CowVal<'_, '_> {
    let entry = |(name, value)| {
        let (name, value): (&std::sync::Arc<str>, &std::sync::Arc<str>) = (name, value);
        let value: Box<dyn Val> = Box::new(CelString::from(&**value));
        (CelMapKey::from(&**name), value)
    };
    let entries: HashMap<CelMapKey<'_>, Box<dyn Val + '_>> = contact.attributes.iter().map(entry).collect();
    CowVal::owned(CelMap::from(entries))
}

/// Seconds since the first unanswered turn, or since it came to its queue; 0 when it does not wait.
fn waiting(conversation: &Conversation, now: &Zoned) -> i64 {
    let since = conversation.waiting_since.or(conversation.queued_at);
    since.map_or(0, |since| now.timestamp().duration_since(since).as_secs().max(0))
}

/// Whether it is working time; without a calendar it always is.
fn working(facts: &Facts<'_>) -> bool {
    let now = facts.now.timestamp();
    facts.calendar.is_none_or(|calendar| calendar.is_open(now))
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}
