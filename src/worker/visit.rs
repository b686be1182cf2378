//! A visit: the command line does what a lane would do, under the same locks, and leaves what there is to say to the home
//! lanes. It never writes rows beside them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lapin::BasicProperties;
use tokio::time::sleep;
use uuid::Uuid;

pub use super::applied::Applied;
use super::batch::{self, Author, Failure, Order, Outcome};
use super::directory::Directories;
use super::gather::Arrival;
use crate::broker::Delivery;
use crate::contract::{Arrived, ArrivedCommand, Dedupe};
use crate::domain::bulk::Made;
use crate::domain::ids::Tenant;
use crate::domain::input::{Action, Actor, Command, System};
use crate::domain::plan::Plan;
use crate::retry::Delays;
use crate::store::{Store, StoreError, reroute};

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
    let action = Action::ApplyPlan {
        plan,
        unchanged: false,
    };
    let command = arrived(super::gather::PLAN_APPLY, tenant, action, Some(document), cause);
    let outcome = carry_out(store, partitions, command).await?;
    Ok(outcome.plan.unwrap_or(refused("the plan had no effect")))
}

/// Begins to take back what a plan or a rule gave away, as the command line: a bulk of this name, which the home lanes
/// carry out, and of how many conversations; or why not.
pub async fn reroute(
    store: &Store,
    partitions: u16,
    tenant: &Tenant,
    bulk: Uuid,
    made: Made,
    cause: &str,
) -> Result<Result<usize, String>, StoreError> {
    let engagements = {
        let session = store.session().await?;
        let standing = reroute::standing(&session, tenant, &made).await;
        session.rollback().await;
        standing?
    };
    let conversations = engagements.len();
    let action = Action::Reroute {
        bulk,
        made,
        engagements: engagements.into(),
    };
    let command = arrived("plan.rollback", tenant.clone(), action, None, cause);
    let outcome = carry_out(store, partitions, command).await?;
    Ok(match outcome.plan {
        Some(Applied::Refused { message, .. }) => Err(message),
        Some(Applied::Activated { .. }) | None => Ok(conversations),
    })
}

/// A command of the command line, which may do everything.
fn arrived(
    name: &str,
    tenant: Tenant,
    action: Action,
    document: Option<serde_json::Value>,
    cause: &str,
) -> ArrivedCommand {
    let command = Command {
        name: name.into(),
        actor: Actor::System(System::Cli),
        action,
    };
    ArrivedCommand {
        cause: cause.into(),
        dedupe: Dedupe::Event {
            source: "switchboard/cli".into(),
            id: cause.into(),
        },
        tenant,
        partition_key: None,
        command,
        contact: Vec::new(),
        document,
        trace: None,
    }
}

/// One command, one batch, tried again while other changes keep coming in between.
async fn carry_out(store: &Store, partitions: u16, command: ArrivedCommand) -> Result<Outcome, StoreError> {
    let arrival = Arrival {
        delivery: by_hand(),
        arrived: Arrived {
            commands: vec![command],
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
            Ok(outcome) => return Ok(outcome),
            Err(Failure::PlanChanged(version)) => at_least = version,
            Err(Failure::Store(error)) if error.is_transient() => sleep(delays.next_delay()).await,
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::AliasRace | Failure::Fenced) => sleep(delays.next_delay()).await,
            Err(Failure::Poison(why)) => return Err(StoreError::Rejected(why.into())),
            Err(failure @ Failure::Entangled) => return Err(StoreError::Rejected(failure.to_string())),
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
