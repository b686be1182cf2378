//! Fuzzes `condition`.
#![no_main]

switchboard_fuzz::fuzz!("condition");
