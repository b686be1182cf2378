//! Other gateways' exchanges and queues as sources of the ingress: with real brokers, missing ones, and workers that die.

use std::net::TcpListener;
use std::process::Stdio;

use jiff::Timestamp;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, ExchangeKind};
use serde_json::{Value, json};
use switchboard::broker::Consumer;
use switchboard::broker::consumer::{consumers_of, state_of};
use switchboard::config::{Ingress, Source};
use switchboard::contract::Adapter;
use tokio::process::{Child, Command};

use crate::support::bodies::{phone, presence, roomy_plan, webhook};
use crate::support::wait::{until, within};
use crate::support::witness::{Letter, Witness};
use crate::support::{PARTITIONS, Stage, environment};

/// Evolution API's way, declared for it if it has not been there yet.
const EVOLUTION: &str =
    "shop adapter=evolution exchange={}_evolution keys=messages.upsert,send.message type=topic";
/// wuzapi's way.
const WUZAPI: &str = "wuzapi adapter=whatsmeow queue={}_wuzapi";

/// A deployment that takes from these sources (`{}` is the test's own prefix), declared by the command line.
struct Doors {
    stage: Stage,
    setting: String,
    channel: Channel,
}

/// Variables as a test sets them.
struct Variables<'a>(&'a str, &'a str);

impl Source for Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let known = [("SWITCHBOARD_PREFIX", self.0), ("SWITCHBOARD_SOURCES", self.1)];
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

impl Doors {
    async fn of(sources: &[&str]) -> Self {
        let channels =
            ["evolution:shop", "wuzapi:shop-1"].map(|key| format!("\n[[channels]]\nkey = \"{key}\"\n"));
        let mut stage = Stage::with_plan(&format!("{}{}", roomy_plan(), channels.concat())).await;
        let setting = sources.join(";\n").replace("{}", &stage.rabbit.prefix);
        let read = Ingress::from(&Variables(&stage.rabbit.prefix, &setting)).expect("good sources");
        // So that they are removed with everything else.
        stage.rabbit.topology = stage.rabbit.topology.clone().with_sources(read.feeds());
        let channel = stage.rabbit.channel().await;
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        confirms.await.expect("confirms");
        Self {
            stage,
            setting,
            channel,
        }
    }

    async fn declared(sources: &[&str]) -> Self {
        let doors = Self::of(sources).await;
        let (good, said) = doors.run(&["topology", "declare"]).await;
        assert!(good, "{said}");
        doors
    }

    fn ingress(&self) -> Ingress {
        Ingress::from(&Variables(&self.stage.rabbit.prefix, &self.setting)).expect("good sources")
    }

    /// Starts a worker in this process that knows the sources.
    fn worker(&mut self) {
        self.worker_with(self.ingress());
    }

    fn worker_with(&mut self, ingress: Ingress) {
        let url = &self.stage.database.url;
        let mut settings = self.stage.settings(url, &environment("AMQP_URL"));
        settings.worker.ingress = ingress;
        self.stage.worker_with(settings);
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.stage.program(arguments);
        command.env("SWITCHBOARD_SOURCES", &self.setting);
        command
    }

    /// Starts a worker as a process of its own that knows the sources.
    fn process(&self) -> Child {
        self.process_at("127.0.0.1:0")
    }

