//! What gateways are known to send, claim by claim, as far as the other tests do not show it in passing.

use serde_json::{Value, json};
use switchboard::contract::{Adapter, Announced, Carries, DeadReason, Skip};
use switchboard::domain::input::{Origin, What};

use super::cloud_api::{change, message_with, skipped};
use super::gateways::{evolution, evolution_go, from_ana, wuzapi};
use super::{
    VALUE, assert_dead, fixture, fixture_with, identifiers, only_fact, read_body, read_bytes, received, sent,
};

fn echo(fields: Value) -> Value {
    let mut echo = json!({"from": "15550001111", "id": "e", "timestamp": "1795255200", "type": "text", "text": {"body": "w"}});
    for (name, value) in fields.as_object().expect("an object") {
        echo[name] = value.clone();
    }
    change(
        "smb_message_echoes",
        json!({"metadata": {"phone_number_id": "1"}, "message_echoes": [echo]}),
    )
}

#[test]
fn every_kind_of_message_that_meta_names_is_a_turn_or_is_not() {
    for (kind, turn) in [
        ("text", true),
        ("image", true),
        ("audio", true),
        ("video", true),
        ("document", true),
        ("sticker", true),
        ("location", true),
        ("contacts", true),
        ("interactive", true),
        ("button", true),
        ("order", true),
        ("unsupported", true),
        ("someday", true),
        ("reaction", false),
        ("system", false),
        ("request_welcome", false),
        ("edit", false),
        ("revoke", false),
    ] {
        let fact = only_fact(&message_with(&[("type", json!(kind)), ("text", json!(null))]));
        assert_eq!((&*received(&fact).kind, received(&fact).turn), (kind, turn));
    }
}

#[test]
fn an_answer_to_a_call_or_a_form_has_no_words_and_is_a_turn() {
    for kind in ["nfm_reply", "call_permission_reply"] {
        let interactive = json!({"type": kind, kind: {"response": "accept"}});
        let fields = [
            ("type", json!("interactive")),
            ("text", json!(null)),
            ("interactive", interactive),
        ];
        let fact = only_fact(&message_with(&fields));
        assert_eq!(
            (&*received(&fact).text, received(&fact).turn),
            ("", true),
            "{kind}"
        );
    }
}

#[test]
fn an_unsupported_message_that_holds_errors_is_one_turn_and_nothing_else() {
    let errors = json!([{"code": 131_051, "title": "Message type unknown"}]);
    let fields = [
        ("type", json!("unsupported")),
        ("text", json!(null)),
        ("errors", errors),
    ];
    assert!(received(&only_fact(&message_with(&fields))).turn);
}

#[test]
fn empty_lists_beside_a_message_count_for_nothing() {
    let mut body = fixture("webhook_text");
    let value = body.pointer_mut(VALUE).expect("a value");
    for name in [
        "statuses",
        "errors",
        "user_actions",
        "calls",
        "history",
        "message_echoes",
    ] {
        value[name] = json!([]);
    }
    only_fact(&body);
}

#[test]
fn one_object_is_a_list_of_one_wherever_a_list_belongs() {
    let body = fixture("webhook_text");
    for place in [
        "/entry",
        "/entry/0/changes",
        &format!("{VALUE}/messages"),
        &format!("{VALUE}/contacts"),
    ] {
        let one = body.pointer(&format!("{place}/0")).expect("an item").clone();
        let fact = only_fact(&fixture_with("webhook_text", &[(place, one)]));
        assert_eq!(
            identifiers(&fact),
            ["phone=+5511999990000", "bsuid=BR.1029384756"],
            "{place}"
        );
    }
}

#[test]
fn an_echo_may_name_the_customer_by_any_one_of_three_fields() {
    for (fields, identifier) in [
        (json!({"to": "5511999990000"}), "phone=+5511999990000"),
        (json!({"to_user_id": "BR.1029384756"}), "bsuid=BR.1029384756"),
        (
            json!({"to_parent_user_id": "BR.ENT.77"}),
            "parent_bsuid=BR.ENT.77",
        ),
        (json!({"to": "BR.1029384756"}), "bsuid=BR.1029384756"),
    ] {
        let fact = only_fact(&echo(fields));
        assert_eq!(
            identifiers(&fact),
            [identifier],
            "the business's own number is nobody's"
        );
        assert_eq!(*sent(&fact).1, Origin::Phone);
    }
    assert_dead(
        &read_body(&echo(json!({}))),
        DeadReason::NoIdentity,
        "message_echoes[0]",
    );
    assert_eq!(
        skipped(&echo(json!({"to": "5511999990000", "group_id": "1"}))),
        [(Skip::Group, 1)]
    );
    assert_eq!(
        only_fact(&echo(
            json!({"to": "5511999990000", "timestamp": "1795255200000"})
        ))
        .at
        .as_second(),
        1_795_255_200
    );
}

