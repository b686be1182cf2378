//! Who the customer is: one conversation for all of somebody's identifiers, whichever lanes meet them first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use serde_json::{Value, json};
use switchboard::contract::partition;

use crate::support::bodies::{CHANNEL, PLAN, command, phone, presence, roomy_plan};
use crate::support::witness::{Seen, Witness};
use crate::support::{PARTITIONS, Stage};

/// Customers of a flood: each is met by two lanes at once.
const CUSTOMERS: usize = 300;
/// Messages of each in each of the two lanes.
const EACH: usize = 3;

fn bsuid(n: usize) -> String {
    format!("BR.{n:08}")
}

/// A native text of somebody who is known by these.
fn text(contact: Value, id: &str, key: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("event-{id}"), "source": "gateway", "type": "whatsapp.message.received",
        "partitionkey": key,
        "data": {
            "channel": CHANNEL,
            "contact": contact,
            "message": {"id": id, "kind": "text", "text": "hello", "timestamp": Timestamp::now().to_string()},
        },
    })
}

/// A Cloud API body whose only change has these fields beside the number.
fn webhook(field: &str, more: &Value) -> Value {
    let mut value =
        json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": "123456789012345"}});
    for (name, content) in more.as_object().expect("fields") {
        value[name] = content.clone();
    }
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}]})
}

/// A Cloud API text with these fields.
fn cloud_text(id: &str, mut from: Value) -> Value {
    from["id"] = json!(id);
    from["timestamp"] = json!(Timestamp::now().as_second().to_string());
    from["type"] = json!("text");
    from["text"] = json!({"body": "hello"});
    from
}

/// How many dead letters there are.
async fn letters(stage: &Stage) -> u32 {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let dead = stage.rabbit.topology.name("dead");
    let channel = stage.rabbit.channel().await;
    let declared = channel.queue_declare(dead.as_str().into(), passive, FieldTable::default());
    declared.await.unwrap().message_count()
}

/// A key of this name that belongs to this partition.
fn key_in(partition: u16, name: &str) -> String {
    let all = (0..).map(|n| format!("{name}-{n}"));
    let mut fitting = all.filter(|key| partition::of(key, PARTITIONS) == partition);
    fitting.next().expect("one of them falls there")
}

/// The messages that were received, by conversation, in the order they were told, each once.
fn received(witness: &Witness) -> BTreeMap<String, Vec<String>> {
    let conversations = witness.conversations().into_iter();
    conversations
        .map(|conversation| {
            let story = witness.story(&conversation);
            let messages = story.iter().filter(|one| one.kind() == "message.received");
            let ids = messages.map(|one| one.text("/data/message/id").to_owned());
            let ids: Vec<String> = ids.collect();
            (conversation, ids)
        })
        .collect()
}

fn conflicts(witness: &Witness) -> Vec<&Seen> {
    let all = witness.seen.iter();
    all.filter(|one| one.kind() == "contact.identity_conflict")
        .collect()
}

/// Everybody writes through two lanes: with phone and user id through one, with the user id alone through the other. What a
/// lane has of somebody is in order; who comes first is not the same for all.
async fn flood(stage: &Stage) {
    // A walk that meets every customer once, as if they were shuffled.
    let shuffled = |turn: usize| (0..CUSTOMERS).map(move |n| (n * 7 + turn * 131) % CUSTOMERS);
    for turn in 0..EACH {
        for n in shuffled(turn) {
            let with_phone = json!({"phone": phone(n), "bsuid": bsuid(n)});
            let without = json!({"bsuid": bsuid(n)});
            let lane = u16::try_from(n).expect("few") % PARTITIONS;
            let mut both = [(lane, with_phone, "a"), ((lane + 1) % PARTITIONS, without, "b")];
            if n % 2 == 1 {
                both.reverse();
            }
            for (lane, contact, through) in both {
                let key = key_in(lane, &format!("{through}-{n}"));
                let id = format!("wamid.{n:04}.{through}.{turn}");
                stage
                    .send_native("inbound", &key, &text(contact, &id, &key))
                    .await;
            }
        }
    }
}

