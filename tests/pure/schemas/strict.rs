//! Everything that leaves is what its schema says, and nothing more: the schemas with added fields forbidden hold for
//! every message of many histories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use switchboard::contract::envelope::OutMessage;
use switchboard::contract::{Trace, event};

use super::dialect::files_of_what_leaves;
use super::{FILES, compiled, complaints, made};
use crate::outbound::histories::{History, histories, samples};
use crate::outbound::{PUBLISHING, json, leaving};
use crate::properties::histories::{Happening, History as LongHistory, history};

/// Histories of a small company, and of a larger one with every sort of rule.
const SMALL: u32 = 200;
const LARGE: u32 = 40;
/// Histories that are other ones in each run; `PROPTEST_CASES` overrides.
const CASES: u32 = 12;

/// The schemas of what leaves, with added fields forbidden everywhere.
static CLOSED_FILES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let leaving = files_of_what_leaves();
    let files = FILES.iter().filter(|(name, _)| leaving.contains(*name));
    let closed = files.map(|(name, schema)| (name.clone(), closed(schema, !name.starts_with("parts/"))));
    closed.collect()
});

static CLOSED: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| compiled(&CLOSED_FILES));

/// The same schema with added fields forbidden. `alone`: nothing beside it says more about the same object; a part does not
/// know what stands beside it, so whoever refers to it forbids.
fn closed(schema: &Value, alone: bool) -> Value {
    let Value::Object(keywords) = schema else {
        return schema.clone();
    };
    let mut strict = keywords.clone();
    for (keyword, value) in &mut strict {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(fields)) => {
                for field in fields.values_mut() {
                    *field = closed(field, true);
                }
            }
            ("items" | "additionalProperties", value) => *value = closed(value, true),
            ("allOf" | "anyOf", Value::Array(list)) => {
                for one in list {
                    *one = closed(one, false);
                }
            }
            _ => {}
        }
    }
    let says_more = ["properties", "$ref", "allOf", "anyOf"]
        .iter()
        .any(|keyword| keywords.contains_key(*keyword));
    if alone && says_more {
        strict.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    Value::Object(strict)
}

/// What is wrong with a message that leaves.
fn wrong(body: &Value) -> Vec<String> {
    let kind = body["type"].as_str().expect("a type");
    match CLOSED.get(kind) {
        Some(validator) => complaints(validator, body),
        None => vec!["there is no schema of it".to_owned()],
    }
}

/// Every second message belongs to a trace, every fourth to one with a state.
fn traced(number: usize, message: &OutMessage) -> Value {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
    let state = number.is_multiple_of(4).then_some("vendor=1");
    let mut message = message.clone();
    if number.is_multiple_of(2) {
        let trace = Trace::read(parent, state).expect("it is well formed");
        message.belongs_to(&trace);
    }
    json(&message)
}

/// Everything that leaves during a history of a small company.
fn everything(history: &History) -> Vec<Value> {
    let mut all = Vec::new();
    history.play(|company, happened| {
        let left = leaving(company, happened);
        all.extend(
            left.iter()
                .enumerate()
                .map(|(number, message)| traced(number, message)),
        );
    });
    all
}

/// The events of a history of a larger one.
fn events(history: &LongHistory) -> Vec<Value> {
    let mut all = Vec::new();
    let mut world = history.world();
    let tenant = world.plan.tenant.clone();
    for happening in &history.happenings {
        let bodies = match happening {
            Happening::Batch(acts) => acts.iter().map(|act| act.body(&world)).collect(),
            Happening::Overlap(first, second) => {
                let acts = first.iter().chain(second);
                acts.map(|act| act.body(&world)).collect()
            }
            Happening::TimePasses(minutes) => {
                world.wait(crate::support::MINUTE * *minutes);
                world.due(&BTreeSet::new())
            }
        };
        let batch = world.receive(bodies);
        world.run(batch, &BTreeSet::new(), &mut |step| {
            let rendered = step
                .events
                .iter()
                .filter_map(|recorded| event::render(recorded, &tenant, &PUBLISHING));
            all.extend(rendered.map(|message| json(&message)));
        });
    }
    all
}

/// Everything that leaves in the histories that are the same in each run.
pub static LEFT: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut runner = TestRunner::deterministic();
    let mut long = || {
        history()
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current()
    };
    let small = samples(SMALL).iter().flat_map(everything).collect::<Vec<_>>();
    let large = (0..LARGE).flat_map(|_| events(&long()));
    small.into_iter().chain(large).chain(made::messages()).collect()
});

#[test]
fn everything_that_leaves_in_many_histories_is_what_its_schema_says_and_no_more() {
    let mut found = BTreeSet::new();
    for body in LEFT.iter() {
        let kind = body["type"].as_str().expect("a type");
        found.extend(
            wrong(body)
                .into_iter()
                .map(|complaint| format!("{kind} {complaint}")),
        );
    }
    assert!(
        found.is_empty(),
        "{} complaints; first: {:#?}",
        found.len(),
        found.iter().take(20).collect::<Vec<_>>()
    );
}

#[test]
fn a_field_that_a_schema_does_not_know_is_noticed_wherever_it_stands() {
    let mut kinds = BTreeSet::new();
    for body in LEFT.iter().filter(|body| kinds.insert(body["type"].to_string())) {
        for place in objects(body, String::new()) {
            let mut other = body.clone();
            let object = other
                .pointer_mut(&place)
                .and_then(Value::as_object_mut)
                .expect("an object");
            object.insert("unheard_of".to_owned(), json!(1));
            // What is passed through, and what is said by name, may hold anything.
            let open = place.ends_with("/message") && body["type"] == "switchboard.reply.authorized"
                || place.ends_with("/skills");
            assert_eq!(wrong(&other).is_empty(), open, "{} at {place}", body["type"]);
        }
    }
}

/// Where objects stand in a value, as JSON pointers.
fn objects(value: &Value, place: String) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let inner = fields
                .iter()
                .flat_map(|(name, value)| objects(value, format!("{place}/{name}")));
            let inner: Vec<_> = inner.collect();
            [vec![place], inner].concat()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(index, value)| objects(value, format!("{place}/{index}")))
                .collect()
        }
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn everything_that_leaves_in_any_history_is_what_its_schema_says(history in histories()) {
        for body in everything(&history) {
            prop_assert_eq!(wrong(&body), Vec::<String>::new(), "{}", body);
        }
    }

    #[test]
    fn every_event_of_any_larger_history_is_what_its_schema_says(history in history()) {
        for body in events(&history) {
            prop_assert_eq!(wrong(&body), Vec::<String>::new(), "{}", body);
        }
    }
}
