//! Publishing: everything in order and confirmed, or an error that says so.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use secrecy::SecretString;
use switchboard::broker::consumer::state_of;
use switchboard::broker::{BrokerError, Connector, Exchange, Publication, Publisher};

use crate::support::rabbit::{Rabbit, numbered, numbers, receive_exactly, url};
use crate::support::wait::within;
use crate::support::wire::Wire;

#[tokio::test]
async fn several_windows_arrive_in_order_and_are_all_there_when_confirmed() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 2_000).await;
        let queue = rabbit.topology.partition_queue(0);
        assert_eq!(state_of(&rabbit.connection, &queue).await, Ok((2_000, 0)));
        let mut consumer = rabbit.consumer(2_000).await;
        let received = receive_exactly(&mut consumer, 2_000).await;
        assert_eq!(numbers(&received), (0..2_000).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_message_arrives_as_it_was_given_and_is_persistent() {
    Rabbit::declared(async |rabbit| {
        let headers = Publication::headers([
            ("ce-id", "1"),
            ("ce-subject", "köln"),
            (&"n".repeat(256), "left out"),
        ]);
        let properties = BasicProperties::default()
            .with_content_type("application/cloudevents+json".into())
            .with_message_id("1".into())
            .with_type("switchboard.test".into())
            .with_headers(headers.clone());
        for body in [vec![], vec![0xff; 300_000]] {
            let sent = Publication {
                properties: properties.clone(),
                body,
                ..numbered(0)
            };
            rabbit
                .publisher()
                .await
                .publish_all(vec![sent.clone()])
                .await
                .expect("it is confirmed");
            let met = rabbit.take_one(&rabbit.topology.partition_queue(0)).await;
            assert_eq!(met.body, sent.body);
            assert_eq!(met.properties, properties.clone().with_delivery_mode(2));
            let headers: Vec<_> = met.text_headers().collect();
            assert_eq!(headers, [("ce-id", "1".into()), ("ce-subject", "köln".into())]);
        }
    })
    .await;
}

#[tokio::test]
async fn headers_of_any_type_have_a_text() {
    Rabbit::declared(async |rabbit| {
        let mut headers = FieldTable::default();
        headers.insert("attempt".into(), AMQPValue::LongLongInt(-7));
        headers.insert("ce-time".into(), AMQPValue::Timestamp(1_795_255_200));
        headers.insert("flag".into(), AMQPValue::Boolean(true));
        headers.insert("bytes".into(), AMQPValue::LongString(vec![0xff].into()));
        headers.insert("table".into(), AMQPValue::FieldTable(FieldTable::default()));
        let properties = BasicProperties::default().with_headers(headers);
        let sent = Publication {
            properties,
            ..numbered(0)
        };
        rabbit
            .publisher()
            .await
            .publish_all(vec![sent])
            .await
            .expect("it is confirmed");
        let met = rabbit.take_one(&rabbit.topology.partition_queue(0)).await;
        let texts: Vec<_> = met.text_headers().collect();
        let expected = [
            ("attempt", "-7".into()),
            ("ce-time", "2026-11-21T10:00:00Z".into()),
            ("flag", "true".into()),
        ];
        assert_eq!(texts, expected);
    })
    .await;
}

#[tokio::test]
async fn a_refused_publish_is_an_error_and_leaves_the_publisher_good() {
    Rabbit::declared(async |rabbit| {
        // A consumer's queue that is full, as PROTOCOL warns of: bound to the events, it refuses whoever publishes.
        let full = rabbit.extra();
        let limits = [
            ("x-queue-type", AMQPValue::LongString("classic".into())),
            ("x-max-length", AMQPValue::LongInt(1)),
            ("x-overflow", AMQPValue::LongString("reject-publish".into())),
        ];
        rabbit.queue(&full, &limits).await;
        rabbit.bind(&full, &rabbit.topology.name("events"), "#").await;
        let event = Publication {
            exchange: Exchange::Events,
            routing_key: "a.b".into(),
            ..numbered(0)
        };
        let mut publisher = rabbit.publisher().await;
        let refused = publisher
            .publish_all(vec![event; 20])
            .await
            .expect_err("there is room for one");
        assert!(
            matches!(refused, BrokerError::Unconfirmed(_)) && !refused.is_permanent(),
            "{refused}"
        );
        publisher
            .publish_all(vec![numbered(1)])
            .await
            .expect("nothing is in the way of this one");
    })
    .await;
}

#[tokio::test]
async fn publishing_to_an_exchange_that_is_not_there_says_what_to_do() {
    Rabbit::bare(async |rabbit| {
        let mut publisher = rabbit.publisher().await;
        let missing = within("an answer", publisher.publish_all(vec![numbered(0)]))
            .await
            .expect_err("it is not there");
        assert!(
            missing.is_permanent() && missing.to_string().contains("switchboard topology declare"),
            "{missing}"
        );
        let again = within("an answer", publisher.publish_all(vec![numbered(0)]))
            .await
            .expect_err("the channel is gone");
        assert!(!again.is_permanent(), "{again}");
    })
    .await;
}

#[tokio::test]
async fn a_routing_key_that_amqp_cannot_hold_is_an_error_and_no_panic() {
    Rabbit::declared(async |rabbit| {
        let endless = Publication {
            routing_key: "k".repeat(256),
            ..numbered(0)
        };
        let refused = rabbit
            .publisher()
            .await
            .publish_all(vec![endless])
            .await
            .expect_err("it is too long");
        assert!(refused.to_string().contains("255"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn nothing_to_publish_is_published_at_once() {
    Rabbit::bare(async |rabbit| {
        rabbit
            .publisher()
            .await
            .publish_all(vec![])
            .await
            .expect("there is nothing to refuse");
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_not_waited_for_beyond_ones_patience() {
    Rabbit::declared(async |rabbit| {
        let wire = Wire::over(&url()).await;
        let connector = Connector::new(&SecretString::from(wire.url.as_str())).expect("a URL");
        let connection = connector
            .connect("through a wire that falls silent")
            .await
            .expect("it is open");
        let mut publisher = Publisher::open(&connection, &rabbit.topology)
            .await
            .expect("a publisher");
        publisher
            .publish_all(vec![numbered(0)])
            .await
            .expect("the wire carries");
        wire.keep_answers();
        let mut publisher = publisher.with_patience(Duration::from_millis(100));
        let error = within("giving up", publisher.publish_all(vec![numbered(1)]))
            .await
            .expect_err("no confirm comes back");
        assert!(
            matches!(error, BrokerError::Unconfirmed(_)) && !error.is_permanent(),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn every_exchange_is_published_to_under_its_own_name() {
    Rabbit::declared(async |rabbit| {
        let catch_all = rabbit.extra();
        rabbit
            .queue(
                &catch_all,
                &[("x-queue-type", AMQPValue::LongString("classic".into()))],
            )
            .await;
        for exchange in Exchange::ALL
            .into_iter()
            .filter(|exchange| *exchange != Exchange::Default)
        {
            let name = rabbit.topology.name(exchange.word());
            rabbit.bind(&catch_all, &name, "0").await;
            let publication = Publication {
                exchange,
                ..numbered(0)
            };
            rabbit
                .publisher()
                .await
                .publish_all(vec![publication])
                .await
                .expect("it is confirmed");
            assert_eq!(rabbit.take_one(&catch_all).await.exchange, name);
        }
        let straight = Publication {
            exchange: Exchange::Default,
            routing_key: catch_all.clone(),
            ..numbered(7)
        };
        rabbit
            .publisher()
            .await
            .publish_all(vec![straight])
            .await
            .expect("it is confirmed");
        let met = rabbit.take_one(&catch_all).await;
        assert_eq!(
            (met.exchange.as_str(), met.body.as_slice()),
            ("", b"7".as_slice())
        );
    })
    .await;
}

#[test]
fn each_exchange_stands_in_the_list_where_its_number_says() {
    for (place, exchange) in Exchange::ALL.into_iter().enumerate() {
        assert_eq!(exchange as usize, place);
    }
}
