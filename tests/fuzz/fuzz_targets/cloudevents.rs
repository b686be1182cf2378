//! Fuzzes `cloudevents`.
#![no_main]

switchboard_fuzz::fuzz!("cloudevents");