    fn process_at(&self, http: &str) -> Child {
        let mut command = self.program(&["worker"]);
        command.env("SWITCHBOARD_HTTP", http);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// Runs a command; whether it was content, and all it said.
    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = within("the command", self.program(arguments).output()).await;
        let output = output.expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// A name outside our own: the gateway's.
    fn theirs(&self, word: &str) -> String {
        format!("{}_{word}", self.stage.rabbit.prefix)
    }

    /// The queue of a source that is bound to an exchange.
    fn queue(&self, source: &str) -> String {
        self.stage.rabbit.topology.name(&format!("ingress.{source}"))
    }

    /// Publishes as gateways do: without properties.
    async fn publish(&self, exchange: &str, key: &str, body: &Value) {
        let body = body.to_string();
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let sent =
            self.channel
                .basic_publish(exchange.into(), key.into(), options, body.as_bytes(), properties);
        sent.await.expect("it is sent").await.expect("it is confirmed");
    }

    async fn upsert(&self, from: &str, id: &str) {
        let body = evolution(from, id, false);
        self.publish(&self.theirs("evolution"), "messages.upsert", &body)
            .await;
    }

    async fn consumers(&self, queue: &str) -> u32 {
        let asked = consumers_of(&self.stage.rabbit.connection, queue).await;
        asked.expect("the queue is there")
    }

    async fn until_consumed(&self, queue: &str) {
        until(&format!("a consumer of {queue}"), async || {
            (self.consumers(queue).await == 1).then_some(())
        })
        .await;
    }

    async fn assert_no_letters(&self) {
        let dead = self.stage.rabbit.topology.name("dead");
        let (letters, _) = state_of(&self.stage.rabbit.connection, &dead)
            .await
            .expect("it is there");
        assert_eq!(letters, 0, "dead letters");
    }
}

fn evolution(from: &str, id: &str, from_me: bool) -> Value {
    json!({
        "event": "messages.upsert", "instance": "shop", "apikey": "SECRET",
        "data": {
            "key": {"remoteJid": format!("{from}@s.whatsapp.net"), "fromMe": from_me, "id": id},
            "pushName": "Ana", "message": {"conversation": "hello"},
            "messageTimestamp": Timestamp::now().as_second(),
        },
    })
}

fn wuzapi(from: &str, id: &str) -> Value {
    json!({
        "type": "Message", "userID": "shop-1", "token": "SECRET",
        "event": {
            "Info": {
                "ID": id, "Chat": format!("{from}@s.whatsapp.net"), "Sender": format!("{from}@s.whatsapp.net"),
                "IsFromMe": false, "IsGroup": false, "PushName": "Ana", "Timestamp": Timestamp::now().to_string(),
            },
            "Message": {"conversation": "hello"},
        },
    })
}

/// The channels of the conversations that were given to somebody.
fn assigned(witness: &Witness) -> Vec<String> {
    let given = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "conversation.assigned");
    let mut channels: Vec<_> = given.map(|one| one.text("/data/channel").to_owned()).collect();
    channels.sort();
    channels
}

