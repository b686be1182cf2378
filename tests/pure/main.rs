//! Tests that need no server: everything here is a function of its input.

mod condition;
mod contract_in;
