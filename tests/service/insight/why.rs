//! `why` counts everything that waits once, says what for, and what it says would help does help.

use serde_json::json;

use super::{PLAN, carry_out, row, set, until_unowned, why, write};
use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_waits_is_counted_once_with_what_it_waits_for_and_each_way_out_leads_out() {
    let mut stage = Stage::with_plan(PLAN).await;
    stage.worker();
    set(&stage, "ana", "online").await;
    set(&stage, "mark", "online").await;
    set(&stage, "lea", "online").await;
    set(&stage, "lea", "away").await;
    // Mark takes the first; for the others there is no French speaker.
    write(&stage, 1, &["bonjour", "bonjour", "bonjour", "bonjour"]).await;
    write(&stage, 5, &["hello", "vip", "whenever"]).await;
    until_unowned(&stage, 5).await;

    let rows = why(&stage).await;
    assert_eq!(rows.len(), 3, "{rows:#?}");
    let french = row(&rows, "queue");
    assert_eq!(french["tenant"], "acme");
    assert_eq!(
        (&french["team"], &french["waiting"]),
        (&json!("support"), &json!(3))
    );
    assert_eq!(french["needs"]["skills"], json!({ "french": 1 }));
    assert_eq!(french["priorities"], json!({ "normal": 3 }));
    let blocked_by = json!({ "away": 1, "capacity": 1, "offline": 1, "skill": 1 });
    assert_eq!(french["blocked_by"], blocked_by);
    assert_eq!(
        (&french["candidates"], &french["able"], &french["online"]),
        (&json!(4), &json!(3), &json!(1))
    );
    let agents: Vec<_> = (0..3).map(|n| french["unblock"][n]["agent"].clone()).collect();
    assert_eq!(agents, ["mark", "lea", "noel"]);
    assert_eq!(french["unblock"][0]["text"], "Mark closes 1 of 1");
    let (good, told, _) = stage.run(&["why", "--tenant", "acme"]).await;
    assert!(good);
    assert!(
        told.contains("3 wait in support: need french:1; 1 of 3 who can are online: 1 full; next: Mark, at 1 of 1 (the oldest"),
        "{told}"
    );
    assert!(
        told.contains("1 waits in vip, for a person to take; nobody who may is online"),
        "{told}"
    );
    assert!(told.ends_with("5 wait in all\n"), "{told}");
    assert_eq!(row(&rows, "manual_team")["unblock"][0]["agent"], "vera");
    assert_eq!(row(&rows, "nobody")["team"], json!(null));

    // Each way out leads out, also when the one before it made another the nearest.
    carry_out(&stage, french).await;
    until_unowned(&stage, 4).await;
    set(&stage, "mark", "offline").await;
    let rows = why(&stage).await;
    let french = row(&rows, "queue");
    assert_eq!(french["unblock"][0]["agent"], "lea");
    let (_, told, _) = stage.run(&["why", "--team", "support"]).await;
    assert!(
        told.contains("0 of 3 who can are online; next: Léa, away since "),
        "{told}"
    );
    carry_out(&stage, french).await;
    until_unowned(&stage, 3).await;
    set(&stage, "lea", "offline").await;
    // Noël was never there; the other two carry as much as they may besides.
    let rows = why(&stage).await;
    let french = row(&rows, "queue");
    assert_eq!(
        (&french["waiting"], &french["unblock"][0]["agent"]),
        (&json!(1), &json!("noel"))
    );
    carry_out(&stage, french).await;
    until_unowned(&stage, 2).await;
    for (kind, left) in [("manual_team", 1), ("nobody", 0)] {
        carry_out(&stage, row(&why(&stage).await, kind)).await;
        until_unowned(&stage, left).await;
    }
    assert!(why(&stage).await.is_empty());
    let (_, told, _) = stage.run(&["why"]).await;
    assert_eq!(told, "0 wait in all\n");
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_the_nearest_way_is_told_with_all_it_takes() {
    let plan = PLAN.replace("french = 1 }\n\n[[agents]]", "spanish = 1 }\n\n[[agents]]");
    let plan = plan.replace("skills = { french = 2 }", "skills = { spanish = 1 }");
    let mut stage = Stage::with_plan(&plan).await;
    stage.worker();
    set(&stage, "ana", "online").await;
    write(&stage, 1, &["bonjour"]).await;
    let rows = why(&stage).await;
    let french = row(&rows, "queue");
    assert_eq!(
        (&french["able"], &french["unblock"][0]["agent"]),
        (&json!(0), &json!("ana"))
    );
    let (_, told, _) = stage.run(&["why"]).await;
    assert!(
        told.contains("nobody there can take it; next: Ana, without french:1"),
        "{told}"
    );
    carry_out(&stage, french).await;
    until_unowned(&stage, 0).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_there_is_a_sentence() {
    let stage = Stage::with_plan(PLAN).await;
    for question in ["why", "fairness"] {
        let (good, _, errors) = stage.run(&[question, "--tenant", "nowhere"]).await;
        assert!(!good);
        assert_eq!(errors, "switchboard: nowhere has no plan\n");
    }
    stage.end().await;
}
