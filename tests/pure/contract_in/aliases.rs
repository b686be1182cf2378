//! Which conversation identifiers lead to: what the worker finds, held against the rules of aliases written down again.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::ArrivedFact;
use switchboard::contract::words::Wire;
use switchboard::domain::ids::{ConversationId, Tenant};
use switchboard::worker::directory::Directory;
use switchboard::worker::gather::{Pending, Work};
use switchboard::worker::resolve::resolve;
use switchboard::worker::steering::{MOST, Steering};
use uuid::Uuid;

use super::{fixture_with, only_fact};

/// Kinds in the order in which they are preferred.
const KINDS: [&str; 4] = ["phone", "bsuid", "parent_bsuid", "lid"];
/// Few enough to meet again all the time.
const CUSTOMERS: u8 = 3;

/// An identifier: of which kind, of which customer, which of theirs (they change).
type Known = (usize, u8, u8);

/// A fact about somebody.
#[derive(Debug, Clone)]
struct Told {
    now: Vec<Known>,
    before: Vec<Known>,
    /// Only a turn founds a conversation.
    turn: bool,
    /// It was there before.
    duplicate: bool,
    /// The next one comes in another batch.
    cut: bool,
}

fn value((kind, customer, version): Known) -> String {
    let number = 10 * customer + version;
    match KINDS[kind] {
        "phone" => format!("+5511990000{number:02}"),
        "bsuid" => format!("BR.{number}"),
        "parent_bsuid" => format!("BR.ENT.{number}"),
        _ => format!("7700{number}"),
    }
}

/// Mostly one customer's identifiers; sometimes one is somebody else's.
fn told() -> impl Strategy<Value = Told> {
    let identifiers = |at_least: usize| {
        let kinds = prop::collection::btree_map(0..KINDS.len(), (0..10u8, 0..2u8), at_least..=3);
        (0..CUSTOMERS, kinds).prop_map(|(customer, kinds)| {
            let whose = |stray: u8| {
                if stray == 0 {
                    (customer + 1) % CUSTOMERS
                } else {
                    customer
                }
            };
            kinds
                .into_iter()
                .map(|(kind, (stray, version))| (kind, whose(stray), version))
                .collect::<Vec<Known>>()
        })
    };
    let before = prop_oneof![3 => Just(Vec::new()), 1 => identifiers(1)];
    let flags = (
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.1),
        any::<bool>(),
    );
    (identifiers(1), before, flags).prop_map(|(now, before, (turn, duplicate, cut))| Told {
        now,
        before,
        turn,
        duplicate,
        cut,
    })
}

fn fact(number: usize, told: &Told) -> ArrivedFact {
    let named = |known: &[Known]| -> serde_json::Map<String, Value> {
        known
            .iter()
            .map(|one| (KINDS[one.0].to_owned(), json!(value(*one))))
            .collect()
    };
    let mut contact = named(&told.now);
    if !told.before.is_empty() {
        contact.insert("previous".into(), Value::Object(named(&told.before)));
    }
    let kind = if told.turn { "text" } else { "reaction" };
    only_fact(&fixture_with(
        "native_received",
        &[
            ("/data/contact", Value::Object(contact)),
            ("/data/message/id", json!(format!("wamid.{number}"))),
            ("/data/message/kind", json!(kind)),
            ("/partitionkey", Value::Null),
        ],
    ))
}

