//! Owners who are away or offline for too long, with real workers and short graces.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{command, fact, phone, presence, roomy_plan};
use crate::support::witness::{Seen, Witness};

/// What one person leaves behind: more than one page for each lane.
const MANY: usize = 600;

/// The roomy plan with Nina in the team, and this said of people who are gone.
fn plan(settings: &str) -> String {
    let settings = format!("tenant = \"acme\"\n\n[settings]\n{settings}\n");
    let nina = "[[agents]]\nid = \"nina\"\ncapacity = 0\n\n[[teams]]";
    roomy_plan()
        .replacen("tenant = \"acme\"\n", &settings, 1)
        .replacen("[[teams]]", nina, 1)
        .replace(
            "members = [\"mark\", \"martha\"]",
            "members = [\"mark\", \"martha\", \"nina\"]",
        )
}

async fn says(stage: &Stage, witness: &mut Witness, agent: &str, how: &str) {
    let before = count(&witness.seen, "agent.presence_changed");
    stage.send(&presence(agent, how)).await;
    witness.until_events("agent.presence_changed", before + 1).await;
}

fn count(seen: &[Seen], kind: &str) -> usize {
    let ids: BTreeSet<&str> = seen
        .iter()
        .filter(|one| one.kind() == kind)
        .map(|one| one.text("/id"))
        .collect();
    ids.len()
}

/// A customer writes; returns their conversation once somebody has it.
async fn writes(stage: &Stage, witness: &mut Witness, customer: usize, message: &str) {
    let key = format!("customer-{customer}");
    let received = count(&witness.seen, "message.received");
    stage
        .send_native("inbound", &key, &fact(&phone(customer), message, &key))
        .await;
    witness.until_events("message.received", received + 1).await;
}

/// Whom this conversation was given to, one after the other.
fn owners(witness: &Witness, conversation: &str) -> Vec<String> {
    let story = witness.story(conversation);
    let given = story.iter().filter(|one| one.kind() == "conversation.assigned");
    given.map(|one| one.text("/data/owner/id").to_owned()).collect()
}

async fn until_owner(witness: &mut Witness, conversation: &str, agent: &str) {
    let (id, owner) = (conversation.to_owned(), agent.to_owned());
    let is_given = move |seen: &[Seen]| {
        seen.iter().any(|one| {
            one.kind() == "conversation.assigned"
                && one.text("/subject") == id
                && one.text("/data/owner/id") == owner
        })
    };
    witness
        .until(format!("{conversation} with {agent}"), is_given)
        .await;
}

fn about(name: &str, actor: &str, conversation: &str, mut fields: Value) -> Value {
    fields["conversation"] = conversation.into();
    command(name, actor, fields)
}

