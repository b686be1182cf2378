//! The main job: a customer writes, a person owns it.

use std::collections::BTreeSet;

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, fact, phone, presence, roomy_plan, webhook, webhook_of};
use crate::support::wait::within;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_opens_a_conversation_and_one_person_is_told_that_it_is_theirs() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("notification.assigned", 1).await;

    let conversation = witness.first("conversation.opened").text("/subject").to_owned();
    assert_eq!(
        witness.kinds(&conversation),
        ["conversation.opened", "message.received", "conversation.assigned"]
    );
    let assigned = witness.first("conversation.assigned");
    assert_eq!(assigned.text("/data/owner/id"), "martha");
    assert_eq!(assigned.text("/data/owner/team"), "support");
    assert_eq!(assigned.text("/data/by"), "auto");
    assert_eq!(assigned.text("/data/cause"), "wamid.1");
    assert_eq!(
        (assigned.number("/data/epoch"), assigned.number("/data/load")),
        (2, 1)
    );
    assert_eq!(assigned.text("/sequence"), "00000000000000000003");
    assert_eq!(assigned.routing_key, "conversation.assigned.acme.123456789012345");
    assert_eq!(witness.told("assigned"), ["agent/martha"]);
    assert!(
        witness.told("message").is_empty(),
        "the turn was told of by the assignment"
    );
    for (name, value) in &assigned.headers {
        if let Some(attribute) = name.strip_prefix("ce-") {
            assert_eq!(assigned.text(&format!("/{attribute}")), value, "header {name}");
        }
    }
    let (good, explained, _) = stage.run(&["explain", &conversation, "--json"]).await;
    let explained: Value = serde_json::from_str(&explained).unwrap();
    let (_, told, _) = stage.run(&["explain", &conversation]).await;
    assert!(told.contains("chosen: martha\n"), "{told}");
    assert!(told.ends_with('\n') && !told.ends_with("\n\n"), "{told:?}");
    assert!(good);
    assert_eq!(explained[0]["chosen"], "martha");
    assert_eq!(
        explained[0]["candidates"][0],
        json!({"agent": "mark", "passed_over": "offline"})
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_delivered_again_in_whatever_wrapper_changes_nothing() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("conversation.queued", 1).await;
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    stage.send(&fact(&phone(1), "wamid.1", "some-key")).await;
    stage.send(&webhook(&phone(1), "wamid.2", "are you there?")).await;
    witness.until_events("message.received", 2).await;
    let conversation = witness.first("conversation.opened").text("/subject").to_owned();
    assert_eq!(
        witness.kinds(&conversation),
        [
            "conversation.opened",
            "message.received",
            "conversation.queued",
            "message.received"
        ]
    );
    assert_eq!(stage.count("select count(*) from conversation").await, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_under_another_number_does_not_shut_that_customer_out() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&fact(&phone(1), "wamid.1", "key")).await;
    witness.until_events("conversation.queued", 1).await;
    // The same message, as another gateway knows its sender; then the other customer's own first message.
    stage.send(&fact(&phone(2), "wamid.1", "key")).await;
    stage.send(&fact(&phone(2), "wamid.2", "key")).await;
    witness.until_events("conversation.opened", 2).await;
    assert_eq!(witness.conversations().len(), 2);
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_13_a_burst_of_first_messages_from_one_contact_opens_one_conversation() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    // Through different lanes at once: each fact names a partition key of its own.
    for n in 0..30 {
        let key = format!("key-{n}");
        stage
            .send_native("inbound", &key, &fact(&phone(7), &format!("wamid.{n}"), &key))
            .await;
    }
    stage.worker();
    stage.worker();
    witness.until_events("message.received", 30).await;
    assert_eq!(stage.count("select count(*) from conversation").await, 1);
    assert_eq!(witness.conversations().len(), 1);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_21_every_message_of_a_body_takes_effect_in_order() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let (ana, bia) = (phone(1), phone(2));
    stage
        .send(&webhook_of(&[
            (&ana, "a1", "one"),
            (&bia, "b1", "two"),
            (&ana, "a2", "three"),
        ]))
        .await;
    witness.until_events("message.received", 3).await;
    let received: Vec<&str> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "message.received" && one.text("/data/message/id").starts_with('a'))
        .map(|one| one.text("/data/message/id"))
        .collect();
    assert_eq!(received, ["a1", "a2"]);
    assert_eq!(stage.count("select count(*) from conversation").await, 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_conversation_gives_its_place_to_the_one_that_waits_longest() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    for n in 0..5 {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
        witness.until_events("message.received", n + 1).await;
    }
    witness.until_events("conversation.queued", 3).await;
    let owned = witness.first("conversation.assigned").text("/subject").to_owned();
    let oldest = witness.first("conversation.queued").text("/subject").to_owned();
    let close = command("close", "martha", json!({"conversation": owned}));
    stage.send(&close).await;
    witness.until_events("conversation.assigned", 3).await;
    let drained = witness
        .seen
        .iter()
        .rev()
        .find(|one| one.kind() == "conversation.assigned")
        .unwrap();
    assert_eq!(drained.text("/subject"), oldest);
    assert_eq!(
        drained.text("/data/cause"),
        close["id"].as_str().unwrap(),
        "the cause is what freed the place"
    );
    assert_eq!(
        stage
            .count("select count(*) from conversation where owner_agent = 'martha' and status = 'open'")
            .await,
        2
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_customers_at_once_never_exceed_a_capacity_and_leave_nobody_idle() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    for agent in ["martha", "mark"] {
        stage.send(&presence(agent, "online")).await;
    }
    witness.until_events("agent.presence_changed", 2).await;
    for n in 0..40 {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
    }
    witness.until_events("message.received", 40).await;
    witness.until_events("conversation.assigned", 4).await;
    witness.until_events("conversation.queued", 36).await;
    let mut closed = BTreeSet::new();
    // Every conversation is closed by its owner as soon as it is theirs: the queue drains to the end.
    while closed.len() < 40 {
        let open: Vec<(String, String)> = witness
            .seen
            .iter()
            .filter(|one| one.kind() == "conversation.assigned")
            .map(|one| {
                (
                    one.text("/subject").to_owned(),
                    one.text("/data/owner/id").to_owned(),
                )
            })
            .filter(|(conversation, _)| !closed.contains(conversation))
            .collect();
        for (conversation, owner) in open {
            stage
                .send(&command("close", &owner, json!({"conversation": conversation})))
                .await;
            closed.insert(conversation);
        }
        witness
            .until_events("conversation.assigned", (closed.len() + 1).min(40))
            .await;
    }
    witness.until_events("conversation.closed", 40).await;
    for one in witness
        .seen
        .iter()
        .filter(|one| one.kind() == "conversation.assigned")
    {
        assert!(one.number("/data/load") <= 2, "{}", one.body);
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returning_customer_meets_the_last_owner_and_someone_else_if_that_one_is_away() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    for agent in ["martha", "mark"] {
        stage.send(&presence(agent, "online")).await;
    }
    witness.until_events("agent.presence_changed", 2).await;
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("conversation.assigned", 1).await;
    let first = witness.first("conversation.assigned").clone();
    let (conversation, owner) = (
        first.text("/subject").to_owned(),
        first.text("/data/owner/id").to_owned(),
    );
    stage
        .send(&command("close", &owner, json!({"conversation": conversation})))
        .await;
    witness.until_events("conversation.closed", 1).await;
    stage.send(&webhook(&phone(1), "wamid.2", "me again")).await;
    witness.until_events("conversation.assigned", 2).await;
    let again = witness.story(&conversation).last().copied().unwrap().clone();
    assert_eq!(
        (again.text("/data/by"), again.text("/data/owner/id")),
        ("sticky", owner.as_str())
    );
    assert_eq!(again.number("/data/episode"), 2);

    stage
        .send(&command("close", &owner, json!({"conversation": conversation})))
        .await;
    stage.send(&presence(&owner, "offline")).await;
    witness.until_events("agent.presence_changed", 3).await;
    witness.until_events("conversation.closed", 2).await;
    stage.send(&webhook(&phone(1), "wamid.3", "and again")).await;
    witness.until_events("conversation.assigned", 3).await;
    let third = witness.story(&conversation).last().copied().unwrap().clone();
    assert_eq!(third.text("/data/by"), "auto");
    assert_ne!(third.text("/data/owner/id"), owner);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_in_force_everywhere_once_its_event_is_published() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    for round in 0..5 {
        let channel = format!("whatsapp:90000000{round}");
        let plan: Value = {
            let text = format!("{}\n[[channels]]\nkey = \"{channel}\"\n", roomy_plan());
            switchboard::contract::plan::from_toml(&text).unwrap().document
        };
        stage
            .send(&command("plan.apply", "boss", json!({"plan": plan})))
            .await;
        // One plan was in force before the witness looked.
        witness
            .until("the plan", |seen| {
                seen.iter()
                    .filter(|one| one.kind() == "plan.activated" && one.number("/data/version") == round + 2)
                    .count()
                    == 1
            })
            .await;
        for n in 0..8 {
            let key = format!("key-{round}-{n}");
            let mut fact = fact(&phone(n), &format!("wamid.{round}.{n}"), &key);
            fact["data"]["channel"] = json!(channel);
            stage.send_native("inbound", &key, &fact).await;
        }
        // The next plan no longer has this channel.
        let received = (usize::try_from(round).unwrap() + 1) * 8;
        witness.until_events("message.received", received).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_an_answer_gets_the_outcome_with_their_correlation_id() {
    let mut stage = Stage::with_plan(PLAN).await;
    stage.worker();
    let channel = stage.rabbit.channel().await;
    let exclusive = lapin::options::QueueDeclareOptions {
        exclusive: true,
        ..Default::default()
    };
    let queue = channel
        .queue_declare("".into(), exclusive, Default::default())
        .await
        .unwrap()
        .name()
        .to_string();
    let mut answers = channel
        .basic_consume(
            queue.as_str().into(),
            "answers".into(),
            Default::default(),
            Default::default(),
        )
        .await
        .unwrap();
    let properties = |n: &str| {
        BasicProperties::default()
            .with_reply_to(queue.as_str().into())
            .with_correlation_id(n.into())
    };
    let good = serde_json::to_vec(&presence("martha", "online")).unwrap();
    let bad = command("close", "martha", json!({"conversation": uuid::Uuid::new_v4()}));
    stage.publish("ingress", "x", &good, properties("one")).await;
    stage
        .publish(
            "ingress",
            "x",
            &serde_json::to_vec(&bad).unwrap(),
            properties("two"),
        )
        .await;
    stage.publish("ingress", "x", &good, properties("three")).await;
    let mut outcomes = BTreeSet::new();
    while outcomes.len() < 3 {
        let next = futures_util::StreamExt::next(&mut answers);
        let answer = within("an answer", next).await.unwrap().unwrap();
        let body: Value = serde_json::from_slice(&answer.data).unwrap();
        let correlation = answer.properties.correlation_id().as_ref().unwrap().to_string();
        let said = body["data"]["code"].as_str().or(body["data"]["outcome"].as_str());
        outcomes.insert((correlation, said.or(body["type"].as_str()).unwrap().to_owned()));
    }
    let wanted = [
        ("one", "switchboard.agent.presence_changed"),
        ("three", "duplicate"),
        ("two", "not_found"),
    ];
    assert_eq!(outcomes, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    stage.end().await;
}
