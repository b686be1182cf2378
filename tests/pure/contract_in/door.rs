//! How a body is recognised, and what is refused before anything of it is read.

use serde_json::json;
use switchboard::contract::{Adapter, DeadReason, Incoming, Limits, MAX_FACTS, Skip, read};

use super::{MESSAGE, VALUE, arrival, assert_dead, fixture, fixture_with, only_fact, read_body, read_bytes};

#[test]
fn a_structured_cloudevent_is_known_by_its_content_type() {
    let body = fixture("native_received").to_string();
    for content_type in [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents",
    ] {
        let arrived = read_bytes(Some(content_type), &[], body.as_bytes());
        assert_eq!(arrived.facts.len(), 1, "{content_type}");
    }
}

#[test]
fn a_body_with_specversion_is_a_cloudevent_whatever_the_content_type_says() {
    let body = fixture("native_received").to_string();
    for content_type in [None, Some("text/plain"), Some("application/json"), Some("")] {
        assert_eq!(read_bytes(content_type, &[], body.as_bytes()).facts.len(), 1);
    }
}

#[test]
fn a_binary_cloudevent_is_known_by_its_four_headers_under_any_of_three_prefixes() {
    let data = fixture("native_received")["data"].to_string();
    for prefix in ["ce-", "cloudEvents:", "cloudEvents_", "CE-"] {
        let names =
            ["specversion", "id", "source", "type", "partitionkey"].map(|name| format!("{prefix}{name}"));
        let values = [
            "1.0",
            "evt-1",
            "gateway/test",
            "whatsapp.message.received",
            "some-key",
        ];
        let headers: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
        let arrived = read_bytes(Some("application/json"), &headers, data.as_bytes());
        assert_eq!(arrived.dead, None, "{prefix}");
        assert_eq!(&*arrived.facts[0].cause, "evt-1");
        assert_eq!(&*arrived.facts[0].home_key(), "some-key");
    }
}

#[test]
fn three_of_the_four_headers_make_no_cloudevent() {
    let data = fixture("native_received")["data"].to_string();
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-type", "whatsapp.message.received"),
    ];
    assert_dead(
        &read_bytes(None, &headers, data.as_bytes()),
        DeadReason::Unrecognised,
        "neither",
    );
}

#[test]
fn a_structured_cloudevent_that_repeats_its_attributes_as_headers_is_read_from_the_body() {
    let body = fixture("native_received").to_string();
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "of the header"),
        ("ce-source", "x"),
        ("ce-type", "whatsapp.message.received"),
    ];
    let arrived = read_bytes(Some("application/cloudevents+json"), &headers, body.as_bytes());
    assert_eq!(&*arrived.facts[0].cause, "evt-1001");
}

#[test]
fn a_webhook_body_is_known_by_its_object() {
    only_fact(&fixture("webhook_text"));
}

#[test]
fn a_webhook_body_may_be_the_data_of_a_cloudevent_of_any_type() {
    let body = json!({
        "specversion": "1.0", "id": "relay-1", "source": "relay", "type": "com.example.webhook",
        "data": fixture("webhook_text"),
    });
    let fact = only_fact(&body);
    assert_eq!(
        &*fact.cause, "wamid.text.1",
        "the cause of a foreign body is its message id"
    );
}

#[test]
fn what_is_not_json_is_unparseable() {
    for body in [
        &b""[..],
        b"hello",
        b"{\"object\":",
        b"\xff\xfe",
        b"{} {}",
        b"{\"a\": \"\x01\"}",
    ] {
        assert_dead(&read_bytes(None, &[], body), DeadReason::Unparseable, "");
        let structured = read_bytes(Some("application/cloudevents+json"), &[], body);
        assert_dead(&structured, DeadReason::Unparseable, "");
    }
}

#[test]
fn json_of_no_known_shape_is_unrecognised() {
    for body in [
        "null",
        "17",
        "[]",
        "\"text\"",
        "{}",
        "{\"object\": \"page\"}",
        "{\"event\": \"messages.upsert\"}",
    ] {
        assert_dead(
            &read_bytes(None, &[], body.as_bytes()),
            DeadReason::Unrecognised,
            "",
        );
    }
}

#[test]
fn a_cloudevent_of_a_type_that_is_not_ours_is_unrecognised() {
    let body = fixture_with("native_received", &[("/type", json!("com.example.other"))]);
    assert_dead(&read_body(&body), DeadReason::Unrecognised, "type");
}

#[test]
fn a_cloudevent_without_an_attribute_it_must_have_is_invalid_and_says_which() {
    for attribute in ["id", "source", "type"] {
        for nothing in [json!(null), json!("")] {
            let body = fixture_with("native_received", &[(&format!("/{attribute}"), nothing)]);
            assert_dead(
                &read_body(&body),
                DeadReason::Invalid,
                &format!("{attribute} is missing"),
            );
        }
    }
    let body = fixture_with("native_received", &[("/id", json!(5))]);
    assert_dead(&read_body(&body), DeadReason::Invalid, "id is not a text");
}

