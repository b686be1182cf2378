//! Who gets which lanes: evenly, soon, and never to one who cannot work them.

use std::time::{Duration, Instant};

use switchboard::worker::start::Settings;

use crate::support::bodies::PLAN;
use crate::support::wire::Wire;
use crate::support::{PARTITIONS, Stage, environment};

/// The lanes of a stage, the ingress among them.
const LANES: i64 = PARTITIONS as i64 + 1;
const HELD: &str = "select count(*) from lane where lease_until > clock_timestamp()";
/// The most lanes that anyone has.
const MOST: &str = "select coalesce(max(n), 0) from (select count(*) n from lane where lease_until > clock_timestamp() group by worker) w";
/// How many have any.
const HOLDERS: &str = "select count(distinct worker) from lane where lease_until > clock_timestamp()";

fn with_lease(stage: &Stage, lease: Duration) -> Settings {
    let mut settings = stage.settings(&stage.database.url, &environment("AMQP_URL"));
    settings.worker.lease = lease;
    settings.database.lease = lease;
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_has_its_share_within_a_lease() {
    let mut stage = Stage::with_plan(PLAN).await;
    let lease = Duration::from_secs(12);
    stage.worker_with(with_lease(&stage, lease));
    stage.until_count(HELD, LANES).await;
    let started = Instant::now();
    stage.worker_with(with_lease(&stage, lease));
    stage.until_count(MOST, 3).await;
    stage.until_count(HELD, LANES).await;
    let took = started.elapsed();
    // A heartbeat to be sure that the newcomer stays, then two lanes, one after the other.
    assert!(took > lease / 4, "lanes moved at once: {took:?}");
    assert!(took < lease, "{took:?}");
    stage.stop_workers().await;
    stage
        .until_count("select count(*) from lane where worker is not null", 0)
        .await;
    stage
        .until_count("select count(*) from lane where not clean", 0)
        .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lanes_of_a_worker_that_stops_go_on_at_once() {
    let mut stage = Stage::with_plan(PLAN).await;
    // A heartbeat takes twenty seconds: whoever waited for one would be too late.
    let lease = Duration::from_secs(60);
    let bound = lease / 4;
    let first = stage
        .program(&["worker"])
        .env("SWITCHBOARD_LEASE", "60s")
        .spawn()
        .unwrap();
    stage.until_count(HELD, LANES).await;
    let began = Instant::now();
    stage.worker_with(with_lease(&stage, lease));
    stage.until_count("select count(*) from worker", 2).await;
    let pid = first.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill").arg(&pid).status().await;
    assert!(sent.unwrap().success());
    stage.until_count("select count(*) from worker", 1).await;
    stage.until_count(HELD, LANES).await;
    stage
        .until_count("select count(*) from lane where epoch < 2", 1)
        .await;
    let took = began.elapsed();
    assert!(took < bound, "{took:?}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_a_broker_has_no_share() {
    let mut stage = Stage::with_plan(PLAN).await;
    let wire = Wire::over(&environment("AMQP_URL")).await;
    stage.worker();
    stage.worker_with(stage.settings(&stage.database.url, &wire.url));
    stage.until_count(MOST, 3).await;
    stage.until_count(HOLDERS, 2).await;
    wire.cut();
    stage.until_count(HOLDERS, 1).await;
    stage.until_count(MOST, LANES).await;
    wire.mend();
    stage.until_count(HOLDERS, 2).await;
    stage.until_count(MOST, 3).await;
    stage.end().await;
}
