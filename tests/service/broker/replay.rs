//! Replaying dead letters: each finds its way back, none is lost on it.

use lapin::{BasicProperties, ExchangeKind};
use switchboard::broker::dead::{DeadQueue, letter};
use switchboard::broker::{BrokerError, Delivery, Exchange, Publication};

use super::dead::{AT, die, list};
use crate::support::rabbit::{Rabbit, numbered};
use crate::support::wait::within;

/// Replays everything in the dead queue.
async fn replay(rabbit: &Rabbit) -> Result<(), BrokerError> {
    let dead = DeadQueue::open(&rabbit.connection, &rabbit.topology)
        .await
        .expect("a channel");
    let mut publisher = rabbit.publisher().await;
    while let Some(letter) = within("a letter", dead.next()).await.expect("the queue is there") {
        dead.replay(&letter, &rabbit.connection, &mut publisher, &rabbit.topology)
            .await?;
    }
    dead.close().await;
    Ok(())
}

async fn assert_no_dead_letter_is_left(rabbit: &Rabbit) {
    assert!(list(rabbit).await.is_empty());
}

#[tokio::test]
async fn a_replayed_letter_comes_in_where_it_did_and_counts_its_lives() {
    Rabbit::declared(async |rabbit| {
        let queue = rabbit.topology.partition_queue(1);
        let properties = BasicProperties::default().with_message_id("id-1".into());
        let mut publication = Publication {
            routing_key: "1".into(),
            properties,
            ..numbered(3)
        };
        for lives in 0..3 {
            die(rabbit, publication, &queue, "invalid").await;
            assert_eq!(list(rabbit).await[0].epitaph.redrives, lives);
            replay(rabbit).await.expect("there is a way back");
            assert_no_dead_letter_is_left(rabbit).await;
            let back = rabbit.take_one(&queue).await;
            assert_eq!(
                (back.exchange, back.routing_key.as_str()),
                (rabbit.topology.name("inbound"), "1")
            );
            assert_eq!(
                (back.body.as_slice(), back.properties.message_id().is_some()),
                (b"3".as_slice(), true)
            );
            let headers: Vec<_> = back
                .properties
                .headers()
                .iter()
                .flatten()
                .map(|(name, _)| name.to_string())
                .collect();
            assert_eq!(headers, ["x-switchboard-redrives"]);
            publication = Publication {
                exchange: Exchange::Inbound,
                routing_key: back.routing_key,
                properties: back.properties,
                body: back.body,
            };
        }
    })
    .await;
}

#[tokio::test]
async fn a_letter_from_an_exchange_of_somebody_elses_comes_back_through_the_ingress() {
    Rabbit::declared(async |rabbit| {
        let ingress = rabbit.topology.name("ingress");
        rabbit.exchange(&rabbit.extra(), ExchangeKind::Topic).await;
        rabbit.bind(&ingress, &rabbit.extra(), "#").await;
        let channel = rabbit.channel().await;
        let properties = BasicProperties::default();
        let key = "messages.upsert";
        let published = channel.basic_publish(
            rabbit.extra().as_str().into(),
            key.into(),
            Default::default(),
            b"x",
            properties,
        );
        published.await.expect("it is published");
        let delivery = rabbit.take_one(&ingress).await;
        let dead = letter(&delivery, &ingress, "unrecognised", "", AT);
        rabbit
            .publisher()
            .await
            .publish_all(vec![dead])
            .await
            .expect("it is confirmed");
        replay(rabbit).await.expect("there is a way back");
        let back = rabbit.take_one(&ingress).await;
        assert_eq!((back.exchange, back.routing_key.as_str()), (ingress, key));
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_was_put_straight_into_a_partition_goes_back_there() {
    Rabbit::declared(async |rabbit| {
        let queue = rabbit.topology.partition_queue(1);
        let straight = Publication {
            exchange: Exchange::Default,
            routing_key: queue.clone(),
            ..numbered(8)
        };
        die(rabbit, straight, &queue, "invalid").await;
        replay(rabbit).await.expect("there is a way back");
        assert_eq!(rabbit.take_one(&queue).await.body, b"8");
    })
    .await;
}

#[tokio::test]
async fn a_letter_whose_partition_is_gone_is_not_lost_in_a_replay() {
    Rabbit::declared(async |rabbit| {
        let gone = rabbit.topology.partition_queue(rabbit.topology.partitions);
        rabbit.fill(4, 5).await;
        let delivery = rabbit.take_one(&rabbit.topology.partition_queue(0)).await;
        let straight = Delivery {
            exchange: String::new(),
            routing_key: gone.clone(),
            ..delivery
        };
        let dead = letter(&straight, &gone, "invalid", "", AT);
        rabbit
            .publisher()
            .await
            .publish_all(vec![dead])
            .await
            .expect("it is confirmed");
        replay(rabbit).await.expect("there is a way back");
        assert_eq!(rabbit.take_one(&rabbit.topology.name("ingress")).await.body, b"4");
    })
    .await;
}

#[tokio::test]
async fn a_letter_without_an_origin_is_not_lost_in_a_replay() {
    Rabbit::declared(async |rabbit| {
        let stray = Publication {
            exchange: Exchange::Dead,
            ..numbered(6)
        };
        let garbled = Publication {
            properties: BasicProperties::default().with_headers(Publication::headers([
                ("x-switchboard-reason", "invalid"),
                ("x-switchboard-origin", "{\"queue\":"),
            ])),
            ..stray.clone()
        };
        rabbit
            .publisher()
            .await
            .publish_all(vec![stray, garbled])
            .await
            .expect("they are confirmed");
        assert_eq!(list(rabbit).await.len(), 2);
        replay(rabbit).await.expect("there is a way back");
        assert_no_dead_letter_is_left(rabbit).await;
        for _ in 0..2 {
            assert_eq!(rabbit.take_one(&rabbit.topology.name("ingress")).await.body, b"6");
        }
    })
    .await;
}
