//! Fuzzes `unoapi`.
#![no_main]

switchboard_fuzz::fuzz!("unoapi");
