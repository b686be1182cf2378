//! The order of locks: lanes that do everything at once never wait for each other in a ring.

use lapin::BasicProperties;
use serde_json::json;

use crate::support::bodies::{command, fact, phone};
use crate::support::database::LEASE;
use crate::support::witness::Witness;
use crate::support::{PARTITIONS, Stage, environment};

/// Customers who wait: more of them than one drain takes.
const CUSTOMERS: usize = 240;
/// Plans put in force while the lanes work.
const PLANS: usize = 24;
/// Presences that are said and run out while the lanes work.
const PRESENCES: usize = 160;
/// People, in both teams.
const PEOPLE: [&str; 3] = ["mark", "martha", "nina"];

/// A plan whose one team has another name with every version: whoever waits in the team before is looked at again.
fn plan(version: usize) -> String {
    let people = PEOPLE.map(|id| format!("[[agents]]\nid = \"{id}\"\ncapacity = 50\n"));
    format!(
        "tenant = \"acme\"\n[[channels]]\nkey = \"whatsapp:123456789012345\"\n{}[[agents]]\nid = \"boss\"\nrole = \"admin\"\n\
         [[teams]]\nid = \"team-{}\"\nmembers = {PEOPLE:?}\nstrategy = \"least_loaded\"\n[default]\nteam = \"team-{}\"\n",
        people.concat(),
        version % 2,
        version % 2,
    )
}

async fn activate_plans(stage: &Stage) {
    for version in 1..=PLANS {
        stage.apply(&plan(version)).await;
    }
}

async fn flood(stage: &Stage) {
    for n in 0..CUSTOMERS {
        let key = format!("customer-{n}");
        let message = fact(&phone(n), &format!("wamid.{n}"), &key);
        stage.send_native("inbound", &key, &message).await;
    }
}

/// People who come and whose presence runs out at once, through whatever lane.
async fn come_and_go(stage: &Stage) {
    for n in 0..PRESENCES {
        let agent = PEOPLE[n % PEOPLE.len()];
        let said = json!({"agent": agent, "presence": "online", "ttl": "100ms"});
        let body = serde_json::to_vec(&command("presence", "boss", said)).unwrap();
        let lane = (n % usize::from(PARTITIONS)).to_string();
        let properties = BasicProperties::default().with_content_type("application/cloudevents+json".into());
        stage.publish("commands", &lane, &body, properties).await;
    }
}

/// A worker whose lease is long enough for Postgres to find a deadlock before a statement's time is up.
fn patient_worker(stage: &mut Stage) {
    let mut settings = stage.settings(&stage.database.url, &environment("AMQP_URL"));
    settings.database.lease = LEASE;
    settings.worker.lease = LEASE;
    stage.worker_with(settings);
}

/// Until all was said, nobody is there, and every timer has been claimed but the clocks of those who wait and of those who are gone.
async fn settled(stage: &Stage, witness: &mut Witness) {
    witness.until_events("conversation.opened", CUSTOMERS).await;
    let said = "select count(*) from inbox_timeless";
    let all = i64::try_from(PLANS + PRESENCES + 1).unwrap();
    stage.until_count(said, all).await;
    let left = "select count(*) from timer where kind not in ('assign', 'alarm', 'absent')";
    stage.until_count(left, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_drain_lose_presences_and_change_plans_at_once_meet_no_deadlock() {
    let mut stage = Stage::with_plan(&plan(0)).await;
    let mut witness = stage.witness().await;
    for _ in 0..2 {
        patient_worker(&mut stage);
    }
    tokio::join!(flood(&stage), come_and_go(&stage), activate_plans(&stage));
    settled(&stage, &mut witness).await;
    witness.assert_sequences();
    stage.assert_audit_is_clean().await;
    stage.stop_workers().await;
    assert_eq!(stage.deadlocks().await, 0);
    stage.end().await;
}
