//! Fuzzes `legible`.
#![no_main]

switchboard_fuzz::fuzz!("legible");
