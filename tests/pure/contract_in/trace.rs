//! Which trace an input belongs to, by whatever its publisher said, and that nothing depends on it.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::{Arrived, Trace};

use super::forwarding::{read_back, told};
use super::{fixture, fixture_with, read_bytes};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const THIRD: &str = "00-5b8aa5a2d2c872e8321cf37308d69df2-051581bf3cb55c13-01";

/// A field as `traceparent`, as Switchboard passes it on.
fn parent(text: &str) -> Option<String> {
    Trace::read(text, None).map(|trace| trace.parent().to_owned())
}

/// A field as `tracestate`.
fn state(text: &str) -> Option<String> {
    let trace = Trace::read(PARENT, Some(text)).expect("the parent is well formed");
    trace.state().map(str::to_owned)
}

/// The `traceparent` of everything in a body.
fn parents(arrived: &Arrived) -> Vec<Option<&str>> {
    let facts = arrived.facts.iter().map(|fact| &fact.trace);
    let commands = arrived.commands.iter().map(|command| &command.trace);
    let all = facts.chain(commands);
    all.map(|trace| trace.as_ref().map(Trace::parent)).collect()
}

/// What a structured native fact with this `traceparent` under these headers belongs to.
fn of_structured(own: Value, headers: &[(&str, &str)]) -> Option<String> {
    let body = fixture_with("native_received", &[("/traceparent", own)]).to_string();
    let arrived = read_bytes(Some("application/cloudevents+json"), headers, body.as_bytes());
    assert_eq!(arrived.dead, None);
    parents(&arrived)[0].map(str::to_owned)
}

#[test]
fn a_well_formed_parent_is_passed_on_as_it_came() {
    assert_eq!(parent(PARENT).as_deref(), Some(PARENT));
    let flags = PARENT.replace("-01", "-ff");
    assert_eq!(
        parent(&flags),
        Some(flags.clone()),
        "flags are not ours to change"
    );
    let trace = Trace::read(PARENT, None).unwrap();
    assert_eq!(trace.id(), "0af7651916cd43dd8448eb211c80319c");
}

#[test]
fn a_malformed_parent_is_none() {
    let zeros = |count| "0".repeat(count);
    let malformed = [
        String::new(),
        PARENT.to_uppercase(),
        PARENT.replace('-', "_"),
        PARENT.replace("0a", "0g"),
        PARENT.replacen("00-", "0-", 1),
        PARENT.replacen("00-", "000-", 1),
        PARENT.replacen("00-", "ff-", 1),
        PARENT[..54].to_owned(),
        format!("{PARENT}-"),
        format!("{PARENT}-more"),
        format!("{PARENT} "),
        format!(" {PARENT}"),
        format!("{PARENT}\0"),
        format!("00-{}-b9c7c989f97918e1-01", zeros(32)),
        format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", zeros(16)),
        "00-0af7651916cd43dd8448eb211c80319-cb9c7c989f97918e1-01".to_owned(),
        "é".repeat(28),
    ];
    for text in malformed {
        assert_eq!(parent(&text), None, "{text:?}");
    }
}

#[test]
fn a_parent_of_a_version_to_come_is_passed_on_in_the_words_of_this_one() {
    for (text, sampled) in [
        ("-01", "01"),
        ("-03", "01"),
        ("-fe", "00"),
        ("-09-what.ever is to come", "01"),
    ] {
        let to_come = PARENT.replacen("00-", "cc-", 1).replace("-01", text);
        assert_eq!(
            parent(&to_come),
            Some(PARENT.replace("-01", &format!("-{sampled}"))),
            "{text}"
        );
    }
    for text in ["-01what", "-011", "-0", "-0x", "-01."] {
        let malformed = PARENT.replacen("00-", "cc-", 1).replace("-01", text);
        assert_eq!(parent(&malformed), None, "{text}");
    }
}

#[test]
fn a_state_is_passed_on_in_its_order_without_what_means_nothing() {
    let kept = [
        (
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        ),
        ("a=1 ,\tb=2\t, ,c=3,", "a=1,b=2,c=3"),
        ("1a=x y", "1a=x y"),
        ("tenant@system=1,a_-*/b=~!\"\\", "tenant@system=1,a_-*/b=~!\"\\"),
        ("a=1,a=2", "a=1,a=2"),
    ];
    for (text, expected) in kept {
        assert_eq!(state(text).as_deref(), Some(expected));
    }
    let full = ["k=v"; 32].join(",");
    assert_eq!(state(&full), Some(full));
    let long = format!("{}={}", "k".repeat(255), "v".repeat(256));
    assert_eq!((long.len(), state(&long)), (512, Some(long)));
}

