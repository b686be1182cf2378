//! A whole generated body: its entries and changes, how they are written, and every fact and count they must come to.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::contract::Skip;

use super::expected::Told;
use super::json::{Json, fields, number, object, text};
use super::said::{Known, NOON, Said, When, bsuid, known, name, parent, phone, said, when};

/// What happens at one place of a body.
#[derive(Debug, Clone)]
pub enum Change {
    Talk(Talk),
    /// An identifier of a customer changed.
    Changed {
        number: u8,
        customer: usize,
        phone: bool,
        bsuid: bool,
        parent: bool,
        later: When,
    },
    /// A bot passes control to people, or does something else with it.
    Control {
        number: u8,
        customer: usize,
        known: Known,
        passed: bool,
        reason: String,
        when: When,
    },
    Import(&'static str),
    News(&'static str),
    /// A change that says nothing.
    Nothing,
}

/// Messages of one business number, and what comes with them.
#[derive(Debug, Clone)]
pub struct Talk {
    number: u8,
    standby: bool,
    contacts: Option<[Known; 4]>,
    received: Vec<Said>,
    sent: Vec<Said>,
    /// Under its newer name.
    smb: bool,
    counted: [u8; 6],
    empty_lists: bool,
}

/// What is counted, and where it stands.
const COUNTED: [(&str, Skip); 6] = [
    ("statuses", Skip::Receipt),
    ("user_actions", Skip::UserAction),
    ("calls", Skip::Call),
    ("history", Skip::Import),
    ("state_sync", Skip::Import),
    ("errors", Skip::Error),
];

fn talk() -> impl Strategy<Value = Talk> {
    (
        (
            0_u8..3,
            prop::bool::weighted(0.2),
            prop::option::of([known(), known(), known(), known()]),
        ),
        (
            prop::collection::vec(said(), 0..5),
            prop::collection::vec(said(), 0..3),
            any::<bool>(),
        ),
        (
            prop::array::uniform6(prop_oneof![3 => Just(0_u8), 1 => 0..4_u8]),
            any::<bool>(),
        ),
    )
        .prop_map(
            |((number, standby, contacts), (received, sent, smb), (counted, empty_lists))| {
                let mut talk = Talk {
                    number,
                    standby,
                    contacts,
                    received,
                    sent,
                    smb,
                    counted,
                    empty_lists,
                };
                talk.make_everybody_known();
                talk
            },
        )
}

fn change() -> impl Strategy<Value = Change> {
    let changed = (0_u8..3, 0..4_usize, any::<[bool; 3]>(), when()).prop_map(
        |(number, customer, [phone, bsuid, parent], later)| {
            // Something does change.
            let phone = phone || !(bsuid || parent);
            Change::Changed {
                number,
                customer,
                phone,
                bsuid,
                parent,
                later,
            }
        },
    );
    let control = (
        0_u8..3,
        0..4_usize,
        known(),
        prop::bool::weighted(0.8),
        "[ -~é]{0,12}",
        when(),
    )
        .prop_map(|(number, customer, mut known, passed, reason, when)| {
            known.phone |= known.nothing();
            let known = known.sane();
            Change::Control {
                number,
                customer,
                known,
                passed,
                reason,
                when,
            }
        });
    prop_oneof![
        12 => talk().prop_map(Change::Talk),
        2 => changed,
        2 => control,
        1 => prop::sample::select(vec!["history", "smb_app_state_sync"]).prop_map(Change::Import),
        1 => prop::sample::select(vec!["account_update", "user_preferences", "brand_new"]).prop_map(Change::News),
        1 => Just(Change::Nothing),
    ]
}

/// A body, and whether its lists of one are written without a list.
#[derive(Debug, Clone)]
pub struct Webhook {
    entries: Vec<Vec<Change>>,
    unlisted: bool,
}

pub fn webhook() -> impl Strategy<Value = Webhook> {
    let entries = prop::collection::vec(prop::collection::vec(change(), 0..4), 0..4);
    (entries, prop::bool::weighted(0.2)).prop_map(|(entries, unlisted)| Webhook { entries, unlisted })
}

fn channel(number: u8) -> String {
    format!("whatsapp:10000000000000{number}")
}

fn metadata(number: u8) -> Json {
    object([
        ("display_phone_number", text("551130000000")),
        ("phone_number_id", text(format!("10000000000000{number}"))),
    ])
}

impl Talk {
    fn said(&mut self) -> impl Iterator<Item = &mut Said> {
        self.received.iter_mut().chain(&mut self.sent)
    }

    /// The customers who are talked with, in the order in which their contacts are listed.
    fn customers(&self) -> Vec<usize> {
        let mut customers: Vec<_> = self
            .received
            .iter()
            .chain(&self.sent)
            .map(|said| said.customer)
            .collect();
        customers.sort_unstable();
        customers.dedup();
        customers
    }

    /// The contact that belongs to a message: one with an identifier in common, or the only one there is.
    fn contact(&self, said: &Said) -> Option<Known> {
        let contact = self.contacts?[said.customer];
        (contact.shares(said.known) || self.customers().len() == 1).then_some(contact)
    }

    /// A message that would name nobody gets a phone number.
    fn make_everybody_known(&mut self) {
        let known: Vec<_> = self
            .received
            .iter()
            .chain(&self.sent)
            .map(|said| self.contact(said))
            .collect();
        for (said, contact) in self.said().zip(known) {
            if said.known.nothing() && contact.is_none_or(Known::nothing) {
                said.known.phone = true;
            }
        }
    }

    fn told(&self, said: &Said, what: &str, id: &str) -> Told {
        let contact = self.contact(said);
        Told {
            what: what.to_owned(),
            channel: channel(self.number),
            customer: contact
                .map_or(said.known, |contact| said.known.and(contact))
                .of(said.customer),
            name: contact.map_or_else(String::new, |_| name(said.customer)),
            standby: self.standby,
            ..said.told(id)
        }
    }

    fn written(&self, place: &str) -> Json {
        let list = |items: Vec<Json>| (!items.is_empty() || self.empty_lists).then_some(Json::List(items));
        let contact = |contacts: &[Known; 4], customer: usize| {
            let [wa_id, user_id, parent_user_id] = contacts[customer].written(customer);
            fields([
                ("profile", Some(fields([("name", Some(text(name(customer))))]))),
                ("wa_id", wa_id),
                ("user_id", user_id),
                ("parent_user_id", parent_user_id),
            ])
        };
        let contacts = self.contacts.as_ref().map(|contacts| {
            Json::List(
                self.customers()
                    .into_iter()
                    .map(|customer| contact(contacts, customer))
                    .collect(),
            )
        });
        let from = ["from", "from_user_id", "from_parent_user_id"];
        let to = ["to", "to_user_id", "to_parent_user_id"];
        let messages = |way: &str, all: &[Said], who| {
            list(
                all.iter()
                    .enumerate()
                    .map(|(n, said)| said.written(&format!("{place}.{way}{n}"), who))
                    .collect(),
            )
        };
        let sent = messages("s", &self.sent, to);
        let (old, new) = if self.smb { (None, sent) } else { (sent, None) };
        let mut value = vec![
            ("messaging_product".to_owned(), Some(text("whatsapp"))),
            ("metadata".to_owned(), Some(metadata(self.number))),
            ("contacts".to_owned(), contacts),
            ("messages".to_owned(), messages("r", &self.received, from)),
            ("message_echoes".to_owned(), old),
            ("smb_message_echoes".to_owned(), new),
        ];
        for ((name, _), count) in COUNTED.iter().zip(self.counted) {
            let one = |n| object([("id", text(format!("{place}.{n}"))), ("status", text("read"))]);
            value.push(((*name).to_owned(), list((0..count).map(one).collect())));
        }
        let field = match (self.standby, self.received.is_empty(), self.smb) {
            (true, _, _) => "standby",
            (_, true, true) => "smb_message_echoes",
            (_, true, false) => "message_echoes",
            _ => "messages",
        };
        object([("field", text(field)), ("value", Json::Fields(value))])
    }
}

impl Change {
    fn written(&self, place: &str) -> Json {
        match self {
            Self::Talk(talk) => talk.written(place),
            Self::Changed {
                number,
                customer,
                phone: new_phone,
                bsuid: new_bsuid,
                parent: new_parent,
                later,
            } => {
                let new = customer + 100;
                let system = fields([
                    (
                        "type",
                        Some(text(if *new_phone {
                            "user_changed_number"
                        } else {
                            "user_changed_user_id"
                        })),
                    ),
                    ("wa_id", new_phone.then(|| text(phone(new)))),
                    ("previous_user_id", new_bsuid.then(|| text(bsuid(*customer)))),
                    ("user_id", new_bsuid.then(|| text(bsuid(new)))),
                    (
                        "previous_parent_user_id",
                        new_parent.then(|| text(parent(*customer))),
                    ),
                    ("parent_user_id", new_parent.then(|| text(parent(new)))),
                ]);
                let message = fields([
                    ("from", Some(text(phone(*customer)))),
                    ("id", Some(text(format!("{place}.c")))),
                    ("timestamp", later.written()),
                    ("type", Some(text("system"))),
                    ("system", Some(system)),
                ]);
                let value = fields([
                    ("metadata", Some(metadata(*number))),
                    ("contacts", None),
                    ("messages", Some(Json::List(vec![message]))),
                ]);
                object([("field", text("messages")), ("value", value)])
            }
            Self::Control {
                number,
                customer,
                known,
                passed,
                reason,
                when,
            } => {
                let [phone, bsuid, parent] = known.written(*customer);
                let sender = fields([
                    ("phone_number", phone),
                    ("user_id", bsuid),
                    ("parent_user_id", parent),
                ]);
                let said = (!reason.is_empty()).then(|| text(reason.clone()));
                let done = Some(fields([("metadata", said)]));
                let (passed, taken) = if *passed { (done, None) } else { (None, done) };
                let value = fields([
                    ("recipient", Some(metadata(*number))),
                    ("sender", Some(sender)),
                    ("timestamp", when.written()),
                    ("control_passed", passed),
                    ("control_taken", taken),
                ]);
                object([("field", text("messaging_handovers")), ("value", value)])
            }
            Self::Import(field) => {
                let old = object([
                    ("from", text(phone(0))),
                    ("id", text("old")),
                    ("type", text("text")),
                ]);
                let value = fields([
                    ("metadata", Some(metadata(0))),
                    ("messages", Some(Json::List(vec![old]))),
                ]);
                object([("field", text(*field)), ("value", value)])
            }
            Self::News(field) => {
                let value = object([("event", text("X")), ("count", number(3))]);
                object([("field", text(*field)), ("value", value)])
            }
            Self::Nothing => fields([("field", Some(text("messages"))), ("value", None)]),
        }
    }

    fn expect(&self, place: &str, expected: &mut Expected) {
        match self {
            Self::Talk(talk) => {
                let mut told = talk.received.len() + talk.sent.len();
                let sent = if talk.standby {
                    "sent by automation"
                } else {
                    "sent by phone"
                };
                for (way, what, all) in [("r", "received", &talk.received), ("s", sent, &talk.sent)] {
                    for (n, said) in all.iter().enumerate() {
                        if said.group {
                            expected.count(Skip::Group, 1);
                        } else {
                            expected
                                .facts
                                .push(talk.told(said, what, &format!("{place}.{way}{n}")));
                        }
                    }
                }
                for ((_, skip), count) in COUNTED.iter().zip(talk.counted) {
                    expected.count(*skip, count.into());
                    told += usize::from(count);
                }
                expected.count(Skip::Empty, u32::from(told == 0));
            }
            Self::Changed {
                number,
                customer,
                phone: new_phone,
                bsuid: new_bsuid,
                parent: new_parent,
                later,
            } => {
                let new = customer + 100;
                let changed = Known {
                    phone: *new_phone,
                    bsuid: *new_bsuid,
                    parent: *new_parent,
                    in_place: false,
                };
                let mut now = changed.of(new);
                if !new_phone {
                    now.insert(0, format!("phone=+{}", phone(*customer)));
                }
                expected.facts.push(Told {
                    what: "received".to_owned(),
                    channel: channel(*number),
                    customer: now,
                    before: changed.of(*customer),
                    own_time: later.seconds(),
                    id: format!("{place}.c"),
                    kind: "system".to_owned(),
                    ..Told::default()
                });
            }
            Self::Control { passed: false, .. } | Self::News(_) => expected.count(Skip::Notice, 1),
            Self::Control {
                number,
                customer,
                known,
                reason,
                when,
                ..
            } => expected.facts.push(Told {
                what: "handover".to_owned(),
                channel: channel(*number),
                customer: known.of(*customer),
                text: reason.clone(),
                own_time: Some(when.seconds().unwrap_or(NOON + 5)),
                ..Told::default()
            }),
            Self::Import(_) => expected.count(Skip::Import, 1),
            Self::Nothing => expected.count(Skip::Empty, 1),
        }
    }
}

/// What must come of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub facts: Vec<Told>,
    pub skipped: BTreeMap<Skip, u32>,
}

impl Expected {
    fn count(&mut self, skip: Skip, times: u32) {
        if times > 0 {
            *self.skipped.entry(skip).or_default() += times;
        }
    }
}

impl Webhook {
    /// Its changes, each with a place that its messages are called by.
    fn changes(&self) -> impl Iterator<Item = (String, &Change)> {
        self.entries.iter().enumerate().flat_map(|(entry, changes)| {
            changes
                .iter()
                .enumerate()
                .map(move |(change, it)| (format!("wamid.{entry}.{change}"), it))
        })
    }