/// Conversations, and the kinds of identifiers that lead to each.
type Leads<Id> = Vec<(Id, Vec<&'static str>)>;

/// What came of a fact: its conversation, and where its identifiers lead if that is not one place.
type Came<Id> = Option<(Id, Leads<Id>)>;

/// The worker's way: in batches, each with what the database knows of its identifiers, which then learns what is new.
fn through_batches(stream: &[Told]) -> Vec<Came<ConversationId>> {
    let tenant = Tenant::new("acme").expect("a tenant");
    let directory = Directory::default();
    let mut database: BTreeMap<Uuid, ConversationId> = BTreeMap::new();
    let facts: Vec<ArrivedFact> = stream
        .iter()
        .enumerate()
        .map(|(number, told)| fact(number, told))
        .collect();
    let all: Vec<(&Told, &ArrivedFact)> = stream.iter().zip(&facts).collect();
    let mut came = Vec::new();
    for batch in all.chunk_by(|(told, _), _| !told.cut) {
        let pending: Vec<Pending<'_>> = batch
            .iter()
            .map(|(_, fact)| Pending {
                delivery: 0,
                tenant: tenant.clone(),
                key: fact.dedupe.key(),
                reply_to: None,
                what: Work::Fact(fact),
            })
            .collect();
        let new: Vec<bool> = batch.iter().map(|(told, _)| !told.duplicate).collect();
        let asked: BTreeSet<Uuid> = batch
            .iter()
            .flat_map(|(_, fact)| fact.identifiers().map(|alias| alias.key(&fact.channel)))
            .collect();
        let known: Vec<_> = asked
            .iter()
            .filter_map(|key| Some((tenant.clone(), *key, *database.get(key)?)))
            .collect();
        let resolved = resolve(&pending, &new, &known, &directory, 8);
        for (_, key, id) in &resolved.aliases {
            assert_eq!(
                database.insert(*key, *id),
                None,
                "what is known is never written again"
            );
        }
        for place in 0..batch.len() {
            let conflict = resolved.conflicts.get(&place).into_iter().flatten();
            let conflict = conflict.map(|leading| {
                let kinds = leading.identifiers.iter().map(Wire::wire).collect();
                (leading.conversation, kinds)
            });
            let id = resolved.conversations.get(&place).copied();
            came.push(id.map(|id| (id, conflict.collect())));
        }
    }
    came
}

/// The rules of aliases, one fact after the other, with numbers for conversations.
#[derive(Default)]
struct Model {
    leads: BTreeMap<Known, usize>,
    conversations: usize,
    /// Identifiers that were seen together when neither led anywhere: they are one customer's for ever.
    together: Vec<(Known, Known)>,
}

impl Model {
    fn take(&mut self, told: &Told) -> Came<usize> {
        if told.duplicate {
            return None;
        }
        let all: Vec<Known> = told.now.iter().chain(&told.before).copied().collect();
        let mut led: Leads<usize> = Vec::new();
        for one in &all {
            if let Some(conversation) = self.leads.get(one) {
                let place = led.iter().position(|(known, _)| known == conversation);
                let place = place.unwrap_or_else(|| {
                    led.push((*conversation, Vec::new()));
                    led.len() - 1
                });
                if !led[place].1.contains(&KINDS[one.0]) {
                    led[place].1.push(KINDS[one.0]);
                }
            }
        }
        let unknown: Vec<Known> = all
            .iter()
            .filter(|one| !self.leads.contains_key(one))
            .copied()
            .collect();
        let meant = match led.first() {
            Some((conversation, _)) => *conversation,
            None if told.turn => {
                self.conversations += 1;
                self.conversations
            }
            None => return None,
        };
        for one in &unknown {
            self.together.extend(unknown.iter().map(|other| (*one, *other)));
            self.leads.insert(*one, meant);
        }
        let conflict = if led.len() > 1 { led } else { Vec::new() };
        Some((meant, conflict))
    }
}

proptest! {
    #[test]
    fn identifiers_lead_where_the_rules_say_however_they_come_in_batches(
        stream in prop::collection::vec(told(), 1..40)
    ) {
        let came = through_batches(&stream);
        let mut model = Model::default();
        let mut names: BTreeMap<usize, ConversationId> = BTreeMap::new();
        let mut conflicts = 0;
        for (told, came) in stream.iter().zip(&came) {
            let before = model.leads.clone();
            let expected = model.take(told);
            for (one, conversation) in &before {
                prop_assert_eq!(model.leads.get(one), Some(conversation), "an identifier leads where it led");
            }
            prop_assert_eq!(expected.is_some(), came.is_some());
            let Some(((number, expected), (id, conflict))) = expected.zip(came.clone()) else {
                continue;
            };
            // A conversation has one id, and an id is one conversation's.
            let named = *names.entry(number).or_insert(id);
            prop_assert_eq!(named, id, "the fact's conversation");
            prop_assert_eq!(names.values().filter(|other| **other == id).count(), 1, "two were merged");
            let expected: Vec<_> = expected.into_iter().map(|(number, kinds)| (names[&number], kinds)).collect();
            conflicts += usize::from(!conflict.is_empty());
            prop_assert_eq!(conflict, expected);
        }
        for (one, other) in &model.together {
            prop_assert_eq!(model.leads.get(one), model.leads.get(other));
        }
        prop_assert!(conflicts <= stream.len());
    }

    #[test]
    fn ingress_sends_one_customers_facts_by_one_key_while_nobody_knows_them(
        stream in prop::collection::vec(told(), 1..40)
    ) {
        let mut steering = Steering::default();
        let mut keys: BTreeMap<Known, String> = BTreeMap::new();
        for (number, told) in stream.iter().enumerate() {
            let fact = fact(number, told);
            let all: Vec<Known> = told.now.iter().chain(&told.before).copied().collect();
            let met = all.iter().find_map(|one| keys.get(one).cloned());
            let known = met.is_some();
            let key = steering.key(&fact, |_| None).to_string();
            prop_assert_eq!(&key, &met.unwrap_or_else(|| fact.home_key().to_string()));
            if known || told.turn {
                keys.extend(all.into_iter().map(|one| (one, key.clone())));
            }
        }
    }
}

fn of(now: &[Known], before: &[Known]) -> Told {
    Told {
        now: now.to_vec(),
        before: before.to_vec(),
        turn: true,
        duplicate: false,
        cut: true,
    }
}

/// Kinds of one customer's first identifiers.
const PHONE: Known = (0, 0, 0);
const BSUID: Known = (1, 0, 0);
const PARENT: Known = (2, 0, 0);
const LID: Known = (3, 0, 0);
const NEW_PHONE: Known = (0, 0, 1);
const NEW_BSUID: Known = (1, 0, 1);

/// The conversation of the last fact by its number in the order they began, and where the identifiers lead if to several.
#[track_caller]
fn last(stream: &[Told]) -> (usize, Leads<usize>) {
    let came = through_batches(stream);
    let mut order: Vec<ConversationId> = Vec::new();
    for (id, _) in came.iter().flatten() {
        if !order.contains(id) {
            order.push(*id);
        }
    }
    let number = |id: &ConversationId| 1 + order.iter().position(|other| other == id).expect("it began");
    let (id, conflict) = came.last().cloned().flatten().expect("it has a conversation");
    let conflict = conflict
        .into_iter()
        .map(|(id, kinds)| (number(&id), kinds))
        .collect();
    (number(&id), conflict)
}

#[test]
fn where_identifiers_disagree_the_phone_wins_then_the_bsuid_its_parent_and_the_lid() {
    let everyone = [PHONE, BSUID, PARENT, LID];
    for from in 0..everyone.len() - 1 {
        // The least preferred came first.
        let mut stream: Vec<Told> = everyone.iter().rev().map(|one| of(&[*one], &[])).collect();
        stream.push(of(&everyone[from..], &[]));
        let (won, conflict) = last(&stream);
        assert_eq!(won, everyone.len() - from, "{}", KINDS[from]);
        let told: Vec<_> = (from..everyone.len())
            .map(|kind| (everyone.len() - kind, vec![KINDS[kind]]))
            .collect();
        assert_eq!(
            conflict, told,
            "the chosen first, then the others in order of preference"
        );
    }
}

#[test]
fn who_the_customer_was_leads_to_their_conversation_and_who_they_are_is_learned_there() {
    let changed = of(&[NEW_PHONE, NEW_BSUID], &[PHONE, BSUID]);
    for known_by in [PHONE, BSUID] {
        for writes_as in [NEW_PHONE, NEW_BSUID, PHONE, BSUID] {
            let stream = [of(&[known_by], &[]), changed.clone(), of(&[writes_as], &[])];
            assert_eq!(last(&stream), (1, Vec::new()), "{known_by:?} then {writes_as:?}");
        }
    }
}

#[test]
fn who_the_customer_is_wins_over_who_they_were() {
    // Whatever comes next says only who they are: it would go there anyway.
    let stream = [
        of(&[PHONE], &[]),
        of(&[NEW_BSUID], &[]),
        of(&[NEW_PHONE, NEW_BSUID], &[PHONE, BSUID]),
    ];
    let disagree = vec![(2, vec!["bsuid"]), (1, vec!["phone"])];
    assert_eq!(last(&stream), (2, disagree));
    for (writes_as, conversation) in [(NEW_PHONE, 2), (NEW_BSUID, 2), (BSUID, 2), (PHONE, 1)] {
        let mut later = stream.to_vec();
        later.push(of(&[writes_as], &[]));
        assert_eq!(last(&later), (conversation, Vec::new()), "{writes_as:?}");
    }
}

#[test]
fn what_is_no_turn_teaches_too_but_founds_nothing() {
    let told = |turn| Told {
        turn,
        ..of(&[PHONE, BSUID], &[])
    };
    let taught = [of(&[PHONE], &[]), told(false), of(&[BSUID], &[])];
    assert_eq!(last(&taught), (1, Vec::new()));
    assert_eq!(through_batches(&[told(false)]), [None]);
}

#[test]
fn what_ingress_remembers_is_bounded_and_the_database_knows_better() {
    let mut steering = Steering::default();
    let first = fact(0, &of(&[PHONE, BSUID], &[]));
    let key = steering.key(&first, |_| Some("a key of the publisher's own"));
    assert_eq!(&*key, "a key of the publisher's own");
    let only_bsuid = fact(1, &of(&[BSUID], &[]));
    assert_eq!(steering.key(&only_bsuid, |_| None), key, "remembered");
    let known = steering.key(&only_bsuid, |_| Some("another"));
    assert_eq!(&*known, "another", "what is known goes before what is remembered");
    let template = fact(2, &of(&[LID], &[]));
    let stranger = |number: usize| {
        let people = ["", "1"].map(|more| {
            json!({
                "phone": format!("+44{number:09}{more}"), "bsuid": format!("GB.{number}x{more}"),
                "parent_bsuid": format!("GB.ENT.{number}x{more}"), "lid": format!("99{number}x{more}"),
            })
        });
        let [mut contact, previous] = people;
        contact["previous"] = previous;
        only_fact(&fixture_with("native_received", &[("/data/contact", contact)]))
    };
    for number in 0..MOST.div_ceil(8) {
        steering.key(&stranger(number), |_| None);
    }
    assert_eq!(*steering.key(&template, |_| None), *template.home_key());
    assert_eq!(
        *steering.key(&only_bsuid, |_| None),
        *only_bsuid.home_key(),
        "forgotten"
    );
}
