//! Bad input: each has its documented outcome, and what comes after it is unharmed.

use lapin::BasicProperties;
use serde_json::{Value, json};
use switchboard::contract::partition;
use uuid::Uuid;

use crate::support::bodies::{PLAN, command, fact, phone, presence, webhook};
use crate::support::{PARTITIONS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_dead_lettered_with_its_reason_and_its_own_body() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let mut elsewhere = webhook(&phone(1), "wamid.x", "hello");
    elsewhere["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("999");
    let mut old = webhook(&phone(1), "wamid.old", "hello");
    old["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = json!("1500000000");
    let mut nobody = fact(&phone(1), "wamid.n", "k");
    nobody["data"]["contact"] = json!({"name": "Ana"});
    let mut stranger = presence("martha", "online");
    stranger["data"]["tenant"] = json!("nobody-knows");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("unparseable", b"{\"object\": ".to_vec()),
        ("unrecognised", b"{\"hello\": \"world\"}".to_vec()),
        ("unknown_channel", serde_json::to_vec(&elsewhere).unwrap()),
        ("too_old", serde_json::to_vec(&old).unwrap()),
        ("no_identity", serde_json::to_vec(&nobody).unwrap()),
        ("unknown_tenant", serde_json::to_vec(&stranger).unwrap()),
        ("too_large", vec![b' '; 70_000]),
    ];
    for (_, body) in &cases {
        stage.send_raw(body).await;
    }
    stage.send(&webhook(&phone(2), "wamid.good", "hello")).await;
    witness.until_events("message.received", 1).await;
    let letters = witness.letters(cases.len()).await.into_iter();
    let mut letters: Vec<_> = letters
        .map(|letter| (letter.reason().to_owned(), letter.body))
        .collect();
    let mut wanted: Vec<(String, Vec<u8>)> = cases
        .into_iter()
        .map(|(reason, body)| (reason.to_owned(), body))
        .collect();
    letters.sort();
    wanted.sort();
    assert_eq!(letters, wanted);
    stage.end().await;
}

/// Bodies for one lane that each end somewhere else, with the reason of their dead letter.
fn dead_ones(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = fact(&phone(90), "wamid.bad", key);
        change(&mut body);
        serde_json::to_vec(&body).unwrap()
    };
    let mut stranger = presence("martha", "online");
    stranger["data"]["tenant"] = json!("nobody-knows");
    let mut silent = presence("martha", "online");
    silent["data"] = json!("presence");
    vec![
        ("unparseable", b"{\"specversion\": ".to_vec()),
        ("unparseable", vec![0xff, 0xfe, 0x00]),
        ("unrecognised", b"[1, 2, 3]".to_vec()),
        (
            "unrecognised",
            changed(&|body| body["type"] = json!("telegram.message.received")),
        ),
        (
            "unknown_channel",
            changed(&|body| body["data"]["channel"] = json!("whatsapp:999")),
        ),
        (
            "too_old",
            changed(&|body| body["data"]["message"]["timestamp"] = json!("2020-01-01T00:00:00Z")),
        ),
        (
            "no_identity",
            changed(&|body| body["data"]["contact"] = json!({"name": "Ana"})),
        ),
        (
            "invalid",
            changed(&|body| body["data"]["message"]["timestamp"] = json!("yesterday")),
        ),
        ("invalid", serde_json::to_vec(&silent).unwrap()),
        ("unknown_tenant", serde_json::to_vec(&stranger).unwrap()),
        (
            "too_large",
            changed(&|body| body["data"]["message"]["text"] = json!("x".repeat(70_000))),
        ),
    ]
}

