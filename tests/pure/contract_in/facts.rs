//! Native facts, field by field.

use serde_json::{Value, json};
use switchboard::contract::{DeadReason, MAX_TEXT_CHARS};
use switchboard::domain::conversation::Contact;
use switchboard::domain::ids::AgentId;
use switchboard::domain::input::{Origin, What};

use super::{assert_dead, fixture, fixture_with, identifiers, only_fact, read_body, received, sent};

#[test]
fn a_received_message_is_read_whole() {
    let fact = only_fact(&fixture("native_received"));
    assert_eq!(&*fact.cause, "evt-1001");
    assert_eq!(fact.channel.as_str(), "whatsapp:123456789012345");
    assert_eq!(
        identifiers(&fact),
        ["phone=+5511999990000", "bsuid=BR.1029384756"]
    );
    assert_eq!(&*fact.home_key(), "a4739f991883260a");
    assert!(!fact.standby);
    let message = received(&fact);
    assert_eq!(
        (&*message.id, &*message.kind, message.turn),
        ("wamid.received.1", "text", true)
    );
    assert_eq!(&*message.text, "quero cancelar o meu pedido");
    assert_eq!((&*message.referral, &*message.reply_to), ("", "wamid.sent.0"));
}

#[test]
fn what_is_said_of_the_customer_is_normalised() {
    let contact = only_fact(&fixture("native_received")).contact;
    assert_eq!(
        (&*contact.name, &*contact.language, &*contact.country),
        ("Ana Clara", "pt", "BR")
    );
    let attributes: Vec<_> = contact
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        attributes,
        [
            "orders=12",
            "tags=[\"new\", \"web\"]".replace(", ", ",").as_str(),
            "tier=vip"
        ]
    );
}

#[test]
fn a_language_or_country_that_is_no_code_counts_as_unknown() {
    for wrong in ["portuguese", "p1", "ptb"] {
        let place = ["/data/contact/language", "/data/contact/country"].map(|place| (place, json!(wrong)));
        let contact = only_fact(&fixture_with("native_received", &place)).contact;
        assert_eq!((&*contact.language, &*contact.country), ("", ""));
    }
}

#[test]
fn absent_null_and_empty_are_alike() {
    let fields = ["name", "language", "country", "attributes", "bsuid", "previous"];
    let bare = json!({"phone": "+5511999990000"});
    let expected = only_fact(&fixture_with(
        "native_received",
        &[("/data/contact", bare.clone())],
    ));
    assert_eq!(expected.contact, Contact::default());
    for nothing in [json!(null), json!("")] {
        let mut contact = bare.clone();
        for field in fields {
            contact[field] = nothing.clone();
        }
        let fact = only_fact(&fixture_with("native_received", &[("/data/contact", contact)]));
        assert_eq!(
            (&fact.contact, &fact.identity),
            (&expected.contact, &expected.identity)
        );
        let optional =
            ["standby", "agent", "origin", "leave_unassigned"].map(|field| format!("/data/{field}"));
        let changes: Vec<_> = optional
            .iter()
            .map(|place| (place.as_str(), nothing.clone()))
            .collect();
        let fact = only_fact(&fixture_with("native_sent", &changes));
        assert_eq!(*sent(&fact).1, Origin::Phone);
    }
}

#[test]
fn every_kind_is_a_turn_but_those_that_ask_for_nothing() {
    let turns = [
        "text",
        "image",
        "audio",
        "video",
        "document",
        "sticker",
        "location",
        "contacts",
        "interactive",
        "button",
        "order",
        "unsupported",
        "hologram",
    ];
    let others = [
        "reaction",
        "edit",
        "revoke",
        "system",
        "request_welcome",
        "receipts",
        "imports",
        "user_actions",
        "calls",
    ];
    for (kinds, turn) in [(&turns[..], true), (&others[..], false)] {
        for kind in kinds {
            let body = fixture_with("native_received", &[("/data/message/kind", json!(kind))]);
            let fact = only_fact(&body);
            assert_eq!((&*received(&fact).kind, received(&fact).turn), (*kind, turn));
        }
    }
}

#[test]
fn a_message_that_does_not_say_its_kind_is_a_turn() {
    let kind_of = |text: Value| {
        let changes = [("/data/message/kind", json!(null)), ("/data/message/text", text)];
        let fact = only_fact(&fixture_with("native_received", &changes));
        (received(&fact).kind.to_string(), received(&fact).turn)
    };
    assert_eq!(kind_of(json!("hi")), ("text".to_owned(), true));
    assert_eq!(kind_of(json!("")), ("unsupported".to_owned(), true));
}

#[test]
fn who_sent_a_message_follows_origin_then_agent() {
    let mark = || Origin::Agent(AgentId::new("mark").expect("an id"));
    let cases = [
        (json!("mark"), json!(null), mark()),
        (json!("mark"), json!("agent"), mark()),
        (json!(null), json!(null), Origin::Phone),
        (json!("mark"), json!("phone"), Origin::Phone),
        (json!(null), json!("phone"), Origin::Phone),
        (json!("mark"), json!("automation"), Origin::Automation),
        (json!("no id"), json!("agent"), Origin::Phone),
    ];
    for (agent, origin, expected) in cases {
        let body = fixture_with(
            "native_sent",
            &[("/data/agent", agent.clone()), ("/data/origin", origin.clone())],
        );
        assert_eq!(
            *sent(&only_fact(&body)).1,
            expected,
            "agent {agent}, origin {origin}"
        );
    }
}

