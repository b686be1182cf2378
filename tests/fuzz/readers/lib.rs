//! What reads what others wrote: the core, the wire, and what makes the broker's frames legible.

#[path = "../../../src/contract/mod.rs"]
pub mod contract;
#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/broker/legible.rs"]
#[doc(hidden)]
pub mod legible;

/// The one part of it that reads bytes.
pub mod broker {
    pub use super::legible;
}