    pub fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for (place, change) in self.changes() {
            change.expect(&place, &mut expected);
        }
        // Whose identifiers changed goes before what they say under the new ones.
        expected.facts.sort_by_key(|told| told.before.is_empty());
        if expected == Expected::default() {
            expected.count(Skip::Empty, 1);
        }
        expected
    }

    /// How many messages, handovers and things to count were put into it.
    pub fn put_in(&self) -> usize {
        let of = |change: &Change| match change {
            Change::Talk(talk) => {
                let counted: usize = talk.counted.iter().map(|count| usize::from(*count)).sum();
                (talk.received.len() + talk.sent.len() + counted).max(1)
            }
            _ => 1,
        };
        self.changes().map(|(_, change)| of(change)).sum()
    }

    pub fn written(&self) -> Json {
        let list = |mut items: Vec<Json>| match items.len() {
            1 if self.unlisted => items.remove(0),
            _ => Json::List(items),
        };
        let mut changes: Vec<Vec<Json>> = self.entries.iter().map(|_| Vec::new()).collect();
        for (entry, all) in self.entries.iter().enumerate() {
            for (change, it) in all.iter().enumerate() {
                changes[entry].push(it.written(&format!("wamid.{entry}.{change}")));
            }
        }
        let entry = |changes| {
            fields([
                ("id", Some(text("700"))),
                ("time", None),
                ("changes", Some(list(changes))),
            ])
        };
        let entries = changes.into_iter().map(entry).collect();
        object([
            ("object", text("whatsapp_business_account")),
            ("entry", list(entries)),
        ])
    }
}
