//! Holding, asking, replying: commands from several sides at once, timers that outlive workers, and what is looked up later.

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::support::bodies::{CHANNEL, command, fact, phone, presence, roomy_plan};
use crate::support::witness::{Seen, Witness};
use crate::support::{PARTITIONS, Stage};

/// The roomy plan, under which a request waits this long.
fn plan_with_timeout(timeout: &str) -> String {
    let settings = format!("tenant = \"acme\"\n\n[settings]\nrequest_timeout = \"{timeout}\"\n");
    roomy_plan().replace("tenant = \"acme\"\n", &settings)
}

/// Martha owns a conversation with each of so many customers; Mark came after them.
async fn owned_by_martha(stage: &Stage, witness: &mut Witness, customers: usize) -> Vec<String> {
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    for n in 0..customers {
        let key = format!("customer-{n}");
        stage
            .send_native("inbound", &key, &fact(&phone(n), &format!("wamid.{n}"), &key))
            .await;
    }
    witness.until_events("conversation.assigned", customers).await;
    stage.send(&presence("mark", "online")).await;
    witness.until_events("agent.presence_changed", 2).await;
    let opened = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "conversation.opened");
    opened.map(|one| one.text("/subject").to_owned()).collect()
}

fn about(name: &str, actor: &str, conversation: &str, mut fields: Value) -> Value {
    fields["conversation"] = conversation.into();
    command(name, actor, fields)
}

/// Straight to a lane, the right one or not.
async fn send_to_lane(stage: &Stage, lane: u16, body: &Value) {
    let properties = BasicProperties::default().with_content_type("application/cloudevents+json".into());
    let bytes = serde_json::to_vec(body).expect("it is JSON");
    stage
        .publish("commands", &lane.to_string(), &bytes, properties)
        .await;
}

fn is_ending(seen: &Seen) -> bool {
    seen.kind().starts_with("assignment.") && seen.kind() != "assignment.requested"
}

