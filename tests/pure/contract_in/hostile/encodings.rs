//! Bodies in other encodings than UTF-8, and what UTF-8 can hold that hurts: halves of pairs, NUL, marks of byte order.

use serde_json::json;
use switchboard::contract::DeadReason;

use super::{assert_letter, assert_read, forms};
use crate::contract_in::received;

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn a_body_in_another_encoding_is_unparseable_and_says_so() {
    for form in forms() {
        let text = form.with(form.words, json!("não")).to_string();
        let latin1: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect();
        let windows: Vec<u8> = text.replace('ã', "\u{80}").chars().map(|c| c as u8).collect();
        let (little, big) = (utf16(&text, u16::to_le_bytes), utf16(&text, u16::to_be_bytes));
        for body in [
            latin1,
            windows,
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
            [text.as_bytes(), &[0xc3]].concat(),
            // Overlong, and half of a pair, as some old writers have them.
            text.replace('ã', "\u{1}")
                .into_bytes()
                .iter()
                .flat_map(|b| if *b == 1 { vec![0xc0, 0x80] } else { vec![*b] })
                .collect(),
            text.replace('ã', "\u{1}")
                .into_bytes()
                .iter()
                .flat_map(|b| if *b == 1 { vec![0xed, 0xa0, 0x80] } else { vec![*b] })
                .collect(),
        ] {
            assert_letter(&form.read(body), DeadReason::Unparseable, "is not UTF-8");
        }
        // Without its mark, plain words in UTF-16 are UTF-8 as well, with NULs between them.
        let plain = form.with(form.words, json!("nao")).to_string();
        for body in [utf16(&plain, u16::to_le_bytes), utf16(&plain, u16::to_be_bytes)] {
            let arrived = form.read(body);
            let dead = arrived.dead.as_ref().expect("dead");
            assert_eq!(dead.reason, DeadReason::Unparseable);
            assert!(arrived.facts.is_empty());
        }
    }
}

#[test]
fn a_mark_of_byte_order_in_front_is_passed_over() {
    for form in forms() {
        assert_read(&form.read(format!("\u{feff}{}", form.body)), 1);
        assert_letter(
            &form.read(format!("\u{feff}\u{feff}{}", form.body)),
            DeadReason::Unparseable,
            "is not JSON (line 1, column 1)",
        );
    }
}

#[test]
fn halves_of_surrogate_pairs_are_replaced_wherever_they_stand() {
    for form in forms() {
        let body = form.with(form.words, json!("MARK"));
        for (written, read) in [
            (r"cut \ud83d", "cut \u{fffd}"),
            (r"\udc4d cut", "\u{fffd} cut"),
            (r"\ud83d\ud83d\udc4d", "\u{fffd}\u{1f44d}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\uD83D\uDC4D", "\u{1f44d}"),
        ] {
            let arrived = form.read(body.to_string().replace("MARK", written));
            assert_read(&arrived, 1);
            let squeezed = received(&arrived.facts[0])
                .text
                .replace("\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}");
            assert_eq!(squeezed, read, "{written}");
        }
        let mut body = form.body.clone();
        body["MARK"] = json!("MARK");
        let body = body.to_string().replace("MARK", r"\ud83d half");
        assert_read(&form.read(body), 1);
    }
}

#[test]
fn nul_is_left_out_where_it_is_escaped_and_is_no_json_where_it_is_not() {
    for form in forms() {
        for place in [form.id, form.words] {
            let arrived = form.read(form.with(place, json!("a\0b\0")).to_string());
            assert_read(&arrived, 1);
            let message = received(&arrived.facts[0]);
            let read = if place == form.id {
                &message.id
            } else {
                &message.text
            };
            assert_eq!(&**read, "ab");
            let raw = form
                .with(place, json!("MARK"))
                .to_string()
                .replace("MARK", "a\0b");
            assert_letter(
                &form.read(raw),
                DeadReason::Unparseable,
                "is not JSON (line 1, column ",
            );
        }
        // An id that is nothing but NUL is none.
        let arrived = form.read(form.with(form.id, json!("\0\0")).to_string());
        assert_letter(&arrived, DeadReason::Invalid, "is missing");
        assert_letter(
            &form.read(format!("\0{}", form.body)),
            DeadReason::Unparseable,
            "is not JSON (line 1, column 1)",
        );
    }
}
