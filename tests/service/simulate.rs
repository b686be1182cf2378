//! `switchboard simulate` as people run it.

use serde_json::Value;

use crate::support::Stage;
use crate::support::bodies::{PLAN, command, phone, presence, webhook};

/// The first line that tells of a conversation, for `close`.
async fn close(stage: &Stage, conversation: &str, actor: &str) {
    stage
        .send(&command(
            "close",
            actor,
            serde_json::json!({"conversation": conversation}),
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_played_again_and_another_plan_would_have_done_otherwise() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    // Two for Martha, a third waits until she closes one; its customer comes back later and is a fourth episode.
    for n in 1..=3 {
        stage
            .send(&webhook(&phone(n), &format!("wamid.{n}"), "hello"))
            .await;
        witness.until_events("conversation.opened", n).await;
    }
    witness.until_events("conversation.queued", 1).await;
    let first = witness.first("conversation.opened").text("/subject").to_owned();
    close(&stage, &first, "martha").await;
    witness.until_events("conversation.assigned", 3).await;
    stage.send(&webhook(&phone(1), "wamid.4", "one more thing")).await;
    witness.until_events("conversation.queued", 2).await;

    let folder = std::env::temp_dir().join(format!("switchboard-simulate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (now, other) = (folder.join("now.toml"), folder.join("other.toml"));
    std::fs::write(&now, PLAN).unwrap();
    std::fs::write(&other, PLAN.replace("capacity = 2", "capacity = 1")).unwrap();
    let paths = [now.display().to_string(), other.display().to_string()];
    let arguments = [
        "simulate",
        "--plan",
        &paths[0],
        "--against",
        &paths[1],
        "--recorded",
        "--since",
        "2026-01-01T00:00:00Z",
        "--service",
        "constant:1h",
        "--json",
    ];
    let (good, report, complaint) = stage.run(&arguments).await;
    assert!(good, "{complaint}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["arrivals"], 4);
    assert_eq!(report["plans"][0]["conversations"], 4);
    // Everyone is there in a simulation: four places for four customers, and two for the other plan.
    assert_eq!(report["plans"][0]["wait"]["waited"], 0);
    assert!(
        report["plans"][1]["wait"]["waited"].as_u64().unwrap() > 0,
        "{report:#}"
    );
    assert!(report["comparison"]["later"].as_u64().unwrap() > 0, "{report:#}");
    assert!(report["unknown"].as_array().unwrap().len() > 2, "{report:#}");
    let (_, again, _) = stage.run(&arguments).await;
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), report);

    let nothing = [
        "simulate",
        "--plan",
        &paths[0],
        "--recorded",
        "--since",
        "2020-01-01T00:00:00Z",
        "--until",
        "2020-01-02T00:00:00Z",
    ];
    let (good, _, complaint) = stage.run(&nothing).await;
    assert!(
        !good && complaint.contains("nothing is recorded of acme"),
        "{complaint}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
    stage.end().await;
}
