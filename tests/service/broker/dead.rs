//! Dead letters: nothing of the original is lost, nothing of it does harm, and all of it finds its way back.

use lapin::BasicProperties;
use lapin::options::BasicRejectOptions;
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use switchboard::broker::consumer::state_of;
use switchboard::broker::dead::{DeadLetter, DeadQueue, letter};
use switchboard::broker::{Delivery, Publication};

use crate::support::rabbit::{Rabbit, numbered, receive_exactly};
use crate::support::wait::{until, within};

pub const AT: &str = "2026-11-21T10:00:00Z";

/// Publishes a message, takes it from its queue and dead-letters it, as a lane would.
pub async fn die(rabbit: &Rabbit, publication: Publication, queue: &str, reason: &str) -> Delivery {
    let mut publisher = rabbit.publisher().await;
    publisher
        .publish_all(vec![publication])
        .await
        .expect("it is confirmed");
    let delivery = rabbit.take_one(queue).await;
    let dead = letter(&delivery, queue, reason, "it cannot be used", AT);
    publisher.publish_all(vec![dead]).await.expect("it is confirmed");
    delivery
}

/// Everything in the dead queue, in its order, given back afterwards.
pub async fn list(rabbit: &Rabbit) -> Vec<DeadLetter> {
    let dead = DeadQueue::open(&rabbit.connection, &rabbit.topology)
        .await
        .expect("a channel");
    let mut letters = Vec::new();
    while let Some(letter) = within("a letter", dead.next()).await.expect("the queue is there") {
        letters.push(letter);
    }
    dead.close().await;
    letters
}

#[tokio::test]
async fn a_dead_letter_is_the_original_with_why_where_and_when() {
    Rabbit::declared(async |rabbit| {
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_message_id("id-1".into())
            .with_priority(3)
            .with_timestamp(1_795_255_200)
            .with_headers(Publication::headers([("ce-id", "id-1")]));
        let original = Publication {
            properties,
            ..numbered(42)
        };
        let queue = rabbit.topology.partition_queue(0);
        let delivery = die(rabbit, original, &queue, "unparseable").await;
        let letters = list(rabbit).await;
        let [letter] = letters.as_slice() else {
            panic!("one letter, not {}", letters.len())
        };
        assert_eq!(letter.delivery.body, b"42");
        assert_eq!(letter.delivery.routing_key, "unparseable");
        assert_eq!(letter.delivery.text_header("ce-id").as_deref(), Some("id-1"));
        let (dead, was) = (&letter.delivery.properties, &delivery.properties);
        assert_eq!(
            (dead.content_type(), dead.message_id()),
            (was.content_type(), was.message_id())
        );
        assert_eq!(
            (dead.priority(), dead.timestamp()),
            (was.priority(), was.timestamp())
        );
        let epitaph = &letter.epitaph;
        assert_eq!(
            (epitaph.reason.as_str(), epitaph.detail.as_str()),
            ("unparseable", "it cannot be used")
        );
        assert_eq!((epitaph.at.as_str(), epitaph.redrives), (AT, 0));
        let origin = &epitaph.origin;
        assert_eq!(
            (&origin.exchange, &origin.routing_key, &origin.queue),
            (&rabbit.topology.name("inbound"), &"0".into(), &queue)
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_broker_would_refuse_or_act_upon_stays_behind() {
    Rabbit::declared(async |rabbit| {
        let mut headers = Publication::headers([("kept", "yes")]);
        let copies = FieldArray::from(vec![AMQPValue::LongString("1".into())]);
        headers.insert("CC".into(), AMQPValue::FieldArray(copies));
        headers.insert("x-delivery-count".into(), AMQPValue::LongInt(9));
        let properties = BasicProperties::default()
            .with_expiration("3600000".into())
            .with_user_id(user().as_str().into())
            .with_headers(headers);
        let queue = rabbit.topology.partition_queue(0);
        let delivery = die(
            rabbit,
            Publication {
                properties,
                ..numbered(1)
            },
            &queue,
            "invalid",
        )
        .await;
        let carried = delivery.properties_to_carry();
        assert_eq!((carried.expiration(), carried.user_id()), (&None, &None));
        let names: Vec<_> = carried
            .headers()
            .iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["kept"]);
        let letters = list(rabbit).await;
        assert_eq!(letters[0].epitaph.origin.user, Some(user()));
    })
    .await;
}

/// The user in the test server's URL: nobody else may say that a message is theirs.
fn user() -> String {
    let uri: lapin::uri::AMQPUri = crate::support::rabbit::url().parse().expect("AMQP_URL is a URL");
    uri.authority.userinfo.username
}

#[tokio::test]
async fn headers_that_fill_a_frame_do_not_keep_a_message_from_its_dead_letter() {
    Rabbit::declared(async |rabbit| {
        let long = "h".repeat(60 * 1024);
        let headers = Publication::headers([
            ("long", long.as_str()),
            ("longer", &format!("{long}!")),
            ("short", "s"),
        ]);
        let properties = BasicProperties::default().with_headers(headers);
        die(
            rabbit,
            Publication {
                properties,
                ..numbered(5)
            },
            &rabbit.topology.partition_queue(0),
            "invalid",
        )
        .await;
        let letters = list(rabbit).await;
        assert_eq!(
            (
                letters[0].delivery.body.as_slice(),
                letters[0].epitaph.reason.as_str()
            ),
            (b"5".as_slice(), "invalid")
        );
        let kept = |name| letters[0].delivery.text_header(name).is_some();
        assert_eq!((kept("short"), kept("long"), kept("longer")), (true, true, false));
    })
    .await;
}

#[tokio::test]
async fn a_long_detail_is_cut_between_characters() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(0, 1).await;
        let queue = rabbit.topology.partition_queue(0);
        let delivery = rabbit.take_one(&queue).await;
        let dead = letter(&delivery, &queue, "invalid", &"é".repeat(10_000), AT);
        rabbit
            .publisher()
            .await
            .publish_all(vec![dead])
            .await
            .expect("it is confirmed");
        assert_eq!(list(rabbit).await[0].epitaph.detail, "é".repeat(250));
    })
    .await;
}

