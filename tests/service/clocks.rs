//! Response policies on real servers: what is warned of, moved and escalated, and what ordinary messages cost.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, fact, phone, presence};
use crate::support::witness::{Seen, Witness};

const KEY: &str = "customer";

/// The usual plan, under this policy for everything.
fn plan_with(policy: &str) -> String {
    let rest = format!("response = \"strict\"\n\n[[responses]]\nid = \"strict\"\n{policy}\n[default]");
    PLAN.replace("[default]", &rest)
}

/// The customer writes.
async fn turn(stage: &Stage, id: &str) {
    stage.send_native("inbound", KEY, &fact(&phone(1), id, KEY)).await;
}

async fn online(stage: &Stage, witness: &mut Witness, agent: &str) {
    stage.send(&presence(agent, "online")).await;
    let of_agent = format!("agent/{agent}");
    let came = move |seen: &[Seen]| {
        let mut changes = seen.iter().filter(|one| one.kind() == "agent.presence_changed");
        changes.any(|one| one.text("/subject") == of_agent)
    };
    witness.until(format!("{agent} online"), came).await;
}

/// The conversation, once Martha has it and its customer waits.
async fn martha_has_it(stage: &Stage, witness: &mut Witness) -> String {
    online(stage, witness, "martha").await;
    turn(stage, "wamid.1").await;
    witness.until_events("conversation.assigned", 1).await;
    witness.first("conversation.assigned").text("/subject").to_owned()
}

/// What happened to the conversation, with the words that matter.
fn story(witness: &Witness, conversation: &str) -> Vec<String> {
    let told = |one: &&Seen| {
        let kind = one.kind().to_owned();
        let words = ["/data/clock", "/data/reason", "/data/owner/id", "/data/by"].map(|path| one.text(path));
        let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{kind} {}", said.join(" "))
    };
    witness.story(conversation).iter().map(told).collect()
}