#[test]
fn a_failed_status_without_its_recipient_is_one_receipt_whatever_its_errors() {
    let failed = json!({"id": "wamid.1", "status": "failed", "timestamp": "1", "errors": [{"code": 131_047}, {"code": 1}]});
    let value = json!({"metadata": {"phone_number_id": "1"}, "statuses": [failed]});
    assert_eq!(skipped(&change("messages", value)), [(Skip::Receipt, 1)]);
}

#[test]
fn a_forwarded_message_answers_none() {
    let fact = only_fact(&message_with(&[("context", json!({"forwarded": true}))]));
    assert_eq!(&*received(&fact).reply_to, "");
}

#[test]
fn an_advertisement_is_named_by_the_best_there_is() {
    for (referral, named) in [
        (
            json!({"source_id": "ad-1", "ctwa_clid": "c", "source_type": "ad"}),
            "ad-1",
        ),
        (
            json!({"ctwa_clid": "click", "source_url": "https://fb.test", "source_type": "ad"}),
            "click",
        ),
        (
            json!({"source_url": "https://fb.test", "source_type": "ad"}),
            "https://fb.test",
        ),
        (json!({"source_type": "post"}), "post"),
        (json!({"headline": "Sale"}), "unknown"),
    ] {
        let fact = only_fact(&message_with(&[("referral", referral)]));
        assert_eq!(&*received(&fact).referral, named);
    }
}

#[test]
fn a_handover_may_name_the_customer_without_a_phone_and_needs_no_metadata() {
    let place = format!("{VALUE}/sender");
    for (sender, identifier) in [
        (json!({"user_id": "BR.1029384756"}), "bsuid=BR.1029384756"),
        (json!({"parent_user_id": "BR.ENT.77"}), "parent_bsuid=BR.ENT.77"),
        (json!({"phone_number": "BR.1029384756"}), "bsuid=BR.1029384756"),
    ] {
        let body = fixture_with("webhook_handover", &[(&place, sender)]);
        assert!(body.pointer(&format!("{VALUE}/metadata")).is_none());
        let fact = only_fact(&body);
        assert_eq!(identifiers(&fact), [identifier]);
        assert!(matches!(fact.what, What::Handover { .. }));
    }
}

#[test]
fn what_evolution_api_says_beside_a_text_is_told_to_rules() {
    let mut body = evolution(from_ana(), json!({"conversation": "hi"}));
    body["data"]["contextInfo"] = json!({
        "stanzaId": "3EB0ZZ", "quotedMessage": {"conversation": "before"},
        "externalAdReply": {"sourceId": "ad-77", "sourceType": "ad"},
    });
    let fact = only_fact(&body);
    let message = received(&fact);
    assert_eq!(
        (&*message.text, &*message.referral, &*message.reply_to),
        ("hi", "ad-77", "3EB0ZZ")
    );
    body["data"]["message"] = json!({"imageMessage": {"contextInfo": {"stanzaId": "own"}}});
    assert_eq!(
        &*received(&only_fact(&body)).reply_to,
        "own",
        "what the message says itself goes first"
    );
}

#[test]
fn the_business_that_evolution_api_names_as_sender_is_no_customer() {
    let mut key = from_ana();
    key["remoteJid"] = json!("someone@nowhere");
    let body = evolution(key, json!({"conversation": "hi"}));
    assert!(body["sender"].is_string());
    assert_dead(&read_body(&body), DeadReason::NoIdentity, "data[0].key");
}

