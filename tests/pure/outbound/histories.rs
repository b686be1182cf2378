//! Generated histories: two customers, five colleagues, everything that can happen, through the core the worker runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use switchboard::domain::agent::Presence;
use switchboard::domain::bulk::ItemOutcome;
use switchboard::domain::conversation::{Contact, Priority};
use switchboard::domain::identity::{AliasKind, Leading};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::{Actor, Body, Fact, Message, Origin, System, Timer, Upsert, What, Wish};
use switchboard::domain::plan::{Plan, ResponsePolicy};

use crate::company::{
    CHAT, Company, Happened, OTHER_CHAT, accept, agent, ask, channel, plan, reject, reply, to_agent, to_team,
    withdraw,
};

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
    /// A wish of whoever it is most likely to be granted to.
    Likely {
        other: bool,
        wish: Wish,
    },
    AssignDue {
        other: bool,
    },
    /// One of the timers of a conversation, by its number, after a while.
    Due {
        other: bool,
        minutes: u64,
        timer: u8,
    },
    Presence {
        of: &'static str,
        presence: Presence,
    },
    Upsert {
        of: &'static str,
        active: bool,
    },
    /// Many conversations, or who leaves, by its number.
    Many {
        other: bool,
        kind: u8,
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
        let mut company = Company::with(plan_that_rises(false));
        for step in &self.steps {
            let happened = self.take(&mut company, step);
            look(&company, &happened);
        }
    }

    /// Reactions come with an identifier of the other customer.
    fn conflict(chat: ConversationId, happens: &Happens) -> Vec<Leading> {
        let leading = |conversation, kind| Leading {
            conversation,
            identifiers: vec![kind],
        };
        let other = if chat == CHAT { OTHER_CHAT } else { CHAT };
        match happens {
            Happens::Reaction => vec![leading(chat, AliasKind::Phone), leading(other, AliasKind::Lid)],
            _ => Vec::new(),
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
                conflict: Self::conflict(chat(other), happens),
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
            Step::Likely { other, wish } => {
                let actor = concerned(company, chat(other), wish);
                company.wish(&actor, chat(other), wish.clone())
            }
            Step::Due {
                other,
                minutes,
                timer,
            } => {
                let conversation = chat(other);
                let timer = match timer {
                    0 => Timer::HoldEnds { conversation },
                    1 => Timer::RequestDue { conversation },
                    2 => Timer::Alarm { conversation },
                    _ => Timer::RecipientGone { conversation },
                };
                company.timer(Duration::from_secs(60 * minutes), timer)
            }
            Step::AssignDue { other } => company.assign_due(chat(other)),
            Step::Presence { of, presence } => company.presence(Actor::System(System::Cli), of, *presence),
            Step::Upsert { of, active } => company.upsert(
                of,
                Upsert {
                    active: Some(*active),
                    ..Upsert::default()
                },
            ),
            Step::Plan { leaves } => company.apply(plan_that_rises(*leaves)),
            Step::Many { other, kind } => match kind {
                0 => company.in_bulk(chat(other), to_team("support")),
                1 => company.in_bulk(chat(other), to_agent("martha")),
                2 => company.bulk_done(false, &[(chat(other), ItemOutcome::Queued)]),
                3 => company.bulk_done(true, &[(chat(other), ItemOutcome::Skipped)]),
                4 => company.forget(chat(other)),
                _ => company.remove("ana"),
            },
        }
    }

    fn what(&self, happens: &Happens) -> What {
        match happens {
            Happens::Turn => What::Received(self.secrets.message("text", true)),
            Happens::Reaction => What::Received(self.secrets.message("reaction", false)),
            Happens::Sent(origin) => What::Sent {
                message: self.secrets.message("text", false),
                origin: origin.clone(),
                leave_unassigned: false,
            },
            Happens::Handover => What::Handover {
                reason: self.secrets.text.as_str().into(),
            },
        }
    }
}

/// The usual plan, under a policy that warns and goes up; its rules may leave new conversations with nobody.
fn plan_that_rises(leaves: bool) -> Plan {
    let mut plan = plan();
    plan.default = plan.default.filter(|_| !leaves);
    let policy = ResponsePolicy {
        warn_before: Some(Duration::from_secs(5 * 60)),
        escalate: true,
        ..ResponsePolicy::built_in()
    };
    let id = crate::support::policy("rises");
    plan.responses.insert(id.clone(), policy);
    plan.settings.response = Some(id);
    plan
}