#[test]
fn a_malformed_state_is_left_out_and_the_parent_stays() {
    let malformed = [
        String::new(),
        " , ".to_owned(),
        "a".to_owned(),
        "=1".to_owned(),
        "a=".to_owned(),
        "A=1".to_owned(),
        "@a=1".to_owned(),
        "a=1=2".to_owned(),
        "a b=1".to_owned(),
        "a=1;b=é".to_owned(),
        "a=\u{7f}".to_owned(),
        "a=1,b".to_owned(),
        ["k=v"; 33].join(","),
        format!("{}=v", "k".repeat(257)),
        format!("k={}", "v".repeat(257)),
        format!("{}={},{}", "k".repeat(250), "v".repeat(250), "a=12345678901"),
    ];
    for text in malformed {
        assert_eq!(state(&text), None, "{text:?}");
    }
}

#[test]
fn the_event_says_which_trace_before_its_headers_do_and_these_before_the_plain_ones() {
    let headers = [("ce-traceparent", OTHER), ("traceparent", THIRD)];
    assert_eq!(of_structured(json!(PARENT), &headers).as_deref(), Some(PARENT));
    assert_eq!(of_structured(json!(null), &headers).as_deref(), Some(OTHER));
    assert_eq!(of_structured(json!(null), &headers[1..]).as_deref(), Some(THIRD));
    assert_eq!(of_structured(json!(null), &[]), None);
    for malformed in [
        json!("00-"),
        json!(7),
        json!({"a": [1]}),
        json!(PARENT.to_uppercase()),
    ] {
        assert_eq!(
            of_structured(malformed, &headers).as_deref(),
            Some(OTHER),
            "the next has its say"
        );
    }
    let malformed = [("ce-traceparent", "00-"), ("traceparent", THIRD)];
    assert_eq!(of_structured(json!(null), &malformed).as_deref(), Some(THIRD));
}

#[test]
fn a_header_is_known_under_every_prefix_and_in_any_case() {
    for name in [
        "ce-traceparent",
        "CE-TraceParent",
        "cloudEvents:traceparent",
        "cloudevents_traceparent",
        "traceparent",
        "Traceparent",
    ] {
        assert_eq!(
            of_structured(json!(null), &[(name, OTHER)]).as_deref(),
            Some(OTHER),
            "{name}"
        );
    }
    for name in ["x-traceparent", "traceparent2", "ce-tracestate", "uber-trace-id"] {
        assert_eq!(of_structured(json!(null), &[(name, OTHER)]), None, "{name}");
    }
}

#[test]
fn a_state_never_comes_from_elsewhere_than_its_parent() {
    let body = fixture_with("native_received", &[("/traceparent", json!(PARENT))]).to_string();
    let headers = [
        ("traceparent", OTHER),
        ("tracestate", "of=other"),
        ("ce-tracestate", "of=nobody"),
    ];
    let arrived = read_bytes(None, &headers, body.as_bytes());
    let trace = arrived.facts[0].trace.as_ref().unwrap();
    assert_eq!((trace.parent(), trace.state()), (PARENT, None));
    let body = fixture("native_received").to_string();
    let arrived = read_bytes(None, &headers, body.as_bytes());
    let trace = arrived.facts[0].trace.as_ref().unwrap();
    assert_eq!((trace.parent(), trace.state()), (OTHER, Some("of=other")));
}

#[test]
fn everything_in_a_foreign_body_belongs_to_the_trace_of_the_message() {
    let headers = [("traceparent", PARENT), ("tracestate", "a=1")];
    for name in [
        "webhook_several",
        "webhook_echo",
        "webhook_system",
        "webhook_handover",
    ] {
        let arrived = read_bytes(None, &headers, fixture(name).to_string().as_bytes());
        assert!(!arrived.facts.is_empty());
        assert!(
            parents(&arrived).iter().all(|parent| *parent == Some(PARENT)),
            "{name}"
        );
    }
    let wrapped = json!({
        "specversion": "1.0", "id": "relay-1", "source": "relay", "type": "com.example.webhook",
        "traceparent": OTHER, "data": fixture("webhook_several"),
    });
    let arrived = read_bytes(None, &headers, wrapped.to_string().as_bytes());
    assert!(parents(&arrived).iter().all(|parent| *parent == Some(OTHER)));
}

#[test]
fn a_binary_event_and_a_command_have_their_trace_too() {
    let data = fixture("command_assign")["data"].to_string();
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "crm"),
        ("ce-type", "switchboard.command.assign"),
        ("ce-traceparent", PARENT),
        ("ce-tracestate", "a=1"),
        ("traceparent", OTHER),
    ];
    let arrived = read_bytes(None, &headers, data.as_bytes());
    let trace = arrived.commands[0].trace.as_ref().unwrap();
    assert_eq!((trace.parent(), trace.state()), (PARENT, Some("a=1")));
    let refused = fixture_with(
        "command_assign",
        &[("/data/to", json!("nobody")), ("/traceparent", json!(PARENT))],
    );
    let arrived = read_bytes(None, &[], refused.to_string().as_bytes());
    assert_eq!(parents(&arrived), [Some(PARENT)], "one that will be refused");
}