#[tokio::test(flavor = "multi_thread")]
async fn accept_withdraw_close_and_timeout_at_once_have_one_winner_in_every_conversation() {
    const CUSTOMERS: usize = 240;
    /// Asked before the first of them is answered: the clock wins some of the last.
    const AT_ONCE: usize = 24;
    let mut stage = Stage::with_plan(&plan_with_timeout("200ms")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    let conversations = owned_by_martha(&stage, &mut witness, CUSTOMERS).await;
    // As the requests are heard of, answers come in through three lanes at once, in any order; the fourth side is the clock.
    for (n, conversation) in conversations.iter().enumerate() {
        if n % AT_ONCE == 0 {
            for conversation in &conversations[n..conversations.len().min(n + AT_ONCE)] {
                let ask = json!({"to": {"agent": "mark"}});
                stage.send(&about("request", "martha", conversation, ask)).await;
            }
        }
        let asked = conversation.clone();
        let is_asked = move |seen: &[Seen]| {
            let mut requests = seen.iter().filter(|one| one.kind() == "assignment.requested");
            requests.any(|one| one.text("/subject") == asked)
        };
        witness
            .until(format!("the request about {conversation}"), is_asked)
            .await;
        let lane = |offset: usize| u16::try_from((n + offset) % usize::from(PARTITIONS)).expect("a lane");
        let accept = about("accept", "mark", conversation, json!({}));
        let withdraw = about("withdraw", "martha", conversation, json!({"reason": "solved"}));
        let close = about("close", "martha", conversation, json!({}));
        let mut answers = [accept, withdraw, close];
        answers.rotate_left(n % 3);
        answers[1..].rotate_left(n / 3 % 2);
        let [first, second, third] = &answers;
        tokio::join!(
            send_to_lane(&stage, lane(0), first),
            send_to_lane(&stage, lane(1), second),
            send_to_lane(&stage, lane(2), third),
        );
    }
    // Every command is answered by an event of its own or a refusal: three outcomes each beside the timeouts.
    let all_answered = |seen: &[Seen]| {
        let outcomes = seen.iter().filter(|one| {
            let answers = [
                "assignment.accepted",
                "assignment.withdrawn",
                "conversation.closed",
            ];
            one.kind() == "command.rejected" || answers.contains(&one.kind())
        });
        let ids: std::collections::BTreeSet<&str> = outcomes.map(|one| one.text("/id")).collect();
        ids.len() >= 3 * CUSTOMERS
    };
    witness.until("an outcome of every command", all_answered).await;
    stage
        .until_count(
            "select count(*) from conversation where request_to is not null",
            0,
        )
        .await;
    stage.until_count("select count(*) from outbox", 0).await;
    witness.assert_sequences();
    for conversation in &conversations {
        let story = witness.story(conversation);
        let endings: Vec<&str> = story
            .iter()
            .filter(|one| is_ending(one))
            .map(|one| one.kind())
            .collect();
        assert_eq!(endings.len(), 1, "{:?}", witness.kinds(conversation));
        let accepted = endings == ["assignment.accepted"];
        let given = story.iter().any(|one| one.text("/data/by") == "request");
        assert_eq!(accepted, given, "{:?}", witness.kinds(conversation));
        let refused = witness
            .seen
            .iter()
            .filter(|one| one.kind() == "command.rejected" && one.text("/data/conversation") == conversation);
        for refusal in refused {
            let code = refusal.text("/data/code");
            let clear = ["no_pending_request", "not_assignee", "closed"];
            assert!(clear.contains(&code), "{code}");
        }
    }
    let open = "select count(*) from engagement where way = 'request' and status = 'requested'";
    assert_eq!(stage.count(open).await, 0);
    assert_eq!(
        stage
            .count("select count(*) from timer where kind = 'request'")
            .await,
        0
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_and_requests_end_in_time_although_their_worker_was_killed() {
    let stage = Stage::with_plan(&plan_with_timeout("3s")).await;
    let mut witness = stage.witness().await;
    let mut first = stage.process();
    let conversations = owned_by_martha(&stage, &mut witness, 2).await;
    let until = (jiff::Timestamp::now() + std::time::Duration::from_secs(4)).to_string();
    let hold = about("hold", "martha", &conversations[0], json!({"until": until}));
    stage.send(&hold).await;
    let ask = json!({"to": {"agent": "mark"}, "note": "knows her"});
    stage
        .send(&about("request", "martha", &conversations[1], ask))
        .await;
    witness.until_events("conversation.held", 1).await;
    witness.until_events("assignment.requested", 1).await;
    first.kill().await.unwrap();
    let mut second = stage.process();
    witness.until_events("conversation.resumed", 1).await;
    witness.until_events("assignment.timed_out", 1).await;
    witness.until_events("notification.request_timed_out", 2).await;
    witness.until_events("notification.resumed", 1).await;
    assert_eq!(
        witness.first("conversation.resumed").text("/data/reason"),
        "until"
    );
    assert_eq!(witness.told("resumed"), ["agent/martha"]);
    let mut told = witness.told("request_timed_out");
    told.sort();
    told.dedup();
    assert_eq!(told, ["agent/mark", "agent/martha"]);
    witness.assert_sequences();
    // A new plan leaves timers of its own: only these are counted.
    let left = "select count(*) from timer where kind in ('hold', 'request')";
    assert_eq!(stage.count(left).await, 0);
    stage.assert_audit_is_clean().await;
    second.kill().await.unwrap();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_17_a_recipient_who_goes_ends_what_they_were_offered_in_every_home() {
    const CUSTOMERS: usize = 12;
    let mut stage = Stage::with_plan(&plan_with_timeout("1h")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    let conversations = owned_by_martha(&stage, &mut witness, CUSTOMERS).await;
    for conversation in &conversations {
        let ask = json!({"to": {"agent": "mark"}});
        stage.send(&about("request", "martha", conversation, ask)).await;
    }
    witness.until_events("assignment.requested", CUSTOMERS).await;
    stage.send(&presence("mark", "offline")).await;
    witness.until_events("assignment.superseded", CUSTOMERS).await;
    for conversation in &conversations {
        let kinds = witness.kinds(conversation);
        assert_eq!(kinds.last(), Some(&"assignment.superseded"), "{kinds:?}");
    }
    let superseded = witness.first("assignment.superseded");
    assert_eq!(superseded.text("/data/reason"), "recipient_unavailable");
    assert!(superseded.text("/data/cause").starts_with("timer/"));
    let homes: std::collections::BTreeSet<&str> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "assignment.superseded")
        .map(|one| one.text("/partition"))
        .collect();
    assert!(homes.len() > 1, "more than one lane was concerned");
    let ended =
        "select count(*) from engagement where status = 'superseded' and reason = 'recipient_unavailable'";
    assert_eq!(stage.count(ended).await, CUSTOMERS as i64);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_passes_through_as_it_was_written_and_is_kept_nowhere() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversations = owned_by_martha(&stage, &mut witness, 1).await;
    let conversation = &conversations[0];
    let message = json!({"to": "+5511900000000", "text": {"body": "line one\nline two \"quoted\" \\ sol\u{e9}cito"},
                         "preview": false, "weight": 1.25, "list": [1, {"a": null}]});
    let reply = about("reply", "martha", conversation, json!({"message": message}));
    // Pretty-printed: what is passed through has to fit on one line of the outbox.
    stage
        .send_raw(serde_json::to_string_pretty(&reply).unwrap().as_bytes())
        .await;
    witness.until_events("reply.authorized", 1).await;
    assert_eq!(
        witness.first("reply.authorized").body.pointer("/data/message"),
        Some(&message)
    );
    let echo = sent(0, "wamid.echo", json!({}));
    stage.send_native("inbound", "customer-0", &echo).await;
    witness.until_events("message.sent", 1).await;
    let other = about(
        "reply",
        "mark",
        conversation,
        json!({"message": {"text": "me too"}}),
    );
    stage.send(&other).await;
    witness.until_events("notification.not_assignee", 1).await;
    assert_eq!(witness.told("not_assignee"), ["agent/mark"]);
    assert!(
        witness.told("reply_unauthorized").is_empty(),
        "the echo was recognised"
    );
    let again = sent(0, "wamid.phone", json!({}));
    stage.send_native("inbound", "customer-0", &again).await;
    witness.until_events("notification.reply_unauthorized", 1).await;
    stage.until_count("select count(*) from outbox", 0).await;
    let waiting = "select count(*) from conversation where waiting_since is not null or unechoed <> ''";
    assert_eq!(stage.count(waiting).await, 0);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

/// What the business sent to a customer outside the gate.
fn sent(customer: usize, id: &str, more: Value) -> Value {
    let mut body = fact(&phone(customer), id, &format!("customer-{customer}"));
    body["type"] = "whatsapp.message.sent".into();
    for (name, value) in more.as_object().into_iter().flatten() {
        body["data"][name] = value.clone();
    }
    assert_eq!(body["data"]["channel"], CHANNEL);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_writes_first_founds_the_conversation_and_a_stranger_founds_nothing() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    for (customer, id, more) in [
        (1, "wamid.stranger", json!({"agent": "stranger"})),
        (
            2,
            "wamid.unassigned",
            json!({"agent": "martha", "leave_unassigned": true}),
        ),
        (3, "wamid.martha", json!({"agent": "martha"})),
    ] {
        let body = sent(customer, id, more);
        let key = format!("customer-{customer}");
        stage.send_native("inbound", &key, &body).await;
    }
    witness.until_events("message.sent", 1).await;
    let founded = witness.first("conversation.opened").text("/subject").to_owned();
    assert_eq!(
        witness.kinds(&founded),
        ["conversation.opened", "conversation.assigned", "message.sent"]
    );
    assert_eq!(witness.first("conversation.opened").text("/data/reason"), "agent");
    assert_eq!(
        witness.first("conversation.assigned").text("/data/by"),
        "first_reply"
    );
    // The customers to whom nobody wrote are new when they write themselves.
    for customer in [1, 2] {
        let key = format!("customer-{customer}");
        let turn = fact(&phone(customer), &format!("wamid.turn.{customer}"), &key);
        stage.send_native("inbound", &key, &turn).await;
    }
    witness.until_events("message.received", 2).await;
    assert_eq!(stage.count("select count(*) from conversation").await, 3);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_a_conversation_is_shown_to_whoever_may_see_it() {
    let plan = roomy_plan().replace(
        "[[teams]]",
        "[[agents]]\nid = \"olga\"\n\n[[teams]]\nid = \"sales\"\nmembers = [\"olga\"]\n\n[[teams]]",
    );
    let mut stage = Stage::with_plan(&plan).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversations = owned_by_martha(&stage, &mut witness, 1).await;
    let id = conversations[0].as_str();
    let note = about("note", "mark", id, json!({"text": "prefers mornings"}));
    stage.send(&note).await;
    witness.until_events("conversation.note_added", 1).await;
    let ask = |note: &str| json!({"to": {"agent": "mark"}, "note": note});
    stage.send(&about("request", "martha", id, ask("once"))).await;
    witness.until_events("assignment.requested", 1).await;
    let reject = about("reject", "mark", id, json!({"reason": "at lunch"}));
    stage.send(&reject).await;
    witness.until_events("assignment.rejected", 1).await;
    stage.send(&about("request", "martha", id, ask("twice"))).await;
    witness.until_events("assignment.requested", 2).await;

    let (good, shown, _) = stage.run(&["chat", "show", id, "--as", "mark", "--json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(good);
    assert_eq!(shown["notes"][0]["text"], "prefers mornings");
    assert_eq!(shown["notes"][0]["author"], "mark");
    assert_eq!(
        (&shown["request"]["to"], &shown["request"]["note"]),
        (&json!("mark"), &json!("twice"))
    );
    let engagements: Vec<_> = shown["engagements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            json!([
                one["way"],
                one["from"],
                one["to"],
                one["status"],
                one["reason"],
                one["note"]
            ])
        })
        .collect();
    assert_eq!(
        engagements,
        [
            json!(["auto", "nobody", "martha", "done", null, null]),
            json!(["request", "agent/martha", "mark", "rejected", "at lunch", "once"]),
            json!(["request", "agent/martha", "mark", "requested", null, "twice"]),
        ]
    );
    stage.send(&about("accept", "mark", id, json!({}))).await;
    witness.until_events("assignment.accepted", 1).await;
    let accepted = "select count(*) from engagement where status = 'accepted' and way = 'request'";
    stage.until_count(accepted, 1).await;
    assert_eq!(stage.count("select count(*) from engagement").await, 3);

    let list = async |arguments: &[&str]| {
        let (good, listed, _) = stage
            .run(&[&["chat", "list", "--json"], arguments].concat())
            .await;
        assert!(good);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed.as_array().unwrap().len()
    };
    assert_eq!(list(&["--view", "assigned"]).await, 1);
    assert_eq!(list(&["--view", "mine", "--as", "mark"]).await, 1);
    assert_eq!(list(&["--view", "mine", "--as", "martha"]).await, 0);
    assert_eq!(list(&["--as", "martha"]).await, 1, "of her team");
    assert_eq!(list(&["--as", "boss"]).await, 1, "the admin");
    assert_eq!(list(&["--as", "olga"]).await, 0, "of another team");
    let (good, _, complaint) = stage.run(&["chat", "show", id, "--as", "olga"]).await;
    assert!(!good && complaint.contains("may not see"), "{complaint}");
    let (good, _, complaint) = stage.run(&["chat", "list", "--as", "nobody"]).await;
    assert!(!good && complaint.contains("no active agent"), "{complaint}");
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_code_and_changes_nothing() {
    let mut stage = Stage::with_plan(&plan_with_timeout("1h")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let mut conversations = owned_by_martha(&stage, &mut witness, 2).await;
    // The third customer wrote yesterday, and is somebody's; the second conversation is closed.
    let mut old = fact(&phone(9), "wamid.old", "customer-9");
    let yesterday = jiff::Timestamp::now() - std::time::Duration::from_secs(25 * 60 * 60);
    old["data"]["message"]["timestamp"] = yesterday.to_string().into();
    stage.send_native("inbound", "customer-9", &old).await;
    witness.until_events("conversation.assigned", 3).await;
    let late = witness
        .seen
        .iter()
        .rfind(|one| one.kind() == "conversation.opened");
    conversations.push(late.expect("it was opened").text("/subject").to_owned());
    stage
        .send(&about("close", "martha", &conversations[1], json!({})))
        .await;
    witness.until_events("conversation.closed", 1).await;
    let to = |agent: &str| json!({"to": {"agent": agent}});
    stage
        .send(&about("request", "martha", &conversations[0], to("mark")))
        .await;
    witness.until_events("assignment.requested", 1).await;
    let (open, closed, late) = (&conversations[0], &conversations[1], &conversations[2]);
    let owner = witness
        .seen
        .iter()
        .rfind(|one| one.kind() == "conversation.assigned" && one.text("/subject") == late);
    let owner = owner.expect("it was assigned").text("/data/owner/id").to_owned();
    let nowhere = uuid::Uuid::nil().to_string();
    let message = json!({"message": {"text": "hello"}});
    let cases = [
        (
            "invalid",
            about("hold", "martha", open, json!({"until": "2020-01-01T00:00:00Z"})),
        ),
        ("invalid", about("resume", "martha", open, json!({}))),
        ("invalid", about("dance", "martha", open, json!({}))),
        (
            "reason_required",
            about("reject", "mark", open, json!({"reason": " "})),
        ),
        ("not_found", about("close", "martha", &nowhere, json!({}))),
        ("unknown_agent", about("close", "stranger", open, json!({}))),
        (
            "unknown_team",
            about("assign", "martha", open, json!({"to": {"team": "nowhere"}})),
        ),
        (
            "epoch_conflict",
            about("close", "martha", open, json!({"expected_epoch": 99})),
        ),
        ("closed", about("hold", "martha", closed, json!({}))),
        ("no_pending_request", about("accept", "mark", closed, json!({}))),
        ("already_assigned", about("assign", "boss", open, to("martha"))),
        ("not_assignee", about("close", "mark", open, json!({}))),
        (
            "not_permitted",
            about("withdraw", "mark", open, json!({"reason": "no"})),
        ),
        ("request_pending", about("request", "martha", open, to("mark"))),
        ("target_unavailable", about("request", &owner, late, to("boss"))),
        ("window_closed", about("reply", &owner, late, message)),
    ];
    let standing = "select coalesce(sum(hashtext(c::text))::int8, 0) from conversation c";
    let before = stage.count(standing).await;
    let refusals = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "command.rejected")
        .count();
    for (n, (code, body)) in cases.iter().enumerate() {
        stage.send(body).await;
        witness.until_events("command.rejected", refusals + n + 1).await;
        let id = body["id"].as_str().expect("an id");
        let rejected = witness
            .seen
            .iter()
            .find(|one| one.kind() == "command.rejected" && one.text("/data/cause") == id);
        let rejected = rejected.unwrap_or_else(|| panic!("{body} was refused"));
        assert_eq!(rejected.text("/data/code"), *code, "{body}");
        assert_eq!(stage.count(standing).await, before, "{body} changed something");
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
