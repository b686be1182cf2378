//! The `switchboard` program: one binary, a command for every task.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::cli::run()
}
