//! `explain` tells a conversation from the first decision to the last, also those that found nobody.

use serde_json::json;

use super::{PLAN, ask, carry_out, row, set, until_unowned, why, write};
use crate::support::Stage;
use crate::support::bodies::command;

#[tokio::test(flavor = "multi_thread")]
async fn a_story_tells_who_was_asked_what_came_of_it_and_what_people_did_in_order() {
    let mut stage = Stage::with_plan(PLAN).await;
    stage.worker();
    set(&stage, "ana", "online").await;
    write(&stage, 1, &["bonjour"]).await;
    set(&stage, "lea", "away").await;
    carry_out(&stage, row(&why(&stage).await, "queue")).await;
    until_unowned(&stage, 0).await;
    let id = stage
        .database
        .texts("select id::text from conversation")
        .await
        .remove(0);
    let to = json!({ "conversation": id, "to": { "agent": "ana" }, "note": "she asks for you" });
    stage.send(&command("assign", "lea", to)).await;
    stage
        .until_count("select count(*) from engagement where way = 'manual'", 1)
        .await;

    let story = ask(&stage, &["explain", &id, "--json"]).await;
    let story = story.as_array().expect("an array");
    assert_eq!(story.len(), 2, "{story:#?}");
    assert_eq!(
        (&story[0]["chosen"], &story[0]["rule"]),
        (&json!(null), &json!("French"))
    );
    assert_eq!(story[0]["passed_over"], json!({ "offline": 3, "skill": 1 }));
    assert_eq!(story[0]["engagement"], json!(null));
    assert_eq!(story[1]["chosen"], "lea");
    assert_eq!(story[1]["engagement"]["from"], "team/support");

    let (_, told, _) = stage.run(&["explain", &id]).await;
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once("Z  ").map_or(line, |(_, said)| said))
        .collect();
    let expected = [
        "rule \"French\" (plan 1) → team support, round_robin",
        "  chosen: nobody; it waits until one of them can",
        "  passed over: lea, mark, noel (offline)",
        "  passed over: ana (skill)",
        "rule \"French\" (plan 1) → team support, round_robin",
        "  chosen: lea",
        "  passed over: mark, noel (offline)",
        "  passed over: ana (skill)",
        "  so: auto, from team/support to lea",
        "manual by lea, from agent/lea to ana",
        "  told: she asks for you",
        "now: ana has it",
    ];
    assert_eq!(lines, expected, "{told}");
    stage.end().await;
}