#[test]
fn an_origin_of_agent_needs_the_agent_and_other_words_are_refused() {
    let body = fixture_with(
        "native_sent",
        &[("/data/agent", json!("")), ("/data/origin", json!("agent"))],
    );
    assert_dead(&read_body(&body), DeadReason::Invalid, "data.agent is missing");
    let body = fixture_with("native_sent", &[("/data/origin", json!("robot"))]);
    assert_dead(&read_body(&body), DeadReason::Invalid, "origin");
}

#[test]
fn standby_is_kept_on_both_directions() {
    for name in ["native_received", "native_sent"] {
        assert!(only_fact(&fixture_with(name, &[("/data/standby", json!(true))])).standby);
    }
}

#[test]
fn a_handover_is_known_by_its_event_and_happened_at_its_time() {
    let fact = only_fact(&fixture("native_handover"));
    assert_eq!(fact.at, "2026-11-21T09:59:30Z".parse().expect("a time"));
    assert_eq!(fact.own_time, None);
    match &fact.what {
        What::Handover { reason } => assert_eq!(&**reason, "asked for a person"),
        other => panic!("{other:?}"),
    }
    let key = |id: &str| {
        only_fact(&fixture_with("native_handover", &[("/id", json!(id))]))
            .dedupe
            .key()
    };
    assert_eq!(key("evt-1003"), fact.dedupe.key());
    assert_ne!(key("evt-1004"), fact.dedupe.key());
}

#[test]
fn a_fact_without_what_it_needs_says_what_is_missing() {
    for (place, words) in [
        ("/data/channel", "data.channel is missing"),
        ("/data/message", "data.message is missing"),
        ("/data/message/id", "data.message.id is missing"),
        ("/data", "data is not an object"),
    ] {
        let body = fixture_with("native_received", &[(place, json!(null))]);
        assert_dead(&read_body(&body), DeadReason::Invalid, words);
    }
}

#[test]
fn a_wrong_type_is_invalid_and_names_the_place_without_the_value() {
    for (place, value, words) in [
        ("/data/channel", json!("no-colon"), "provider:id"),
        (
            "/data/contact",
            json!("5511999990000"),
            "data.contact is not an object",
        ),
        (
            "/data/contact/phone",
            json!(5511999990000_i64),
            "data.contact.phone is not a text",
        ),
        (
            "/data/contact/attributes",
            json!([1]),
            "data.contact.attributes is not an object",
        ),
        (
            "/data/message/text",
            json!({"body": "secret"}),
            "data.message.text is not a text",
        ),
        (
            "/data/standby",
            json!("yes"),
            "data.standby is neither true nor false",
        ),
        (
            "/data/message/id",
            json!("x".repeat(513)),
            "data.message.id is longer than 512 bytes",
        ),
    ] {
        let arrived = read_body(&fixture_with("native_received", &[(place, value)]));
        assert_dead(&arrived, DeadReason::Invalid, words);
        let detail = arrived.dead.expect("dead").detail;
        assert!(
            !detail.contains("5511999990000") && !detail.contains("secret"),
            "{detail}"
        );
    }
}

#[test]
fn long_texts_are_cut_where_a_character_ends() {
    let long = "é".repeat(MAX_TEXT_CHARS + 5);
    let body = fixture_with(
        "native_received",
        &[
            ("/data/message/text", json!(long)),
            ("/data/contact/name", json!(long)),
        ],
    );
    let fact = only_fact(&body);
    assert_eq!(received(&fact).text.chars().count(), MAX_TEXT_CHARS);
    assert_eq!(fact.contact.name.chars().count(), 128);
}

#[test]
fn attributes_are_bounded_in_number_and_length() {
    let many: serde_json::Map<_, _> = (0..200)
        .map(|n| (format!("{n:03}"), json!("v".repeat(1_000))))
        .collect();
    let contact = only_fact(&fixture_with(
        "native_received",
        &[("/data/contact/attributes", json!(many))],
    ))
    .contact;
    assert_eq!(contact.attributes.len(), Contact::MAX_ATTRIBUTES);
    assert!(contact.attributes.values().all(|value| value.len() == 256));
}

#[test]
fn a_referral_is_a_text_or_the_best_of_the_providers_object() {
    for (referral, expected) in [
        (json!("campaign 7"), "campaign 7"),
        (json!({"source_id": "ad-1", "ctwa_clid": "c"}), "ad-1"),
        (json!({"source_id": "", "ctwa_clid": "c"}), "c"),
        (json!({"source_type": "post"}), "post"),
        (json!({"headline": "x"}), "unknown"),
        (json!(""), ""),
    ] {
        let fact = only_fact(&fixture_with(
            "native_received",
            &[("/data/message/referral", referral.clone())],
        ));
        assert_eq!(&*received(&fact).referral, expected, "{referral}");
    }
}
