//! Generated histories: two customers, five colleagues, everything that can happen, through the core the worker runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Contact;
use switchboard::domain::input::{Actor, Body, Fact, Message, Origin, System, Upsert, What, Wish};

use crate::company::{CHAT, Company, Happened, OTHER_CHAT, agent, channel, plan, to_agent, to_team};

/// Steps of one history: an episode or two of both conversations.
const STEPS: usize = 30;

const AGENTS: [&str; 5] = ["ana", "boss", "mark", "martha", "root"];

/// What a customer says of themselves and writes. Made of letters and digits that nothing else is made of.
#[derive(Debug, Clone)]
pub struct Secrets {
    name: String,
    text: String,
    phone: String,
}

impl Secrets {
    /// Each as it would be recognised anywhere: a phone without its `+` too.
    pub fn all(&self) -> [&str; 3] {
        [&self.name, &self.text, self.phone.trim_start_matches('+')]
    }

    fn contact(&self) -> Contact {
        let phone: Arc<str> = self.phone.as_str().into();
        let attributes = BTreeMap::from([("phone".into(), phone.clone()), (phone, "vip".into())]);
        Contact {
            name: self.name.as_str().into(),
            attributes,
            ..Contact::default()
        }
    }

    fn message(&self, kind: &str, turn: bool) -> Message {
        Message {
            id: "wamid.TEST".into(),
            kind: kind.into(),
            turn,
            text: self.text.as_str().into(),
            referral: self.text.as_str().into(),
            reply_to: self.text.as_str().into(),
        }
    }
}

/// One step of a history, about the first conversation or the other.
#[derive(Debug, Clone)]
pub enum Step {
    Fact {
        other: bool,
        standby: bool,
        happens: Happens,
    },
    Wish {
        other: bool,
        actor: &'static str,
        wish: Wish,
        note: Option<&'static str>,
    },
    AssignDue {
        other: bool,
    },
    Presence {
        of: &'static str,
        presence: Presence,
    },
    Upsert {
        of: &'static str,
        active: bool,
    },
    Plan {
        /// Its rules leave new conversations with nobody.
        leaves: bool,
    },
}

#[derive(Debug, Clone)]
pub enum Happens {
    Turn,
    Reaction,
    Sent(Origin),
    Handover,
}

#[derive(Debug, Clone)]
pub struct History {
    pub secrets: Secrets,
    steps: Vec<Step>,
}

impl History {
    /// Plays it, showing what each step led to.
    pub fn play(&self, mut look: impl FnMut(&Company, &Happened)) {
        let mut company = Company::asleep();
        for step in &self.steps {
            let happened = self.take(&mut company, step);
            look(&company, &happened);
        }
    }

    fn take(&self, company: &mut Company, step: &Step) -> Happened {
        let chat = |other: &bool| if *other { OTHER_CHAT } else { CHAT };
        match step {
            Step::Fact {
                other,
                standby,
                happens,
            } => company.happens(Body::Fact(Fact {
                conversation: chat(other),
                channel: channel(),
                contact: self.secrets.contact(),
                at: company.now,
                standby: *standby,
                what: self.what(happens),
            })),
            Step::Wish {
                other,
                actor,
                wish,
                note,
            } => company.wish_with_note(actor, chat(other), wish.clone(), *note),
            Step::AssignDue { other } => company.assign_due(chat(other)),
            Step::Presence { of, presence } => company.presence(Actor::System(System::Cli), of, *presence),
            Step::Upsert { of, active } => company.upsert(
                of,
                Upsert {
                    active: Some(*active),
                    ..Upsert::default()
                },
            ),
            Step::Plan { leaves } => {
                let mut plan = plan();
                plan.default = plan.default.filter(|_| !leaves);
                company.apply(plan)
            }
        }
    }

    fn what(&self, happens: &Happens) -> What {
        match happens {
            Happens::Turn => What::Received(self.secrets.message("text", true)),
            Happens::Reaction => What::Received(self.secrets.message("reaction", false)),
            Happens::Sent(origin) => What::Sent {
                message: self.secrets.message("text", false),
                origin: origin.clone(),
            },
            Happens::Handover => What::Handover {
                reason: self.secrets.text.as_str().into(),
            },
        }
    }
}

/// Any history.
pub fn histories() -> impl Strategy<Value = History> {
    let secrets = ("[A-Z]{14}", "[g-z]{18}", "\\+[1-9]{13}");
    let secrets = secrets.prop_map(|(name, text, phone)| Secrets { name, text, phone });
    let steps = prop::collection::vec(steps(), 1..STEPS);
    (secrets, steps).prop_map(|(secrets, steps)| History { secrets, steps })
}

/// The same histories in every run.
pub fn samples(count: u32) -> Vec<History> {
    let mut runner = TestRunner::deterministic();
    let one = |_| {
        histories()
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current()
    };
    (0..count).map(one).collect()
}

fn steps() -> impl Strategy<Value = Step> {
    let fact = (any::<bool>(), prop::bool::weighted(0.2), happens()).prop_map(|(other, standby, happens)| {
        Step::Fact {
            other,
            standby,
            happens,
        }
    });
    let note = prop_oneof![Just(None), Just(Some("please take over"))];
    let wish = (any::<bool>(), agents(), wishes(), note).prop_map(|(other, actor, wish, note)| Step::Wish {
        other,
        actor,
        wish,
        note,
    });
    let presence = prop_oneof![
        Just(Presence::Online),
        Just(Presence::Away),
        Just(Presence::Offline)
    ];
    prop_oneof![
        6 => fact,
        6 => wish,
        1 => any::<bool>().prop_map(|other| Step::AssignDue { other }),
        2 => (agents(), presence).prop_map(|(of, presence)| Step::Presence { of, presence }),
        1 => (agents(), any::<bool>()).prop_map(|(of, active)| Step::Upsert { of, active }),
        1 => any::<bool>().prop_map(|leaves| Step::Plan { leaves }),
    ]
}

fn agents() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&AGENTS[..])
}

fn happens() -> impl Strategy<Value = Happens> {
    let origin = prop_oneof![
        agents().prop_map(|id| Origin::Agent(agent(id))),
        Just(Origin::Phone),
        Just(Origin::Automation),
    ];
    prop_oneof![
        5 => Just(Happens::Turn),
        1 => Just(Happens::Reaction),
        1 => origin.prop_map(Happens::Sent),
        1 => Just(Happens::Handover),
    ]
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        2 => agents().prop_map(to_agent),
        1 => Just(to_team("support")),
        1 => Just(Wish::Unassign),
        2 => Just(Wish::Close),
        1 => Just(Wish::Reopen),
    ]
}
