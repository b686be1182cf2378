//! Plans as releases: what they changed, going back, and taking back what a bad one gave away, with real workers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{command, fact, phone, presence, roomy_plan};
use crate::support::witness::Witness;

/// Conversations that the bad rule sends to the wrong team.
const ASTRAY: usize = 50;
/// Of those: answered, given to somebody else, closed by the time it is taken back.
const ANSWERED: usize = 10;
const MOVED: usize = 5;
const CLOSED: usize = 3;
/// Conversations that were there before the bad rule was.
const EARLIER: usize = 4;

/// Mark and Martha in support, where everything goes; Zoe in sales.
fn good_plan() -> String {
    format!(
        "{}\n[[agents]]\nid = \"zoe\"\n\n[[teams]]\nid = \"sales\"\nmembers = [\"zoe\"]\nstrategy = \"least_loaded\"\n",
        roomy_plan()
    )
}

/// The same, with a rule that sends everybody called Ana to sales: that is everybody.
fn bad_plan() -> String {
    format!(
        "{}\n[[rules]]\nname = \"ads\"\nwhen = 'contact.name == \"Ana\"'\nteam = \"sales\"\n",
        good_plan()
    )
}

/// Runs a command of the program that succeeds.
#[track_caller]
fn good((success, out, error): (bool, String, String)) -> String {
    assert!(success, "{out}{error}");
    out
}

fn parsed(output: (bool, String, String)) -> Value {
    serde_json::from_str(&good(output)).expect("it is JSON")
}

async fn online(stage: &Stage, witness: &mut Witness, agents: &[&str]) {
    let before = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "agent.presence_changed")
        .count();
    for agent in agents {
        stage.send(&presence(agent, "online")).await;
    }
    witness
        .until_events("agent.presence_changed", before + agents.len())
        .await;
}

/// These customers write, each once; their conversations, in the order they began.
async fn customers(stage: &Stage, witness: &mut Witness, range: std::ops::Range<usize>) -> Vec<String> {
    let known: BTreeSet<String> = witness.conversations().into_iter().collect();
    for n in range.clone() {
        let key = format!("customer-{n}");
        stage
            .send_native("inbound", &key, &fact(&phone(n), &format!("wamid.{n}"), &key))
            .await;
    }
    witness.until_events("message.received", range.end).await;
    let all = witness.conversations().into_iter();
    all.filter(|conversation| !known.contains(conversation)).collect()
}

