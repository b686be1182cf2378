//! Starting: what a person must fix ends with one sentence and exit code 1; a server that is away is waited for.

use std::process::Stdio;
use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::support::bodies::{PLAN, fact, phone, presence};
use crate::support::database::{Database, with_database};
use crate::support::wait::{until, within};
use crate::support::{PARTITIONS, Stage, environment};

/// Starts a worker that should refuse to; returns what it said.
async fn refused(stage: &Stage, variables: &[(&str, &str)]) -> String {
    let mut command = stage.program(&["worker"]);
    command.envs(variables.iter().copied()).env("RUST_LOG", "off");
    let output = within("the refusal", command.output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

/// The same user with another password.
fn with_password(url: &str, password: &str) -> String {
    let (before, place) = url.rsplit_once('@').expect("the test servers ask for a password");
    let (user, _) = before.rsplit_once(':').expect("a user and a password");
    format!("{user}:{password}@{place}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_must_fix_is_said_in_one_sentence() {
    let stage = Stage::with_plan(PLAN).await;
    let broker = environment("AMQP_URL");

    let said = refused(&stage, &[("DATABASE_URL", "nonsense://x")]).await;
    assert!(said.contains("DATABASE_URL"), "{said}");
    let said = refused(&stage, &[("DATABASE_URL", "")]).await;
    assert!(said.contains("DATABASE_URL is not set"), "{said}");
    let nowhere = with_database(&stage.database.url, "not_there");
    let said = refused(&stage, &[("DATABASE_URL", &nowhere)]).await;
    assert!(said.contains("does not exist"), "{said}");

    let said = refused(
        &stage,
        &[("DATABASE_URL", &with_password(&stage.database.url, "hunter2"))],
    )
    .await;
    assert!(said.contains("password") && !said.contains("hunter2"), "{said}");

    let said = refused(&stage, &[("AMQP_URL", "")]).await;
    assert!(said.contains("AMQP_URL is not set"), "{said}");
    let said = refused(&stage, &[("AMQP_URL", "nonsense://x")]).await;
    assert!(said.contains("AMQP_URL"), "{said}");
    let said = refused(&stage, &[("AMQP_URL", &with_password(&broker, "hunter2"))]).await;
    assert!(said.contains("refuse") && !said.contains("hunter2"), "{said}");
    let (scheme, rest) = broker.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let wrong = format!("{scheme}://nobody:hunter2@{place}");
    let said = refused(&stage, &[("AMQP_URL", &wrong)]).await;
    assert!(said.contains("refuse") && !said.contains("hunter2"), "{said}");
    let said = refused(&stage, &[("SWITCHBOARD_LEASE", "soon")]).await;
    assert!(said.contains("SWITCHBOARD_LEASE"), "{said}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_migration_and_a_missing_or_different_queue_are_said_so() {
    let stage = Stage::with_plan(PLAN).await;
    let channel = stage.rabbit.channel().await;
    let queue = stage.rabbit.topology.partition_queue(2);
    channel
        .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let said = refused(&stage, &[]).await;
    assert!(said.contains("topology declare"), "{said}");
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.as_str().into(), durable, FieldTable::default())
        .await
        .unwrap();
    let said = refused(&stage, &[]).await;
    assert!(said.contains(&queue), "{said}");

    let empty = Database::empty().await;
    let said = refused(&stage, &[("DATABASE_URL", &empty.url)]).await;
    assert!(said.contains("migrate up"), "{said}");
    stage.end().await;
}

/// A port of this machine that nobody listens on.
fn free_place() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// Starts a worker with this variable, and sees it live, not ready, and still trying.
async fn assert_waits(stage: &Stage, variable: &str, url: &str) {
    let http = free_place();
    let mut worker = stage
        .program(&["worker"])
        .env(variable, url)
        .env("SWITCHBOARD_HTTP", &http)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let health = |arguments: Vec<&'static str>| {
        let mut command = stage.program(&arguments);
        command.env("SWITCHBOARD_HTTP", &http);
        async move { command.output().await.unwrap() }
    };
    until("the endpoint", async || {
        let output = health(vec!["healthcheck", "--live"]).await;
        output.status.success().then_some(())
    })
    .await;
    let ready = health(vec!["healthcheck"]).await;
    assert!(!ready.status.success(), "{variable}");
    assert!(
        String::from_utf8_lossy(&ready.stdout).contains("not ready"),
        "{variable}"
    );
    let still = timeout(Duration::from_secs(1), worker.wait()).await;
    assert!(still.is_err(), "it goes on trying: {variable}");
    worker.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_waited_for_and_the_worker_is_not_ready() {
    let stage = Stage::with_plan(PLAN).await;
    let broker = format!("amqp://{}/%2f", free_place());
    assert_waits(&stage, "AMQP_URL", &broker).await;
    let database = format!("postgresql://somebody:secret@{}/switchboard", free_place());
    assert_waits(&stage, "DATABASE_URL", &database).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_orderly_life_has_no_errors_no_colours_and_names_the_ingress() {
    let stage = Stage::with_plan(PLAN).await;
    let mut worker = stage
        .program(&["worker"])
        .envs([("RUST_LOG", "info"), ("SWITCHBOARD_LOG", "text")])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(worker.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let lanes = usize::from(PARTITIONS) + 1;
    while said.matches("lane taken").count() < lanes {
        let line = within("the next line", lines.next_line()).await;
        said += &format!("{}\n", line.unwrap().expect("it goes on"));
    }
    let pid = worker.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill").arg(&pid).status().await;
    assert!(sent.unwrap().success());
    while let Some(line) = within("the end", lines.next_line()).await.unwrap() {
        said += &format!("{line}\n");
    }
    assert!(said.contains("worker stopped"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    assert!(!said.contains("ERROR") && !said.contains("WARN"), "{said}");
    assert!(!said.contains("65535"), "{said}");
    assert!(said.contains("lane taken partition=\"ingress\""), "{said}");
    stage.end().await;
}

/// A newer version puts a plan in force with a key that this one has never heard of.
const FROM_THE_FUTURE: &str = "
    insert into plan (tenant, version, document, activated_at, actor, cause)
        select tenant, 2, document || '{\"news\": {}}', activated_at, actor, 'future' from plan;
    update matching set plan_version = 2;
    update deployment set directory_version = directory_version + 1";

/// And takes it back.
const TAKEN_BACK: &str = "
    update matching set plan_version = 1;
    update deployment set directory_version = directory_version + 1";

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_understand_a_plan_decides_nothing_until_it_is_understood() {
    let stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    let mut worker = stage.program(&["worker"]).spawn().unwrap();
    let mut lines = BufReader::new(worker.stderr.take().unwrap()).lines();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;

    stage.database.run(FROM_THE_FUTURE).await;
    stage
        .send_native("inbound", "customer", &fact(&phone(1), "wamid.1", "customer"))
        .await;
    let mut said = String::new();
    while !said.contains("is not understood here") {
        let line = within("the complaint", lines.next_line()).await;
        said = line.unwrap().expect("it goes on");
    }
    assert_eq!(stage.count("select count(*) from conversation").await, 0);
    let refused = refused(&stage, &[]).await;
    assert!(
        refused.contains("version 2 of acme's plan is not understood here"),
        "{refused}"
    );

    stage.database.run(TAKEN_BACK).await;
    witness.until_events("conversation.assigned", 1).await;
    assert_eq!(
        witness.first("conversation.assigned").text("/data/owner/id"),
        "martha"
    );
    let (_, dead, _) = stage.run(&["dead", "list", "--json"]).await;
    assert_eq!(dead.trim(), "[]");
    witness.assert_sequences();
    worker.kill().await.unwrap();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
