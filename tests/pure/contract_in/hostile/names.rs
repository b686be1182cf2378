//! Names of fields: only the exact one is asked for, and no name can spoil what stands beside it.

use serde_json::{Value, json};
use switchboard::contract::DeadReason;

use super::{assert_letter, assert_read, forms};
use crate::contract_in::{only_fact, received};

/// Names that are nearly the one that is asked for.
fn nearly(name: &str) -> [String; 8] {
    [
        format!("\0{name}"),
        format!("{name}\0"),
        format!("{name}\u{fffd}"),
        format!(" {name}"),
        format!("{name}\u{200b}"),
        format!("\u{feff}{name}"),
        name.chars()
            .map(|c| {
                if c.is_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect(),
        format!("{name}."),
    ]
}

#[test]
fn a_name_that_is_only_nearly_one_of_ours_is_unknown() {
    for form in forms() {
        let (parent, name) = form.id.rsplit_once('/').expect("a field");
        for near in nearly(name) {
            let mut body = form.body.clone();
            let fields = body
                .pointer_mut(parent)
                .expect("the parent")
                .as_object_mut()
                .expect("an object");
            let right = fields[name].clone();
            fields.insert(near.clone(), json!({"not": "a text"}));
            // serde_json writes names in their order; the one that is written last is tried in both places.
            let text = Value::Object(fields.clone()).to_string();
            let other = text.replace(&format!("{}:{right},", json!(name)), "").replacen(
                '{',
                &format!("{{{}:{right},", json!(name)),
                1,
            );
            for order in [text.clone(), other] {
                let body = body.to_string().replace(&text, &order);
                let arrived = form.read(body);
                assert_read(&arrived, 1);
                assert_eq!(json!(&*received(&arrived.facts[0]).id), right, "{near:?}");
            }
        }
    }
}

#[test]
fn a_name_written_in_escapes_is_the_name() {
    for form in forms() {
        let name = form.id.rsplit('/').next().expect("a name");
        let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let body = form
            .body
            .to_string()
            .replace(&format!("\"{name}\":"), &format!("\"{escaped}\":"));
        assert_read(&form.read(body), 1);
    }
}

#[test]
fn hostile_names_of_attributes_are_kept_as_far_as_they_can_be() {
    let mut body = crate::contract_in::fixture("native_received");
    let long = "n".repeat(10_000);
    body["data"]["contact"]["attributes"] = json!({"a\0b": "x", &long: "y", "": "z", "\u{202e}": "w"});
    let fact = only_fact(&body);
    let names: Vec<_> = fact
        .contact
        .attributes
        .keys()
        .map(|name| name.chars().take(3).collect::<String>())
        .collect();
    assert_eq!(names, ["", "a\u{fffd}b", "nnn", "\u{202e}"]);
    assert!(
        fact.contact
            .attributes
            .keys()
            .all(|name| name.chars().count() <= 64)
    );
}

#[test]
fn a_raw_control_character_in_a_name_is_no_json() {
    for form in forms() {
        for raw in ["\0", "\n", "\u{1f}"] {
            let body = form
                .body
                .to_string()
                .replacen('{', &format!("{{\"x{raw}\":1,"), 1);
            assert_letter(&form.read(body), DeadReason::Unparseable, "is not JSON");
        }
    }
}
