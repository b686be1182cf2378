//! Clocks that run out.

use crate::support::Stage;
use crate::support::bodies::{PLAN, phone, webhook};

fn impatient_plan() -> String {
    let quick = "response = \"quick\"\n\n[[responses]]\nid = \"quick\"\nassign_within = \"1s\"\n\n[default]";
    PLAN.replace("[default]", quick)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_nobody_takes_in_time_is_reported_to_the_teams_managers_once() {
    let mut stage = Stage::with_plan(&impatient_plan()).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("notification.response_breach", 1).await;
    let breached = witness.first("response.breached");
    assert_eq!(breached.text("/data/clock"), "assign");
    assert_eq!(breached.text("/data/policy"), "quick");
    assert!(breached.text("/data/cause").starts_with("timer/"));
    assert_eq!(breached.text("/data/actor/id"), "timer");
    assert_eq!(witness.told("response_breach"), ["agent/boss"]);
    assert_eq!(
        stage
            .count("select count(*) from timer where kind = 'assign'")
            .await,
        0,
        "a clock fires once"
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_survives_the_death_of_the_worker_that_started_it() {
    let stage = Stage::with_plan(&impatient_plan().replace("\"1s\"", "\"4s\"")).await;
    let mut witness = stage.witness().await;
    let mut first = stage.process();
    stage.send(&webhook(&phone(1), "wamid.1", "hello")).await;
    witness.until_events("conversation.queued", 1).await;
    first.kill().await.unwrap();
    let mut second = stage.process();
    witness.until_events("response.breached", 1).await;
    witness.assert_sequences();
    second.kill().await.unwrap();
    stage.end().await;
}
