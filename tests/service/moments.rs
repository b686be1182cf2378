//! What time alone does on real servers: bursts that end, shifts that begin, steps that are taken, whoever runs the workers;
//! and queues that nobody can serve, of which managers hear once.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tokio::process::Child;

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, phone, presence, roomy_plan, webhook};
use crate::support::witness::Witness;

async fn customers(stage: &Stage, range: std::ops::Range<usize>) {
    for n in range {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
    }
}

/// Martha is there and may not have the one customer who comes; the worker under which they began to wait is killed, and
/// another one begins.
async fn somebody_waits_and_the_worker_dies(stage: &Stage, witness: &mut Witness) -> Child {
    let mut first = stage.process();
    stage.send(&presence("martha", "online")).await;
    customers(stage, 0..1).await;
    witness.until_events("conversation.queued", 1).await;
    first.kill().await.expect("it runs");
    stage.process()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_burst_guard_held_back_gets_what_waits_when_the_burst_ends_and_nothing_else_happens() {
    let settings = "[settings]\nburst = { limit = 2, window = \"3s\" }\n\n[[channels]]";
    let plan = roomy_plan().replacen("[[channels]]", settings, 1);
    let mut stage = Stage::with_plan(&plan).await;
    let mut witness = stage.witness().await;
    stage.worker();
    customers(&stage, 0..5).await;
    witness.until_events("conversation.queued", 5).await;
    stage.send(&presence("martha", "online")).await;
    witness.until_events("conversation.assigned", 5).await;
    let mut times: Vec<Timestamp> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "conversation.assigned")
        .map(|one| one.text("/time").parse().expect("a time"))
        .collect();
    times.sort();
    // In waves: of any three in a row the last came a window after the first.
    for three in times.windows(3) {
        let apart = three[2].duration_since(three[0]);
        assert!(apart >= jiff::SignedDuration::from_secs(3), "{times:?}");
    }
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_shift_is_given_out_when_it_begins_also_by_another_worker() {
    // A calendar that opens with a full minute, as no calendar is finer, and not before somebody waits for it.
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let soon = now.checked_add(80.seconds()).expect("a minute and more");
    let until = soon.checked_add(2.minutes()).expect("two minutes");
    let day = soon.strftime("%a").to_string().to_lowercase();
    // A day's last span ends with the day.
    let ends = if soon.date() == until.date() {
        until.strftime("%H:%M").to_string()
    } else {
        "24:00".to_owned()
    };
    let hours = format!("{day} = [\"{}-{ends}\"]", soon.strftime("%H:%M"));
    let calendar =
        format!("[[calendars]]\nid = \"shift\"\ntimezone = \"UTC\"\nhours = {{ {hours} }}\n\n[default]");
    let plan = PLAN
        .replace(
            "strategy = \"least_loaded\"",
            "strategy = \"least_loaded\"\ncalendar = \"shift\"",
        )
        .replace("[default]", &calendar);
    let stage = Stage::with_plan(&plan).await;
    let mut witness = stage.witness().await;
    let mut second = somebody_waits_and_the_worker_dies(&stage, &mut witness).await;
    // That may be longer than a test waits for one thing: it is waited for in parts.
    for before in ["60 seconds", "30 seconds", "0 seconds"] {
        let opens = soon.strftime("%Y-%m-%d %H:%M:00+00");
        let close =
            format!("select count(*) where clock_timestamp() >= timestamptz '{opens}' - interval '{before}'");
        stage.until_count(&close, 1).await;
    }
    stage
        .until_count(
            "select count(*) from conversation where owner_agent = 'martha'",
            1,
        )
        .await;
    witness.until_events("conversation.assigned", 1).await;
    assert_eq!(
        stage
            .count("select count(*) from timer where kind = 'opens'")
            .await,
        1,
        "the next shift is waited for"
    );
    second.kill().await.expect("it runs");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_survives_the_worker_under_which_it_began_to_wait() {
    let rule = "[[rules]]\nname = \"french\"\nteam = \"support\"\nskills = { french = 1 }\nrelax = [{ after = \"3s\", drop = \"french\" }]\n\n[default]";
    // Somebody could speak French; nobody does.
    let plan = PLAN
        .replace("[default]", rule)
        .replace("name = \"Mark\"", "name = \"Mark\"\nskills = { french = 1 }");
    let stage = Stage::with_plan(&plan).await;
    let mut witness = stage.witness().await;
    let mut second = somebody_waits_and_the_worker_dies(&stage, &mut witness).await;
    witness.until_events("conversation.assigned", 1).await;
    let assigned = witness.first("conversation.assigned");
    assert_eq!(assigned.text("/data/owner/id"), "martha");
    let steps = "select count(*) from decision where rule = 'french, step 1'";
    assert_eq!(stage.count(steps).await, 1, "the step is on record");
    second.kill().await.expect("it runs");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_hear_once_that_nobody_can_serve_a_queue_whichever_worker_looks() {
    let mut stage = Stage::with_plan(&roomy_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.worker();
    customers(&stage, 0..8).await;
    witness.until_events("conversation.queued", 8).await;
    stage.send(&presence("martha", "online")).await;
    witness.until_events("conversation.assigned", 8).await;
    assert_eq!(witness.told("queue_blocked"), ["agent/boss"]);
    assert_eq!(
        stage
            .count("select count(*) from matching where blocked <> '[]'")
            .await,
        0,
        "it is served again"
    );
    // And once more when it happens again.
    stage.send(&presence("martha", "offline")).await;
    witness.until_events("agent.presence_changed", 2).await;
    let owned = witness.first("conversation.assigned").text("/subject").to_owned();
    let send_on = serde_json::json!({"conversation": owned, "to": {"team": "support"}});
    stage.send(&command("assign", "boss", send_on)).await;
    witness.until_events("notification.queue_blocked", 2).await;
    witness.assert_sequences();
    stage.end().await;
}
