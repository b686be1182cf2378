//! What a message would become, in JSON and in words.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use switchboard::cli::publish::explain::{Explanation, Lens, explain};
use switchboard::cli::publish::mask::Personal;
use switchboard::cli::publish::routed::Known;
use switchboard::cli::publish::show;
use switchboard::contract::{Adapter, Incoming, Limits, Skip, plan};
use switchboard::domain::ids::ChannelKey;
use switchboard::domain::plan::Plan;

const PLAN: &str = r#"
tenant = "acme"

[[channels]]
key = "whatsapp:123456789012345"

[[agents]]
id = "martha"
role = "admin"

[[teams]]
id = "support"
members = ["martha"]

[[teams]]
id = "billing"
members = ["martha"]

[[rules]]
name = "no such attribute"
when = 'contact.attributes.nothing == "x"'
team = "support"

[[rules]]
name = "wants to leave"
when = 'message.text.contains("cancelar") && contact.country == "BR"'
team = "billing"
outcome = "manual"
priority = "high"

[default]
team = "support"
"#;

fn arrival() -> Timestamp {
    "2026-11-21T10:00:05Z".parse().expect("a time")
}

fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/inbound/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

fn acme() -> Arc<Plan> {
    Arc::new(plan::from_toml(PLAN).expect("a good plan").plan)
}

fn of_acme(channel: &ChannelKey) -> Known {
    match channel.as_str() {
        "whatsapp:123456789012345" => Known::Plan(acme()),
        _ => Known::NoTenant,
    }
}

fn lens(plans: &dyn Fn(&ChannelKey) -> Known) -> Lens<'_> {
    Lens {
        arrival: arrival(),
        limits: Limits::default(),
        adapter: Adapter::Detect,
        partitions: 8,
        plans,
        personal: Personal::Masked,
    }
}

fn explained(body: &Value, lens: &Lens<'_>) -> Explanation {
    let bytes = body.to_string();
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body: bytes.as_bytes(),
    };
    explain("f.json".into(), &incoming, lens)
}

fn value(body: &Value, lens: &Lens<'_>) -> Value {
    serde_json::to_value(explained(body, lens)).expect("JSON")
}

