//! A worker as a process of its own, so that what it takes is its own and can be seen from outside.

use std::process::{Child, Command};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::super::CliError;

/// The kernel counts processor time in these steps for everyone outside it, whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

pub struct BenchWorker {
    process: Child,
}

/// What a worker has taken of the machine.
pub struct Usage {
    /// Resident memory.
    pub memory_kib: u64,
    /// User and system time since it began.
    pub processor: Duration,
}

impl BenchWorker {
    pub fn start(prefix: &str) -> Result<Self, CliError> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("worker")
            .env("SWITCHBOARD_PREFIX", prefix)
            // What a gateway has waiting there is not for a bench to take.
            .env_remove("SWITCHBOARD_SOURCES")
            .env_remove("SWITCHBOARD_INGRESS_ADAPTER")
            .env("SWITCHBOARD_HTTP", "127.0.0.1:0");
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "warn,lapin=off");
        }
        Ok(Self {
            process: command.spawn()?,
        })
    }

    /// Stops it in order, so that the next one need not be careful.
    pub async fn stop(mut self) -> Result<(), CliError> {
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.process.id())])
            .status()?;
        if !told.success() {
            return Err("the worker cannot be told to stop".into());
        }
        let ended = spawn_blocking(move || self.process.wait()).await??;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("the worker ended with {ended}").into())
        }
    }

    /// As the system's process table has it; nothing where there is none.
    pub fn usage(&self) -> Option<Usage> {
        let table = format!("/proc/{}", self.process.id());
        let status = std::fs::read_to_string(format!("{table}/status")).ok()?;
        let resident = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let memory_kib = resident.split_whitespace().nth(1)?.parse().ok()?;
        // The name of the program, in brackets, may hold spaces; user and system time are the 14th and 15th field.
        let stat = std::fs::read_to_string(format!("{table}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u32 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u32>().ok())
            .sum();
        Some(Usage {
            memory_kib,
            processor: TICK * ticks,
        })
    }
}

impl Drop for BenchWorker {
    /// Whatever ends the bench ends its worker too.
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
