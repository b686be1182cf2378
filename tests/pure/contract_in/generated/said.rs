//! One message of a generated body: what it says, how it is written, what must be read from it.

use proptest::prelude::*;

use super::expected::Told;
use super::json::{Json, fields, number, object, text};

/// A second before the fixtures' arrival that all times are counted back from.
pub const NOON: i64 = 1_795_255_200;

/// The identifiers that stand somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub phone: bool,
    pub bsuid: bool,
    pub parent: bool,
    /// The business-scoped id stands where the phone belongs, which then is not there.
    pub in_place: bool,
}

impl Known {
    /// What is really there: two cannot stand in one place.
    pub fn sane(self) -> Self {
        let in_place = self.in_place && self.bsuid;
        Self {
            phone: self.phone && !in_place,
            in_place,
            ..self
        }
    }

    pub fn nothing(self) -> bool {
        !(self.phone || self.bsuid || self.parent)
    }

    /// Whether the contact can be found by what the message says.
    pub fn shares(self, other: Self) -> bool {
        (self.phone && other.phone) || (self.bsuid && other.bsuid)
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            phone: self.phone || other.phone,
            bsuid: self.bsuid || other.bsuid,
            parent: self.parent || other.parent,
            in_place: false,
        }
    }

    /// As they are read of this customer.
    pub fn of(self, customer: usize) -> Vec<String> {
        let all = [
            (self.phone, format!("phone=+{}", phone(customer))),
            (self.bsuid, format!("bsuid={}", bsuid(customer))),
            (self.parent, format!("parent_bsuid={}", parent(customer))),
        ];
        all.into_iter()
            .filter(|(there, _)| *there)
            .map(|(_, text)| text)
            .collect()
    }

    /// As they are written, for the places of phone, id and parent id.
    pub fn written(self, customer: usize) -> [Option<Json>; 3] {
        let in_phone = if self.in_place {
            Some(text(bsuid(customer)))
        } else {
            self.phone.then(|| text(phone(customer)))
        };
        [
            in_phone,
            (self.bsuid && !self.in_place).then(|| text(bsuid(customer))),
            self.parent.then(|| text(parent(customer))),
        ]
    }
}

pub fn phone(customer: usize) -> String {
    format!("55119999{customer:05}")
}

pub fn bsuid(customer: usize) -> String {
    format!("BR.7{customer}x")
}

pub fn parent(customer: usize) -> String {
    format!("BR.ENT.9{customer}")
}

pub fn name(customer: usize) -> String {
    format!("Cliente {customer} \u{1f469}\u{200d}\u{1f4bb}")
}

pub fn known() -> impl Strategy<Value = Known> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(phone, bsuid, parent, in_place)| {
            Known {
                phone,
                bsuid,
                parent,
                in_place,
            }
            .sane()
        })
}

/// How a time is written; none if there is none.
#[derive(Debug, Clone)]
pub struct When {
    pub ago: Option<i64>,
    form: u8,
}

impl When {
    pub fn seconds(&self) -> Option<i64> {
        self.ago.map(|ago| NOON - ago)
    }

    pub fn written(&self) -> Option<Json> {
        let seconds = self.seconds()?;
        Some(match self.form {
            0 => number(seconds),
            1 => number(seconds * 1_000),
            2 => text((seconds * 1_000).to_string()),
            _ => text(seconds.to_string()),
        })
    }
}

pub fn when() -> impl Strategy<Value = When> {
    (prop::option::weighted(0.9, 0_i64..7 * 86_400), 0_u8..6).prop_map(|(ago, form)| When { ago, form })
}