#[test]
fn the_halves_of_a_long_number_are_put_together() {
    for (halves, at) in [
        (json!({"low": 1_795_255_203, "high": 0}), "2026-11-21T10:00:03Z"),
        (json!({"low": 1_795_255_203}), "2026-11-21T10:00:03Z"),
        // 1795255203000 milliseconds, whose lower half has its sign set.
        (
            json!({"low": -41_126_728, "high": 417, "unsigned": false}),
            "2026-11-21T10:00:03Z",
        ),
        (
            json!({"low": 4_253_840_568_i64, "high": 417, "unsigned": true}),
            "2026-11-21T10:00:03Z",
        ),
    ] {
        let mut body = evolution(from_ana(), json!({"conversation": "hi"}));
        body["data"]["messageTimestamp"] = halves;
        assert_eq!(only_fact(&body).at.to_string(), at);
    }
    for halves in [
        json!({}),
        json!({"high": 0}),
        json!({"low": "x"}),
        json!({"low": 1e300}),
    ] {
        let mut body = evolution(from_ana(), json!({"conversation": "hi"}));
        body["data"]["messageTimestamp"] = halves;
        assert_dead(
            &read_body(&body),
            DeadReason::Invalid,
            "data[0].messageTimestamp is not a time",
        );
    }
}

#[test]
fn unoapi_may_name_one_webhook_or_several_and_what_goes_to_it_is_no_webhook() {
    let webhook = fixture("webhook_text");
    let one = json!({"webhook": {"url": "https://one.test", "token": "t"}, "payload": webhook.clone()});
    let several = json!({"webhooks": [{"url": "https://one.test"}], "payload": webhook, "split": true});
    assert_eq!(only_fact(&one).dedupe, only_fact(&several).dedupe);
    let to_send = json!({"payload": {"messaging_product": "whatsapp", "to": "5511999990000", "type": "text"}, "id": "1"});
    assert_dead(&read_body(&to_send), DeadReason::Unrecognised, "");
}

#[test]
fn gateways_built_on_whatsmeow_write_times_with_an_offset_and_files_beside_the_event() {
    let info = json!({"Timestamp": "2026-11-21T07:00:03-03:00", "Type": "media", "MediaType": "image"});
    let image = json!({"imageMessage": {"caption": "w", "mediaKey": "k"}});
    let mut with_file = wuzapi(info.clone(), image.clone());
    with_file["base64"] = json!("iVBORw0KGgo");
    with_file["mimeType"] = json!("image/png");
    for body in [with_file, evolution_go(info, image)] {
        let fact = only_fact(&body);
        assert_eq!(fact.at.to_string(), "2026-11-21T10:00:03Z");
        assert_eq!((&*received(&fact).kind, &*received(&fact).text), ("image", "w"));
    }
    let mut sent_by_api = evolution_go(json!({"IsFromMe": true}), json!({"conversation": "w"}));
    sent_by_api["event"] = json!("SendMessage");
    assert_eq!(*sent(&only_fact(&sent_by_api)).1, Origin::Phone);
}

#[test]
fn what_a_body_was_recognised_as_is_told_whether_it_was_good_or_not() {
    let gateway = |adapter| Some(Carries::Gateway(adapter));
    let event = |data: Value| json!({"specversion": "1.0", "id": "1", "source": "relay", "type": "com.example.relayed", "data": data});
    let mut bad = evolution(from_ana(), json!({}));
    bad["instance"] = json!("two words");
    for (body, announced, carries) in [
        (fixture("webhook_text"), None, gateway(Adapter::CloudApi)),
        (
            json!({"payload": fixture("webhook_text")}),
            None,
            gateway(Adapter::UnoApi),
        ),
        (bad, None, gateway(Adapter::Evolution)),
        (wuzapi(json!({}), json!({})), None, gateway(Adapter::Whatsmeow)),
        (
            fixture("native_received"),
            Some(Announced::Specversion),
            Some(Carries::Fact),
        ),
        (
            fixture("command_assign"),
            Some(Announced::Specversion),
            Some(Carries::Command),
        ),
        (
            event(fixture("webhook_text")),
            Some(Announced::Specversion),
            gateway(Adapter::CloudApi),
        ),
        (event(json!({})), Some(Announced::Specversion), None),
        (json!({"hello": "world"}), None, None),
    ] {
        let form = read_body(&body).form;
        assert_eq!((form.event, form.carries), (announced, carries), "{body}");
    }
    let headers = ["specversion", "id", "source", "type"].map(|name| format!("ce-{name}"));
    let values = ["1.0", "1", "relay", "com.example.relayed"];
    let headers: Vec<_> = headers.iter().map(String::as_str).zip(values).collect();
    let webhook = fixture("webhook_text").to_string();
    let arrived = read_bytes(
        Some("application/json; charset=utf-8"),
        &headers,
        webhook.as_bytes(),
    );
    assert_eq!(
        (arrived.form.event, arrived.form.carries),
        (Some(Announced::Headers), gateway(Adapter::CloudApi))
    );
}
