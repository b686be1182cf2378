//! The `switchboard` program: one binary, a command for every task.

use std::process::ExitCode;

/// Messages are many small texts, made on one thread and dropped on another: with the system's allocator a third of a busy
/// worker's time went into that, and its memory grew by fragments.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchboard::cli::run()
}
