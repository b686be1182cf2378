//! Adapters that are pinned to a queue: each reads its own bodies and says what it expected of all others.

use serde_json::{Value, json};
use switchboard::contract::{Adapter, Arrived, DeadReason};

use super::gateways::{evolution, evolution_go, from_ana, wuzapi};
use super::{assert_dead, fixture, read_body, read_pinned};

/// A body of every shape, with the adapter it belongs to and the cause of what it turns into.
fn bodies() -> Vec<(Adapter, Value, &'static str)> {
    let text = json!({"conversation": "quero cancelar"});
    vec![
        (Adapter::CloudEvents, fixture("native_received"), "evt-1001"),
        (Adapter::CloudApi, fixture("webhook_text"), "wamid.text.1"),
        (
            Adapter::UnoApi,
            json!({"webhooks": [], "payload": fixture("webhook_text"), "split": true}),
            "wamid.text.1",
        ),
        (Adapter::Evolution, evolution(from_ana(), text.clone()), "3EB0AA"),
        (Adapter::Whatsmeow, wuzapi(json!({}), text.clone()), "3EB0BB"),
        (Adapter::Whatsmeow, evolution_go(json!({}), text), "3EB0BB"),
    ]
}

fn read_as(adapter: Adapter, body: &Value) -> Arrived {
    read_pinned(adapter, None, &[], body.to_string().as_bytes())
}

/// What people read of a body that a queue does not take.
fn expected(adapter: Adapter) -> &'static str {
    match adapter {
        Adapter::Detect => "neither a CloudEvent nor a webhook of a gateway we know",
        Adapter::CloudEvents => "the body is no CloudEvent, which is all this queue takes",
        Adapter::CloudApi => "the body is no webhook of the Cloud API, which is all this queue takes",
        Adapter::UnoApi => "the body is no webhook of UnoAPI, which is all this queue takes",
        Adapter::Evolution => "the body is no webhook of Evolution API, which is all this queue takes",
        Adapter::Whatsmeow => "the body is no event of wuzapi or Evolution Go, which is all this queue takes",
    }
}

#[track_caller]
fn assert_is(arrived: &Arrived, cause: &str) {
    assert_eq!(arrived.dead, None);
    let causes: Vec<_> = arrived.facts.iter().map(|fact| &*fact.cause).collect();
    assert_eq!(causes, [cause]);
}

#[test]
fn every_adapter_reads_its_own_bodies_and_no_others() {
    for (own, body, cause) in bodies() {
        for adapter in Adapter::ALL {
            let arrived = read_as(adapter, &body);
            if adapter == own || adapter == Adapter::Detect {
                assert_is(&arrived, cause);
            } else {
                assert_dead(&arrived, DeadReason::Unrecognised, expected(adapter));
            }
        }
    }
}

#[test]
fn a_gateways_body_may_be_the_data_of_a_cloudevent_and_a_pin_holds_there_too() {
    for (own, body, cause) in bodies() {
        if own == Adapter::CloudEvents {
            continue;
        }
        let wrapped = json!({
            "specversion": "1.0", "id": "relay-1", "source": "relay", "type": "com.example.webhook", "data": body,
        });
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "relay-1"),
            ("ce-source", "relay"),
            ("ce-type", "com.example.webhook"),
        ];
        for adapter in Adapter::ALL {
            let structured = read_as(adapter, &wrapped);
            let binary = read_pinned(adapter, None, &headers, body.to_string().as_bytes());
            for arrived in [structured, binary] {
                if [own, Adapter::Detect, Adapter::CloudEvents].contains(&adapter) {
                    assert_is(&arrived, cause);
                } else {
                    assert_dead(&arrived, DeadReason::Unrecognised, expected(adapter));
                }
            }
        }
    }
}

#[test]
fn nobody_commands_by_way_of_a_gateways_queue() {
    let command = json!({
        "specversion": "1.0", "id": "c1", "source": "me", "type": "switchboard.command.presence",
        "data": {"tenant": "acme", "actor": "mark", "agent": "mark", "presence": "online"},
    });
    assert_eq!(read_body(&command).commands.len(), 1);
    assert_eq!(read_as(Adapter::CloudEvents, &command).commands.len(), 1);
    for adapter in [
        Adapter::CloudApi,
        Adapter::UnoApi,
        Adapter::Evolution,
        Adapter::Whatsmeow,
    ] {
        assert_dead(
            &read_as(adapter, &command),
            DeadReason::Unrecognised,
            expected(adapter),
        );
    }
}

#[test]
fn what_is_broken_is_told_as_that_whatever_the_queue_takes() {
    for adapter in Adapter::ALL {
        for body in [&b"{\"event\":"[..], b"\xff\xfe", b""] {
            assert_dead(
                &read_pinned(adapter, None, &[], body),
                DeadReason::Unparseable,
                "",
            );
        }
        let large = vec![b' '; 2 << 20];
        assert_dead(
            &read_pinned(adapter, None, &[], &large),
            DeadReason::TooLarge,
            "bytes",
        );
    }
    let mut body = evolution(from_ana(), json!({"conversation": "one"}));
    body["data"]["key"] = json!("nothing");
    assert_dead(&read_as(Adapter::Evolution, &body), DeadReason::Invalid, "key");
}

#[test]
fn json_that_is_no_object_is_told_with_what_was_expected() {
    for adapter in Adapter::ALL {
        if adapter != Adapter::Detect {
            for body in [json!(null), json!([]), json!("text")] {
                assert_dead(
                    &read_as(adapter, &body),
                    DeadReason::Unrecognised,
                    expected(adapter),
                );
            }
        }
    }
}

#[test]
fn the_words_of_adapters_are_fixed_and_each_is_found_by_its_word() {
    let words = Adapter::ALL.map(Adapter::wire);
    let fixed = [
        "detect",
        "cloudevents",
        "cloud_api",
        "unoapi",
        "evolution",
        "whatsmeow",
    ];
    assert_eq!(words, fixed);
    assert_eq!(words.map(Adapter::of), Adapter::ALL.map(Some));
    assert_eq!(Adapter::of("Evolution"), None);
}
