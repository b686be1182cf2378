//! Fuzzes `cloud_api`.
#![no_main]

switchboard_fuzz::fuzz!("cloud_api");
