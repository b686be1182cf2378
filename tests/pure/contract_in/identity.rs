//! Who the customer is, and the keys and hashes that follow from it.

use serde_json::{Value, json};
use switchboard::contract::identity::{Alias, AliasKind, partition_key};
use switchboard::contract::{ArrivedFact, DeadReason, partition};
use switchboard::domain::ids::ChannelKey;

use super::{MESSAGE, assert_dead, fixture, fixture_with, identifiers, only_fact, read_body};

fn of_contact(contact: Value) -> ArrivedFact {
    let changes = [("/data/contact", contact), ("/partitionkey", json!(null))];
    only_fact(&fixture_with("native_received", &changes))
}

fn channel() -> ChannelKey {
    ChannelKey::new("whatsapp:123456789012345").expect("a channel")
}

#[test]
fn the_published_vector_holds() {
    let key = partition_key(&channel(), "+5511999990000");
    assert_eq!(key, "a4739f991883260a");
    assert_eq!(crc32fast::hash(key.as_bytes()), 0x2d00_4284);
    assert_eq!(partition::of(&key, 8), 4);
    assert_eq!(
        &*of_contact(json!({"phone": "+5511999990000"})).home_key(),
        "a4739f991883260a"
    );
}

#[test]
fn a_webhook_and_a_native_fact_of_one_customer_meet_in_one_partition() {
    let webhook = only_fact(&fixture("webhook_text"));
    assert_eq!(&*webhook.home_key(), "a4739f991883260a");
}

#[test]
fn the_identifier_is_the_phone_then_the_bsuid_then_its_parent_then_the_lid_then_the_group() {
    let all = [
        ("phone", "+5511999990000"),
        ("bsuid", "BR.1"),
        ("parent_bsuid", "BR.ENT.2"),
        ("lid", "3"),
        ("group", "4"),
    ];
    for from in 0..all.len() {
        let contact: serde_json::Map<_, _> = all[from..]
            .iter()
            .map(|(kind, value)| ((*kind).to_owned(), json!(value)))
            .collect();
        let fact = of_contact(Value::Object(contact));
        assert_eq!(fact.identity.identifier(), all[from].1);
        assert_eq!(
            fact.identity.aliases().count(),
            all.len() - from,
            "the others are kept too"
        );
        assert_eq!(*fact.home_key(), *partition_key(&channel(), all[from].1));
    }
}

#[test]
fn a_phone_is_the_same_however_it_is_written() {
    for written in [
        "+5511999990000",
        "5511999990000",
        "+55 (11) 99999-0000",
        " 55.11.99999.0000 ",
        "5511999990000@s.whatsapp.net",
    ] {
        assert_eq!(
            identifiers(&of_contact(json!({"phone": written}))),
            ["phone=+5511999990000"],
            "{written}"
        );
    }
}

#[test]
fn a_phone_that_matches_the_pattern_of_a_bsuid_is_one() {
    assert_eq!(
        identifiers(&of_contact(json!({"phone": "BR.abc123"}))),
        ["bsuid=BR.abc123"]
    );
    assert_eq!(
        identifiers(&of_contact(json!({"phone": "BR.ENT.abc123"}))),
        ["parent_bsuid=BR.ENT.abc123"]
    );
    let webhook = fixture_with(
        "webhook_text",
        &[
            (&format!("{MESSAGE}/from"), json!("BR.abc123")),
            ("/entry/0/changes/0/value/contacts", json!([])),
        ],
    );
    assert_eq!(identifiers(&only_fact(&webhook)), ["bsuid=BR.abc123"]);
}

#[test]
fn a_parent_id_is_the_same_identifier_wherever_it_stands() {
    let parent = "BR.ENT.abc123";
    for field in ["phone", "bsuid", "parent_bsuid"] {
        let known = of_contact(json!({field: parent}));
        assert_eq!(identifiers(&known), ["parent_bsuid=BR.ENT.abc123"], "{field}");
    }
    let both =
        of_contact(json!({"bsuid": parent, "parent_bsuid": "BR.ENT.other", "phone": "+5511999990000"}));
    let first = ["phone=+5511999990000", "parent_bsuid=BR.ENT.abc123"];
    assert_eq!(identifiers(&both), first, "the first of a kind stays");
}

