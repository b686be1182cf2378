//! The setting that names other gateways' exchanges and queues: what it says, and what is said about a bad one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::broker::Topology;
use switchboard::broker::topology::{Feed, Routing};
use switchboard::config::{Ingress, IngressSource, Source, Worker};
use switchboard::contract::Adapter;

/// Variables as a test sets them.
#[derive(Default)]
struct Variables(BTreeMap<&'static str, String>);

impl Source for Variables {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

fn variables(pairs: &[(&'static str, &str)]) -> Variables {
    Variables(
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
    )
}

#[track_caller]
fn sources(text: &str) -> Vec<IngressSource> {
    let read = Ingress::from(&variables(&[("SWITCHBOARD_SOURCES", text)]));
    read.unwrap_or_else(|error| panic!("{error}")).sources
}

/// What is said about a bad setting, as far as the example.
#[track_caller]
fn complaint(text: &str) -> String {
    let read = Ingress::from(&variables(&[("SWITCHBOARD_SOURCES", text)]));
    let said = read.expect_err(text).to_string();
    let (said, example) = said.split_once(" (for example ").expect("an example");
    assert!(example.contains("exchange=evolution_exchange"), "{example}");
    let said = said.strip_prefix("SWITCHBOARD_SOURCES: ");
    said.expect("the name of the setting").to_owned()
}

#[test]
fn without_the_settings_there_is_one_door_that_takes_whatever_is_known() {
    for nothing in ["", "  ", " ;\n; "] {
        let read = Ingress::from(&variables(&[("SWITCHBOARD_SOURCES", nothing)]));
        assert_eq!(read, Ok(Ingress::default()));
    }
    assert_eq!(Ingress::default().adapter, Adapter::Detect);
}

#[test]
fn a_source_is_bound_to_an_exchange_or_is_a_queue_as_it_is() {
    let all = sources(
        "shop adapter=evolution exchange=evolution_exchange keys=messages.upsert,send.message type=topic;\n\
         plain exchange=my%20shop keys=# ; wuzapi queue=whatsapp%3Bevents adapter=whatsmeow",
    );
    let said: Vec<_> = all
        .iter()
        .map(|taken| (&*taken.source.name, taken.adapter, taken.source.feed.clone()))
        .collect();
    let exchange = |exchange: &str, declared_as, keys: &[&str]| Feed::Exchange {
        exchange: exchange.into(),
        declared_as,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    let shop = exchange(
        "evolution_exchange",
        Some(Routing::Topic),
        &["messages.upsert", "send.message"],
    );
    assert_eq!(
        said,
        [
            ("shop", Adapter::Evolution, shop),
            ("plain", Adapter::Detect, exchange("my shop", None, &["#"])),
            (
                "wuzapi",
                Adapter::Whatsmeow,
                Feed::Queue("whatsapp;events".into())
            ),
        ]
    );
}

#[test]
fn what_is_wrong_is_said_with_the_settings_name_the_sources_name_and_an_example() {
    for (text, said) in [
        ("my.shop queue=q", "\"my.shop\" is no name of a source"),
        ("shop", "the source \"shop\" has neither exchange= nor queue="),
        (
            "shop queue=q exchange=e keys=#",
            "the source \"shop\" has exchange= and queue=: one of them",
        ),
        (
            "shop exchange=e",
            "the source \"shop\" has no keys= (keys=# takes everything of a topic exchange)",
        ),
        (
            "shop exchange=e keys=a,,b",
            "the source \"shop\" has a name or key that is empty",
        ),
        (
            "shop exchange=e keys=# type=headers",
            "the type \"headers\", which is none of topic, direct and fanout",
        ),
        (
            "shop queue=q type=topic",
            "keys= or type=, which go with exchange= and not with queue=",
        ),
        (
            "shop queue=q queue=r",
            "the source \"shop\" has more than one queue=",
        ),
        ("shop queue=", "the source \"shop\" has nothing after queue="),
        (
            "shop queue=q adapter=waha",
            "the adapter \"waha\", which is none of detect, cloudevents, cloud_api, unoapi",
        ),
        (
            "shop queue=q from=here",
            "says \"from=here\", which is none of adapter=, exchange=, keys=, type= and queue=",
        ),
        ("shop queue=q; shop queue=r", "two sources are called \"shop\""),
        ("a queue=q; b queue=q", "\"a\" and \"b\" take from the same queue"),
        ("shop queue=%ff", "which is not UTF-8 behind its percent signs"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(said), "{text}: {complaint}");
    }
}

#[test]
fn names_and_numbers_are_bounded() {
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("s{n} queue=q{n};"))
            .collect::<String>()
    };
    assert_eq!(sources(&many(16)).len(), 16);
    assert!(complaint(&many(17)).contains("17 sources, more than the 16 there may be"));
    let named = |length: usize| format!("{} queue=q", "n".repeat(length));
    assert_eq!(sources(&named(32)).len(), 1);
    assert!(complaint(&named(33)).contains("at most 32"));
    let queue = |length: usize| format!("s queue={}", "q".repeat(length));
    assert_eq!(sources(&queue(255)).len(), 1);
    assert!(complaint(&queue(256)).contains("longer than 255 bytes"));
    let keys = |count: usize| format!("s exchange=e keys={}", vec!["k"; count].join(","));
    assert_eq!(sources(&keys(64)).len(), 1);
    assert!(complaint(&keys(65)).contains("65 keys, more than 64"));
}

#[test]
fn nothing_of_our_own_is_a_source_or_what_we_publish_would_come_back_for_ever() {
    for own in [
        "switchboard.dead",
        "switchboard.ingress",
        "switchboard.partition.0",
    ] {
        assert!(
            complaint(&format!("a queue={own}")).contains("which is not a gateway's"),
            "{own}"
        );
    }
    assert!(complaint("a exchange=switchboard.events keys=#").contains("which is not a gateway's"));
    assert_eq!(sources("a queue=switchboardish").len(), 1);
    let moved = variables(&[
        ("SWITCHBOARD_PREFIX", "support"),
        ("SWITCHBOARD_SOURCES", "a queue=support.dead"),
    ]);
    assert!(Ingress::from(&moved).is_err());
}

#[test]
fn the_ingress_queue_may_be_pinned_and_a_worker_is_told() {
    let pinned = variables(&[("SWITCHBOARD_INGRESS_ADAPTER", "cloud_api")]);
    assert_eq!(
        Worker::from(&pinned).expect("good").ingress.adapter,
        Adapter::CloudApi
    );
    let wrong = variables(&[("SWITCHBOARD_INGRESS_ADAPTER", "meta")]);
    let said = Worker::from(&wrong).expect_err("no adapter").to_string();
    assert!(
        said.starts_with("SWITCHBOARD_INGRESS_ADAPTER: has the adapter \"meta\", which is none of detect,"),
        "{said}"
    );
}

#[test]
fn the_rows_show_what_is_declared_for_sources_and_what_is_not_ours() {
    let given = sources("shop exchange=ev keys=a.b,c type=topic; other exchange=ot keys=#; plain queue=q");
    let topology = Topology::new("sw", 2).with_sources(given.into_iter().map(|taken| taken.source).collect());
    let rows: Vec<_> = topology.rows().split_off(Topology::new("sw", 2).rows().len());
    let lines: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}: {}", row.kind, row.name, row.detail))
        .collect();
    let queue = "quorum, single active consumer, dead letters to sw.dead";
    assert_eq!(
        lines,
        [
            "exchange ev: topic, the gateway's own, declared if it is missing".to_owned(),
            format!("queue sw.ingress.shop: {queue}, for the source shop"),
            "binding sw.ingress.shop: from ev under \"a.b\"".into(),
            "binding sw.ingress.shop: from ev under \"c\"".into(),
            "exchange ot: the gateway's own".into(),
            format!("queue sw.ingress.other: {queue}, for the source other"),
            "binding sw.ingress.other: from ot under \"#\"".into(),
            "queue q: the gateway's own, consumed as it is for the source plain".into(),
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_complained_about(
        text in "\\PC{0,60}",
        words in proptest::collection::vec("[a-c;= \n%,]{0,4}(adapter|exchange|keys|type|queue|;)?=?[a-z%2#.]{0,6}", 0..8),
    ) {
        for text in [text, words.join(" ")] {
            let read = Ingress::from(&variables(&[("SWITCHBOARD_SOURCES", &text)]));
            if let Ok(read) = read {
                for taken in read.sources {
                    prop_assert!(!taken.source.name.is_empty(), "{}", text);
                }
            }
        }
    }
}