/// Martha has these customers, all others are away.
async fn martha_has(stage: &Stage, witness: &mut Witness, customers: usize) -> Vec<String> {
    says(stage, witness, "martha", "online").await;
    for customer in 0..customers {
        writes(stage, witness, customer, &format!("wamid.{customer}")).await;
    }
    witness.until_events("conversation.assigned", customers).await;
    let opened = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "conversation.opened");
    opened.map(|one| one.text("/subject").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unanswered_goes_on_after_the_grace_and_what_was_answered_when_its_customer_writes_again() {
    let mut stage = Stage::with_plan(&plan("offline_after = \"1s\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversations = martha_has(&stage, &mut witness, 2).await;
    let (unanswered, answered) = (&conversations[0], &conversations[1]);
    let reply = about(
        "reply",
        "martha",
        answered,
        json!({"message": {"text": {"body": "hello"}}}),
    );
    stage.send(&reply).await;
    witness.until_events("reply.authorized", 1).await;
    says(&stage, &mut witness, "mark", "online").await;
    says(&stage, &mut witness, "martha", "offline").await;
    until_owner(&mut witness, unanswered, "mark").await;
    let story = witness.story(unanswered);
    let moved = story.last().unwrap();
    assert_eq!(moved.text("/data/by"), "auto");
    assert_eq!(moved.text("/data/previous_owner/id"), "martha");
    assert!(moved.text("/data/cause").starts_with("timer/"));
    assert_eq!(owners(&witness, answered), ["martha"]);
    writes(&stage, &mut witness, 1, "wamid.again").await;
    until_owner(&mut witness, answered, "mark").await;
    assert_eq!(owners(&witness, answered), ["martha", "mark"]);
    witness.until_events("notification.unassigned_from_you", 2).await;
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_11_who_is_back_in_time_loses_nothing() {
    let mut stage = Stage::with_plan(&plan("on_offline = \"all\"\noffline_after = \"2s\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversations = martha_has(&stage, &mut witness, 1).await;
    says(&stage, &mut witness, "martha", "offline").await;
    // Nina has the second, and goes after Martha went: when hers moves, Martha's would have moved long ago.
    says(&stage, &mut witness, "nina", "online").await;
    writes(&stage, &mut witness, 1, "wamid.nina").await;
    witness.until_events("conversation.assigned", 2).await;
    says(&stage, &mut witness, "martha", "online").await;
    assert_eq!(
        stage
            .count("select count(*) from timer where kind = 'absent'")
            .await,
        0
    );
    says(&stage, &mut witness, "nina", "offline").await;
    let ninas = witness
        .conversations()
        .into_iter()
        .find(|id| *id != conversations[0]);
    let ninas = ninas.expect("there are two");
    until_owner(&mut witness, &ninas, "martha").await;
    assert_eq!(owners(&witness, &conversations[0]), ["martha"]);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_presence_runs_out_loses_what_waits_a_grace_later_also_to_nobody() {
    let mut stage = Stage::with_plan(&plan("offline_after = \"500ms\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    martha_has(&stage, &mut witness, 1).await;
    let for_a_moment = json!({"agent": "martha", "presence": "online", "ttl": "300ms"});
    stage.send(&command("presence", "martha", for_a_moment)).await;
    witness.until_events("conversation.queued", 1).await;
    let queued = witness.first("conversation.queued");
    assert_eq!(queued.text("/data/reason"), "owner_offline");
    assert_eq!(queued.text("/data/previous_owner/id"), "martha");
    // They may have it again as soon as they are there.
    let conversation = queued.text("/subject").to_owned();
    says(&stage, &mut witness, "martha", "online").await;
    witness.until_events("conversation.assigned", 2).await;
    assert_eq!(owners(&witness, &conversation), ["martha", "martha"]);
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plan_moves_what_the_one_before_let_absent_people_keep() {
    let mut stage = Stage::with_plan(&plan("on_offline = \"keep\"\noffline_after = \"100ms\"")).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let conversations = martha_has(&stage, &mut witness, 2).await;
    says(&stage, &mut witness, "martha", "offline").await;
    says(&stage, &mut witness, "mark", "online").await;
    let asked = "select count(*) from timer where kind = 'absent'";
    assert_eq!(stage.count(asked).await, 0, "nothing will ever move");
    stage
        .apply(&plan("on_offline = \"all\"\noffline_after = \"100ms\""))
        .await;
    for conversation in &conversations {
        until_owner(&mut witness, conversation, "mark").await;
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_leaves_in_every_lane_is_shared_out_once_although_a_worker_dies() {
    let shared = plan("on_offline = \"all\"\noffline_after = \"1s\"").replacen(
        "id = \"nina\"\ncapacity = 0",
        "id = \"nina\"\ncapacity = 500",
        1,
    );
    let shared = shared.replacen(
        "id = \"mark\"\nname = \"Mark\"\ncapacity = 0",
        "id = \"mark\"\nname = \"Mark\"\ncapacity = 1000",
        1,
    );
    let mut stage = Stage::with_plan(&shared).await;
    let mut witness = stage.witness().await;
    let mut doomed = stage.process();
    let mut steady = stage.process();
    says(&stage, &mut witness, "martha", "online").await;
    for n in 0..MANY {
        let key = format!("customer-{n}");
        let message = fact(&phone(n), &format!("wamid.{n}"), &key);
        stage.send_native("inbound", &key, &message).await;
    }
    witness.until_events("conversation.assigned", MANY).await;
    says(&stage, &mut witness, "mark", "online").await;
    says(&stage, &mut witness, "nina", "online").await;
    says(&stage, &mut witness, "martha", "offline").await;
    witness
        .until_events("conversation.assigned", MANY + MANY / 10)
        .await;
    doomed.kill().await.unwrap();
    witness.until_events("conversation.assigned", 2 * MANY).await;
    stage
        .until_count("select count(*) from timer where kind in ('absent', 'owner')", 0)
        .await;
    stage.until_count("select count(*) from outbox", 0).await;
    let mut loads: BTreeMap<String, usize> = BTreeMap::new();
    for conversation in witness.conversations() {
        let owners = owners(&witness, &conversation);
        assert_eq!(owners.len(), 2, "each moves once: {owners:?}");
        assert_eq!(owners[0], "martha");
        *loads.entry(owners[1].clone()).or_default() += 1;
    }
    let shares = [("mark", MANY * 2 / 3), ("nina", MANY / 3)];
    assert_eq!(loads, shares.map(|(who, load)| (who.to_owned(), load)).into());
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    steady.kill().await.unwrap();
    assert_eq!(stage.deadlocks().await, 0);
    stage.end().await;
}
