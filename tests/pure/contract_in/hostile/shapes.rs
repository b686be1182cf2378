//! Bodies that are no JSON, or JSON of another make: cut off, deep, with names given twice.

use serde_json::{Value, json};
use switchboard::contract::DeadReason;

use super::{Form, assert_letter, assert_read, forms};
use crate::contract_in::received;

#[test]
fn a_body_cut_off_at_any_byte_is_unparseable_and_says_where_it_ends() {
    for form in forms() {
        let whole = form.body.to_string();
        for end in 0..whole.len() {
            let arrived = form.read(&whole.as_bytes()[..end]);
            let in_a_letter = !whole.is_char_boundary(end);
            let words = if in_a_letter {
                "is not UTF-8"
            } else {
                "is not JSON (line 1, column "
            };
            assert_letter(&arrived, DeadReason::Unparseable, words);
        }
        assert_read(&form.read(&whole), 1);
    }
}

#[test]
fn a_body_with_more_behind_it_is_unparseable() {
    for form in forms() {
        for more in ["{}", "x", "\0", ",", "]"] {
            let body = format!("{}{more}", form.body);
            assert_letter(&form.read(body), DeadReason::Unparseable, "is not JSON");
        }
        assert_read(&form.read(format!(" \n{}\r\n\t ", form.body)), 1);
    }
}

/// A value this many levels deep, of lists, of objects, or of both.
fn deep(levels: usize) -> [String; 3] {
    let list = "[".repeat(levels) + &"]".repeat(levels);
    let object = "{\"entry\":".repeat(levels) + "1" + &"}".repeat(levels);
    let both = "[{\"data\":".repeat(levels) + "null" + &"}]".repeat(levels);
    [list, object, both]
}

/// Stands for a value that `serde_json` could not write.
const MARK: &str = "\"MARK\"";

#[test]
fn a_deep_value_that_nobody_asks_for_changes_nothing() {
    for form in forms() {
        for value in deep(40_000) {
            let mut body = form.body.clone();
            body["x_unknown"] = json!("MARK");
            let body = body.to_string().replace(MARK, &value);
            assert_read(&form.read(body), 1);
        }
    }
}

#[test]
fn a_deep_value_in_the_place_of_a_text_is_invalid_and_named() {
    for form in forms() {
        for place in [form.id, form.words, form.time] {
            for value in deep(20_000) {
                let body = form.with(place, json!("MARK")).to_string().replace(MARK, &value);
                let arrived = form.read(body);
                let place = match (place == form.words, place == form.time) {
                    // Words in a deep object are looked for in it, as are the halves of a long number.
                    (_, true) => Form::named(place).rsplit_once('.').expect("a field").1.to_owned(),
                    _ => Form::named(place),
                };
                let dead = arrived.dead.expect("dead");
                assert_eq!(dead.reason, DeadReason::Invalid, "{dead}");
                assert!(dead.detail.contains(&place), "{dead} does not name {place}");
            }
        }
    }
}

#[test]
fn a_body_that_is_only_deep_is_a_letter_whatever_it_opens() {
    for form in forms() {
        for open in ["{\"object\":", "{\"payload\":", "{\"data\":", "{\"entry\":["] {
            let arrived = form.read(open.repeat(60_000));
            assert_letter(&arrived, DeadReason::Unparseable, "is not JSON");
        }
    }
}

#[test]
fn of_a_name_given_twice_the_last_counts() {
    for form in forms() {
        let whole = form.body.to_string();
        for (place, first, last) in [
            (form.id, json!(7), json!("wamid.last")),
            (form.words, json!([]), json!("last")),
        ] {
            let name = place.rsplit('/').next().expect("a name");
            let body = form.with(place, json!("MARK")).to_string();
            let twice = format!("{first},\"{name}\":{last}");
            let arrived = form.read(body.replace(MARK, &twice));
            assert_read(&arrived, 1);
            let message = received(&arrived.facts[0]);
            let read = if place == form.id {
                &message.id
            } else {
                &message.text
            };
            assert_eq!(Value::from(&**read), last);
        }
        // The whole of it, and nothing after it.
        let (name, value) = form
            .body
            .as_object()
            .expect("an object")
            .iter()
            .next()
            .expect("a field");
        let emptied = format!("{},\"{name}\":{value}}}", &whole[..whole.len() - 1]);
        assert_read(&form.read(emptied), 1);
    }
}

#[test]
fn json_that_is_no_object_is_unrecognised() {
    for form in forms() {
        for body in ["[]", "null", "7", "\"text\"", "true", "[{}]", "-0.0"] {
            assert_letter(&form.read(body), DeadReason::Unrecognised, "the body is");
        }
        assert_letter(&form.read("{}"), DeadReason::Unrecognised, "the body is");
    }
}
