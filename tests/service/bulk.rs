//! Bulks, removals and forgetting, from the command to what is published, with real workers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bodies::{command, fact, phone, presence, roomy_plan};
use crate::support::wait::BOUND;
use crate::support::witness::{Seen, Witness};
use crate::support::{PARTITIONS, Stage};

/// Conversations of the large bulk.
const MANY: usize = 5_000;
/// Items that one batch may carry: `worker::bulks::ITEMS_AT_ONCE`.
const ITEMS_AT_ONCE: i64 = 100;
/// Ordinary messages whose time is taken without a bulk, and at least with one.
const ORDINARY: usize = 20;
/// Longest that an ordinary message may take while a bulk is carried out and a worker dies: the lease, a takeover, and room.
const LONGEST: Duration = Duration::from_secs(20);

/// A plan with two teams and a second admin: Mark and Martha in support, Zoe in sales.
fn plan() -> String {
    format!(
        "{}\n[[agents]]\nid = \"zoe\"\n\n[[teams]]\nid = \"sales\"\nmembers = [\"zoe\"]\nstrategy = \"least_loaded\"\n",
        roomy_plan()
    )
}

/// These customers write, each once, and their conversations are there.
async fn customers(stage: &Stage, witness: &mut Witness, count: usize) -> Vec<String> {
    for n in 0..count {
        let key = format!("customer-{n}");
        stage
            .send_native("inbound", &key, &fact(&phone(n), &format!("wamid.{n}"), &key))
            .await;
    }
    // By and by: patience is for a part.
    for part in (0..count).step_by(500).skip(1).chain([count]) {
        witness.until_events("message.received", part).await;
    }
    witness.conversations()
}

async fn online(stage: &Stage, witness: &mut Witness, agents: &[&str]) {
    for agent in agents {
        stage.send(&presence(agent, "online")).await;
    }
    witness.until_events("agent.presence_changed", agents.len()).await;
}

/// The outcomes of a bulk's end, by conversation.
fn results(end: &Seen) -> Vec<(String, String, String)> {
    let results = end.body["data"]["results"].as_array().expect("results");
    let text = |result: &Value, name: &str| result[name].as_str().unwrap_or_default().to_owned();
    let row = |result: &Value| {
        (
            text(result, "conversation"),
            text(result, "outcome"),
            text(result, "code"),
        )
    };
    results.iter().map(row).collect()
}

