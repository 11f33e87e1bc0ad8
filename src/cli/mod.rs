//! The command line: one file per command.
//!
//! Started as `bootstrap`, or without a command where Lambda's Runtime API is named, the process is a Lambda runtime;
//! else it does what it is told.

mod emulator;
mod engines;
mod invoke;
mod lambda;
mod middlewares;
mod serve;
mod target;

use crate::config::Settings;
use clap::{CommandFactory, Parser, Subcommand};
use std::{env, path::Path, process::ExitCode};

/// One runtime for functions in JavaScript, TypeScript, Python and Lua.
///
/// Runs handlers in-process: as an AWS Lambda custom runtime, as an HTTP server, or once from the command line.
#[derive(Debug, Parser)]
#[command(name = "trine", version, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  trine serve examples/                    serve every function of a folder
  trine invoke app.handler --event '{}'    call a function once
  trine emulator -- bootstrap              a Lambda Runtime API on this machine

As a Lambda runtime: start it as 'bootstrap', or without a command where AWS_LAMBDA_RUNTIME_API is set.
It then runs the handler that its argument or _HANDLER names.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Invoke(invoke::Invoke),
    Middlewares(middlewares::Middlewares),
    Engines(engines::Engines),
    Emulator(emulator::EmulatorCommand),
}

/// Runs the process and says with which status it ends.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    match lambda_handler(&arguments) {
        Some(handler) => lambda::run(handler),
        None => match Arguments::parse().command {
            Command::Serve(serve) => report(serve.run()),
            Command::Invoke(invoke) => invoke.run(),
            Command::Middlewares(middlewares) => middlewares.run(),
            Command::Engines(engines) => engines.run(),
            Command::Emulator(emulator) => report(emulator.run()),
        },
    }
}

/// Whether this process is a Lambda runtime, and the handler that its command line names, if it does.
fn lambda_handler(arguments: &[String]) -> Option<Option<&str>> {
    let program = arguments.first().map(Path::new).and_then(Path::file_name)?;
    let first = arguments.get(1).map(String::as_str);
    if program == "bootstrap" {
        return Some(first);
    }
    env::var_os("AWS_LAMBDA_RUNTIME_API")?;
    let is_command = |text: &str| {
        text.starts_with('-')
            || text == "help"
            || Arguments::command().find_subcommand(text).is_some()
    };
    (!first.is_some_and(is_command)).then_some(first)
}

fn report(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("error: {error:#}"), 1),
    }
}

#[expect(clippy::print_stderr, reason = "this is where commands talk to people")]
fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(code)
}

/// The settings of the environment.
fn settings() -> anyhow::Result<Settings> {
    Ok(Settings::from_environment(|name| env::var(name).ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
