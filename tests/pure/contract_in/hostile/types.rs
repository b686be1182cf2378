//! Values of another type than the one that belongs somewhere: numbers as texts and texts as numbers among them.

use serde_json::{Value, json};
use switchboard::contract::{Adapter, DeadReason};

use super::{Form, assert_letter, assert_read, forms};

/// Every place in a value, as JSON pointers.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, value)| places(value, &format!("{here}/{name}"), all));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| places(value, &format!("{here}/{index}"), all));
        }
        _ => {}
    }
}

fn wrong_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(""),
        json!(true),
        json!(-7),
        json!(1.5e300),
        json!(u64::MAX),
        json!("Zenobia 5511977776666"),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!([7, null, "Zenobia"]),
        json!({"Zenobia": {"5511977776666": [1]}}),
        json!("\0"),
        json!("\n\r\t\u{1b}[31m"),
    ]
}

#[test]
fn a_wrong_type_anywhere_ends_as_a_fact_a_count_or_a_letter_that_names_its_place() {
    let mut tried = 0;
    for form in forms() {
        let mut all = Vec::new();
        places(&form.body, "", &mut all);
        for place in &all {
            for value in wrong_values() {
                // Soundness, the bounds and that nothing is let out are looked at in there.
                let arrived = form.read(form.with(place, value.clone()).to_string());
                tried += 1;
                let Some(dead) = arrived.dead else { continue };
                let allowed = [
                    DeadReason::Invalid,
                    DeadReason::NoIdentity,
                    DeadReason::Unrecognised,
                    DeadReason::TooOld,
                ];
                assert!(allowed.contains(&dead.reason), "{place} = {value}: {dead}");
                if dead.reason == DeadReason::Invalid {
                    let named = dead.detail.split(' ').next().expect("a place");
                    let real = named == "the"
                        || all.iter().any(|place| Form::named(place) == named)
                        || dead.detail.contains("is missing");
                    assert!(real, "{place} = {value}: {dead} names no place of the body");
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried} bodies");
}

#[test]
fn an_id_has_to_be_a_text_and_within_its_bound() {
    for form in forms() {
        let named = Form::named(form.id);
        for value in [json!(7), json!(true), json!({}), json!(["wamid.1"])] {
            let arrived = form.read(form.with(form.id, value).to_string());
            assert_letter(&arrived, DeadReason::Invalid, &format!("{named} is not a text"));
        }
        for nothing in [json!(null), json!("")] {
            let arrived = form.read(form.with(form.id, nothing).to_string());
            assert_letter(&arrived, DeadReason::Invalid, &format!("{named} is missing"));
        }
        let long = form.with(form.id, json!("i".repeat(513)));
        assert_letter(
            &form.read(long.to_string()),
            DeadReason::Invalid,
            &format!("{named} is longer than 512 bytes"),
        );
        assert_read(
            &form.read(form.with(form.id, json!("i".repeat(512))).to_string()),
            1,
        );
    }
}

#[test]
fn a_time_may_be_a_number_or_a_text_and_anything_else_is_named() {
    for form in forms() {
        for good in [
            json!(1_795_255_200),
            json!("1795255200"),
            json!("1795255200000"),
            json!("2026-11-21T10:00:00Z"),
            json!(1.795_255_2e9),
        ] {
            assert_read(&form.read(form.with(form.time, good).to_string()), 1);
        }
        for bad in [
            json!("soon"),
            json!([1_795_255_200]),
            json!(true),
            json!(1e40),
            json!("9999999999999999999"),
        ] {
            let words = format!("{} is not a time", Form::named(form.time));
            assert_letter(
                &form.read(form.with(form.time, bad).to_string()),
                DeadReason::Invalid,
                &words,
            );
        }
        for old in [
            json!(0),
            json!("-1"),
            json!("1970-01-01T00:00:00Z"),
            json!(-62_135_596_800_i64),
        ] {
            let arrived = form.read(form.with(form.time, old).to_string());
            assert_letter(&arrived, DeadReason::TooOld, "is older than 8 days");
        }
    }
}

#[test]
fn a_phone_number_given_as_a_number_is_named_and_not_shown() {
    for (adapter, place) in [
        (Adapter::CloudEvents, "/data/contact/phone"),
        (Adapter::CloudApi, "/entry/0/changes/0/value/messages/0/from"),
        (
            Adapter::UnoApi,
            "/payload/entry/0/changes/0/value/messages/0/from",
        ),
        (Adapter::Evolution, "/data/0/key/remoteJid"),
        (Adapter::Whatsmeow, "/event/Info/Chat"),
    ] {
        let form = forms()
            .into_iter()
            .find(|form| form.adapter == adapter)
            .expect("a form");
        let arrived = form.read(form.with(place, json!(5_511_999_990_000_u64)).to_string());
        assert_letter(
            &arrived,
            DeadReason::Invalid,
            &format!("{} is not a text", Form::named(place)),
        );
    }
}

#[test]
fn yes_and_no_are_not_texts_or_numbers() {
    let mut checked = 0;
    for form in forms() {
        for (place, words) in [
            (
                "/data/0/key/fromMe",
                "data[0].key.fromMe is neither true nor false",
            ),
            (
                "/event/Info/IsFromMe",
                "event.Info.IsFromMe is neither true nor false",
            ),
            (
                "/event/Info/IsGroup",
                "event.Info.IsGroup is neither true nor false",
            ),
            (
                "/data/Info/IsFromMe",
                "data.Info.IsFromMe is neither true nor false",
            ),
        ] {
            if form.body.pointer(place).is_none() {
                continue;
            }
            for value in [json!("false"), json!(0), json!([])] {
                assert_letter(
                    &form.read(form.with(place, value).to_string()),
                    DeadReason::Invalid,
                    words,
                );
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4 * 3);
}

#[test]
fn one_bad_message_of_a_list_is_named_and_the_others_are_read() {
    for form in forms() {
        let Some(list) = form.list else { continue };
        let good = form.body.pointer(form.message).expect("a message").clone();
        let id = &form.id[form.message.len()..];
        let numbered = |n: usize| {
            let mut message = good.clone();
            *message.pointer_mut(id).expect("an id") = json!(format!("m{n}"));
            message
        };
        for bad in [json!(7), json!("text"), json!([]), json!(true), json!({})] {
            let body = form.with(list, json!([numbered(0), bad, numbered(2), bad, numbered(4)]));
            let arrived = form.read(body.to_string());
            let read: Vec<_> = arrived.facts.iter().map(|fact| &*fact.cause).collect();
            assert_eq!(read, ["m0", "m2", "m4"]);
            let dead = arrived.dead.expect("dead");
            let place = format!("{}[1]", Form::named(list));
            assert!(
                dead.detail.starts_with(&place) && dead.detail.ends_with("(and 1 more)"),
                "{dead}"
            );
        }
    }
}
