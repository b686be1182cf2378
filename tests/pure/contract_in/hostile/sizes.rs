//! Bodies as long as they may be, and longer; long texts in every place. What is kept of one has a bound.

use serde_json::json;
use switchboard::contract::{Adapter, DeadReason, Incoming, Limits, read};

use super::{Form, assert_letter, assert_read, forms};
use crate::contract_in::{arrival, received};

const LIMITS: Limits = Limits {
    max_body_bytes: 64 << 10,
};

/// The body with so many bytes of a text that nobody asks for, or of spaces.
fn padded(form: &Form, length: usize, spaces: bool) -> String {
    let body = form.body.to_string();
    if spaces {
        return body.clone() + &" ".repeat(length - body.len());
    }
    let around = format!("\"x_pad\":\"\",{}", &body[1..]).len() + 1;
    format!("{{\"x_pad\":\"{}\",{}", "p".repeat(length - around), &body[1..])
}

#[test]
fn a_body_at_the_limit_is_read_and_one_byte_more_is_too_large() {
    for form in forms() {
        for spaces in [true, false] {
            let at_limit = |length| {
                let body = padded(&form, length, spaces);
                assert_eq!(body.len(), length);
                let incoming = Incoming {
                    content_type: None,
                    headers: &[],
                    body: body.as_bytes(),
                };
                read(&incoming, arrival(), &LIMITS, form.adapter)
            };
            assert_read(&at_limit(LIMITS.max_body_bytes), 1);
            let words = "the body has 65537 bytes, more than the 65536 that are read";
            assert_letter(&at_limit(LIMITS.max_body_bytes + 1), DeadReason::TooLarge, words);
        }
    }
}

#[test]
fn nothing_of_a_body_that_is_too_large_is_looked_at() {
    let body = vec![0xff; LIMITS.max_body_bytes * 4];
    let incoming = Incoming {
        content_type: Some("application/cloudevents+json"),
        headers: &[],
        body: &body,
    };
    let info = allocation_counter::measure(|| {
        let arrived = read(&incoming, arrival(), &LIMITS, Adapter::Detect);
        assert_letter(
            &arrived,
            DeadReason::TooLarge,
            "more than the 65536 that are read",
        );
    });
    assert!(info.bytes_max < 4_096, "{} bytes", info.bytes_max);
}

#[test]
fn long_words_are_cut_by_characters_and_media_in_a_body_is_not_kept() {
    for form in forms() {
        let words = "\u{1f44d}".repeat(100_000);
        let mut body = form.with(form.words, json!(words));
        body["base64"] = json!("A".repeat(400_000));
        let arrived = form.read(body.to_string());
        assert_read(&arrived, 1);
        assert_eq!(received(&arrived.facts[0]).text.chars().count(), 4_096);
        let kept = format!("{:?}", arrived.facts[0].what).len();
        assert!(kept < 20_000, "{kept} bytes are kept");
    }
}