fn last<'a>(witness: &'a Witness, kind: &str) -> &'a Seen {
    let found = witness.seen.iter().rev().find(|one| one.kind() == kind);
    found.unwrap_or_else(|| panic!("no {kind} was seen"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_moves_what_it_may_says_what_became_of_each_and_is_undone() {
    let mut stage = Stage::with_plan(&plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    online(&stage, &mut witness, &["mark"]).await;
    let all = customers(&stage, &mut witness, 6).await;
    let bulk = Uuid::new_v4().to_string();
    let mut selection = all.clone();
    let nobody = Uuid::new_v4().to_string();
    selection.insert(2, nobody.clone());
    selection.push(all[0].clone());
    let to_zoe = command(
        "bulk_assign",
        "boss",
        json!({"conversations": selection, "to": {"agent": "zoe"}, "note": "please", "bulk": bulk}),
    );
    stage.send(&to_zoe).await;
    witness.until_events("bulk.completed", 1).await;
    let end = last(&witness, "bulk.completed").clone();
    assert_eq!(end.text("/subject"), format!("bulk/{bulk}"));
    assert_eq!(end.text("/data/bulk"), bulk);
    assert_eq!(end.text("/data/cause"), to_zoe["id"].as_str().unwrap());
    let wanted: Vec<String> = selection[..7].to_vec();
    let found = results(&end);
    assert_eq!(
        found.iter().map(|one| one.0.clone()).collect::<Vec<_>>(),
        wanted,
        "each once, in the order of the selection"
    );
    for (conversation, outcome, code) in &found {
        let expected = if *conversation == nobody {
            ("rejected", "not_found")
        } else {
            ("assigned", "")
        };
        assert_eq!((outcome.as_str(), code.as_str()), expected);
    }
    witness.until_events("conversation.assigned", 12).await;
    for conversation in &all {
        let story = witness.story(conversation);
        let given = story.last().unwrap();
        assert_eq!(given.kind(), "conversation.assigned");
        assert_eq!(given.text("/data/by"), "bulk");
        assert_eq!(given.text("/data/bulk"), bulk);
        assert_eq!(given.text("/data/cause"), end.text("/data/cause"));
        assert_eq!(given.text("/data/owner/id"), "zoe");
        assert_eq!(given.text("/data/note"), "please");
    }
    let engagements = "select count(*) from engagement where way = 'bulk' and status = ";
    assert_eq!(stage.count(&format!("{engagements} 'done'")).await, 6);

    // The same name again is refused; the same conversations again are unchanged.
    stage
        .send(&command(
            "bulk_assign",
            "boss",
            json!({"from": {"agent": "zoe"}, "to": {"team": "support"}, "bulk": bulk}),
        ))
        .await;
    witness.until_events("command.rejected", 1).await;
    assert_eq!(last(&witness, "command.rejected").text("/data/code"), "invalid");
    stage
        .send(&command(
            "bulk_assign",
            "boss",
            json!({"from": {"agent": "zoe"}, "to": {"agent": "zoe"}}),
        ))
        .await;
    witness.until_events("bulk.completed", 2).await;
    assert!(
        results(last(&witness, "bulk.completed"))
            .iter()
            .all(|one| one.1 == "unchanged")
    );

    // Zoe answers one, another one is closed: those two stay, the others go back to Mark.
    let reply = json!({"conversation": all[0], "message": {"to": "x", "text": "hello"}});
    stage.send(&command("reply", "zoe", reply)).await;
    stage
        .send(&command("close", "zoe", json!({"conversation": all[1]})))
        .await;
    witness.until_events("reply.authorized", 1).await;
    witness.until_events("conversation.closed", 1).await;
    stage
        .send(&command("bulk_undo", "mark", json!({"bulk": bulk})))
        .await;
    witness.until_events("command.rejected", 2).await;
    assert_eq!(
        last(&witness, "command.rejected").text("/data/code"),
        "not_permitted"
    );
    stage
        .send(&command("bulk_undo", "boss", json!({"bulk": nobody})))
        .await;
    witness.until_events("command.rejected", 3).await;
    assert_eq!(last(&witness, "command.rejected").text("/data/code"), "not_found");
    stage
        .send(&command("bulk_undo", "boss", json!({"bulk": bulk})))
        .await;
    witness.until_events("bulk.undone", 1).await;
    let end = last(&witness, "bulk.undone");
    assert_eq!(end.text("/data/bulk"), bulk);
    for (conversation, outcome, _) in results(end) {
        let stays = [&all[0], &all[1], &nobody].contains(&&conversation);
        assert_eq!(
            outcome,
            if stays { "skipped" } else { "undone" },
            "{conversation}"
        );
    }
    assert_eq!(stage.count(&format!("{engagements} 'undone'")).await, 4);
    assert_eq!(
        stage
            .count("select count(*) from conversation where owner_agent = 'mark' and status = 'open'")
            .await,
        4
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_to_a_team_is_balanced_what_finds_nobody_waits_and_the_caller_is_told_at_the_end() {
    let plan = plan().replace("capacity = 0", "capacity = 2");
    let mut stage = Stage::with_plan(&plan).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let all = customers(&stage, &mut witness, 7).await;
    stage
        .send(&command(
            "bulk_assign",
            "boss",
            json!({"conversations": all, "to": {"agent": "zoe"}}),
        ))
        .await;
    witness.until_events("bulk.completed", 1).await;
    online(&stage, &mut witness, &["mark", "martha"]).await;

    let channel = stage.rabbit.connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let queue = channel
        .queue_declare("".into(), options, FieldTable::default())
        .await
        .unwrap();
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let mut answers = channel
        .basic_consume(
            queue.name().clone(),
            "answers".into(),
            options,
            FieldTable::default(),
        )
        .await
        .unwrap();
    let ask = command(
        "bulk_assign",
        "zoe",
        json!({"from": {"agent": "zoe"}, "to": {"team": "support"}}),
    );
    let properties = BasicProperties::default()
        .with_reply_to(queue.name().clone())
        .with_correlation_id("42".into());
    stage
        .publish("ingress", "any", &serde_json::to_vec(&ask).unwrap(), properties)
        .await;
    let answer = tokio::time::timeout(BOUND, answers.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let body: Value = serde_json::from_slice(&answer.data).unwrap();
    assert_eq!(body["type"], "switchboard.bulk.completed");
    assert_eq!(
        answer.properties.correlation_id().as_ref().unwrap().as_str(),
        "42"
    );

    witness.until_events("bulk.completed", 2).await;
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (_, outcome, _) in results(last(&witness, "bulk.completed")) {
        *outcomes.entry(outcome).or_default() += 1;
    }
    assert_eq!(
        outcomes,
        BTreeMap::from([("assigned".to_owned(), 4), ("queued".to_owned(), 3)])
    );
    for agent in ["mark", "martha"] {
        let owns = format!("select count(*) from conversation where owner_agent = '{agent}'");
        assert_eq!(stage.count(&owns).await, 2, "{agent}");
    }
    assert_eq!(
        stage
            .count("select count(*) from engagement where way = 'bulk' and from_owner = 'agent/zoe'")
            .await,
        7
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_agent_owns_goes_back_to_routing_and_a_plan_brings_them_back() {
    let mut stage = Stage::with_plan(&plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    online(&stage, &mut witness, &["mark"]).await;
    let all = customers(&stage, &mut witness, 5).await;
    stage
        .send(&command("hold", "mark", json!({"conversation": all[0]})))
        .await;
    witness.until_events("conversation.held", 1).await;
    stage
        .send(&command("agent.remove", "mark", json!({"agent": "mark"})))
        .await;
    witness.until_events("command.rejected", 1).await;
    stage
        .send(&command("agent.remove", "boss", json!({"agent": "mark"})))
        .await;
    witness.until_events("agent.removed", 1).await;
    assert_eq!(last(&witness, "agent.removed").text("/subject"), "agent/mark");
    witness.until_events("conversation.queued", 5).await;
    for conversation in &all {
        let story = witness.story(conversation);
        assert_eq!(story.last().unwrap().text("/data/reason"), "agent_removed");
    }
    assert_eq!(
        stage
            .count("select count(*) from agent where loads <> '{}'")
            .await,
        0
    );

    // Removed, they are nobody: as an actor and as a target.
    stage
        .send(&command(
            "assign",
            "boss",
            json!({"conversation": all[1], "to": {"agent": "mark"}}),
        ))
        .await;
    witness.until_events("command.rejected", 2).await;
    assert_eq!(
        last(&witness, "command.rejected").text("/data/code"),
        "unknown_agent"
    );
    stage
        .send(&command(
            "assign",
            "mark",
            json!({"conversation": all[1], "to": {"agent": "martha"}}),
        ))
        .await;
    witness.until_events("command.rejected", 3).await;
    assert_eq!(
        last(&witness, "command.rejected").text("/data/code"),
        "unknown_agent"
    );
    stage
        .send(&command("agent.remove", "boss", json!({"agent": "mark"})))
        .await;
    witness.until_events("command.rejected", 4).await;
    assert_eq!(
        last(&witness, "command.rejected").text("/data/code"),
        "unknown_agent"
    );

    // A plan that lists them brings them back; then deactivating them sends what they own back as well.
    stage.apply(&plan()).await;
    online(&stage, &mut witness, &["mark", "mark"]).await;
    let owned = "select count(*) from conversation where owner_agent = 'mark' and status = 'open'";
    stage.until_count(owned, 4).await;
    let off = json!({"agent": {"id": "mark", "active": false}});
    stage.send(&command("agent.upsert", "boss", off)).await;
    stage.until_count(owned, 0).await;
    stage
        .until_count(
            "select count(*) from conversation where owner_queue = 'support'",
            5,
        )
        .await;
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_forgotten_customer_nothing_is_left_and_their_next_message_is_a_strangers() {
    let mut stage = Stage::with_plan(&plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    online(&stage, &mut witness, &["mark"]).await;
    let all = customers(&stage, &mut witness, 2).await;
    stage
        .send(&command(
            "note",
            "mark",
            json!({"conversation": all[0], "text": "likes tea"}),
        ))
        .await;
    stage
        .send(&command(
            "note",
            "mark",
            json!({"conversation": all[1], "text": "likes coffee"}),
        ))
        .await;
    witness.until_events("conversation.note_added", 2).await;
    let first = witness.first("message.received").text("/subject").to_owned();
    let whose = (0..2)
        .find(|n| {
            let mine = witness.story(&first);
            mine[0].text("/partitionkey") == format!("customer-{n}")
        })
        .unwrap();
    let forget = || {
        command(
            "contact.forget",
            "boss",
            json!({"contact": {"phone": format!("+{}", phone(whose))}}),
        )
    };
    stage
        .send(&command(
            "contact.forget",
            "mark",
            json!({"contact": {"phone": format!("+{}", phone(whose))}}),
        ))
        .await;
    witness.until_events("command.rejected", 1).await;
    assert_eq!(
        last(&witness, "command.rejected").text("/data/code"),
        "not_permitted"
    );
    stage.send(&forget()).await;
    witness.until_events("contact.forgotten", 1).await;
    let key = format!("customer-{whose}");
    assert_eq!(
        last(&witness, "contact.forgotten").text("/subject"),
        format!("contact/{key}")
    );
    let story = witness.story(&first);
    assert_eq!(story.last().unwrap().kind(), "conversation.closed");
    assert_eq!(story.last().unwrap().text("/data/reason"), "forgotten");
    let left = |what: &str| {
        format!("select (select count(*) from alias where conversation = '{first}')
        + (select count(*) from note where conversation = '{first}')
        + (select count(*) from engagement where conversation = '{first}' and note is not null)
        + (select count(*) from conversation where id = '{first}' and (contact <> '{what}' or partition_key = '{key}'))")
    };
    assert_eq!(stage.count(&left("{}")).await, 0);
    assert_eq!(
        stage.count("select count(*) from alias").await,
        1,
        "the other customer is known"
    );
    assert_eq!(stage.count("select count(*) from note").await, 1);
    assert_eq!(
        stage.count("select count(*) from conversation").await,
        2,
        "counts stay"
    );

    // Again: the same answer. Then they write: somebody new, in the same hand as being forgotten once more.
    stage.send(&forget()).await;
    witness.until_events("contact.forgotten", 2).await;
    stage
        .send_native("inbound", &key, &fact(&phone(whose), "wamid.later", &key))
        .await;
    witness.until_events("conversation.opened", 3).await;
    stage.send(&forget()).await;
    stage
        .send_native("inbound", &key, &fact(&phone(whose), "wamid.last", &key))
        .await;
    witness.until_events("contact.forgotten", 3).await;
    witness.until_events("message.received", 4).await;
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

/// How long an ordinary message takes from the gateway to its event, the `n`th of some that take turns on every lane.
async fn ordinary(stage: &Stage, witness: &mut Witness, n: usize) -> Duration {
    let key = format!("ordinary-{}", n % (4 * usize::from(PARTITIONS)));
    let id = format!("wamid.ordinary.{n}");
    let sent = Instant::now();
    stage
        .send_native("inbound", &key, &fact(&phone(MANY + n % 16), &id, &key))
        .await;
    witness
        .until(format!("message {n}"), |seen| {
            seen.last()
                .is_some_and(|one| one.kind() == "message.received" && one.text("/data/message/id") == id)
        })
        .await;
    sent.elapsed()
}

fn median_and_longest(mut waits: Vec<Duration>) -> (Duration, Duration) {
    waits.sort();
    (waits[waits.len() / 2], waits[waits.len() - 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_at_once_survive_a_dead_worker_and_block_nobody() {
    let stage = Stage::with_plan(&plan()).await;
    let mut witness = stage.witness().await;
    let mut doomed = stage.process();
    let mut steady = stage.process();
    online(&stage, &mut witness, &["mark", "martha", "zoe"]).await;
    let all = customers(&stage, &mut witness, MANY).await;
    assert_eq!(all.len(), MANY);
    witness.until_events("conversation.assigned", MANY).await;
    let mut n = 0;
    let mut idle = Vec::new();
    while n < ORDINARY {
        idle.push(ordinary(&stage, &mut witness, n).await);
        n += 1;
    }
    let ask = command(
        "bulk_assign",
        "boss",
        json!({"conversations": all, "to": {"team": "sales"}}),
    );
    stage.send(&ask).await;
    witness.until_events("conversation.assigned", MANY + 500).await;
    doomed.kill().await.unwrap();

    let mut waits = Vec::new();
    let mut looked_at = 0;
    let mut completed = false;
    while !completed || waits.len() < ORDINARY {
        waits.push(ordinary(&stage, &mut witness, n).await);
        completed |= witness.seen[looked_at..]
            .iter()
            .any(|one| one.kind() == "bulk.completed");
        looked_at = witness.seen.len();
        n += 1;
    }
    let meanwhile = waits.len();
    let ((usual, usual_longest), (median, longest)) = (median_and_longest(idle), median_and_longest(waits));
    println!("{ORDINARY} ordinary messages before the bulk: median {usual:?}, longest {usual_longest:?}");
    println!("{meanwhile} ordinary messages meanwhile: median {median:?}, longest {longest:?}");
    assert!(longest < LONGEST, "{longest:?}");

    let ends: BTreeSet<&str> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "bulk.completed")
        .map(|one| one.text("/id"))
        .collect();
    assert_eq!(ends.len(), 1, "it ends once");
    let found = results(last(&witness, "bulk.completed"));
    assert_eq!(found.iter().map(|one| one.0.clone()).collect::<Vec<_>>(), all);
    assert!(
        found.iter().all(|one| one.1 == "assigned"),
        "everything is given away"
    );
    witness.until_events("conversation.assigned", 2 * MANY).await;
    witness.assert_sequences();
    assert_eq!(
        stage
            .count("select count(*) from engagement where way = 'bulk'")
            .await,
        i64::try_from(MANY).unwrap()
    );
    let most = "select max(n) from (select count(*) as n from bulk_item group by home, at) batches";
    let most = stage.count(most).await;
    assert!(most <= ITEMS_AT_ONCE, "a batch carried {most} items");
    assert_eq!(
        stage
            .count("select count(*) from conversation where owner_agent = 'zoe'")
            .await,
        i64::try_from(MANY).unwrap()
    );
    stage.assert_audit_is_clean().await;
    steady.kill().await.unwrap();
    stage.end().await;
}