#[test]
fn a_handover_does_not_take_a_user_id_for_a_phone() {
    let sender = json!({"user_id": "5511999990000", "parent_user_id": "BR.ENT.7"});
    let place = "/entry/0/changes/0/value/sender";
    let fact = only_fact(&fixture_with("webhook_handover", &[(place, sender)]));
    assert_eq!(identifiers(&fact), ["parent_bsuid=BR.ENT.7"]);
}

#[test]
fn what_looks_almost_like_a_bsuid_is_none() {
    let too_long = format!("BR.{}", "a".repeat(129));
    for wrong in [
        "br.abc",
        "BRA.abc",
        "BR.",
        "BR.a-b",
        "BR.ENT.",
        "BRabc",
        too_long.as_str(),
    ] {
        assert_eq!(Alias::new(AliasKind::Bsuid, wrong), None, "{wrong}");
    }
    assert!(Alias::new(AliasKind::Bsuid, &format!("BR.{}", "a".repeat(128))).is_some());
}

#[test]
fn nothing_usable_is_no_identity() {
    let nobodies = [
        json!(null),
        json!({}),
        json!({"name": "Ana"}),
        json!({"phone": "", "bsuid": null}),
        json!({"phone": "unknown"}),
        json!({"phone": "+"}),
        json!({"lid": "two words"}),
    ];
    for nobody in nobodies {
        let body = fixture_with("native_received", &[("/data/contact", nobody)]);
        assert_dead(&read_body(&body), DeadReason::NoIdentity, "usable");
    }
}

#[test]
fn an_unusable_phone_does_not_spoil_a_good_bsuid() {
    assert_eq!(
        identifiers(&of_contact(json!({"phone": "hidden", "bsuid": "BR.7"}))),
        ["bsuid=BR.7"]
    );
}

#[test]
fn alias_keys_differ_by_channel_kind_and_value() {
    let other = ChannelKey::new("whatsapp:1").expect("a channel");
    let lid = Alias::new(AliasKind::Lid, "5511").expect("a lid");
    let group = Alias::new(AliasKind::Group, "5511").expect("a group");
    let another = Alias::new(AliasKind::Lid, "5512").expect("a lid");
    let keys = [
        lid.key(&channel()),
        lid.key(&other),
        group.key(&channel()),
        another.key(&channel()),
    ];
    for (n, key) in keys.iter().enumerate() {
        assert!(!keys[n + 1..].contains(key), "{keys:?}");
    }
    assert_eq!(Alias::new(AliasKind::Lid, "5511@lid"), Some(lid.clone()));
    assert_eq!(lid.key(&channel()), keys[0]);
}

#[test]
fn a_message_is_the_same_whatever_wrapped_it() {
    let webhook = only_fact(&fixture("webhook_text"));
    let native = only_fact(&fixture_with(
        "native_received",
        &[
            ("/data/message/id", json!("wamid.text.1")),
            ("/data/message/kind", json!("image")),
            ("/id", json!("other")),
        ],
    ));
    assert_eq!(webhook.dedupe.key(), native.dedupe.key());
}

#[test]
fn direction_channel_and_id_make_messages_different() {
    let key = |name: &str, changes: &[(&str, Value)]| only_fact(&fixture_with(name, changes)).dedupe.key();
    let id = ("/data/message/id", json!("wamid.same"));
    let received = key("native_received", std::slice::from_ref(&id));
    assert_ne!(received, key("native_sent", std::slice::from_ref(&id)));
    assert_ne!(
        received,
        key(
            "native_received",
            &[id.clone(), ("/data/channel", json!("whatsapp:2"))]
        )
    );
    assert_ne!(
        received,
        key("native_received", &[("/data/message/id", json!("wamid.other"))])
    );
}

#[test]
fn nothing_printed_for_debugging_shows_who_the_customer_is() {
    let arrived = read_body(&fixture("native_received"));
    let printed = format!(
        "{arrived:?} {:?} {:?}",
        arrived.facts[0].identity, arrived.facts[0].dedupe
    );
    for secret in ["5511999990000", "BR.1029384756", "Ana", "cancelar", "wamid"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
