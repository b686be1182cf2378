//! `chat show` says where a waiting conversation stands and how long it will probably wait.

use serde_json::{Value, json};

use super::{PLAN, ask, carry_out, owned_by, row, set, until_unowned, why, write};
use crate::support::Stage;

async fn shown(stage: &Stage, conversation: &str) -> Value {
    ask(stage, &["chat", "show", conversation, "--json"]).await
}

/// Those in a queue, the longest wait first.
async fn queued(stage: &Stage) -> Vec<String> {
    let sql = "select id::text from conversation where requirement is not null order by waits_from, id";
    stage.database.texts(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_the_place_in_the_queue_and_the_wait_is_guessed_once_the_queue_has_moved() {
    let mut stage = Stage::with_plan(PLAN).await;
    stage.worker();
    set(&stage, "mark", "online").await;
    write(&stage, 1, &["bonjour"; 8]).await;
    write(&stage, 9, &["whenever"]).await;
    until_unowned(&stage, 8).await;
    let waiting = queued(&stage).await;
    for (place, conversation) in waiting.iter().enumerate() {
        let shown = shown(&stage, conversation).await;
        assert_eq!(shown["position"], json!(place + 1));
        assert_eq!(shown["estimated_wait"], json!(null));
        assert_eq!(shown["estimated_wait_unknown"], "too_few_assignments");
    }
    let owned = shown(&stage, &owned_by(&stage, "mark").await).await;
    assert_eq!(
        (&owned["position"], &owned["estimated_wait_unknown"]),
        (&json!(null), &json!("not_waiting"))
    );
    let nobodys = "select id::text from conversation where owner_agent is null and owner_queue is null";
    let nobodys = shown(&stage, &stage.database.texts(nobodys).await[0]).await;
    assert_eq!(nobodys["estimated_wait_unknown"], "for_a_person");
    // Mark closes one after the other, and five come out of the queue.
    for left in (2..7).rev() {
        carry_out(&stage, row(&why(&stage).await, "queue")).await;
        until_unowned(&stage, left + 1).await;
    }
    let waiting = queued(&stage).await;
    let last = shown(&stage, waiting.last().expect("some wait")).await;
    assert_eq!(last["position"], json!(waiting.len()));
    // Five in an hour.
    assert_eq!(last["estimated_wait"], json!(waiting.len() * 720));
    let (_, told, _) = stage
        .run(&["chat", "show", waiting.last().expect("some wait")])
        .await;
    assert!(
        told.contains("number 2 in support; about 24 min at the pace of the last hour"),
        "{told}"
    );
    stage.end().await;
}
