//! Messages that lapin cannot read by itself: they take effect or become dead letters like any other, and cut nobody off.

use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, ByteArray, FieldTable};
use lapin::{BasicProperties, Channel};
use secrecy::SecretString;
use switchboard::broker::Connector;

use crate::support::bodies::{PLAN, fact, phone, webhook};
use crate::support::wire::Wire;
use crate::support::{PARTITIONS, Stage, environment};

/// Nested tables in one header: a stack's worth for whoever reads them by recursion.
const NESTED: usize = 10_000;
/// What follows `NAME` says that the value is bytes; on the wire it is made to say that it is a table.
const NAME: &str = "deep";

/// A channel whose publishes are not what a client of good manners would send.
pub async fn ill_mannered() -> Channel {
    let wire = Wire::over(&environment("AMQP_URL")).await;
    let connection = Connector::new(&SecretString::from(wire.url.clone()))
        .unwrap()
        .connect("ill-mannered")
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(Default::default()).await.unwrap();
    wire.garble(b"ill-mannered", b"ill\xffmann\xe9r\xc3d");
    wire.garble(b"deepx", b"deepF");
    channel
}

/// A header as deep as it can be made.
fn deep() -> FieldTable {
    let mut inside: Vec<u8> = Vec::new();
    for _ in 0..NESTED {
        // A name without letters, and a table under it.
        let length = u32::try_from(inside.len()).unwrap().to_be_bytes();
        inside = [&[0, b'F'], length.as_slice(), &inside].concat();
    }
    let mut headers = FieldTable::default();
    headers.insert(NAME.into(), AMQPValue::ByteArray(ByteArray::from(inside)));
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lapin_cannot_read_is_read_all_the_same_and_cuts_nobody_off() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let channel = ill_mannered().await;
    let publish = async |exchange: &str, key: &str, body: &[u8], properties: BasicProperties| {
        let exchange = stage.rabbit.topology.name(exchange);
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(exchange.as_str().into(), key.into(), options, body, properties);
        assert!(sent.await.unwrap().await.unwrap().is_ack());
    };
    let bad = || {
        BasicProperties::default()
            .with_message_id("ill-mannered".into())
            .with_app_id("ill-mannered".into())
    };
    let headed = bad().with_headers(deep());
    let body = |n| serde_json::to_vec(&webhook(&phone(n), &format!("wamid.{n}"), "hello")).unwrap();
    publish("ingress", "ill-mannered", &body(1), bad()).await;
    publish("ingress", "any", &body(2), headed.clone()).await;
    for partition in 0..PARTITIONS {
        let n = 10 + usize::from(partition);
        let fact = fact(&phone(n), &format!("wamid.{n}"), "key");
        let body = serde_json::to_vec(&fact).unwrap();
        publish("inbound", &partition.to_string(), &body, headed.clone()).await;
    }
    publish("ingress", "ill-mannered", b"{\"ill", headed).await;
    witness
        .until_events("message.received", 2 + usize::from(PARTITIONS))
        .await;
    let (listed, said, _) = stage.run(&["dead", "list"]).await;
    assert!(listed, "{said}");
    let letters = witness.letters(1).await;
    assert_eq!(letters[0].reason(), "unparseable");
    assert_eq!(letters[0].body, b"{\"ill");
    let epochs = stage.count("select sum(epoch)::int8 from lane").await;
    assert_eq!(epochs, i64::from(PARTITIONS), "no lane had to be taken again");
    stage.end().await;
}