#[test]
fn a_webhook_is_explained_whole_and_shows_nothing_personal() {
    let value = value(&fixture("webhook_text"), &lens(&of_acme));
    let fact = &value["facts"][0];
    for (place, wanted) in [
        ("type", json!("whatsapp.message.received")),
        ("channel", json!("whatsapp:123456789012345")),
        ("direction", json!("received")),
        ("kind", json!("text")),
        ("turn", json!(true)),
        ("message_id", json!("…t.1")),
        ("timestamp", json!("2026-11-21T10:00:00Z")),
        ("timestamp_from", json!("message")),
        ("standby", json!(false)),
        ("referral", json!("ad-77")),
        ("identifiers", json!({"phone": "…000", "bsuid": "…756"})),
        ("name", json!(null)),
        ("text", json!(null)),
        ("text_chars", json!(27)),
        ("partition_key", json!("a4739f991883260a")),
        ("partition_key_given", json!(false)),
        ("partition", json!(4)),
    ] {
        assert_eq!(fact[place], wanted, "{place}");
    }
    let route = &fact["route"];
    assert_eq!(
        (
            &route["outcome"],
            &route["tenant"],
            &route["rule"],
            &route["team"],
            &route["way"],
            &route["priority"]
        ),
        (
            &json!("to"),
            &json!("acme"),
            &json!("wants to leave"),
            &json!("billing"),
            &json!("manual"),
            &json!("high")
        )
    );
    assert_eq!(route["failed"], json!(["no such attribute"]));
    assert_eq!(
        (&route["language"], &route["country"]),
        (&json!(null), &json!("BR")),
        "only what a rule asks for is found out"
    );
    let text = show::text(&explained(&fixture("webhook_text"), &lens(&of_acme)));
    for private in ["5511999990000", "1029384756", "Ana", "quero", "wamid.text.1"] {
        assert!(
            !value.to_string().contains(private) && !text.contains(private),
            "{private}: {text}"
        );
    }
    for told in [
        "by its `object`",
        "partition: 4 (key a4739f991883260a, computed)",
        "team billing, to be claimed",
        "no such attribute",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn whoever_asks_sees_everything() {
    let lens = Lens {
        personal: Personal::Shown,
        ..lens(&of_acme)
    };
    let value = value(&fixture("webhook_text"), &lens);
    let fact = &value["facts"][0];
    assert_eq!(fact["identifiers"]["phone"], "+5511999990000");
    assert_eq!(
        (&fact["name"], &fact["message_id"]),
        (&json!("Ana Clara"), &json!("wamid.text.1"))
    );
    assert_eq!(fact["text"], "quero cancelar o meu pedido");
    let mut body = fixture("webhook_text");
    *body
        .pointer_mut("/entry/0/changes/0/value/messages/0/text/body")
        .expect("a text") = json!("a\u{1b}[2J\nb");
    let text = show::text(&explained(&body, &lens));
    assert!(
        text.contains("text: a [2J b\n"),
        "nothing steers the terminal: {text:?}"
    );
}

#[test]
fn a_time_is_told_with_where_it_is_from() {
    let from = |timestamp: Value, time: Value| {
        let mut body = fixture("native_received");
        body["data"]["message"]["timestamp"] = timestamp;
        body["time"] = time;
        let value = value(&body, &lens(&of_acme));
        value["facts"][0]["timestamp_from"]
            .as_str()
            .expect("a word")
            .to_owned()
    };
    assert_eq!(
        from(json!("1795255200"), json!("2026-11-21T10:00:01Z")),
        "message"
    );
    assert_eq!(from(json!(null), json!("2026-11-21T10:00:01Z")), "event");
    assert_eq!(from(json!(null), json!(null)), "arrival");
    assert_eq!(
        from(json!("2026-11-21T11:00:00Z"), json!(null)),
        "arrival",
        "too far ahead"
    );
}

#[test]
fn what_opens_nothing_asks_no_rule_and_says_why() {
    let because = |body: &Value| {
        let value = value(body, &lens(&of_acme));
        assert_eq!(value["facts"][0]["route"]["outcome"], "not_routed", "{value}");
        value["facts"][0]["route"]["because"]
            .as_str()
            .expect("words")
            .to_owned()
    };
    let mut held = fixture("native_received");
    held["data"]["standby"] = json!(true);
    assert!(because(&held).contains("a bot"));
    assert!(because(&fixture("webhook_echo")).contains("sent it"));
    assert!(because(&fixture("webhook_system")).contains("no turn"));
    let value = value(&fixture("webhook_handover"), &lens(&of_acme));
    assert_eq!(
        value["facts"][0]["route"]["team"], "support",
        "a handover is routed without a text"
    );
}

#[test]
fn without_a_plan_or_without_a_tenant_that_is_what_is_said() {
    let none = |_: &ChannelKey| Known::NoPlan;
    let explanation = explained(&fixture("webhook_text"), &lens(&none));
    assert!(explanation.is_good());
    assert!(show::text(&explanation).contains("no plan was given"));
    let nobody = |_: &ChannelKey| Known::NoTenant;
    let explanation = explained(&fixture("webhook_text"), &lens(&nobody));
    assert!(!explanation.is_good());
    assert!(show::text(&explanation).contains("dead letter: unknown_channel"));
    assert_eq!(
        show::total(&[explanation]),
        "in all: messages 1, facts 1, commands 0, skipped 0, dead letters 1"
    );
}

#[test]
fn commands_are_told_with_their_actor_and_what_is_malformed() {
    let value = value(&fixture("command_assign"), &lens(&of_acme));
    let command = &value["commands"][0];
    assert_eq!(
        (&command["name"], &command["actor"], &command["tenant"]),
        (&json!("assign"), &json!("boss"), &json!("acme"))
    );
    assert_eq!(
        (&command["partition"], &command["partition_key_given"]),
        (&json!(4), &json!(true))
    );
    assert_eq!(command["malformed"], json!(null));
    let mut keyless = fixture("command_assign");
    keyless["partitionkey"] = json!(null);
    let text = show::text(&explained(&keyless, &lens(&of_acme)));
    assert!(
        text.contains("its conversation's, which ingress looks up"),
        "{text}"
    );
    let mut plan = fixture("command_assign");
    plan["type"] = json!("switchboard.command.plan.apply");
    plan["data"]["plan"] = json!({"tenant": "acme", "teems": []});
    let explanation = explained(&plan, &lens(&of_acme));
    assert!(!explanation.is_good());
    let text = show::text(&explanation);
    assert!(
        text.contains("refused as invalid") && text.contains("teems"),
        "{text}"
    );
}

#[test]
fn skips_and_dead_letters_are_told_with_their_reasons_and_the_rest_takes_effect() {
    let mut body = fixture("webhook_several");
    body["entry"][0]["changes"][0]["value"]["messages"][1]["id"] = json!(null);
    let explanation = explained(&body, &lens(&of_acme));
    assert!(!explanation.is_good());
    let text = show::text(&explanation);
    for told in [
        "skipped: receipt ×2",
        "skipped: notice",
        "messages[1].id is missing; the rest takes effect",
        "unknown_channel",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let nothing = explained(&json!({"hello": "world"}), &lens(&of_acme));
    let text = show::text(&nothing);
    assert!(
        text.starts_with("f.json: not recognised (nothing in it says what it is)"),
        "{text}"
    );
    assert!(text.contains("dead letter: unrecognised"), "{text}");
}

#[test]
fn a_pinned_adapter_takes_its_own_bodies_only() {
    let pinned = Lens {
        adapter: Adapter::Evolution,
        ..lens(&of_acme)
    };
    let text = show::text(&explained(&fixture("webhook_text"), &pinned));
    assert!(
        text.contains("read as evolution and nothing else") && text.contains("unrecognised"),
        "{text}"
    );
}

#[test]
fn headers_make_a_binary_cloudevent() {
    let data = fixture("native_received")["data"].to_string();
    let values = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "test"),
        ("ce-type", "whatsapp.message.received"),
        ("ce-partitionkey", "k"),
    ];
    let headers: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, (*value).into()))
        .collect();
    let incoming = Incoming {
        content_type: Some("application/json"),
        headers: &headers,
        body: data.as_bytes(),
    };
    let explanation = explain("f.json".into(), &incoming, &lens(&of_acme));
    assert_eq!(
        explanation.because,
        "its headers make it a binary CloudEvent, by its type"
    );
    assert_eq!(
        (
            explanation.facts[0].partition_key.as_str(),
            explanation.facts[0].partition_key_given
        ),
        ("k", true)
    );
}

