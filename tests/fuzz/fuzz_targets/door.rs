//! Fuzzes `door`.
#![no_main]

switchboard_fuzz::fuzz!("door");
