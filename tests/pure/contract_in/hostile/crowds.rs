//! Bodies that hold too much of something: refused whole, without much work, and in memory that follows the body's size.

use allocation_counter::measure;
use serde_json::{Value, json};
use switchboard::contract::{Arrived, DeadReason, Incoming, Limits, MAX_FACTS, read};

use super::{Form, assert_letter, assert_read, forms};
use crate::contract_in::arrival;

/// What a worker takes unless it is told otherwise.
const LIMITS: Limits = Limits {
    max_body_bytes: switchboard::config::DEFAULT_MAX_BODY,
};

/// So long are the bodies that are filled up, in bytes: what holds of a quarter holds of the whole, in less time.
const FULL: usize = LIMITS.max_body_bytes / 4;

/// What a body may take at once while it is read, for each of its bytes: a list of zeros is the worst, whose every two
/// bytes become sixteen, and a list grows by doubling.
const PER_BYTE: u64 = 30;

/// What the facts of a full body take beside it, in bytes.
const FACTS: u64 = 4 << 20;

/// How often a body may ask for memory, in all: stands for the work that is done, which a clock on a busy machine cannot
/// tell. A full body of a thousand messages asks some twenty thousand times.
const REQUESTS: u64 = 40_000;

/// Reads a body and holds it to its memory and work.
#[track_caller]
fn read_in_bounds(form: &Form, body: &[u8]) -> Arrived {
    assert!(body.len() <= LIMITS.max_body_bytes, "{} bytes", body.len());
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body,
    };
    let mut arrived = Arrived::default();
    let taken = measure(|| arrived = read(&incoming, arrival(), &LIMITS, form.adapter));
    let bound = FACTS + PER_BYTE * body.len() as u64;
    assert!(
        taken.bytes_max < bound,
        "{} bytes took {}",
        body.len(),
        taken.bytes_max
    );
    assert!(
        taken.count_total < REQUESTS,
        "{} bytes asked {} times",
        body.len(),
        taken.count_total
    );
    arrived
}

/// A message like the form's under another id.
fn numbered(form: &Form, n: usize) -> Value {
    let mut message = form.body.pointer(form.message).expect("a message").clone();
    *message
        .pointer_mut(&form.id[form.message.len()..])
        .expect("an id") = json!(format!("m{n}"));
    message
}

fn of_messages(form: &Form, count: usize) -> Option<String> {
    let messages: Vec<_> = (0..count).map(|n| numbered(form, n)).collect();
    Some(form.with(form.list?, json!(messages)).to_string())
}

#[test]
fn ten_thousand_messages_in_one_body_are_refused_whole_and_a_thousand_are_read() {
    for form in forms() {
        let Some(body) = of_messages(&form, 10_000) else {
            continue;
        };
        let arrived = read_in_bounds(&form, body.as_bytes());
        assert_letter(
            &arrived,
            DeadReason::TooLarge,
            "the body holds more than 1000 messages",
        );
        let body = of_messages(&form, MAX_FACTS).expect("a list");
        let arrived = read_in_bounds(&form, body.as_bytes());
        assert_read(&arrived, MAX_FACTS);
        assert!(
            arrived
                .facts
                .iter()
                .enumerate()
                .all(|(n, fact)| *fact.cause == *format!("m{n}"))
        );
    }
}

#[test]
fn a_list_of_as_many_things_as_fit_is_refused_early_and_in_bounded_memory() {
    for form in forms() {
        let Some(list) = form.list else { continue };
        let frame = form.with(list, json!("MARK")).to_string();
        for (item, reason) in [
            ("0", DeadReason::TooLarge),
            ("{}", DeadReason::TooLarge),
            (r#"{"id":"1","from":"1"}"#, DeadReason::TooLarge),
            ("[[[]]]", DeadReason::TooLarge),
        ] {
            let count = (FULL - frame.len()) / (item.len() + 1);
            let items = format!("[{}0]", format!("{item},").repeat(count - 1));
            let arrived = read_in_bounds(&form, frame.replace("\"MARK\"", &items).as_bytes());
            assert_letter(&arrived, reason, "the body holds more than 1000 messages");
        }
    }
}

#[test]
fn messages_and_contacts_in_crowds_are_refused_early() {
    for form in forms() {
        let Some(list) = form.list.filter(|list| list.ends_with("/messages")) else {
            continue;
        };
        let contacts: Vec<_> = (0..5_000)
            .map(|n| json!({"wa_id": format!("55119{n:08}")}))
            .collect();
        let mut body = form.with(list, json!("MARK"));
        let value = body
            .pointer_mut(list.trim_end_matches("/messages"))
            .expect("a value");
        value["contacts"] = json!(contacts);
        let frame = body.to_string();
        let item = r#"{"id":"1","from":"5511900099999"},"#;
        let count = (FULL - frame.len()) / item.len();
        let items = format!("[{}0]", item.repeat(count - 1));
        let arrived = read_in_bounds(&form, frame.replace("\"MARK\"", &items).as_bytes());
        assert_letter(
            &arrived,
            DeadReason::TooLarge,
            "the body holds more than 1000 messages",
        );
    }
}

#[test]
fn an_object_of_as_many_fields_as_fit_is_read_in_bounded_memory() {
    for form in forms() {
        let whole = form.body.to_string();
        let field = "\"\":0,";
        let count = (FULL - whole.len()) / field.len();
        let arrived = read_in_bounds(
            &form,
            format!("{{{}{}", field.repeat(count), &whole[1..]).as_bytes(),
        );
        assert_read(&arrived, 1);
        // The same in the message, where more is asked for.
        let message = form.body.pointer(form.message).expect("a message").to_string();
        let frame = form.with(form.message, json!("MARK")).to_string();
        let crowded = format!("{{{}{}", field.repeat(count), &message[1..]);
        let arrived = read_in_bounds(&form, frame.replace("\"MARK\"", &crowded).as_bytes());
        assert_read(&arrived, 1);
    }
}

#[test]
fn a_value_as_deep_as_fits_takes_no_more_than_its_size() {
    for form in forms() {
        let whole = form.body.to_string();
        let levels = (FULL - whole.len() - 10) / 2;
        let deep = "[".repeat(levels) + &"]".repeat(levels);
        let arrived = read_in_bounds(&form, format!("{{\"x\":{deep},{}", &whole[1..]).as_bytes());
        assert_read(&arrived, 1);
    }
}

#[test]
fn good_messages_among_bad_ones_are_read_as_long_as_there_are_not_too_many_of_either() {
    for form in forms() {
        let Some(list) = form.list else { continue };
        let of = |bad: usize| {
            let mut messages: Vec<_> = (0..bad).map(Value::from).collect();
            messages.insert(bad / 2, numbered(&form, 0));
            read_in_bounds(&form, form.with(list, json!(messages)).to_string().as_bytes())
        };
        let arrived = of(MAX_FACTS);
        assert_eq!(arrived.facts.len(), 1);
        let dead = arrived.dead.expect("dead");
        assert_eq!(dead.reason, DeadReason::Invalid);
        assert!(dead.detail.ends_with("(and 999 more)"), "{dead}");
        assert_letter(
            &of(MAX_FACTS + 1),
            DeadReason::TooLarge,
            "the body holds more than 1000 messages",
        );
    }
}
