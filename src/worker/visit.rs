//! A visit: the command line does what a lane would do, under the same locks, and leaves what there is to say to the home
//! lanes. It never writes rows beside them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lapin::BasicProperties;
use tokio::time::sleep;
use uuid::Uuid;

use super::batch::{self, Author, Failure, Order};
pub use super::changes::Applied;
use super::directory::Directories;
use super::gather::Arrival;
use crate::broker::Delivery;
use crate::contract::{Arrived, ArrivedCommand, Dedupe};
use crate::domain::input::{Action, Actor, Command, System};
use crate::domain::plan::Plan;
use crate::retry::Delays;
use crate::store::{Store, StoreError};

/// How often a visit is tried again before it gives up.
const MAX_TRIES: u32 = 20;
/// Shortest and longest wait between tries.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Puts a plan in force, as the command line.
pub async fn apply_plan(
    store: &Store,
    partitions: u16,
    plan: Arc<Plan>,
    document: serde_json::Value,
    cause: &str,
) -> Result<Applied, StoreError> {
    let tenant = plan.tenant.clone();
    let command = Command {
        name: super::gather::PLAN_APPLY.into(),
        actor: Actor::System(System::Cli),
        action: Action::ApplyPlan {
            plan,
            unchanged: false,
        },
    };
    let arrived = ArrivedCommand {
        cause: cause.into(),
        dedupe: Dedupe::Event {
            source: "switchboard/cli".into(),
            id: cause.into(),
        },
        tenant,
        partition_key: None,
        command,
        contact: Vec::new(),
        document: Some(document),
    };
    let arrival = Arrival {
        delivery: by_hand(),
        arrived: Arrived {
            commands: vec![arrived],
            ..Arrived::default()
        },
    };
    let directories = Directories::new(store.clone());
    let mut at_least = 0;
    let mut delays = Delays::new(AGAIN.0, AGAIN.1);
    for _ in 0..MAX_TRIES {
        let directory = directories.refresh(at_least).await?;
        let order = Order {
            author: Author::Visitor,
            arrivals: std::slice::from_ref(&arrival),
            timers: 0,
            look_for_rows: false,
            published: &[],
            not_before: Timestamp::UNIX_EPOCH,
            directory: &directory,
            partitions,
        };
        match batch::run(store, order).await {
            Ok(outcome) => return Ok(outcome.plan.unwrap_or(refused("the plan had no effect"))),
            Err(Failure::PlanChanged(version)) => at_least = version,
            Err(Failure::Store(error)) if error.is_transient() => sleep(delays.next_delay()).await,
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::AliasRace | Failure::Fenced) => sleep(delays.next_delay()).await,
            Err(Failure::Poison(why)) => return Err(StoreError::Rejected(why.into())),
        }
    }
    Err(StoreError::Transient(
        "other changes kept coming in between: try again".into(),
    ))
}

fn refused(message: &str) -> Applied {
    Applied::Refused {
        message: message.into(),
        errors: Vec::new(),
    }
}

/// What stands for a delivery where nothing was delivered.
fn by_hand() -> Delivery {
    Delivery {
        tag: 0,
        redelivered: false,
        exchange: String::new(),
        routing_key: Uuid::nil().to_string(),
        properties: BasicProperties::default(),
        body: Vec::new(),
    }
}