/// Kinds of messages: the word, its part, the words that are read, whether it is a turn.
type Kind = (&'static str, fn(&str) -> Json, bool, bool);

const KINDS: [Kind; 22] = [
    ("text", |w| object([("body", text(w))]), true, true),
    ("text", |w| object([("body", text(w))]), true, true),
    (
        "button",
        |w| object([("payload", text("p")), ("text", text(w))]),
        true,
        true,
    ),
    (
        "image",
        |w| object([("id", text("1")), ("caption", text(w))]),
        true,
        true,
    ),
    ("video", |w| object([("caption", text(w))]), true, true),
    (
        "document",
        |w| object([("filename", text("f")), ("caption", text(w))]),
        true,
        true,
    ),
    (
        "order",
        |w| object([("text", text(w)), ("product_items", Json::List(vec![]))]),
        true,
        true,
    ),
    ("interactive", |w| answer("button_reply", w), true, true),
    ("interactive", |w| answer("list_reply", w), true, true),
    (
        "interactive",
        |_| object([("nfm_reply", object([("name", text("flow"))]))]),
        false,
        true,
    ),
    (
        "interactive",
        |_| object([("call_permission_reply", object([]))]),
        false,
        true,
    ),
    (
        "audio",
        |_| object([("voice", Json::Plain("true".to_owned()))]),
        false,
        true,
    ),
    (
        "sticker",
        |_| object([("animated", Json::Plain("false".to_owned()))]),
        false,
        true,
    ),
    (
        "location",
        |_| object([("latitude", Json::Plain("1.5".to_owned()))]),
        false,
        true,
    ),
    (
        "contacts",
        |_| Json::List(vec![object([("org", object([]))])]),
        false,
        true,
    ),
    ("unsupported", |_| object([]), false, true),
    ("brand_new", |w| text(w), false, true),
    (
        "reaction",
        |_| object([("emoji", text("\u{1f44d}")), ("message_id", text("w"))]),
        false,
        false,
    ),
    ("edit", |w| object([("body", text(w))]), false, false),
    ("revoke", |_| object([]), false, false),
    ("request_welcome", |_| object([]), false, false),
    (
        "system",
        |w| object([("body", text(w)), ("type", text("group_created"))]),
        false,
        false,
    ),
];

fn answer(kind: &str, title: &str) -> Json {
    object([
        ("type", text(kind)),
        (kind, object([("id", text("1")), ("title", text(title))])),
    ])
}

/// Where an advertisement has its name, in the order in which they are preferred.
const REFERRALS: [&str; 4] = ["source_id", "ctwa_clid", "source_url", "source_type"];

/// A message, received or sent.
#[derive(Debug, Clone)]
pub struct Said {
    pub customer: usize,
    pub known: Known,
    kind: usize,
    /// Its part is missing, as it may be.
    bare: bool,
    words: String,
    pub when: When,
    referral: Option<u8>,
    reply: bool,
    pub group: bool,
}

pub fn said() -> impl Strategy<Value = Said> {
    (
        (0..4_usize, known(), when()),
        (
            0..KINDS.len(),
            prop::bool::weighted(0.1),
            "[ -~à-ü👍\u{200d}]{0,20}",
        ),
        (
            prop::option::weighted(0.2, 1_u8..16),
            any::<bool>(),
            prop::bool::weighted(0.05),
        ),
    )
        .prop_map(
            |((customer, known, when), (kind, bare, words), (referral, reply, group))| Said {
                customer,
                known,
                kind,
                bare,
                words,
                when,
                referral,
                reply,
                group,
            },
        )
}

impl Said {
    /// What it says beside who it is from or to.
    pub fn told(&self, id: &str) -> Told {
        let (kind, _, says, turn) = KINDS[self.kind];
        let referral = REFERRALS.iter().enumerate().find(|(bit, _)| self.named_by(*bit));
        Told {
            id: id.to_owned(),
            kind: kind.to_owned(),
            turn,
            text: if says && !self.bare {
                self.words.clone()
            } else {
                String::new()
            },
            referral: referral.map_or_else(String::new, |(_, name)| format!("the {name}")),
            reply_to: if self.reply {
                format!("before.{id}")
            } else {
                String::new()
            },
            own_time: self.when.seconds(),
            ..Told::default()
        }
    }

    fn named_by(&self, bit: usize) -> bool {
        self.referral.is_some_and(|bits| bits & (1 << bit) != 0)
    }

    /// The message as it stands in a list; the names are those of the customer's identifiers in it.
    pub fn written(&self, id: &str, who: [&str; 3]) -> Json {
        let (kind, part, ..) = KINDS[self.kind];
        let [phone, bsuid, parent] = self.known.written(self.customer);
        let mut message = vec![
            (who[0].to_owned(), phone),
            (who[1].to_owned(), bsuid),
            (who[2].to_owned(), parent),
            ("id".to_owned(), Some(text(id))),
            ("timestamp".to_owned(), self.when.written()),
            ("type".to_owned(), Some(text(kind))),
            (kind.to_owned(), (!self.bare).then(|| part(&self.words))),
            ("group_id".to_owned(), self.group.then(|| text("120363"))),
        ];
        let reply = || fields([("from", None), ("id", Some(text(format!("before.{id}"))))]);
        message.push(("context".to_owned(), self.reply.then(reply)));
        let referral = || {
            let named = |(bit, name): (usize, &&str)| {
                (
                    (*name).to_owned(),
                    self.named_by(bit).then(|| text(format!("the {name}"))),
                )
            };
            Json::Fields(REFERRALS.iter().enumerate().map(named).collect())
        };
        message.push(("referral".to_owned(), self.referral.map(|_| referral())));
        Json::Fields(message)
    }
}
