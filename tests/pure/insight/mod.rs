//! What people ask the router: why something waits, where it stands, whose turns there were.

mod ledger;
mod ring;
mod standing;
mod why;
