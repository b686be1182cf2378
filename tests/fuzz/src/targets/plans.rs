//! What people configure: plans in both their forms, and conditions.

use std::panic;
use std::sync::{Arc, Once};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use switchboard::contract::plan::{self, Checked};
use switchboard::domain::condition::{Condition, EvaluationError, Facts, MAX_WORK};
use switchboard::domain::conversation::{Contact, Conversation};
use switchboard::domain::ids::{ChannelKey, ConversationId, Partition};
use switchboard::domain::input::{Fault, Message};
use uuid::Uuid;

use super::letter::ARRIVAL;

/// Most faults that are told of one plan, the one that says there are more included.
const MAX_FAULTS: usize = 101;

/// Longest sentence about a fault, in characters. Those of a condition's parser are the longest.
const MAX_SENTENCE: usize = 4_096;

/// A plan in TOML.
pub fn toml(input: &[u8]) {
    expect_panics_of_the_parser();
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match plan::from_toml(text) {
        Ok(checked) => good(&checked),
        Err(faults) => bad(&faults, text),
    }
}

/// A plan in JSON: as a text it is not better than as a value.
pub fn json(input: &[u8]) {
    expect_panics_of_the_parser();
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = plan::from_json_text(text);
    if let Ok(value) = serde_json::from_str(text) {
        let of_value = plan::from_json(&value);
        match (&read, &of_value) {
            (Ok(text), Ok(value)) => same(text, value),
            (Ok(_), Err(faults)) => panic!("good as a text, bad as a value: {faults:?}"),
            // A name given twice is seen in the text only.
            (Err(_), _) => {}
        }
    }
    match read {
        Ok(checked) => good(&checked),
        Err(faults) => bad(&faults, text),
    }
}

/// A good plan reads back from what is stored of it as the same plan.
fn good(checked: &Checked) {
    let stored =
        plan::from_json(&checked.document).unwrap_or_else(|faults| panic!("stored, it is bad: {faults:?}"));
    same(checked, &stored);
    let text = checked.document.to_string();
    let written =
        plan::from_json_text(&text).unwrap_or_else(|faults| panic!("written, it is bad: {faults:?}"));
    same(checked, &written);
}

fn same(one: &Checked, other: &Checked) {
    assert_eq!(one.document, other.document);
    assert_eq!(format!("{:?}", one.plan), format!("{:?}", other.plan));
    assert_eq!(one.warnings.len(), other.warnings.len());
}

/// A bad one is told of by sentences, at places that are there.
fn bad(faults: &[Fault], text: &str) {
    assert!(
        !faults.is_empty() && faults.len() <= MAX_FAULTS,
        "{} faults",
        faults.len()
    );
    let lines = u32::try_from(text.split('\n').count()).expect("few lines");
    for fault in faults {
        assert!(
            !fault.message.is_empty() && fault.message.chars().count() <= MAX_SENTENCE,
            "{fault:?}"
        );
        assert!(fault.line <= lines, "{fault:?} in {lines} lines");
    }
}

/// A condition: what is let in answers, and costs no more than was reckoned.
pub fn condition(input: &[u8]) {
    expect_panics_of_the_parser();
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let condition = match Condition::compile(source) {
        Ok(condition) => condition,
        Err(error) => {
            assert!(error.line > 0 && error.column > 0, "{error:?}");
            assert!(
                !error.message.is_empty() && error.message.chars().count() <= MAX_SENTENCE,
                "{error:?}"
            );
            return;
        }
    };
    assert!(condition.work() <= MAX_WORK);
    assert_eq!(condition.source(), source);
    for given in [Given::plain(), Given::silent(), Given::long()] {
        let answer = given.answer(&condition);
        assert_ne!(answer, Err(EvaluationError::Panicked), "{source}");
        assert_eq!(answer, given.answer(&condition), "answers differ: {source}");
        if condition.is_always() {
            assert_eq!(answer, Ok(true));
        }
    }
}

/// What a condition is asked about.
struct Given {
    message: Option<Message>,
    conversation: Conversation,
}

impl Given {
    fn of(message: Option<Message>, contact: Contact) -> Self {
        let channel = ChannelKey::new("whatsapp:123456789012345").expect("a channel");
        let id = ConversationId(Uuid::nil());
        let mut conversation = Conversation::unborn(id, channel, "key".into(), Partition(0));
        conversation.contact = Arc::new(contact);
        conversation.episode = 2;
        Self {
            message,
            conversation,
        }
    }

    fn plain() -> Self {
        let attributes = [("tier", "gold"), ("score", "7"), ("odd key", "x")];
        let contact = Contact {
            name: "Ana".into(),
            language: "pt".into(),
            country: "BR".into(),
            attributes: attributes.map(|(name, value)| (name.into(), value.into())).into(),
        };
        let message = Message {
            id: "wamid.1".into(),
            kind: "text".into(),
            turn: true,
            text: "Olá, preciso da segunda via da FATURA 1234".into(),
            referral: "ad-77".into(),
            reply_to: "wamid.0".into(),
        };
        Self::of(Some(message), contact)
    }

    /// Nothing is known.
    fn silent() -> Self {
        Self::of(None, Contact::default())
    }

    /// Everything is as long as it may be.
    fn long() -> Self {
        let attribute = |n: usize| (format!("{n:0>64}").into(), "é".repeat(256).into());
        let contact = Contact {
            name: "🙂".repeat(128).into(),
            attributes: (0..Contact::MAX_ATTRIBUTES).map(attribute).collect(),
            ..Contact::default()
        };
        let message = Message {
            kind: "k".repeat(64).into(),
            text: "aA🙂\u{301}".repeat(1_024).into(),
            referral: "r".repeat(256).into(),
            ..Message::default()
        };
        Self::of(Some(message), contact)
    }

    fn answer(&self, condition: &Condition) -> Result<bool, EvaluationError> {
        let now: Timestamp = ARRIVAL.parse().expect("a time");
        condition.holds(&Facts {
            message: self.message.as_ref(),
            conversation: &self.conversation,
            now: now.to_zoned(TimeZone::fixed(jiff::tz::offset(-3))),
            calendar: None,
        })
    }
}

/// The parser of conditions may panic on the thread that is made for it: that is expected, and seen as a fault of the
/// condition. Everywhere else a panic is what is looked for.
fn expect_panics_of_the_parser() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() != Some("condition") {
                hook(info);
            }
        }));
    });
}