/// Whoever is asked, or asked, or owns the conversation.
fn concerned(company: &Company, chat: ConversationId, wish: &Wish) -> String {
    let conversation = company.state.conversation(chat);
    let request = conversation.and_then(|conversation| conversation.request.as_ref());
    let concerned = match wish {
        Wish::Accept { .. } | Wish::Reject { .. } => request.map(|request| &request.to),
        Wish::Withdraw { .. } => request.map(|request| &request.from),
        _ => conversation.and_then(|conversation| conversation.owner.agent()),
    };
    concerned.map_or("root".to_owned(), ToString::to_string)
}

/// Any history.
pub fn histories() -> impl Strategy<Value = History> {
    let secrets = ("[A-Z]{14}", "[g-z]{18}", "\\+[1-9]{13}");
    let secrets = secrets.prop_map(|(name, text, phone)| Secrets { name, text, phone });
    let some =
        prop_oneof![9 => steps().prop_map(|step| vec![step]), 1 => offers(), 1 => holds(), 1 => waits()];
    let steps = prop::collection::vec(some, 1..STEPS);
    (secrets, steps).prop_map(|(secrets, steps)| {
        let steps = steps.concat();
        History { secrets, steps }
    })
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
        6 => (any::<bool>(), wishes()).prop_map(|(other, wish)| Step::Likely { other, wish }),
        1 => any::<bool>().prop_map(|other| Step::AssignDue { other }),
        2 => (any::<bool>(), 0..4u64, 0..4u8)
            .prop_map(|(other, minutes, timer)| Step::Due { other, minutes, timer }),
        2 => (agents(), presence).prop_map(|(of, presence)| Step::Presence { of, presence }),
        1 => (agents(), any::<bool>()).prop_map(|(of, active)| Step::Upsert { of, active }),
        1 => any::<bool>().prop_map(|leaves| Step::Plan { leaves }),
        2 => (any::<bool>(), 0..6u8).prop_map(|(other, kind)| Step::Many { other, kind }),
    ]
}

/// Someone comes, is asked to take a conversation, and the request ends somehow.
fn offers() -> impl Strategy<Value = Vec<Step>> {
    let endings = prop_oneof![
        Just(Some(accept())),
        Just(Some(reject("busy"))),
        Just(Some(withdraw("not needed"))),
        Just(Some(Wish::Close)),
        Just(None),
    ];
    (any::<bool>(), agents(), endings).prop_map(|(other, of, ending)| {
        let presence = Presence::Online;
        let (minutes, timer) = (3, 1);
        let wish = ask(of);
        vec![
            Step::Presence { of, presence },
            Step::Likely { other, wish },
            match ending {
                Some(wish) => Step::Likely { other, wish },
                None => Step::Due {
                    other,
                    minutes,
                    timer,
                },
            },
        ]
    })
}

/// Something is set aside for an hour, which passes.
fn holds() -> impl Strategy<Value = Vec<Step>> {
    (any::<bool>(), 0..STEPS).prop_map(|(other, hour)| {
        let hours = i64::try_from(hour).expect("a small number") + 11;
        let midnight: Timestamp = "2026-11-21T00:00:00Z".parse().expect("a time");
        let until = Some(midnight + SignedDuration::from_hours(hours));
        let (minutes, timer) = (60 * STEPS as u64, 0);
        let wish = Wish::Hold { until };
        vec![
            Step::Likely { other, wish },
            Step::Due {
                other,
                minutes,
                timer,
            },
        ]
    })
}

/// The customer writes and waits, until the owner is warned and later.
fn waits() -> impl Strategy<Value = Vec<Step>> {
    any::<bool>().prop_map(|other| {
        let alarm = |minutes| Step::Due {
            other,
            minutes,
            timer: 2,
        };
        let turn = Step::Fact {
            other,
            standby: false,
            happens: Happens::Turn,
        };
        vec![turn, alarm(26), alarm(5)]
    })
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
        1 => Just(Wish::Hold { until: None }),
        1 => Just(Wish::Resume),
        2 => agents().prop_map(ask),
        1 => Just(accept()),
        1 => Just(reject("busy")),
        1 => Just(withdraw("not needed")),
        2 => Just(reply("on its way")),
        1 => Just(Wish::Note { text: "call back".into() }),
        1 => Just(Wish::Prioritize(Priority::High)),
    ]
}
