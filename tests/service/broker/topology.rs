//! The topology: declared as often as one likes, compared without a trace, and what differs is named.

use lapin::ExchangeKind;
use lapin::types::AMQPValue;
use switchboard::broker::consumer::state_of;
use switchboard::broker::{BrokerError, Exchange, Publication, Topology};

use crate::support::rabbit::{PARTITIONS, Rabbit, numbered};
use crate::support::wait::until;

#[tokio::test]
async fn declaring_twice_is_the_same_as_once_and_then_nothing_differs() {
    Rabbit::declared(async |rabbit| {
        rabbit
            .topology
            .declare(&rabbit.connection)
            .await
            .expect("it is there in the same way");
        rabbit
            .topology
            .check(&rabbit.connection)
            .await
            .expect("it is as declared");
        assert_eq!(rabbit.topology.differences(&rabbit.connection).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_to_do_and_is_not_made() {
    Rabbit::bare(async |rabbit| {
        let parts = rabbit.topology.exchanges.len() + rabbit.topology.queues.len();
        for _ in 0..2 {
            let found = rabbit
                .topology
                .differences(&rabbit.connection)
                .await
                .expect("it can be compared");
            assert_eq!(found.len(), parts);
            for difference in &found {
                assert!(matches!(difference, BrokerError::Missing(_)) && difference.is_permanent());
                assert!(
                    difference.to_string().contains("switchboard topology declare"),
                    "{difference}"
                );
            }
        }
        let first = rabbit
            .topology
            .check(&rabbit.connection)
            .await
            .expect_err("nothing is there");
        assert!(
            first.to_string().contains(&rabbit.topology.name("ingress")),
            "{first}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_queue_declared_differently_is_named_by_declare_and_by_check() {
    Rabbit::bare(async |rabbit| {
        let queue = rabbit.topology.partition_queue(1);
        rabbit
            .queue(
                &queue,
                &[("x-queue-type", AMQPValue::LongString("classic".into()))],
            )
            .await;
        let refused = rabbit
            .topology
            .declare(&rabbit.connection)
            .await
            .expect_err("it is in the way");
        assert!(matches!(refused, BrokerError::Different(_)) && refused.is_permanent());
        assert!(refused.to_string().contains(&queue), "{refused}");
        let found = rabbit
            .topology
            .differences(&rabbit.connection)
            .await
            .expect("it can be compared");
        let different: Vec<_> = found
            .iter()
            .filter(|d| matches!(d, BrokerError::Different(_)))
            .collect();
        assert_eq!(different.len(), 1, "{found:?}");
        assert!(different[0].to_string().contains(&queue));
    })
    .await;
}

#[tokio::test]
async fn an_exchange_declared_differently_is_named() {
    Rabbit::bare(async |rabbit| {
        let exchange = rabbit.topology.name("events");
        rabbit.exchange(&exchange, ExchangeKind::Fanout).await;
        let refused = rabbit
            .topology
            .declare(&rabbit.connection)
            .await
            .expect_err("it is in the way");
        assert!(matches!(refused, BrokerError::Different(_)), "{refused}");
        assert!(refused.to_string().contains(&exchange), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_topology_of_more_partitions_is_noticed() {
    Rabbit::declared(async |rabbit| {
        let queue = rabbit.topology.partition_queue(PARTITIONS);
        rabbit
            .queue(
                &queue,
                &[("x-queue-type", AMQPValue::LongString("quorum".into()))],
            )
            .await;
        let found = rabbit
            .topology
            .differences(&rabbit.connection)
            .await
            .expect("it can be compared");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().contains(&queue), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_partition_costs_a_hop_and_no_message() {
    Rabbit::declared(async |rabbit| {
        let mut publisher = rabbit.publisher().await;
        for exchange in [Exchange::Inbound, Exchange::Commands] {
            let stray = Publication {
                exchange,
                routing_key: "9999".into(),
                ..numbered(1)
            };
            publisher.publish_all(vec![stray]).await.expect("it is confirmed");
            let met = rabbit.take_one(&rabbit.topology.name("ingress")).await;
            assert_eq!(
                (met.exchange.as_str(), met.routing_key.as_str()),
                (&*rabbit.topology.name(exchange.word()), "9999")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn events_nobody_is_bound_for_are_confirmed_and_the_last_thousand_kept() {
    Rabbit::declared(async |rabbit| {
        let event = Publication {
            exchange: Exchange::Events,
            routing_key: "a.b.c.d".into(),
            ..numbered(1)
        };
        rabbit
            .publisher()
            .await
            .publish_all(vec![event; 1_100])
            .await
            .expect("all are confirmed");
        let unrouted = rabbit.topology.name("unrouted");
        until("a thousand unrouted events", async || {
            let (ready, _) = state_of(&rabbit.connection, &unrouted)
                .await
                .expect("it is there");
            (ready == 1_000).then_some(())
        })
        .await;
    })
    .await;
}

#[test]
fn the_rows_name_every_exchange_queue_and_binding() {
    let topology = Topology::new("sw", 2);
    let rows = topology.rows();
    assert_eq!(
        rows.len(),
        topology.exchanges.len() + topology.queues.len() + topology.bindings.len()
    );
    let row = |kind, name: &str| {
        rows.iter()
            .find(|row| row.kind == kind && row.name == name)
            .map(|row| &*row.detail)
    };
    assert_eq!(row("exchange", "sw.inbound"), Some("direct, else to sw.ingress"));
    assert_eq!(
        row("queue", "sw.partition.1"),
        Some("quorum, single active consumer, dead letters to sw.dead")
    );
    assert_eq!(
        row("queue", "sw.unrouted"),
        Some("classic, the last 1000 messages")
    );
    assert_eq!(
        row("binding", "sw.partition.1"),
        Some("from sw.inbound under \"1\"")
    );
}
