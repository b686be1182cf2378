//! What service tests share: servers to themselves, and waiting for a condition instead of for time to pass.

pub mod proxy;
pub mod rabbit;
pub mod wait;
