//! The wire contract as someone outside sees it: conversations from their first message on, every event and notification
//! on the way with every documented field, read by a client that shares no code with the worker.

mod client;
mod clocks_and_places;
mod doors;
mod episodes;
mod table;
