//! Tests against real servers, isolated from each other so that they run in parallel: one binary, because linking it
//! takes longer than running it.

mod broker;
mod support;
