//! Bad input: each has its documented outcome, and what comes after it is unharmed.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, fact, phone, presence, webhook};

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
    let mut letters = witness.dead(cases.len()).await;
    let mut wanted: Vec<(String, Vec<u8>)> = cases
        .into_iter()
        .map(|(reason, body)| (reason.to_owned(), body))
        .collect();
    letters.sort();
    wanted.sort();
    assert_eq!(letters, wanted);
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
    let letters = witness.dead(1).await;
    assert_eq!(letters[0].0, "poison");
    assert!(String::from_utf8_lossy(&letters[0].1).contains("wamid.13"));
    witness.assert_sequences();
    assert_eq!(stage.count("select count(*) from conversation").await, 29);
    stage.end().await;
}
