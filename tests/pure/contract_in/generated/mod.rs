//! Any webhook body of the Cloud API: what was put into it comes out of it, in order, however it is written and whatever
//! unknown things stand in it. What must come out is said by the generator, which knows nothing of the reader.

mod expected;
mod json;
mod said;
mod webhook;

use proptest::prelude::*;
use switchboard::contract::{Adapter, Arrived, DeadReason, MAX_FACTS};

use self::expected::Told;
use self::json::Hand;
use self::webhook::{Expected, webhook};
use super::cloud_api::change;
use super::{assert_dead, read_body, read_bytes};
use crate::fuzzed::targets::letter::Letter;

/// What was read, in the generator's words.
fn outcome(arrived: &Arrived) -> Expected {
    assert_eq!(arrived.dead, None);
    assert!(arrived.commands.is_empty());
    Expected {
        facts: arrived.facts.iter().map(Told::by).collect(),
        skipped: arrived.skipped.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_that_is_put_into_a_body_comes_out_of_it_in_order(webhook in webhook()) {
        let body = Hand::plain().write(&webhook.written());
        let read = outcome(&read_bytes(None, &[], body.as_bytes()));
        prop_assert_eq!(&read, &webhook.expected(), "{}", body);
        let counted: u32 = read.skipped.values().sum();
        prop_assert_eq!(read.facts.len() + counted as usize, webhook.put_in().max(1), "{}", body);
    }

    #[test]
    fn unknown_things_anywhere_and_any_way_to_write_it_change_nothing(webhook in webhook(), seeds in any::<[u64; 3]>()) {
        let expected = webhook.expected();
        for seed in seeds {
            let body = Hand::wild(seed).write(&webhook.written());
            prop_assert_eq!(&outcome(&read_bytes(None, &[], body.as_bytes())), &expected, "{}", body);
        }
    }

    #[test]
    fn what_wraps_a_body_changes_nothing(webhook in webhook(), seed in any::<u64>()) {
        let expected = webhook.expected();
        let body = Hand::wild(seed).write(&webhook.written());
        let wrapped = format!("{{\"webhooks\":[{{}}],\"payload\":{body},\"split\":true}}");
        let event = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"relay\",\"type\":\"com.example.webhook\",\"data\":{body}}}"
        );
        for (text, pinned) in [(wrapped, Adapter::UnoApi), (event, Adapter::CloudEvents)] {
            for adapter in [Adapter::Detect, pinned] {
                let arrived = Letter::of_body(text.as_bytes()).read(adapter);
                prop_assert_eq!(&outcome(&arrived), &expected, "{}", text);
            }
        }
        let headers = [("ce-specversion", "1.0"), ("ce-type", "com.example"), ("ce-id", "1"), ("ce-source", "relay")];
        prop_assert_eq!(&outcome(&read_bytes(Some("application/json"), &headers, body.as_bytes())), &expected);
    }
}

/// A body of so many messages.
fn of_messages(count: usize) -> serde_json::Value {
    let message = |n: usize| {
        serde_json::json!({
            "from": format!("55119{:08}", n % 97), "id": format!("wamid.{n}"), "timestamp": "1795255200", "type": "text",
            "text": {"body": "oi"},
        })
    };
    let messages: Vec<_> = (0..count).map(message).collect();
    change(
        "messages",
        serde_json::json!({"metadata": {"phone_number_id": "1"}, "messages": messages}),
    )
}

#[test]
fn as_many_messages_as_a_body_may_hold_all_arrive_and_one_more_is_too_many() {
    let arrived = read_body(&of_messages(MAX_FACTS));
    assert_eq!(arrived.dead, None);
    let read: Vec<_> = arrived.facts.iter().map(|fact| fact.cause.to_string()).collect();
    let put: Vec<_> = (0..MAX_FACTS).map(|n| format!("wamid.{n}")).collect();
    assert_eq!(read, put);
    assert_dead(
        &read_body(&of_messages(MAX_FACTS + 1)),
        DeadReason::TooLarge,
        "more than 1000 messages",
    );
}