#[test]
fn what_is_dead_on_arrival_has_its_trace_for_the_log() {
    let headers = [("traceparent", PARENT)];
    let of_broken = read_bytes(None, &headers, b"{");
    assert_eq!(of_broken.trace.as_ref().map(Trace::parent), Some(PARENT));
    let body = fixture_with(
        "native_received",
        &[("/data/channel", json!(1)), ("/traceparent", json!(OTHER))],
    );
    let of_invalid = read_bytes(None, &headers, body.to_string().as_bytes());
    assert!(of_invalid.dead.is_some());
    assert_eq!(of_invalid.trace.as_ref().map(Trace::parent), Some(OTHER));
}

#[test]
fn what_ingress_forwards_belongs_to_the_same_trace() {
    let headers = [("traceparent", PARENT), ("tracestate", "a=\"1\",b=\\")];
    let arrived = read_bytes(None, &headers, fixture("webhook_several").to_string().as_bytes());
    for fact in &arrived.facts {
        assert_eq!(read_back(fact, super::arrival()).trace, fact.trace);
    }
    let arrived = read_bytes(None, &[], fixture("webhook_text").to_string().as_bytes());
    let forwarded = switchboard::contract::forward(&arrived.facts[0], "key");
    assert!(!String::from_utf8(forwarded.body).unwrap().contains("trace"));
}

#[test]
fn the_same_message_in_another_trace_is_the_same_message() {
    for name in [
        "native_received",
        "native_sent",
        "native_handover",
        "webhook_text",
    ] {
        let body = fixture(name).to_string();
        let [one, other] =
            [PARENT, OTHER].map(|parent| read_bytes(None, &[("traceparent", parent)], body.as_bytes()));
        assert_ne!(one.facts[0].trace, other.facts[0].trace);
        assert_eq!(told(&one.facts[0]), told(&other.facts[0]));
        assert_eq!(one.facts[0].dedupe.key(), other.facts[0].dedupe.key());
    }
    let body = fixture("command_assign").to_string();
    let [one, other] =
        [PARENT, OTHER].map(|parent| read_bytes(None, &[("traceparent", parent)], body.as_bytes()));
    assert_eq!(one.commands[0].dedupe.key(), other.commands[0].dedupe.key());
}

#[test]
fn what_is_shown_of_a_trace_is_its_id() {
    let trace = Trace::read(PARENT, Some("vendor=secret")).unwrap();
    assert_eq!(format!("{trace:?}"), "Trace(0af7651916cd43dd8448eb211c80319c)");
}

/// A well-formed parent.
fn any_parent() -> impl Strategy<Value = String> {
    ("[0-9a-f]{32}", "[0-9a-f]{16}", "[0-9a-f]{2}")
        .prop_filter("ids of zeros are none", |(trace, span, _)| {
            trace.bytes().any(|digit| digit != b'0') && span.bytes().any(|digit| digit != b'0')
        })
        .prop_map(|(trace, span, flags)| format!("00-{trace}-{span}-{flags}"))
}

/// A well-formed state of a few members.
fn any_state() -> impl Strategy<Value = String> {
    let member = "[a-z0-9][a-z0-9_*/@-]{0,6}=[!-+\\--<>-~]{1,6}";
    prop::collection::vec(member, 1..=32).prop_map(|members| members.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_well_formed_is_passed_on_unchanged(parent in any_parent(), state in any_state()) {
        let trace = Trace::read(&parent, Some(&state)).expect("well formed");
        prop_assert_eq!(trace.parent(), &parent);
        prop_assert_eq!(trace.state(), Some(&*state).filter(|state| state.len() <= 512));
    }

    #[test]
    fn whatever_is_read_is_bounded_and_reads_back_as_itself(
        parent in prop_oneof![any_parent(), "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,9})?", ".{0,80}"],
        state in prop_oneof!["([a-z@A]{1,3}=[ -~]{0,4},?[ \t]?){0,40}", ".{0,700}"],
    ) {
        if let Some(trace) = Trace::read(&parent, Some(&state)) {
            prop_assert_eq!(trace.parent().len(), 55);
            prop_assert!(trace.parent().starts_with("00-"));
            let state = trace.state();
            prop_assert!(state.is_none_or(|state| !state.is_empty() && state.len() <= 512));
            prop_assert!(state.is_none_or(|state| state.bytes().all(|byte| matches!(byte, b' '..=b'~'))));
            prop_assert_eq!(Trace::read(trace.parent(), state), Some(trace.clone()));
        }
    }

    #[test]
    fn no_header_about_traces_changes_what_a_body_says(
        name in prop::sample::select(vec!["ce-traceparent", "traceparent", "ce-tracestate", "tracestate"]),
        value in prop_oneof![any_parent(), any_state(), ".{0,600}"],
        fixture_name in prop::sample::select(vec!["native_received", "webhook_text", "native_handover"]),
    ) {
        let body = fixture(fixture_name).to_string();
        let plain = read_bytes(None, &[], body.as_bytes());
        let traced = read_bytes(None, &[(name, &value)], body.as_bytes());
        prop_assert_eq!(&traced.dead, &None);
        prop_assert_eq!(told(&traced.facts[0]), told(&plain.facts[0]));
    }
}
