//! Consuming: batches, acknowledgements, and what comes back when a consumer goes.

use std::time::Duration;

use lapin::options::QueueDeleteOptions;
use lapin::types::{AMQPValue, FieldTable};
use switchboard::broker::consumer::{consumers_of, state_of};
use switchboard::broker::{BrokerError, Consumer};

use crate::support::rabbit::{Rabbit, numbered, numbers, receive_exactly};
use crate::support::wait::{until, within};

/// More than any of these tests publishes.
const PLENTY: u16 = 100;

async fn until_nobody_consumes(rabbit: &Rabbit) {
    until("no consumer", async || {
        let count = consumers_of(&rabbit.connection, &rabbit.topology.partition_queue(0)).await;
        (count == Ok(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_batch_holds_what_is_ready_up_to_its_bound_in_order() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 10).await;
        let mut consumer = rabbit.consumer(PLENTY).await;
        let mut seen = Vec::new();
        while seen.len() < 10 {
            let batch = within("a batch", consumer.receive(4))
                .await
                .expect("the consumer goes on");
            assert!((1..=4).contains(&batch.len()));
            seen.extend(numbers(&batch));
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_eq!(consumer.take_ready(4).expect("the consumer goes on").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn waiting_for_a_batch_can_be_broken_off_without_losing_anything() {
    Rabbit::declared(async |rabbit| {
        let mut consumer = rabbit.consumer(PLENTY).await;
        let mut seen = Vec::new();
        for number in 0..50 {
            // Broken off at whatever point a millisecond happens to reach.
            let broken_off = tokio::time::timeout(Duration::from_millis(1), consumer.receive(10));
            let (_, received) = tokio::join!(rabbit.fill(number, number + 1), broken_off);
            seen.extend(
                received
                    .map(|batch| numbers(&batch.expect("the consumer goes on")))
                    .unwrap_or_default(),
            );
        }
        let rest = receive_exactly(&mut consumer, 50 - seen.len()).await;
        seen.extend(numbers(&rest));
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn no_more_than_the_prefetch_is_ever_taken_from_the_queue() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 20).await;
        let mut consumer = rabbit.consumer(5).await;
        let held = receive_exactly(&mut consumer, 5).await;
        assert_eq!(consumer.take_ready(100).expect("the consumer goes on").len(), 0);
        let queue = rabbit.topology.partition_queue(0);
        assert_eq!(state_of(&rabbit.connection, &queue).await, Ok((15, 1)));
        consumer
            .acknowledge_through(held[4].tag)
            .await
            .expect("the channel is open");
        assert_eq!(numbers(&receive_exactly(&mut consumer, 5).await), [5, 6, 7, 8, 9]);
    })
    .await;
}

#[tokio::test]
async fn an_acknowledgement_covers_everything_before_it_and_nothing_after() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 10).await;
        let mut consumer = rabbit.consumer(PLENTY).await;
        let held = receive_exactly(&mut consumer, 10).await;
        consumer
            .acknowledge_through(held[6].tag)
            .await
            .expect("the channel is open");
        consumer.close().await;
        let mut next = rabbit.consumer(PLENTY).await;
        assert_eq!(numbers(&receive_exactly(&mut next, 3).await), [7, 8, 9]);
    })
    .await;
}

#[tokio::test]
async fn acknowledging_nothing_does_not_acknowledge_everything() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 3).await;
        let mut consumer = rabbit.consumer(PLENTY).await;
        receive_exactly(&mut consumer, 3).await;
        consumer.acknowledge_through(0).await.expect("it is nothing");
        consumer.close().await;
        let mut next = rabbit.consumer(PLENTY).await;
        assert_eq!(numbers(&receive_exactly(&mut next, 3).await), [0, 1, 2]);
    })
    .await;
}

#[tokio::test]
async fn what_a_closed_consumer_held_comes_back_first_in_order_and_marked() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 10).await;
        let mut consumer = rabbit.consumer(5).await;
        let held = receive_exactly(&mut consumer, 5).await;
        assert!(
            held.iter()
                .all(|delivery| !delivery.redelivered && delivery.earlier_deliveries() == 0)
        );
        consumer.close().await;
        rabbit.fill(10, 12).await;
        let mut next = rabbit.consumer(PLENTY).await;
        let again = receive_exactly(&mut next, 12).await;
        assert_eq!(numbers(&again), (0..12).collect::<Vec<_>>());
        for (number, delivery) in again.iter().enumerate() {
            let expected = if number < 5 { (true, 1) } else { (false, 0) };
            assert_eq!(
                (delivery.redelivered, delivery.earlier_deliveries()),
                expected,
                "message {number}"
            );
        }
    })
    .await;
}