/// The queue a dead letter was read from.
fn origin(letter: &Letter) -> String {
    let origin: Value = serde_json::from_str(&letter.headers["x-switchboard-origin"]).expect("JSON");
    origin["queue"].as_str().expect("a queue").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gateways_publish_in_their_own_way_becomes_routed_conversations_beside_the_main_door() {
    let mut doors = Doors::of(&[EVOLUTION, WUZAPI]).await;
    // wuzapi has declared its queue, of the kind it likes; Evolution API has not been started yet.
    doors.stage.rabbit.queue(&doors.theirs("wuzapi"), &[]).await;
    let (good, said) = doors.run(&["topology", "declare"]).await;
    assert!(good && said.contains("declared what 2 sources need"), "{said}");
    let (good, said) = doors.run(&["topology", "check"]).await;
    assert!(good, "{said}");

    let mut witness = doors.stage.witness().await;
    doors.worker();
    doors.stage.send(&presence("mark", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    let exchange = doors.theirs("evolution");
    // Not one of the keys: it would be a dead letter.
    doors
        .publish(&exchange, "connection.update", &json!({"event": 1}))
        .await;
    doors.upsert(&phone(1), "3EB01").await;
    doors
        .publish(&exchange, "send.message", &evolution(&phone(1), "3EB02", true))
        .await;
    doors
        .publish("", &doors.theirs("wuzapi"), &wuzapi(&phone(2), "3EB03"))
        .await;
    doors.stage.send(&webhook(&phone(3), "wamid.4", "hello")).await;
    witness.until_events("conversation.assigned", 3).await;
    witness.until_events("message.sent", 1).await;
    assert_eq!(
        assigned(&witness),
        ["evolution:shop", "whatsapp:123456789012345", "wuzapi:shop-1"]
    );
    doors.assert_no_letters().await;
    witness.assert_sequences();
    doors.stage.assert_audit_is_clean().await;
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_source_takes_nothing_else_says_so_and_is_not_got_round_by_a_replay() {
    let mut doors = Doors::declared(&[EVOLUTION]).await;
    let mut witness = doors.stage.witness().await;
    doors.worker();
    let exchange = doors.theirs("evolution");
    let order = presence("mark", "online");
    doors
        .publish(
            &exchange,
            "messages.upsert",
            &webhook(&phone(1), "wamid.1", "hello"),
        )
        .await;
    doors.publish(&exchange, "messages.upsert", &order).await;
    doors.upsert(&phone(2), "3EB01").await;
    witness.until_events("conversation.opened", 1).await;
    let expected = "the body is no webhook of Evolution API, which is all this queue takes";
    for letter in witness.letters(2).await {
        assert_eq!(letter.reason(), "unrecognised");
        assert_eq!(letter.headers["x-switchboard-detail"], expected);
        assert_eq!(origin(&letter), doors.queue("shop"));
    }
    doors.publish(&exchange, "messages.upsert", &order).await;
    let dead = doors.stage.rabbit.topology.name("dead");
    until("the command among the dead", async || {
        let asked = state_of(&doors.stage.rabbit.connection, &dead).await;
        (asked.expect("it is there").0 == 1).then_some(())
    })
    .await;
    let (good, said) = doors.run(&["dead", "replay"]).await;
    assert!(good, "{said}");
    let again = witness.letters(1).await.remove(0);
    assert_eq!(
        (again.reason(), origin(&again)),
        ("unrecognised", doors.queue("shop"))
    );
    assert_eq!(again.headers["x-switchboard-redrives"], "1");
    assert_eq!(
        doors
            .stage
            .count("select count(*) from agent where presence = 'online'")
            .await,
        0
    );
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pin_of_the_ingress_is_not_about_what_missed_its_partition() {
    let mut doors = Doors::declared(&[]).await;
    let mut witness = doors.stage.witness().await;
    doors.worker_with(Ingress {
        adapter: Adapter::CloudApi,
        sources: Vec::new(),
    });
    doors.stage.send(&presence("martha", "online")).await;
    let refused = witness.letters(1).await.remove(0);
    assert!(refused.headers["x-switchboard-detail"].contains("no webhook of the Cloud API"));
    assert_eq!(origin(&refused), doors.stage.rabbit.topology.name("ingress"));
    let astray = PARTITIONS.to_string();
    let body = presence("mark", "online").to_string();
    let properties = BasicProperties::default();
    doors
        .stage
        .publish("commands", &astray, body.as_bytes(), properties)
        .await;
    doors.stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("conversation.assigned", 1).await;
    assert_eq!(assigned(&witness), ["whatsapp:123456789012345"]);
    doors.assert_no_letters().await;
    doors.stage.end().await;
}

/// A port of this machine that nobody listens on.
fn free_place() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_missing_stops_nobody_and_is_taken_up_once_it_is_there() {
    let doors = Doors::declared(&[WUZAPI, EVOLUTION]).await;
    let (good, said) = doors.run(&["topology", "check"]).await;
    let missing = format!(
        "the queue {} of the source \"wuzapi\" is not there: its gateway has to declare it",
        doors.theirs("wuzapi")
    );
    assert!(!good && said.contains(&missing), "{said}");

    let mut witness = doors.stage.witness().await;
    let place = free_place();
    let mut worker = doors.process_at(&place);
    let ready = async || {
        let mut asked = doors.program(&["healthcheck"]);
        let output = asked
            .env("SWITCHBOARD_HTTP", &place)
            .output()
            .await
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(said)
    };
    doors.stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    doors.upsert(&phone(2), "3EB01").await;
    witness.until_events("conversation.opened", 2).await;
    let away = "ready\nthe source wuzapi is not consumed: the log says why\n";
    until("a worker that is ready without wuzapi", async || {
        (ready().await? == away).then_some(())
    })
    .await;

    doors.stage.rabbit.queue(&doors.theirs("wuzapi"), &[]).await;
    doors
        .publish("", &doors.theirs("wuzapi"), &wuzapi(&phone(3), "3EB02"))
        .await;
    witness.until_events("conversation.opened", 3).await;
    until("a worker with all sources", async || {
        (ready().await? == "ready\n").then_some(())
    })
    .await;

    let pid = worker.id().expect("it runs").to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(told.expect("kill is there").success());
    let ended = within("the worker's end", worker.wait()).await.expect("a status");
    assert!(ended.success(), "{ended}");
    for queue in [
        doors.theirs("wuzapi"),
        doors.queue("shop"),
        doors.stage.rabbit.topology.name("ingress"),
    ] {
        assert_eq!(doors.consumers(&queue).await, 0, "{queue}");
    }
    assert_eq!(
        doors
            .stage
            .count("select count(*) from lane where worker is not null")
            .await,
        0
    );
    doors.assert_no_letters().await;
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_somebody_else_consumes_is_left_to_them_until_they_go() {
    let mut doors = Doors::declared(&[WUZAPI]).await;
    let queue = doors.theirs("wuzapi");
    doors.stage.rabbit.queue(&queue, &[]).await;
    let connection = &doors.stage.rabbit.connection;
    let mut other = Consumer::start(connection, &queue, "somebody", 10)
        .await
        .expect("it is there");
    let mut witness = doors.stage.witness().await;
    doors.worker();
    for id in ["3EB01", "3EB02"] {
        doors.publish("", &queue, &wuzapi(&phone(1), id)).await;
        doors
            .stage
            .send(&webhook(&phone(2), &format!("wamid.{id}"), "hello"))
            .await;
        let theirs = within("their message", other.receive(1))
            .await
            .expect("they consume");
        other
            .acknowledge_through(theirs[0].tag)
            .await
            .expect("they go on");
    }
    witness.until_events("message.received", 2).await;
    assert_eq!(doors.consumers(&queue).await, 1);
    doors.publish("", &queue, &wuzapi(&phone(1), "3EB03")).await;
    other.close().await;
    witness.until_events("message.received", 3).await;
    let received = witness.seen.iter().filter(|one| one.kind() == "message.received");
    let of_wuzapi = received.filter(|one| one.text("/data/channel") == "wuzapi:shop-1");
    assert_eq!(of_wuzapi.count(), 1);
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_forwards_from_a_source_loses_and_doubles_nothing() {
    const CUSTOMERS: usize = 150;
    let doors = Doors::declared(&[EVOLUTION]).await;
    let mut witness = doors.stage.witness().await;
    let mut first = doors.process();
    doors.until_consumed(&doors.queue("shop")).await;
    let publish = async {
        for n in 0..CUSTOMERS {
            doors.upsert(&phone(n), &format!("3EB0{n}")).await;
        }
    };
    let kill = async {
        witness.until_events("message.received", 20).await;
        first.kill().await.expect("it runs");
    };
    tokio::join!(publish, kill);
    let mut second = doors.process();
    witness.until_events("message.received", CUSTOMERS).await;
    let (shop, _) = state_of(&doors.stage.rabbit.connection, &doors.queue("shop"))
        .await
        .expect("it is there");
    assert_eq!(shop, 0);
    assert_eq!(
        doors.stage.count("select count(*) from conversation").await,
        CUSTOMERS as i64
    );
    witness.assert_sequences();
    let mut messages: Vec<_> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "message.received")
        .collect();
    messages.sort_by_key(|one| one.text("/id"));
    messages.dedup_by_key(|one| one.text("/id"));
    assert_eq!(messages.len(), CUSTOMERS, "once each");
    doors.assert_no_letters().await;
    doors.stage.assert_audit_is_clean().await;
    second.kill().await.expect("it runs");
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_one_consumes_a_source_and_order_holds_when_it_goes_over_to_the_other() {
    const MESSAGES: usize = 60;
    let mut doors = Doors::declared(&[EVOLUTION]).await;
    let mut witness = doors.stage.witness().await;
    let mut first = doors.process();
    doors.until_consumed(&doors.queue("shop")).await;
    doors.worker();
    let both = "select count(distinct worker) from lane where worker is not null";
    doors.stage.until_count(both, 2).await;
    let all = "select count(*) from lane where worker is not null";
    doors.stage.until_count(all, i64::from(PARTITIONS) + 1).await;
    doors.until_consumed(&doors.queue("shop")).await;
    let publish = async {
        for n in 0..MESSAGES {
            doors.upsert(&phone(1), &format!("3EB0{n:03}")).await;
        }
    };
    let stop = async {
        witness.until_events("message.received", 10).await;
        let pid = first.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(told.expect("kill is there").success());
        within("the worker's end", first.wait()).await.expect("a status");
    };
    tokio::join!(publish, stop);
    witness.until_events("message.received", MESSAGES).await;
    assert_eq!(doors.consumers(&doors.queue("shop")).await, 1);
    let conversations = witness.conversations();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    let story = witness.story(&conversations[0]);
    let received = story.iter().filter(|one| one.kind() == "message.received");
    let ids: Vec<_> = received
        .map(|one| one.text("/data/message/id").to_owned())
        .collect();
    let expected: Vec<_> = (0..MESSAGES).map(|n| format!("3EB0{n:03}")).collect();
    assert_eq!(ids, expected);
    doors.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_declared_for_one_source_is_said_and_the_others_are_declared() {
    let sources = [
        "absent exchange={}_absent keys=#",
        "fan exchange={}_fan keys=# type=topic",
        EVOLUTION,
        WUZAPI,
    ];
    let doors = Doors::of(&sources).await;
    let rabbit = &doors.stage.rabbit;
    rabbit.exchange(&doors.theirs("fan"), ExchangeKind::Fanout).await;
    let absent = format!(
        "the exchange {} of the source \"absent\" is not there: let its gateway declare it, or say its type=",
        doors.theirs("absent")
    );
    let fan = format!(
        "the exchange {} of the source \"fan\" is there, but not as a durable topic exchange: correct its type=",
        doors.theirs("fan")
    );
    let (good, said) = doors.run(&["topology", "declare"]).await;
    assert!(!good && said.contains(&absent) && said.contains(&fan), "{said}");
    assert!(said.contains("2 of 4 sources could not be declared"), "{said}");
    assert_eq!(doors.consumers(&doors.queue("shop")).await, 0);

    let (good, said) = doors.run(&["topology", "check"]).await;
    assert!(!good && said.contains(&absent) && said.contains(&fan), "{said}");
    for queue in [doors.queue("absent"), doors.queue("fan")] {
        let missing = format!("the queue {queue} is not there: run `switchboard topology declare`");
        assert!(said.contains(&missing), "{said}");
    }
    assert!(!said.contains(&doors.queue("shop")), "{said}");

    rabbit
        .exchange(&doors.theirs("absent"), ExchangeKind::Direct)
        .await;
    let (_, said) = doors.run(&["topology", "declare"]).await;
    assert!(!said.contains(&absent) && said.contains(&fan), "{said}");
    let (good, said) = doors.run(&["topology", "show", "--json"]).await;
    let shown: Value = serde_json::from_str(&said).expect("JSON");
    let rows = shown["rows"].as_array().expect("rows");
    let shop = rows
        .iter()
        .find(|row| row["kind"] == "source" && row["name"] == "shop");
    assert!(
        good && shop.is_some_and(|row| row["detail"] == format!("evolution from {}", doors.queue("shop")))
    );
    doors.stage.end().await;
}
