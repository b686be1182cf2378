//! Fuzzes `evolution`.
#![no_main]

switchboard_fuzz::fuzz!("evolution");
