//! RabbitMQ: bytes, headers and tags. What they mean is somebody else's business.
//!
//! In reading order: [`topology`] says what exchanges and queues there are (`declare` makes and compares them), [`Connector`] opens connections,
//! whose streams `wire` and [`legible`] make readable for lapin,
//! [`consumer`] takes deliveries and acknowledges them, [`delivery`] is what a message looks like here, [`publisher`]
//! publishes and waits for every confirm, [`dead`] sets aside what cannot be used and brings it back.
//!
//! Architecture invariants: a channel has one owner. Whatever waits for the broker has a time limit. Nothing here
//! reconnects or retries: only the holder of a lane knows what has to come first.

mod connection;
pub mod consumer;
pub mod dead;
mod declare;
pub mod delivery;
mod error;
pub mod legible;
pub mod publisher;
mod sources;
pub mod topology;
mod wire;

pub use connection::Connector;
pub use consumer::Consumer;
pub use delivery::Delivery;
pub use error::BrokerError;
pub use publisher::{Exchange, Publication, Publisher};
pub use topology::Topology;
