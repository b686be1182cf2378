//! RabbitMQ: bytes, headers and tags. What they mean is somebody else's business.

mod connection;
pub mod consumer;
pub mod dead;
mod error;
pub mod publisher;
pub mod topology;

pub use connection::Connector;
pub use consumer::{Consumer, Delivery};
pub use error::BrokerError;
pub use publisher::{Exchange, Publication, Publisher};
pub use topology::Topology;
