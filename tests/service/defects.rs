//! What people report of the systems that do this job today, where it takes servers to show that it is not so here. The
//! table in `tests/pure/defects/mod.rs` says which tests answer for which line.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bodies::{PLAN, command, fact, phone, presence, roomy_plan, webhook};
use crate::support::visitor::visit;
use crate::support::wait::{until, within};
use crate::support::{PARTITIONS, Stage};

/// Conversations that are fought over.
const FOUGHT_OVER: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_of_one_conversation_on_different_lanes_and_workers_one_wins() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    for n in 0..FOUGHT_OVER {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
    }
    witness.until_events("conversation.queued", FOUGHT_OVER).await;
    // Both claims of each conversation are handled on a lane of their own, at once: neither is its home but by chance.
    let conversations = witness.conversations();
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (n, conversation) in conversations.iter().enumerate() {
        for (shift, agent) in ["mark", "martha"].into_iter().enumerate() {
            let claim = command(
                "assign",
                agent,
                json!({"conversation": conversation, "to": {"agent": agent}}),
            );
            stage
                .send_native("commands", keys[(n + shift) % keys.len()], &claim)
                .await;
        }
    }
    witness.until_events("command.rejected", FOUGHT_OVER).await;
    witness.until_events("conversation.assigned", FOUGHT_OVER).await;
    for conversation in &conversations {
        let of_it = |kind: &str| {
            let all = witness.seen.iter().filter(|one| one.kind() == kind);
            let own = all.filter(|one| one.text("/data/conversation") == conversation);
            own.map(|one| one.text("/data/owner/id").to_owned())
                .collect::<Vec<_>>()
        };
        let (won, lost) = (of_it("conversation.assigned"), of_it("command.rejected"));
        assert_eq!(won.len(), 1, "{conversation} has one owner");
        assert_eq!(lost, won, "and who lost is told who that is");
    }
    let refused = witness.seen.iter().filter(|one| one.kind() == "command.rejected");
    assert!(
        refused
            .clone()
            .all(|one| one.text("/data/code") == "already_assigned")
    );
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

/// Who has each lane, and since which epoch.
async fn lanes(stage: &Stage) -> BTreeMap<i64, (Option<String>, i64)> {
    let client = stage.database.client().await;
    let sql = "select partition::int8, worker::text, epoch::int8 from lane";
    let rows = client.query(sql, &[]).await.expect("the lanes");
    rows.iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_lets_go_of_its_own_lanes_and_disturbs_no_others() {
    let stage = Stage::with_plan(PLAN).await;
    let mut stopping = stage.process();
    let all = i64::from(PARTITIONS) + 1;
    let held = "select count(*) from lane where worker is not null";
    stage.until_count(held, all).await;
    let mut staying = stage.process();
    let shared = "select count(*) from (select worker from lane group by worker having count(*) >= 2) w";
    stage.until_count(shared, 2).await;
    stage.until_count(held, all).await;
    let before = lanes(&stage).await;

    let pid = stopping.id().expect("it runs").to_string();
    let told = tokio::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await;
    assert!(told.expect("kill is there").success());
    within("the worker's end", stopping.wait())
        .await
        .expect("an exit status");
    // One worker has all of them: whoever stayed.
    let of_one = "select count(*) from lane where worker is not null
      and (select count(distinct worker) from lane where worker is not null) = 1";
    stage.until_count(of_one, all).await;
    let after = lanes(&stage).await;
    let stayed = after.values().next().expect("a lane").0.clone();
    let undisturbed = before.iter().filter(|(_, (worker, _))| *worker == stayed);
    let undisturbed: Vec<_> = undisturbed.collect();
    assert!(!undisturbed.is_empty(), "{before:?} {after:?}");
    for (lane, state) in undisturbed {
        assert_eq!(
            after.get(lane),
            Some(state),
            "lane {lane} was neither lost nor taken again"
        );
    }
    staying.kill().await.expect("it runs");
    stage.end().await;
}

/// Puts thousands in front of whoever waits: copies that nobody can serve. Some ask for what nobody has learned, some
/// exclude the only one there, some want someone who is away and otherwise what nobody has learned.
const UNROUTABLE: &str = "
    with kinds as (select n, n % 150 as kind from generate_series(1, 4500) n),
    crowd as (
      select n, '0 +skill' || kind || ':1' as requirement, '' as excluded,
        jsonb_build_object('skills', jsonb_build_object('skill' || kind, 1)) as route from kinds where n % 3 = 0
      union all select n, '0 -martha -x' || kind, 'martha x' || kind, '{}' from kinds where n % 3 = 1
      union all select n, '0 +skill' || kind || ':1 @mark', '',
        jsonb_build_object('agent', 'mark', 'skills', jsonb_build_object('skill' || kind, 1)) from kinds where n % 3 = 2)
    insert into conversation select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),
        'requirement', crowd.requirement, 'excluded', crowd.excluded, 'route', crowd.route,
        'waits_from', c.waits_from - crowd.n * interval '1 s', 'waiting_since', c.waits_from - crowd.n * interval '1 s'
      ))).* from conversation c, crowd where c.owner_queue is not null";