async fn owner(stage: &Stage, conversation: &str) -> String {
    let shown = parsed(stage.run(&["chat", "show", conversation, "--json"]).await);
    shown["owner"]["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_in_the_history_and_an_old_one_comes_back_as_a_new_one() {
    let mut stage = Stage::with_plan(&good_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.apply(&bad_plan()).await;
    stage
        .apply(&bad_plan().replace("managers = [\"boss\"]", "managers = []"))
        .await;
    let history = parsed(
        stage
            .run(&["plan", "history", "--tenant", "acme", "--json"])
            .await,
    );
    let told = |n: usize| (history[n]["version"].clone(), history[n]["changes"].clone());
    assert_eq!(told(0), (json!(3), json!("1 team changed")));
    assert_eq!(told(1), (json!(2), json!("1 rule added")));
    assert_eq!(told(2), (json!(1), json!("the first")));
    assert_eq!(history[0]["in_force"], true);
    assert_eq!(history[0]["actor"], "system/cli");
    assert!(history[0]["cause"].as_str().unwrap().starts_with("cli/"));
    let changed = good(stage.run(&["plan", "diff"]).await);
    assert_eq!(
        changed,
        "from acme version 2 to acme version 3, in force:\nteam support: managers: without boss\n"
    );

    // Back by one, which is the version before the present one; then to the first.
    let back = parsed(stage.run(&["plan", "rollback", "--json"]).await);
    assert_eq!(
        (&back["version"], &back["restored"], &back["bulk"]),
        (&json!(4), &json!(2), &Value::Null)
    );
    let back = good(stage.run(&["plan", "rollback", "1", "--tenant", "acme"]).await);
    assert_eq!(
        back,
        "acme: plan version 5 is in force; it says what version 1 said\n"
    );
    let same = good(stage.run(&["plan", "diff", "--tenant", "acme", "1", "5"]).await);
    assert!(same.ends_with(":\nno difference\n"), "{same}");
    let differences = parsed(stage.run(&["plan", "diff", "3", "5", "--json"]).await);
    let rule = json!({
        "section": "rule", "name": "ads", "change": "removed",
        "says": { "when": "contact.name == \"Ana\"", "team": "sales" },
    });
    let managers = json!({
        "section": "team", "name": "support", "change": "changed", "key": "managers", "from": [], "to": ["boss"],
    });
    assert_eq!(differences["differences"], json!([managers, rule]));
    let again = good(stage.run(&["plan", "rollback", "1"]).await);
    assert!(again.ends_with("unchanged\n"), "{again}");
    let history = parsed(stage.run(&["plan", "history", "--limit", "2", "--json"]).await);
    let versions: Vec<&Value> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["version"])
        .collect();
    assert_eq!(versions, [&json!(5), &json!(4)]);
    let history = good(stage.run(&["plan", "history"]).await);
    assert!(history.contains("1 rule removed; as version 1\n"), "{history}");
    // Each new version is announced, like any other.
    witness
        .until("version 5", |seen| {
            seen.iter().any(|one| one.text("/subject") == "plan/5")
        })
        .await;
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_plan_that_is_no_good_any_more_is_not_put_in_force() {
    let mut stage = Stage::with_plan(&good_plan()).await;
    let moved = good_plan().replace("whatsapp:123456789012345", "whatsapp:2");
    stage.apply(&moved).await;
    stage.apply(&good_plan().replace("\"acme\"", "\"rival\"")).await;
    let (success, out, error) = stage.run(&["plan", "rollback", "--tenant", "acme"]).await;
    assert!(!success);
    assert!(
        out.contains("the channel whatsapp:123456789012345 belongs to another tenant"),
        "{out}"
    );
    assert!(error.contains("nothing was rolled back"), "{error}");

    // As if a newer reader no longer knew a key.
    stage
        .database
        .run("update plan set document = document || '{\"colour\": \"blue\"}' where tenant = 'acme' and version = 1")
        .await;
    let (success, out, error) = stage.run(&["plan", "rollback", "1", "--tenant", "acme"]).await;
    assert!(!success && out.contains("acme version 1: error: colour"), "{out}");
    assert!(error.contains("nothing was rolled back"), "{error}");
    let (success, _, error) = stage.run(&["plan", "diff", "1", "--tenant", "acme"]).await;
    assert!(
        !success && error.contains("acme's plan version 1 is no good plan"),
        "{error}"
    );
    let history = good(stage.run(&["plan", "history", "--tenant", "acme"]).await);
    assert!(history.contains("cannot be read by this version"), "{history}");
    for (arguments, told) in [
        (["9", "--tenant", "acme"].as_slice(), "acme has no plan version 9"),
        (&["--tenant", "rival"], "rival had no plan before version 1"),
        (&["--tenant", "nobody"], "nobody has no plan"),
        (&[], "there are several tenants"),
        (
            &["2", "--tenant", "acme", "--reassign", "--rule", "ads"],
            "version 2 has no rule ads",
        ),
        (
            &["2", "--tenant", "acme", "--reassign"],
            "nothing was rolled back: say with --made-by",
        ),
    ] {
        let (success, _, error) = stage
            .run(&[["plan", "rollback"].as_slice(), arguments].concat())
            .await;
        assert!(!success && error.contains(told), "{arguments:?}: {error}");
    }
    assert_eq!(
        stage
            .count("select max(version)::int8 from plan where tenant = 'acme'")
            .await,
        2
    );
    stage.stop_workers().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bad_rule_gave_away_goes_back_to_routing_but_what_somebody_made_theirs_stays() {
    let mut stage = Stage::with_plan(&good_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    online(&stage, &mut witness, &["mark", "martha", "zoe"]).await;
    let earlier = customers(&stage, &mut witness, 0..EARLIER).await;
    stage.apply(&bad_plan()).await;
    let astray = customers(&stage, &mut witness, EARLIER..EARLIER + ASTRAY).await;
    witness
        .until_events("conversation.assigned", EARLIER + ASTRAY)
        .await;
    let zoes = "select count(*) from conversation where owner_agent = 'zoe' and status = 'open'";
    stage.until_count(zoes, ASTRAY as i64).await;

    let (answered, rest) = astray.split_at(ANSWERED);
    let (moved, rest) = rest.split_at(MOVED);
    let (closed, rest) = rest.split_at(CLOSED);
    for conversation in answered {
        let reply = json!({"conversation": conversation, "message": {"to": "x", "text": "hello"}});
        stage.send(&command("reply", "zoe", reply)).await;
    }
    for conversation in moved {
        let give = json!({"conversation": conversation, "to": {"agent": "mark"}});
        stage.send(&command("assign", "boss", give)).await;
    }
    for conversation in closed {
        stage
            .send(&command("close", "zoe", json!({"conversation": conversation})))
            .await;
    }
    witness.until_events("reply.authorized", ANSWERED).await;
    witness
        .until_events("conversation.assigned", EARLIER + ASTRAY + MOVED)
        .await;
    witness.until_events("conversation.closed", CLOSED).await;

    let rollback = [
        "plan",
        "rollback",
        "--tenant",
        "acme",
        "--reassign",
        "--rule",
        "ads",
        "--json",
    ];
    let told = parsed(stage.run(&rollback).await);
    let bulk = told["bulk"].as_str().unwrap().to_owned();
    assert_eq!(told["version"], 3);
    assert_eq!(told["conversations"], rest.len());
    assert_eq!(told["more"], false);
    witness.until_events("bulk.completed", 1).await;
    let end = witness.first("bulk.completed").clone();
    assert_eq!(end.text("/data/bulk"), bulk);
    let results = end.body["data"]["results"].as_array().unwrap();
    let of = |result: &Value| result["conversation"].as_str().unwrap().to_owned();
    assert_eq!(
        results.iter().map(of).collect::<BTreeSet<_>>(),
        rest.iter().cloned().collect()
    );
    assert!(
        results.iter().all(|result| result["outcome"] == "assigned"),
        "{results:?}"
    );

    // Each of them once, to support, as part of the bulk; the old record is undone and the new one explained.
    witness
        .until_events("conversation.assigned", EARLIER + ASTRAY + MOVED + rest.len())
        .await;
    witness.assert_sequences();
    for conversation in rest {
        let story = witness.story(conversation);
        let given = story.last().unwrap();
        assert_eq!(
            (given.kind(), given.text("/data/by")),
            ("conversation.assigned", "bulk")
        );
        assert_eq!(given.text("/data/bulk"), bulk);
        assert_eq!(given.text("/data/owner/team"), "support");
        assert_eq!(given.text("/data/actor/id"), "cli");
        assert_eq!(given.number("/data/plan_version"), 3);
    }
    let shown = parsed(stage.run(&["chat", "show", &rest[0], "--json"]).await);
    let engagements = shown["engagements"].as_array().unwrap();
    let mut seen: Vec<(&str, &str)> = engagements
        .iter()
        .map(|one| (one["way"].as_str().unwrap(), one["status"].as_str().unwrap()))
        .collect();
    seen.sort();
    assert_eq!(seen, [("auto", "undone"), ("bulk", "done")]);
    let records = "select count(*) from engagement where way = 'bulk'";
    assert_eq!(stage.count(records).await, rest.len() as i64);
    let explained = parsed(stage.run(&["explain", &rest[0], "--json"]).await);
    assert_eq!(explained[1]["plan_version"], 3);
    // The two of support share them evenly; nobody else's moved.
    let marks =
        "select count(*) from conversation c where owner_agent = 'mark' and status = 'open' and exists
        (select from engagement e where e.conversation = c.id and e.way = 'bulk')";
    let marks = stage.count(marks).await;
    assert!(
        (rest.len() as i64 - 2 * marks).abs() <= MOVED as i64 + 1,
        "{marks}"
    );
    assert_eq!(stage.count(zoes).await, ANSWERED as i64);
    for conversation in answered.iter().chain(closed) {
        assert_eq!(owner(&stage, conversation).await, "zoe");
    }
    for conversation in moved {
        assert_eq!(owner(&stage, conversation).await, "mark");
    }
    for conversation in &earlier {
        assert_eq!(witness.story(conversation).len(), 3, "nothing happened to it");
    }

    // There is nothing left to take back; and what was taken back can be given back.
    let again = [
        "plan",
        "rollback",
        "1",
        "--reassign",
        "--rule",
        "ads",
        "--made-by",
        "2",
    ];
    let told = good(stage.run(&again).await);
    assert!(
        told.contains("nothing that rule ads of version 2 assigned is left to take back"),
        "{told}"
    );
    witness.until_events("bulk.completed", 2).await;
    stage
        .send(&command("bulk_undo", "boss", json!({"bulk": bulk})))
        .await;
    witness.until_events("bulk.undone", 1).await;
    stage.until_count(zoes, (ANSWERED + rest.len()) as i64).await;
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_sent_to_a_team_is_not_the_plans_to_take_back() {
    let mut stage = Stage::with_plan(&good_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    // The default is the mistake: no rule is on record.
    stage
        .apply(&good_plan().replace("[default]\nteam = \"support\"", "[default]\nteam = \"sales\""))
        .await;
    online(&stage, &mut witness, &["mark", "zoe"]).await;
    let all = customers(&stage, &mut witness, 0..4).await;
    witness.until_events("conversation.assigned", 4).await;
    // Two of them a person sends on: one to a team where somebody is, one to a team where it waits until somebody comes.
    let off = json!({"agent": "zoe", "presence": "offline"});
    stage
        .send(&command(
            "assign",
            "boss",
            json!({"conversation": all[0], "to": {"team": "support"}}),
        ))
        .await;
    witness.until_events("conversation.assigned", 5).await;
    stage
        .send(&command(
            "presence",
            "mark",
            json!({"agent": "mark", "presence": "offline"}),
        ))
        .await;
    stage.send(&command("presence", "zoe", off)).await;
    witness.until_events("agent.presence_changed", 4).await;
    stage
        .send(&command(
            "assign",
            "boss",
            json!({"conversation": all[1], "to": {"team": "support"}}),
        ))
        .await;
    witness.until_events("conversation.queued", 1).await;
    online(&stage, &mut witness, &["martha"]).await;
    witness.until_events("conversation.assigned", 6).await;
    assert_eq!(owner(&stage, &all[1]).await, "martha");

    let told = good(stage.run(&["plan", "rollback", "--reassign"]).await);
    assert!(
        told.contains(": 2 conversations that version 2 assigned are routed again\n"),
        "{told}"
    );
    witness.until_events("bulk.completed", 1).await;
    witness.until_events("conversation.assigned", 8).await;
    for conversation in &all[2..] {
        assert_eq!(owner(&stage, conversation).await, "martha");
        assert_eq!(
            witness.story(conversation).last().unwrap().text("/data/by"),
            "bulk"
        );
    }
    assert_eq!(owner(&stage, &all[0]).await, "mark");
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_looked_at_is_looked_at_again_only_under_another_plan() {
    let mut stage = Stage::with_plan(&good_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    online(&stage, &mut witness, &["mark"]).await;
    let urgent = good_plan().replace(
        "[default]\nteam = \"support\"",
        "[default]\nteam = \"support\"\npriority = \"high\"",
    );
    stage.apply(&urgent).await;
    customers(&stage, &mut witness, 0..2).await;
    witness.until_events("conversation.assigned", 2).await;
    // Mark has them, and under the old plan he would have them too.
    let mut completed = 0;
    let mut taken_back = async |arguments: &[&str]| {
        let arguments = [["plan", "rollback", "--reassign", "--json"].as_slice(), arguments].concat();
        let told = parsed(stage.run(&arguments).await);
        completed += 1;
        witness.until_events("bulk.completed", completed).await;
        told["conversations"].as_u64().unwrap()
    };
    assert_eq!(taken_back(&["1"]).await, 2);
    assert_eq!(taken_back(&["1", "--made-by", "2"]).await, 0);
    assert_eq!(taken_back(&["2", "--made-by", "2"]).await, 2);
    let outcomes = "select count(*) from bulk_item where outcome = 'unchanged'";
    assert_eq!(stage.count(outcomes).await, 4);
    let records = "select count(*) from engagement where way = 'bulk' or status = 'undone'";
    assert_eq!(stage.count(records).await, 0, "nothing happened");
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