#[test]
fn another_specversion_is_invalid() {
    let body = fixture_with("native_received", &[("/specversion", json!("0.3"))]);
    assert_dead(&read_body(&body), DeadReason::Invalid, "specversion");
}

#[test]
fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_not() {
    let body = fixture("native_received").to_string();
    let of_limit = |max_body_bytes| {
        let incoming = Incoming {
            content_type: None,
            headers: &[],
            body: body.as_bytes(),
        };
        read(&incoming, arrival(), &Limits { max_body_bytes }, Adapter::Detect)
    };
    assert_eq!(of_limit(body.len()).facts.len(), 1);
    assert_dead(&of_limit(body.len() - 1), DeadReason::TooLarge, "bytes");
}

#[test]
fn a_body_with_more_messages_than_are_read_is_refused_whole() {
    let many = |count: usize| {
        let one = |n: usize| json!({"from": "5511999990000", "id": format!("m{n}"), "timestamp": "1795255200", "type": "text"});
        let messages: Vec<_> = (0..count).map(one).collect();
        fixture_with("webhook_text", &[(&format!("{VALUE}/messages"), json!(messages))])
    };
    assert_eq!(read_body(&many(MAX_FACTS)).facts.len(), MAX_FACTS);
    assert_dead(&read_body(&many(MAX_FACTS + 1)), DeadReason::TooLarge, "1000");
}

#[test]
fn unknown_fields_are_ignored_wherever_they_are() {
    let strange = json!({"deep": [{"er": null}]});
    for place in [
        "/strange",
        "/data/strange",
        "/data/contact/strange",
        "/data/message/strange",
    ] {
        only_fact(&fixture_with("native_received", &[(place, strange.clone())]));
    }
    for place in [
        "/strange",
        "/entry/0/strange",
        "/entry/0/changes/0/strange",
        &format!("{VALUE}/strange"),
        &format!("{MESSAGE}/strange"),
    ] {
        only_fact(&fixture_with("webhook_text", &[(place, strange.clone())]));
    }
}

#[test]
fn a_deeply_nested_body_is_read_without_harm() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = fixture("native_received")
        .to_string()
        .replacen('{', &format!("{{\"deep\":{deep},"), 1);
    assert_eq!(
        read_bytes(None, &[], body.as_bytes()).facts.len(),
        1,
        "what is not looked at is passed over"
    );
    assert_dead(
        &read_bytes(None, &[], deep.as_bytes()),
        DeadReason::Unrecognised,
        "",
    );
}

#[test]
fn a_nul_never_gets_through() {
    let nul = "a\u{0}b";
    let fact = only_fact(&fixture_with(
        "native_received",
        &[
            ("/id", json!(nul)),
            ("/partitionkey", json!(nul)),
            ("/data/contact/name", json!(nul)),
            ("/data/contact/attributes", json!({nul: nul})),
            ("/data/message/text", json!(nul)),
            ("/data/message/id", json!(nul)),
        ],
    ));
    assert_eq!(&*fact.cause, "ab");
    assert_eq!(&*fact.contact.name, "ab");
    // Left out of a name it would make it another one.
    assert_eq!(fact.contact.attributes["a\u{fffd}b"].as_ref(), "ab");
    assert_eq!(fact.partition_key.as_deref(), Some("ab"));
    assert_eq!(
        (&*super::received(&fact).id, &*super::received(&fact).text),
        ("ab", "ab")
    );
}

#[test]
fn half_of_a_surrogate_pair_is_replaced_and_spoils_nothing() {
    let body = fixture("native_received")
        .to_string()
        .replace("quero cancelar", "quero \\ud83d cancelar");
    let arrived = read_bytes(None, &[], body.as_bytes());
    let text = &super::received(&arrived.facts[0]).text;
    assert!(
        text.starts_with("quero \u{fffd}") && text.ends_with("o meu pedido"),
        "{text}"
    );
}

#[test]
fn the_wire_words_of_reasons_and_skips_are_fixed() {
    let reasons = DeadReason::ALL.map(DeadReason::wire);
    let expected = [
        "unparseable",
        "unrecognised",
        "unknown_channel",
        "unknown_tenant",
        "invalid",
        "no_identity",
        "too_large",
        "too_old",
        "poison",
    ];
    assert_eq!(reasons, expected);
    let labels = Skip::ALL.map(Skip::label);
    assert_eq!(
        labels,
        [
            "receipt",
            "import",
            "user_action",
            "call",
            "group",
            "error",
            "notice",
            "empty"
        ]
    );
}