#[tokio::test(flavor = "multi_thread")]
async fn defect_18_one_behind_thousands_whom_nobody_can_serve_is_assigned_in_the_transaction_that_frees_the_place()
 {
    let stage = Stage::with_plan(PLAN).await;
    let client = stage.database.client().await;
    visit(&stage, &[presence("martha", "online")]).await;
    // Martha has room for two.
    for n in 1..=3 {
        visit(&stage, &[fact(&phone(n), &format!("wamid.{n}"), "key")]).await;
    }
    let waits = "select id::text from conversation where owner_queue is not null";
    let waiting: String = client.query_one(waits, &[]).await.expect("the third").get(0);
    let owned = "select id::text from conversation where owner_agent = 'martha' limit 1";
    let owned: String = client.query_one(owned, &[]).await.expect("a conversation").get(0);
    client.batch_execute(UNROUTABLE).await.expect("a crowd");
    let crowd = "select count(*) from conversation where requirement is not null";
    assert_eq!(stage.count(crowd).await, 4_501);
    // One batch is one transaction.
    visit(
        &stage,
        &[command("close", "martha", json!({"conversation": owned}))],
    )
    .await;
    let given =
        format!("select count(*) from conversation where id = '{waiting}' and owner_agent = 'martha'");
    assert_eq!(stage.count(&given).await, 1, "the only one she can serve");
    assert_eq!(stage.count(crowd).await, 4_500);
    assert_eq!(
        stage
            .count("select count(*) from matching where drain_pending")
            .await,
        0,
        "and nothing is left for another batch"
    );
    drop(client);
    stage.end().await;
}

/// A page of a worker's port.
async fn page(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_depth_of_a_queue_is_seen_while_customers_wait_and_gone_when_they_do_not() {
    let stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = port.local_addr().expect("an address").to_string();
    drop(port);
    let mut command = stage.program(&["worker"]);
    command.env("SWITCHBOARD_HTTP", &address);
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut worker = command.spawn().expect("the worker starts");
    // It runs already when the first one comes to wait.
    until("the worker", async || {
        page(&address, "/readyz")
            .await
            .filter(|answer| answer.starts_with("HTTP/1.1 200"))
    })
    .await;
    let depth = |wanted: usize| {
        let line =
            format!("switchboard_waiting_conversations{{tenant=\"acme\",team=\"support\"}} {wanted}\n");
        let address = &address;
        async move {
            let what = format!("a queue of {wanted}");
            until(&what, async || {
                page(address, "/metrics")
                    .await
                    .filter(|page| page.contains(&line))
            })
            .await
        }
    };
    for n in 0..3 {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
    }
    witness.until_events("conversation.queued", 3).await;
    depth(3).await;
    stage.send(&presence("martha", "online")).await;
    witness.until_events("conversation.assigned", 3).await;
    depth(0).await;
    worker.kill().await.expect("it runs");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_nobody_knows_yet_stop_neither_a_webhook_nor_a_fact_nor_a_command() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let strange = json!({"since": "v99", "list": [{"of": null}]});
    let mut online = presence("martha", "online");
    online["data"]["device"] = strange.clone();
    online["comdevice"] = json!("a new attribute");
    stage.send(&online).await;
    witness.until_events("agent.presence_changed", 1).await;
    let mut body = webhook(&phone(1), "wamid.1", "hello");
    for place in [
        "",
        "/entry/0",
        "/entry/0/changes/0",
        "/entry/0/changes/0/value",
        "/entry/0/changes/0/value/metadata",
        "/entry/0/changes/0/value/contacts/0",
        "/entry/0/changes/0/value/contacts/0/profile",
        "/entry/0/changes/0/value/messages/0",
        "/entry/0/changes/0/value/messages/0/text",
    ] {
        body.pointer_mut(place).expect(place)["brand_new"] = strange.clone();
    }
    stage.send(&body).await;
    witness.until_events("message.received", 1).await;
    let mut native = fact(&phone(1), "wamid.2", "k");
    for place in ["", "/data", "/data/contact", "/data/message"] {
        native.pointer_mut(place).expect(place)["brand_new"] = strange.clone();
    }
    stage.send(&native).await;
    witness.until_events("message.received", 2).await;
    let owned = witness.first("conversation.assigned").text("/subject").to_owned();
    let close = json!({"conversation": owned, "brand_new": strange});
    stage.send(&command("close", "martha", close)).await;
    witness.until_events("conversation.closed", 1).await;
    assert_eq!(witness.conversations(), [owned]);
    stage.end().await;
}
