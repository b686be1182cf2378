//! Fuzzes `plan_json`.
#![no_main]

switchboard_fuzz::fuzz!("plan_json");
