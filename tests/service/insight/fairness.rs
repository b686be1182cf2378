//! `fairness` says whose turns there were.

use serde_json::{Value, json};

use super::{PLAN, ask, set, write};
use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn turns_skips_and_shares_are_those_of_the_decisions() {
    let mut stage = Stage::with_plan(PLAN).await;
    stage.worker();
    write(&stage, 1, &["vip"]).await;
    set(&stage, "mark", "online").await;
    set(&stage, "ana", "online").await;
    // Mark's turn, Ana's; then he is full and she is not; at last a French speaker is asked for in vain.
    write(&stage, 2, &["hello", "hello", "hello", "bonjour"]).await;

    let reports = ask(&stage, &["fairness", "--json", "--since", "1h"]).await;
    let reports = reports.as_array().expect("an array");
    assert_eq!(reports.len(), 1, "by hand there are no turns: {reports:#?}");
    let report = &reports[0];
    assert_eq!(
        (&report["team"], &report["strategy"]),
        (&json!("support"), &json!("round_robin"))
    );
    assert_eq!(
        (&report["decisions"], &report["found_nobody"]),
        (&json!(3), &json!(1))
    );
    let of = |agent: &str| -> Value {
        let all = report["agents"].as_array().expect("an array");
        all.iter()
            .find(|one| one["agent"] == agent)
            .expect("listed")
            .clone()
    };
    let (ana, mark, lea) = (of("ana"), of("mark"), of("lea"));
    assert_eq!(
        (&ana["turns"], &mark["turns"], &lea["turns"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(mark["skips"], json!({ "capacity": 2 }));
    assert_eq!(lea["skips"], json!({ "offline": 3 }));
    assert_eq!((&ana["outranked"], &mark["outranked"]), (&json!(1), &json!(0)));
    // One of two, then twice one of one.
    assert_eq!((&ana["expected"], &ana["deviation"]), (&json!(2.5), &json!(-0.5)));
    assert_eq!(
        (&mark["expected"], &mark["deviation"]),
        (&json!(0.5), &json!(0.5))
    );
    assert_eq!(
        (&report["largest_deviation"], &ana["estimated"]),
        (&json!(0.5), &json!(false))
    );

    let (_, told, _) = stage.run(&["fairness", "--team", "support"]).await;
    assert!(
        told.starts_with("support of acme, round_robin: 3 turns since "),
        "{told}"
    );
    assert!(told.ends_with("largest deviation: 0.50\n"), "{told}");
    let (_, none, _) = stage.run(&["fairness", "--team", "vip"]).await;
    assert_eq!(none, "no strategy has decided anything in this time\n");
    let (good, _, errors) = stage.run(&["fairness", "--since", "soon"]).await;
    assert!(!good && errors.contains("30m, 24h, 7d"), "{errors}");
    stage.end().await;
}