#[tokio::test]
async fn looking_through_the_dead_letters_changes_neither_their_order_nor_their_names() {
    Rabbit::declared(async |rabbit| {
        for number in 0..5 {
            die(
                rabbit,
                numbered(number),
                &rabbit.topology.partition_queue(0),
                "invalid",
            )
            .await;
        }
        let look = async || -> Vec<_> {
            let letters = list(rabbit).await;
            letters
                .into_iter()
                .map(|letter| (letter.delivery.body, letter.epitaph))
                .collect()
        };
        let first = look().await;
        assert_eq!(
            first.iter().map(|(body, _)| body.as_slice()).collect::<Vec<_>>(),
            [b"0", b"1", b"2", b"3", b"4"]
        );
        for _ in 0..3 {
            assert_eq!(look().await, first);
        }
        let mut names: Vec<_> = first.iter().map(|(_, epitaph)| &epitaph.id).collect();
        names.dedup();
        assert_eq!(names.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_discarded_letter_is_gone_and_the_others_are_not() {
    Rabbit::declared(async |rabbit| {
        for number in 0..3 {
            die(
                rabbit,
                numbered(number),
                &rabbit.topology.partition_queue(0),
                "invalid",
            )
            .await;
        }
        let dead = DeadQueue::open(&rabbit.connection, &rabbit.topology)
            .await
            .expect("a channel");
        let mut letters = Vec::new();
        while let Some(letter) = dead.next().await.expect("the queue is there") {
            letters.push(letter);
        }
        dead.discard(&letters[1]).await.expect("it is in hand");
        dead.close().await;
        let left: Vec<_> = list(rabbit)
            .await
            .into_iter()
            .map(|letter| letter.delivery.body)
            .collect();
        assert_eq!(left, [b"0", b"2"]);
    })
    .await;
}

#[tokio::test]
async fn what_the_broker_gives_up_itself_becomes_a_dead_letter_too() {
    Rabbit::declared(async |rabbit| {
        rabbit.fill(9, 10).await;
        let queue = rabbit.topology.partition_queue(0);
        let mut consumer = rabbit.consumer(1).await;
        let held = receive_exactly(&mut consumer, 1).await;
        assert_eq!(held[0].body, b"9");
        consumer.close().await;
        // Nobody of ours rejects: it stands for the delivery limit, which a test cannot reach.
        let channel = rabbit.channel().await;
        let mut stream = channel
            .basic_consume(
                queue.as_str().into(),
                "rejecting".into(),
                Default::default(),
                FieldTable::default(),
            )
            .await
            .expect("a consumer");
        let delivery = within("a delivery", futures_util::StreamExt::next(&mut stream))
            .await
            .expect("one")
            .expect("whole");
        delivery
            .reject(BasicRejectOptions { requeue: false })
            .await
            .expect("rejected");
        until("the dead letter", async || {
            let state = state_of(&rabbit.connection, &rabbit.topology.name("dead"))
                .await
                .expect("it is there");
            (state.0 == 1).then_some(())
        })
        .await;
        let epitaph = list(rabbit).await.remove(0).epitaph;
        assert_eq!(
            (epitaph.reason.as_str(), epitaph.detail.as_str()),
            ("poison", "given up by the broker: rejected")
        );
        assert_eq!(
            (epitaph.origin.queue, epitaph.origin.routing_key),
            (queue, "0".to_owned())
        );
    })
    .await;
}
