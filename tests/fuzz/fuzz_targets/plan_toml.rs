//! Fuzzes `plan_toml`.
#![no_main]

switchboard_fuzz::fuzz!("plan_toml");