/// One conversation for everybody, and in it every message once, those of one lane in order.
async fn assert_one_conversation_each(stage: &Stage, witness: &mut Witness) {
    witness
        .until_events("message.received", CUSTOMERS * EACH * 2)
        .await;
    witness.assert_sequences();
    let received = received(witness);
    assert_eq!(received.len(), CUSTOMERS, "one conversation for each customer");
    for (conversation, ids) in &received {
        assert_eq!(ids.len(), EACH * 2, "{conversation}: {ids:?}");
        let customer = &ids[0][..10];
        for through in ["a", "b"] {
            let of_lane = ids.iter().filter(|id| id[11..].starts_with(through));
            let expected = (0..EACH).map(|turn| format!("{customer}.{through}.{turn}"));
            assert!(of_lane.eq(expected.collect::<Vec<_>>().iter()), "{ids:?}");
        }
    }
    assert!(conflicts(witness).is_empty(), "nobody's identifiers disagree");
    let customers = i64::try_from(CUSTOMERS).expect("few");
    assert_eq!(stage.count("select count(*) from conversation").await, customers);
    assert_eq!(stage.count("select count(*) from alias").await, 2 * customers);
    let each = i64::try_from(EACH).expect("few");
    assert_eq!(
        stage.count("select count(*) from inbox").await,
        2 * each * customers
    );
    stage.assert_audit_is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lanes_that_meet_somebody_by_different_identifiers_found_one_conversation() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    // Everything is there before anybody works: the lanes take it in full hands, at the same moment.
    flood(&stage).await;
    stage.worker();
    stage.worker();
    assert_one_conversation_each(&stage, &mut witness).await;
    witness.assert_published_once();
    assert_eq!(letters(&stage).await, 0);
    stage.stop_workers().await;
    assert_eq!(stage.deadlocks().await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_so_they_do_while_they_come_and_a_worker_is_killed() {
    let stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let mut doomed = stage.process();
    let mut steady = stage.process();
    let some = async {
        witness.until_events("message.received", CUSTOMERS / 3).await;
        doomed.kill().await.unwrap();
    };
    tokio::join!(flood(&stage), some);
    assert_one_conversation_each(&stage, &mut witness).await;
    assert_eq!(letters(&stage).await, 0);
    steady.kill().await.unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_told_by_its_home_lane_wherever_its_messages_come_in() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    let (home, elsewhere) = (key_in(1, "home"), key_in(2, "elsewhere"));
    // Which lanes publish: every row of every outbox, as it is written.
    stage
        .database
        .client()
        .await
        .batch_execute(
            "create table published (lane integer not null);
            create function note_lane() returns trigger language plpgsql as
              'begin insert into published values (new.lane); return null; end';
            create trigger note_lane after insert on outbox for each row execute function note_lane()",
        )
        .await
        .unwrap();
    stage.worker();
    stage.worker();
    let both = json!({"phone": phone(1), "bsuid": bsuid(1)});
    stage
        .send_native("inbound", &home, &text(both, "wamid.1", &home))
        .await;
    witness.until_events("message.received", 1).await;
    for n in 2..=5 {
        let key = if n % 2 == 0 { &elsewhere } else { &home };
        let known = json!({"bsuid": bsuid(1)});
        stage
            .send_native("inbound", key, &text(known, &format!("wamid.{n}"), key))
            .await;
        witness.until_events("message.received", n).await;
    }
    witness.assert_sequences();
    let conversations = witness.conversations();
    assert_eq!(conversations.len(), 1);
    for event in witness.story(&conversations[0]) {
        assert_eq!(
            (event.text("/partition"), event.text("/partitionkey")),
            ("1", &*home)
        );
    }
    let by_lane = |lane: u16| format!("select count(*) from published where lane = {lane}");
    assert_eq!(stage.count(&by_lane(1)).await, 5, "one row for each hand");
    assert_eq!(
        stage.count(&by_lane(2)).await,
        0,
        "the lane they came in by says nothing"
    );
    assert_eq!(
        stage
            .count("select count(*) from conversation where home <> 1")
            .await,
        0
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_ever_seen_with_both_is_known_by_the_user_id_alone_through_every_door_and_restart() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    // By phone; then with both; then by the user id alone.
    let people = [
        json!([{"wa_id": phone(7), "profile": {"name": "Ana"}}]),
        json!([{"wa_id": phone(7), "user_id": bsuid(7), "profile": {"name": "Ana"}}]),
    ];
    for (n, contacts) in people.iter().enumerate() {
        let from = json!({"from": phone(7)});
        let messages = json!([cloud_text(&format!("wamid.{n}"), from)]);
        let body = webhook("messages", &json!({"contacts": contacts, "messages": messages}));
        stage.send(&body).await;
    }
    witness.until_events("message.received", 2).await;
    stage.stop_workers().await;
    stage.worker();
    let alone = json!({"from_user_id": bsuid(7)});
    let body = webhook("messages", &json!({"messages": [cloud_text("wamid.2", alone)]}));
    stage.send(&body).await;
    witness.until_events("message.received", 3).await;
    // A publisher with keys of its own, by every lane.
    for lane in 0..PARTITIONS {
        let key = key_in(lane, "own");
        let id = format!("wamid.own.{lane}");
        stage
            .send_native("inbound", &key, &text(json!({"bsuid": bsuid(7)}), &id, &key))
            .await;
    }
    witness
        .until_events("message.received", 3 + usize::from(PARTITIONS))
        .await;
    assert_eq!(witness.conversations().len(), 1);
    witness.assert_sequences();
    let homes: std::collections::BTreeSet<&str> = witness
        .story(&witness.conversations()[0])
        .iter()
        .map(|one| one.text("/partition"))
        .collect();
    assert_eq!(homes.len(), 1, "its home stays");
    assert!(conflicts(&witness).is_empty());
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_number_and_user_id_goes_on_in_their_conversation_and_is_forgotten_by_any_of_them() {
    const CHANGED: usize = 40;
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    let (old, new) = (
        |n: usize| (phone(n), bsuid(n)),
        |n: usize| (phone(5000 + n), bsuid(5000 + n)),
    );
    for n in 0..CHANGED {
        let (phone, bsuid) = old(n);
        let from = json!({"from": phone, "from_user_id": bsuid});
        let body = webhook(
            "messages",
            &json!({"messages": [cloud_text(&format!("wamid.old.{n:03}"), from)]}),
        );
        stage.send(&body).await;
    }
    witness.until_events("message.received", CHANGED).await;
    // The first message under the new identifiers stands in the same body, before the change it depends on; the second comes
    // in the next body.
    for n in 0..CHANGED {
        let ((phone, bsuid), (new_phone, new_bsuid)) = (old(n), new(n));
        let text = cloud_text(&format!("wamid.new.{n:03}.0"), json!({"from_user_id": new_bsuid}));
        let mut change = cloud_text(&format!("wamid.change.{n:03}"), json!({"from": phone}));
        change["type"] = json!("system");
        change["system"] = json!({
            "type": "user_changed_number", "wa_id": new_phone, "user_id": new_bsuid, "previous_user_id": bsuid,
        });
        stage
            .send(&webhook("messages", &json!({"messages": [text, change]})))
            .await;
        let next = cloud_text(
            &format!("wamid.new.{n:03}.1"),
            json!({"from": new_phone, "from_user_id": new_bsuid}),
        );
        stage
            .send(&webhook("messages", &json!({"messages": [next]})))
            .await;
    }
    witness.until_events("message.received", CHANGED * 4).await;
    witness.assert_sequences();
    let told = received(&witness);
    assert_eq!(told.len(), CHANGED, "nobody has a second conversation");
    for ids in told.values() {
        let n = &ids[0][10..];
        let expected = ["old", "change", "new"].map(|what| format!("wamid.{what}.{n}"));
        let [old, change, new] = expected;
        assert_eq!(*ids, [old, change, format!("{new}.0"), format!("{new}.1")]);
    }
    assert!(conflicts(&witness).is_empty());
    let aliases = i64::try_from(CHANGED * 4).expect("few");
    assert_eq!(stage.count("select count(*) from alias").await, aliases);

    // What comes late under the old identifiers, and what tells of the change with `previous`, goes there too.
    let (phone_0, bsuid_0) = old(0);
    let late = text(json!({"bsuid": bsuid_0}), "wamid.late", "anything");
    stage.send_native("inbound", "anything", &late).await;
    let newest = json!({"bsuid": "BR.newest", "previous": {"bsuid": new(0).1}});
    let change = text(newest, "wamid.native", "whatever");
    stage.send_native("inbound", "whatever", &change).await;
    witness.until_events("message.received", CHANGED * 4 + 2).await;
    assert_eq!(witness.conversations().len(), CHANGED);

    // By an identifier they have no more, everything that ever led to them is erased.
    for (whose, contact) in [(0, json!({"phone": phone_0})), (1, json!({"bsuid": new(1).1}))] {
        let conversation = "select count(*) from conversation where partition_key like 'forgotten/%'";
        let forget = command("contact.forget", "boss", json!({"contact": contact}));
        stage.send(&forget).await;
        stage.until_count(conversation, whose + 1).await;
    }
    let left = aliases + 1 - 5 - 4;
    assert_eq!(stage.count("select count(*) from alias").await, left);
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_that_lead_to_two_conversations_are_told_and_nothing_is_merged() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    let (by_phone, by_id) = (key_in(0, "phone"), key_in(3, "id"));
    let both = || json!({"phone": phone(1), "bsuid": bsuid(1), "lid": "4711"});
    let send = async |contact: Value, id: &str, key: &str| {
        stage.send_native("inbound", key, &text(contact, id, key)).await;
    };
    send(json!({"phone": phone(1)}), "wamid.1", &by_phone).await;
    send(json!({"bsuid": bsuid(1)}), "wamid.2", &by_id).await;
    witness.until_events("message.received", 2).await;
    // In the lane of the one that loses: the home of the one that wins tells of it. A message that was there before says nothing.
    send(both(), "wamid.3", &by_id).await;
    send(both(), "wamid.3", &by_id).await;
    send(both(), "wamid.4", &by_id).await;
    witness.until_events("contact.identity_conflict", 2).await;
    // What was new in them leads to the winner, what led to the other still does.
    send(json!({"lid": "4711"}), "wamid.5", &by_id).await;
    send(json!({"bsuid": bsuid(1)}), "wamid.6", &by_id).await;
    witness.until_events("message.received", 6).await;
    let told = received(&witness);
    let conversation_of = |id: &str| {
        let holds = |(_, ids): &(&String, &Vec<String>)| ids.iter().any(|one| one == id);
        told.iter().find(holds).expect("it was told").0.as_str()
    };
    let (winner, loser) = (conversation_of("wamid.1"), conversation_of("wamid.2"));
    assert_eq!(told[winner], ["wamid.1", "wamid.3", "wamid.4", "wamid.5"]);
    assert_eq!(told[loser], ["wamid.2", "wamid.6"]);
    let conflicts = conflicts(&witness);
    assert_eq!(conflicts.len(), 2, "one for each message that shows it");
    for (conflict, cause) in conflicts.iter().zip(["event-wamid.3", "event-wamid.4"]) {
        assert_eq!(conflict.text("/subject"), format!("contact/{by_phone}"));
        assert_eq!(
            (conflict.text("/partition"), conflict.text("/partitionkey")),
            ("0", &*by_phone)
        );
        assert_eq!(conflict.text("/sequence"), "");
        assert_eq!(
            conflict.routing_key,
            "contact.identity_conflict.acme.123456789012345"
        );
        assert_eq!(conflict.text("/data/cause"), cause);
        assert_eq!(conflict.text("/data/conversation"), winner);
        assert_eq!(
            conflict.body["data"]["conversations"],
            json!([
                {"conversation": winner, "identifiers": if cause.ends_with('3') { json!(["phone"]) } else { json!(["phone", "lid"]) }},
                {"conversation": loser, "identifiers": ["bsuid"]},
            ])
        );
        let body = conflict.body.to_string();
        assert!(
            !body.contains(&phone(1)) && !body.contains(&bsuid(1)),
            "kinds only"
        );
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_to_nothing_in_the_same_hand_does_not_stand_for_a_conversation() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let key = key_in(0, "one");
    let known = text(json!({"bsuid": bsuid(1)}), "wamid.1", &key);
    stage.send_native("inbound", &key, &known).await;
    witness.until_events("message.received", 1).await;
    stage.stop_workers().await;
    // Somebody nobody knows wrote to the phone: that begins nothing. Who has the phone is told by the next message.
    let mut sent = text(json!({"phone": phone(1)}), "wamid.2", &key);
    sent["type"] = json!("whatsapp.message.sent");
    sent["data"]["agent"] = json!("stranger");
    stage.send_native("inbound", &key, &sent).await;
    let both = json!({"phone": phone(1), "bsuid": bsuid(1)});
    for id in ["wamid.3", "wamid.4"] {
        stage
            .send_native("inbound", &key, &text(both.clone(), id, &key))
            .await;
    }
    stage.worker();
    witness.until_events("message.received", 3).await;
    let told = received(&witness);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told.values().all(|ids| *ids == ["wamid.1", "wamid.3", "wamid.4"]),
        "{told:?}"
    );
    assert!(conflicts(&witness).is_empty());
    assert_eq!(letters(&stage).await, 0);
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

/// What Mark's company is told while a bot has a chat: nothing.
fn told_of(witness: &Witness, conversation: &str) -> usize {
    let all = witness.seen.iter();
    all.filter(|one| one.is_notification() && one.text("/data/conversation") == conversation)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_holds_a_chat_and_hands_it_over_in_a_webhooks_words_and_in_ours() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("mark", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    let foreign = |id: &str| {
        let message = cloud_text(id, json!({"from": phone(1)}));
        webhook("standby", &json!({"messages": [message]}))
    };
    let native = |id: &str, standby: bool| {
        let mut fact = text(json!({"phone": phone(2)}), id, "native");
        fact["data"]["standby"] = json!(standby);
        fact
    };
    stage.send(&foreign("wamid.f1")).await;
    witness.until_events("message.received", 1).await;
    stage
        .send_native("inbound", "native", &native("wamid.n1", true))
        .await;
    witness.until_events("message.received", 2).await;
    let conversation_of = |witness: &Witness, id: &str| {
        let mut all = witness.seen.iter();
        let told = all
            .find(|one| one.text("/data/message/id") == id)
            .expect("it was told");
        told.text("/data/conversation").to_owned()
    };
    let (held, ours) = (
        conversation_of(&witness, "wamid.f1"),
        conversation_of(&witness, "wamid.n1"),
    );
    for conversation in [&held, &ours] {
        assert_eq!(
            witness.kinds(conversation),
            ["conversation.opened", "message.received"]
        );
        for event in witness.story(conversation) {
            assert_eq!(event.body["data"]["standby"], true);
            assert_eq!(event.text("/data/owner/kind"), "nobody");
        }
        assert_eq!(told_of(&witness, conversation), 0);
        let timers = format!("select count(*) from timer where subject like '{conversation}%'");
        assert_eq!(stage.count(&timers).await, 0, "no clock runs");
        let (good, shown, _) = stage.run(&["chat", "show", conversation, "--json"]).await;
        let shown: Value = serde_json::from_str(&shown).expect("it is JSON");
        assert!(good && shown["waiting_since"].is_null(), "{shown}");
    }
    let (good, why, _) = stage.run(&["why"]).await;
    assert!(good && why.contains("held by a bot until it hands over"), "{why}");

    // Meta's own words for a handover, then a person's message; and ours.
    let control = json!({
        "recipient": {"phone_number_id": "123456789012345"}, "sender": {"phone_number": phone(1)},
        "timestamp": Timestamp::now().as_second().to_string(), "control_passed": {"metadata": "wants a person"},
    });
    let mut body = webhook("messaging_handovers", &control);
    body["entry"][0]["changes"][0]["value"]
        .as_object_mut()
        .expect("a value")
        .remove("metadata");
    stage.send(&body).await;
    witness.until_events("conversation.assigned", 1).await;
    let handover = json!({
        "specversion": "1.0", "id": "handover-1", "source": "bot", "type": "whatsapp.handover.requested",
        "partitionkey": "native",
        "data": {"channel": CHANNEL, "contact": {"phone": phone(2), "name": "Bruno"}, "reason": "wants a person"},
    });
    stage.send_native("inbound", "native", &handover).await;
    witness.until_events("conversation.assigned", 2).await;
    for conversation in [&held, &ours] {
        let story = witness.story(conversation);
        let last = story.last().expect("events");
        assert_eq!(
            (last.kind(), last.text("/data/owner/id")),
            ("conversation.assigned", "mark")
        );
        assert_eq!(last.body["data"]["standby"], false);
    }
    witness
        .until("Mark told of both", |seen| {
            let told = seen.iter().filter(|one| one.kind() == "notification.assigned");
            told.count() == 2
        })
        .await;
    let names = "select count(*) from conversation where contact->>'name' = 'Bruno'";
    assert_eq!(stage.count(names).await, 1, "what the bot learned is known");

    // What a person has, a bot hands over in vain; and closed, it may have it again.
    let again = |id: &str| {
        let mut again = handover.clone();
        again["id"] = json!(id);
        again["data"]["contact"]["name"] = json!("Bruno Lima");
        again
    };
    stage.send_native("inbound", "native", &again("handover-2")).await;
    let renamed = "select count(*) from conversation where contact->>'name' = 'Bruno Lima'";
    stage.until_count(renamed, 1).await;
    let close = command("close", "mark", json!({"conversation": ours}));
    stage.send(&close).await;
    witness.until_events("conversation.closed", 1).await;
    stage
        .send_native("inbound", "native", &native("wamid.n2", true))
        .await;
    witness.until_events("conversation.reopened", 1).await;
    stage
        .send_native("inbound", "native", &native("wamid.n3", false))
        .await;
    witness.until_events("conversation.assigned", 3).await;
    let kinds = witness.kinds(&ours);
    assert_eq!(
        kinds[2..],
        [
            "conversation.assigned",
            "conversation.closed",
            "conversation.reopened",
            "message.received",
            "message.received",
            "conversation.assigned"
        ]
    );
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