/// Commands that are refused, with their code.
fn refused_ones() -> Vec<(&'static str, Value)> {
    let of_nobody = json!({"conversation": Uuid::new_v4()});
    let faulty = json!({"plan": {"tenant": "acme", "teams": [{"id": "a b"}], "teems": []}});
    vec![
        ("not_found", command("close", "martha", of_nobody.clone())),
        ("not_found", command("close", "ghost", of_nobody)),
        (
            "unknown_agent",
            command(
                "presence",
                "ghost",
                json!({"agent": "martha", "presence": "online"}),
            ),
        ),
        (
            "unknown_agent",
            command(
                "presence",
                "boss",
                json!({"agent": "ghost", "presence": "online"}),
            ),
        ),
        ("invalid", command("plan.apply", "boss", faulty)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_bad_in_a_batch_ends_where_it_should_and_the_rest_is_unharmed() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    let key = "one-lane";
    let partition = partition::of(key, PARTITIONS).to_string();
    let (dead, refused) = (dead_ones(key), refused_ones());
    let mut good = 0..;
    // All of it is there before the worker is: one batch, a good one before, between and behind the bad ones.
    for (_, body) in &dead {
        let n = good.next().unwrap();
        stage
            .send_native("inbound", key, &fact(&phone(n), &format!("wamid.{n}"), key))
            .await;
        stage
            .publish("inbound", &partition, body, BasicProperties::default())
            .await;
    }
    for (_, command) in &refused {
        let n = good.next().unwrap();
        stage
            .send_native("inbound", key, &fact(&phone(n), &format!("wamid.{n}"), key))
            .await;
        stage.send_native("commands", key, command).await;
    }
    let last = good.next().unwrap();
    stage
        .send_native("inbound", key, &fact(&phone(last), &format!("wamid.{last}"), key))
        .await;
    stage.worker();

    witness.until_events("message.received", last + 1).await;
    let received: Vec<&str> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "message.received")
        .map(|one| one.text("/data/message/id"))
        .collect();
    let wanted: Vec<String> = (0..=last).map(|n| format!("wamid.{n}")).collect();
    assert_eq!(received, wanted, "every good one took effect, in its order");
    witness.until_events("command.rejected", refused.len()).await;
    for (code, command) in &refused {
        let cause = command["id"].as_str().unwrap();
        let answer = witness.seen.iter().find(|one| one.text("/data/cause") == cause);
        assert_eq!(
            answer.expect("an answer to each").text("/data/code"),
            *code,
            "{command}"
        );
    }
    let faults = witness
        .seen
        .iter()
        .find(|one| one.body["data"]["errors"].is_array());
    let faults = faults.expect("what is wrong with the plan").body["data"]["errors"]
        .as_array()
        .unwrap();
    assert!(
        faults.len() >= 2 && faults.iter().all(|fault| fault["path"].is_string()),
        "{faults:?}"
    );

    let mut letters = witness.letters(dead.len()).await;
    for letter in &letters {
        let origin: Value = serde_json::from_str(&letter.headers["x-switchboard-origin"]).unwrap();
        assert_eq!(origin["exchange"], stage.rabbit.topology.name("inbound"));
        assert_eq!(origin["routing_key"], partition);
        assert!(origin["queue"].is_string(), "{origin}");
        assert!(!letter.headers["x-switchboard-detail"].is_empty());
        letter.headers["x-switchboard-at"]
            .parse::<jiff::Timestamp>()
            .unwrap();
        assert_eq!(letter.headers["x-switchboard-redrives"], "0");
    }
    letters.sort_by_key(|letter| (letter.reason().to_owned(), letter.body.clone()));
    let letters: Vec<(&str, Vec<u8>)> = letters
        .iter()
        .map(|letter| (letter.reason(), letter.body.clone()))
        .collect();
    let mut wanted = dead.clone();
    wanted.sort();
    assert_eq!(letters, wanted);
    let (good, said, error) = stage.run(&["dead", "list", "--json"]).await;
    assert!(
        good && said.trim() == "[]",
        "every letter was taken: {said}{error}"
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_whose_cause_is_mended_takes_effect_when_replayed() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let mut early = webhook(&phone(1), "wamid.early", "hello");
    early["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("777");
    stage.send(&early).await;
    let (_, listed, _) = loop {
        let listed = stage.run(&["dead", "list", "--json"]).await;
        if listed.1.contains("unknown_channel") {
            break listed;
        }
    };
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&listed[0]["reason"], &listed[0]["redrives"]),
        (&json!("unknown_channel"), &json!(0))
    );
    stage
        .apply(&format!("{PLAN}\n[[channels]]\nkey = \"whatsapp:777\"\n"))
        .await;
    let (good, said, error) = stage.run(&["dead", "replay"]).await;
    assert!(good, "{said}{error}");
    witness.until_events("message.received", 1).await;
    assert_eq!(
        witness.first("message.received").text("/data/channel"),
        "whatsapp:777"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_commands_name_their_code_and_change_nothing() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("conversation.assigned", 1).await;
    let id = witness.first("conversation.assigned").text("/subject").to_owned();
    let state = "select sequence * 1000 + epoch from conversation";
    let before = stage.count(state).await;
    let on = |fields: Value| {
        let mut fields = fields;
        fields["conversation"] = json!(id);
        fields
    };
    let cases = [
        (
            "not_found",
            command("close", "martha", json!({"conversation": Uuid::new_v4()})),
        ),
        ("unknown_agent", command("close", "ghost", on(json!({})))),
        (
            "unknown_agent",
            command("assign", "martha", on(json!({"to": {"agent": "ghost"}}))),
        ),
        (
            "unknown_team",
            command("assign", "martha", on(json!({"to": {"team": "ghosts"}}))),
        ),
        (
            "epoch_conflict",
            command("close", "martha", on(json!({"expected_epoch": 1}))),
        ),
        (
            "already_assigned",
            command("assign", "boss", on(json!({"to": {"agent": "martha"}}))),
        ),
        (
            "already_assigned",
            command("assign", "mark", on(json!({"to": {"agent": "mark"}}))),
        ),
        ("not_assignee", command("close", "mark", on(json!({})))),
        ("not_permitted", command("unassign", "mark", on(json!({})))),
        (
            "not_permitted",
            command(
                "agent.upsert",
                "mark",
                json!({"agent": {"id": "mark", "role": "admin"}}),
            ),
        ),
        ("invalid", command("reopen", "martha", on(json!({})))),
        ("invalid", command("assign", "martha", on(json!({})))),
        ("invalid", command("dance", "martha", on(json!({})))),
        (
            "invalid",
            command(
                "presence",
                "martha",
                json!({"agent": "martha", "presence": "asleep"}),
            ),
        ),
        (
            "invalid",
            command(
                "plan.apply",
                "boss",
                json!({"plan": {"tenant": "acme", "teems": []}}),
            ),
        ),
    ];
    for (_, command) in &cases {
        stage.send(command).await;
    }
    witness.until_events("command.rejected", cases.len()).await;
    for (code, command) in &cases {
        let subject = format!("command/{}", command["id"].as_str().unwrap());
        let rejected = witness
            .seen
            .iter()
            .find(|one| one.text("/subject") == subject)
            .expect("an answer to each");
        assert_eq!(rejected.text("/data/code"), *code, "{command}\n{}", rejected.body);
        assert_eq!(
            rejected.text("/sequence"),
            "",
            "a refusal has no place in a history"
        );
    }
    assert_eq!(stage.count(state).await, before);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_input_that_fails_its_transaction_is_dead_lettered_alone() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    let client = stage.database.client().await;
    // Stands for any constraint an input could run into.
    client
        .batch_execute(
            "create function refuse() returns trigger language plpgsql as
               'begin if new.cause = ''wamid.13'' then raise exception ''no''; end if; return new; end';
             create trigger refuse before insert on decision for each row execute function refuse()",
        )
        .await
        .unwrap();
    drop(client);
    let key = "one-lane";
    for n in 0..30 {
        let mut fact = fact(&phone(n), &format!("wamid.{n}"), key);
        fact["id"] = json!(format!("wamid.{n}"));
        stage.send_native("inbound", key, &fact).await;
    }
    stage.worker();
    witness.until_events("message.received", 29).await;
    let letters = witness.letters(1).await;
    assert_eq!(letters[0].reason(), "poison");
    assert!(String::from_utf8_lossy(&letters[0].body).contains("wamid.13"));
    witness.assert_sequences();
    assert_eq!(stage.count("select count(*) from conversation").await, 29);
    stage.end().await;
}
