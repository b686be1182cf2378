//! Batches without a worker.

use jiff::Timestamp;
use lapin::BasicProperties;
use serde_json::Value;
use switchboard::broker::Delivery;
use switchboard::contract::{Adapter, Incoming, Limits, read};
use switchboard::worker::batch::{self, Author, Order, Outcome};
use switchboard::worker::directory::Directories;
use switchboard::worker::gather::Arrival;

use super::{PARTITIONS, Stage};

/// A delivery of this body whose sender waits for an answer.
fn arrival(body: &Value) -> Arrival {
    let body = serde_json::to_vec(body).unwrap();
    let incoming = Incoming {
        content_type: Some("application/cloudevents+json"),
        headers: &[],
        body: &body,
    };
    let limits = Limits {
        max_body_bytes: body.len(),
    };
    Arrival {
        arrived: read(&incoming, Timestamp::now(), &limits, Adapter::Detect),
        delivery: Delivery {
            tag: 0,
            redelivered: false,
            exchange: String::new(),
            routing_key: String::new(),
            properties: BasicProperties::default().with_reply_to("caller".into()),
            body,
        },
    }
}

/// Does all this in one batch as the command line would, without a lane: every lane's messages stay in the outbox.
pub async fn visit(stage: &Stage, bodies: &[Value]) {
    decide(stage, Author::Visitor, &[], bodies).await;
}

/// Does all this in one batch of this author, who has published these rows.
pub async fn decide(stage: &Stage, author: Author, published: &[i64], bodies: &[Value]) -> Outcome {
    let arrivals: Vec<Arrival> = bodies.iter().map(arrival).collect();
    let directory = Directories::new(stage.store.clone()).refresh(0).await.unwrap();
    let order = Order {
        author,
        arrivals: &arrivals,
        timers: 0,
        look_for_rows: false,
        published,
        not_before: Timestamp::UNIX_EPOCH,
        directory: &directory,
        partitions: PARTITIONS,
    };
    let outcome = batch::run(&stage.store, order).await.unwrap();
    assert!(outcome.dead.is_empty(), "{:?}", outcome.dead);
    outcome
}
