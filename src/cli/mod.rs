//! The command line. Settings come from the environment; every listing has `--json`; exit code 1 on failure, 2 on usage.

mod audit;
mod bench;
mod chat;
mod connect;
mod dead;
mod explain;
mod fairness;
mod migrate;
mod plan;
mod print;
pub mod publish;
mod sentence;
pub mod simulate;
mod standing;
mod tail;
mod topology;
mod viewer;
mod why;
mod worker;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry;

/// Decides who owns each WhatsApp conversation: RabbitMQ in, Postgres to decide, RabbitMQ out.
///
/// To start from nothing: `migrate up`, `topology declare`, `plan apply FILE`, `worker`. Settings come from the
/// environment: DATABASE_URL, AMQP_URL and the variables that `worker --help` lists.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Worker(worker::Arguments),
    #[command(subcommand)]
    Migrate(migrate::Command),
    #[command(subcommand)]
    Topology(topology::Command),
    #[command(subcommand)]
    Plan(plan::Command),
    Publish(publish::Arguments),
    Tail(tail::Arguments),
    #[command(subcommand)]
    Chat(chat::Command),
    Explain(explain::Arguments),
    Why(why::Arguments),
    Fairness(fairness::Arguments),
    Simulate(Box<simulate::Arguments>),
    Audit(audit::Arguments),
    #[command(subcommand)]
    Dead(dead::Command),
    Bench(bench::Arguments),
    Healthcheck(worker::HealthArguments),
}

/// A failure of a command: the sentence is printed, the exit code is 1.
type CliError = Box<dyn std::error::Error + Send + Sync>;

/// What a command did, as its exit code.
type Done = Result<ExitCode, CliError>;

/// Runs the program.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    telemetry::start_logging(std::env::var("SWITCHBOARD_LOG").ok().as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("switchboard: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(dispatch(arguments.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("switchboard: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Done {
    match command {
        Command::Worker(arguments) => worker::run(arguments).await,
        Command::Migrate(command) => migrate::run(command).await,
        Command::Topology(command) => topology::run(command).await,
        Command::Plan(command) => plan::run(command).await,
        Command::Publish(arguments) => publish::run(arguments).await,
        Command::Tail(arguments) => tail::run(arguments).await,
        Command::Chat(command) => chat::run(command).await,
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Why(arguments) => why::run(arguments).await,
        Command::Fairness(arguments) => fairness::run(arguments).await,
        Command::Simulate(arguments) => simulate::run(*arguments).await,
        Command::Audit(arguments) => audit::run(arguments).await,
        Command::Dead(command) => dead::run(command).await,
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Healthcheck(arguments) => worker::healthcheck(arguments).await,
    }
}