#[test]
fn an_identifier_shows_a_quarter_of_itself_at_most_and_never_more_than_four() {
    for (text, shown) in [
        ("", "…"),
        ("abc", "…"),
        ("12345678", "…78"),
        ("+5511999990000", "…000"),
        (&"9".repeat(90), "…9999"),
    ] {
        assert_eq!(Personal::Masked.identifier(text), shown);
    }
}

#[test]
fn the_words_for_skips_are_there_for_each_of_them() {
    let object = json!({"object": "whatsapp_business_account"});
    let value = value(&object, &lens(&of_acme));
    assert_eq!(value["skipped"][0]["reason"], Skip::Empty.label());
    assert_eq!(value["skipped"][0]["means"], "nothing is in it");
}

#[test]
fn a_language_is_found_out_where_a_rule_asks_for_it() {
    let text = PLAN.replace("contact.country == \"BR\"", "contact.language == \"pt\"");
    let plan = Arc::new(plan::from_toml(&text).expect("a good plan").plan);
    let known = |_: &ChannelKey| Known::Plan(plan.clone());
    let mut body = fixture("webhook_text");
    *body
        .pointer_mut("/entry/0/changes/0/value/messages/0/text/body")
        .expect("a text") =
        json!("Bom dia, quero cancelar o meu pedido porque ainda não chegou, você pode me ajudar?");
    let value = value(&body, &lens(&known));
    let route = &value["facts"][0]["route"];
    assert_eq!(
        (&route["rule"], &route["language"], &route["country"]),
        (&json!("wants to leave"), &json!("pt"), &json!(null))
    );
}
