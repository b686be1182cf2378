//! Fuzzes `whatsmeow`.
#![no_main]

switchboard_fuzz::fuzz!("whatsmeow");