/// What `explain` says of how it stands.
async fn explained(stage: &Stage, conversation: &str) -> String {
    let (_, told, _) = stage.run(&["explain", conversation]).await;
    let (_, now) = told.split_once("\nnow: ").expect("every story ends with now");
    now.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_does_not_answer_is_warned_and_then_somebody_else_has_it() {
    let policy = "respond_within = \"2s\"\nwarn_before = \"1s\"\non_breach = [\"notify\", \"reassign\"]";
    let mut stage = Stage::with_plan(&plan_with(policy)).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversation = martha_has_it(&stage, &mut witness).await;
    online(&stage, &mut witness, "mark").await;
    witness.until_events("conversation.assigned", 2).await;
    assert_eq!(
        story(&witness, &conversation)[2..],
        [
            "conversation.assigned martha auto",
            "response.warned respond martha",
            "response.breached respond martha",
            "conversation.assigned mark auto",
        ]
    );
    let moved = witness.story(&conversation)[5].clone();
    assert_eq!(moved.text("/data/previous_owner/id"), "martha");
    assert!(moved.text("/data/cause").starts_with("timer/"));
    witness.until_events("notification.unassigned_from_you", 1).await;
    assert_eq!(witness.told("response_warning"), ["agent/martha"]);
    let mut told = witness.told("response_breach");
    told.sort();
    assert_eq!(told, ["agent/boss", "agent/martha"]);
    assert_eq!(
        explained(&stage, &conversation).await,
        "mark has it\n  it was taken from martha, who did not answer in time\n"
    );
    stage
        .send(&command(
            "reply",
            "mark",
            json!({"conversation": conversation, "message": {}}),
        ))
        .await;
    witness.until_events("reply.authorized", 1).await;
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_free_it_waits_and_moves_when_somebody_comes() {
    let policy = "respond_within = \"500ms\"\non_breach = [\"reassign\"]";
    let mut stage = Stage::with_plan(&plan_with(policy)).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    let conversation = martha_has_it(&stage, &mut witness).await;
    witness.until_events("conversation.queued", 1).await;
    online(&stage, &mut witness, "mark").await;
    witness.until_events("conversation.assigned", 2).await;
    assert_eq!(
        story(&witness, &conversation)[2..6],
        [
            "conversation.assigned martha auto",
            "response.breached respond martha",
            "conversation.queued breach support",
            "conversation.assigned mark auto",
        ]
    );
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_up_while_nobody_is_there_reaches_whoever_comes_first() {
    let policy = "respond_within = \"500ms\"\non_breach = [\"escalate\"]\nescalate_to = [\"mark\"]";
    let mut stage = Stage::with_plan(&plan_with(policy)).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversation = martha_has_it(&stage, &mut witness).await;
    witness.until_events("notification.escalated", 1).await;
    assert_eq!(witness.told("escalated"), ["agent/boss"]);
    let now = explained(&stage, &conversation).await;
    let goes_up = "martha has it\n  it is to go up, since nobody was in time, and nobody on the way is there; tried again at ";
    assert!(now.starts_with(goes_up), "{now}");
    online(&stage, &mut witness, "boss").await;
    // Within half a minute it is tried again.
    witness.until_events("conversation.assigned", 2).await;
    assert_eq!(
        story(&witness, &conversation)[3..6],
        [
            "response.breached respond martha",
            "conversation.escalated breach martha",
            "conversation.assigned boss escalation",
        ]
    );
    let given = witness.story(&conversation)[5].clone();
    assert_eq!(given.text("/data/note"), "Martha did not answer.");
    assert_eq!(given.text("/data/owner/team"), "support");
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_hear_that_the_window_is_about_to_close() {
    let mut stage = Stage::with_plan(&plan_with("assign_within = \"1h\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    online(&stage, &mut witness, "martha").await;
    // Two hours are left of the 24, but for a moment.
    let written = Timestamp::now() - SignedDuration::from_hours(22) + Duration::from_secs(1);
    let mut body = fact(&phone(1), "wamid.1", KEY);
    body["data"]["message"]["timestamp"] = written.to_string().into();
    stage.send_native("inbound", KEY, &body).await;
    witness.until_events("notification.escalated", 1).await;
    let told = witness.first("conversation.escalated");
    assert_eq!(told.text("/data/reason"), "window");
    assert!(told.body["data"]["to"].is_null());
    assert_eq!(told.text("/data/owner/id"), "martha");
    assert_eq!(witness.told("escalated"), ["agent/boss"]);
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_messages_and_answers_write_no_timer() {
    const ROUNDS: usize = 20;
    let mut stage = Stage::with_plan(&plan_with("respond_within = \"10m\"\nwarn_before = \"1m\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversation = martha_has_it(&stage, &mut witness).await;
    let client = stage.database.client().await;
    // A row that is written again has another xmin.
    let timers = async || {
        let rows = client
            .query("select kind, xmin::text, due::text from timer order by kind", &[])
            .await
            .expect("rows");
        let texts = rows.iter().map(|row| {
            let texts: [String; 3] = [row.get(0), row.get(1), row.get(2)];
            texts
        });
        texts.collect::<Vec<_>>()
    };
    let alarm = async || {
        let row = client
            .query_one("select alarm::text from conversation", &[])
            .await
            .expect("one conversation");
        row.get::<_, Option<String>>(0)
    };
    // What the plan left to do is done.
    stage
        .until_count("select count(*) from timer where kind <> 'alarm'", 0)
        .await;
    let before = (timers().await, alarm().await);
    assert_eq!(before.0.len(), 1, "its alarm: {:?}", before.0);
    for round in 0..ROUNDS {
        stage
            .send(&command(
                "reply",
                "martha",
                json!({"conversation": conversation, "message": {}}),
            ))
            .await;
        witness.until_events("reply.authorized", round + 1).await;
        turn(&stage, &format!("wamid.again.{round}")).await;
        witness.until_events("message.received", round + 2).await;
    }
    assert_eq!((timers().await, alarm().await), before);
    stage.end().await;
}
