//! A worker: lanes, batches, leases; where contract, store and broker meet around the core.
//!
//! A lane takes what is ready, decides it in one transaction, publishes what that led to, acknowledges. `lane` is that
//! loop; `attempt` tries a batch until it is done; `batch` is the transaction; `leases` says whose lanes are whose.

// One lane.
pub mod attempt;
mod lane;
mod letters;
mod reading;

// One batch, in the order of its steps.
mod applied;
pub mod batch;
mod bulks;
mod changes;
mod eligible;
pub mod entry;
pub mod gather;
mod graces;
mod locks;
mod on_record;
pub mod resolve;
mod timed;
mod world;

// What a batch says, and who is asked about plans.
pub mod announce;
pub mod directory;

// Around the lanes.
mod doors;
pub mod http;
mod ingress;
mod leases;
mod leaving;
mod links;
mod shared;
pub mod start;
pub mod steering;
mod sweep;

// Without a lane.
pub mod audit;
pub mod visit;

pub use lane::Doubt;
pub use links::Links;
pub use shared::Shared;
pub use start::{StartError, run};