/// The queue goes to a consumer that already waits, which is what a cancel would do wrong.
async fn assert_the_next_gets_everything_in_order(leave: impl AsyncFnOnce(Consumer)) {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 10).await;
        let mut first = rabbit.consumer(5).await;
        receive_exactly(&mut first, 3).await;
        let mut next = rabbit.consumer(PLENTY).await;
        leave(first).await;
        let again = receive_exactly(&mut next, 10).await;
        assert_eq!(numbers(&again), (0..10).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_closed_consumer_does_not_let_the_next_one_begin_behind_it() {
    assert_the_next_gets_everything_in_order(async |first| first.close().await).await;
}

#[tokio::test]
async fn a_consumer_that_is_merely_dropped_does_not_either() {
    assert_the_next_gets_everything_in_order(async |first| drop(first)).await;
}

#[tokio::test]
async fn a_publisher_cannot_make_a_first_delivery_look_like_a_later_one() {
    Rabbit::declared(async |rabbit| {
        let mut forged = numbered(0);
        let mut headers = FieldTable::default();
        headers.insert("x-delivery-count".into(), AMQPValue::LongInt(5));
        forged.properties = forged.properties.with_headers(headers);
        rabbit
            .publisher()
            .await
            .publish_all(vec![forged])
            .await
            .expect("it is confirmed");
        let mut consumer = rabbit.consumer(PLENTY).await;
        let held = receive_exactly(&mut consumer, 1).await;
        assert_eq!(held[0].earlier_deliveries(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_queue_ends_its_consumer_and_keeps_it_ended() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 1).await;
        let mut consumer = rabbit.consumer(PLENTY).await;
        receive_exactly(&mut consumer, 1).await;
        let queue = rabbit.topology.partition_queue(0);
        rabbit
            .channel()
            .await
            .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
            .await
            .expect("deleted");
        for _ in 0..3 {
            let end = within("the end", consumer.receive(1))
                .await
                .expect_err("there is no queue");
            assert!(matches!(end, BrokerError::Away(_)), "{end}");
        }
        assert!(consumer.take_ready(1).is_err());
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_ends_its_consumer_and_refuses_its_acknowledgements() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 2).await;
        let connection = rabbit
            .connector
            .connect("to be lost")
            .await
            .expect("RabbitMQ is there");
        let queue = rabbit.topology.partition_queue(0);
        let mut consumer = Consumer::start(&connection, &queue, "test", PLENTY)
            .await
            .expect("a consumer");
        let held = receive_exactly(&mut consumer, 2).await;
        connection.close(320, "lost".into()).await.expect("it was open");
        let end = within("the end", consumer.receive(1))
            .await
            .expect_err("there is no connection");
        assert!(!end.is_permanent(), "{end}");
        let refused = consumer
            .acknowledge_through(held[1].tag)
            .await
            .expect_err("there is no connection");
        assert!(!refused.is_permanent(), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_queue_says_how_many_consume_it_and_a_missing_one_what_to_do() {
    Rabbit::declared(async |rabbit| {
        let queue = rabbit.topology.partition_queue(0);
        assert_eq!(consumers_of(&rabbit.connection, &queue).await, Ok(0));
        let consumer = rabbit.consumer(PLENTY).await;
        assert_eq!(consumers_of(&rabbit.connection, &queue).await, Ok(1));
        consumer.close().await;
        // The queue hears of it a moment after the channel.
        until_nobody_consumes(rabbit).await;
        let missing = consumers_of(&rabbit.connection, &rabbit.extra())
            .await
            .expect_err("it is not there");
        assert!(matches!(missing, BrokerError::Missing(_)) && missing.is_permanent());
        assert!(missing.to_string().contains(&rabbit.extra()), "{missing}");
    })
    .await;
}

#[tokio::test]
async fn consuming_a_missing_queue_says_what_to_do() {
    Rabbit::bare(async |rabbit| {
        let queue = rabbit.topology.partition_queue(0);
        let missing = Consumer::start(&rabbit.connection, &queue, "test", 1)
            .await
            .expect_err("it is not there");
        assert!(
            missing.is_permanent() && missing.to_string().contains("switchboard topology declare"),
            "{missing}"
        );
    })
    .await;
}
