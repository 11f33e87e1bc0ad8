//! The command line: one file per command.
//!
//! Started as `bootstrap`, or without a command where Lambda's Runtime API is named, the process is a Lambda runtime; without
//! a command where Scaleway's variables name a handler, it serves that; otherwise it runs the command that it is given.

mod address;
mod banner;
mod check;
mod completions;
mod debug_flags;
mod dev;
mod doctor;
mod emulator;
mod engines;
mod event;
mod event_flag;
mod exit_codes;
mod indent;
mod invoke;
mod lambda;
mod log_flags;
mod man;
mod middlewares;
mod new;
mod operation;
mod otlp;
mod package;
mod permission_flags;
mod progress;
mod report;
mod role;
mod scaleway;
mod schema;
mod serve;
mod settings;
mod sub_runtime;
mod target;
mod template_flags;
mod test;
mod types;
mod unknown;
mod version;
mod wrapper;

pub(crate) use lambda::run_own;

use crate::{
    config::Settings,
    engines::{PLUG_INS, Registry, plug_ins},
    telemetry::ProcessSink,
};
use clap::{CommandFactory, Parser, Subcommand};
use role::Role;
use std::{
    env,
    ffi::{OsStr, OsString},
    fmt,
    io::{IsTerminal, Write, stderr, stdout},
    path::Path,
    process::ExitCode,
    sync::{Arc, LazyLock},
};
use trine_engine::Error;

/// One runtime for functions in JavaScript, TypeScript, Python, Lua, SQL, WebAssembly and native code.
///
/// Runs handlers in-process: as an AWS Lambda custom runtime, as an HTTP server, or once from the command line.
#[derive(Debug, Parser)]
#[command(name = "trine", version, arg_required_else_help = true)]
#[command(after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP.as_str())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  trine new hello --language python        a small project to begin with
  trine dev examples/                      serve them while they are being written, with a page to try them
  trine serve examples/                    serve every function of a folder
  trine invoke app.handler --event '{}'    call a function once
  trine event s3 --key a.txt               an event such as AWS's services send
  trine test examples/                     functions with their events and expected answers
  trine check examples/                    whether what a folder declares can be served
  trine doctor app.handler                 what would keep it from running on Lambda
  trine package app.handler -o app.zip     what is uploaded to Lambda
  trine emulator app.py                    a function as Lambda runs it, behind its Invoke API

As a Lambda runtime: start it as 'bootstrap', or without a command where AWS_LAMBDA_RUNTIME_API is set.
It then runs the handler that its argument or _HANDLER names.

On Scaleway: without a command where SCW_HANDLER_PATH is set, it serves the handler that this names.";

static AFTER_LONG_HELP: LazyLock<String> =
    LazyLock::new(|| format!("{AFTER_HELP}\n\n{}", exit_codes::EXIT_CODES));

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Dev(Box<dev::Dev>),
    Serve(Box<serve::Serve>),
    Invoke(invoke::Invoke),
    Event(event::Event),
    Test(test::Test),
    Middlewares(middlewares::Middlewares),
    Package(package::Package),
    Doctor(doctor::Doctor),
    Check(check::Check),
    Schema(schema::Schema),
    Emulator(emulator::EmulatorCommand),
    Types(types::Types),
    Engines(engines::Engines),
    #[command(name = "settings")]
    Settings(settings::SettingsPage),
    Completions(completions::Completions),
    Man(man::Man),
    Version(version::Version),
}

/// Runs the process with these languages, and returns its exit status: the whole of `trine`, which is also `bootstrap`.
///
/// A program of one's own with one more language is this call, and a line in its build script (crate `trine-build`):
///
/// ```no_run
/// use trine::engines::Registry;
/// # fn shout() -> trine_engine::Simple<fn() -> Shout> { todo!() }
/// # struct Shout;
/// # impl trine_engine::SimpleRuntime for Shout {
/// #     fn setup(&mut self, _: &trine_engine::SimpleEnvironment) -> trine_engine::Result<()> { todo!() }
/// #     fn invoke(&mut self, _: &[u8], _: &trine_engine::Invocation) -> trine_engine::Result<trine_engine::Output> {
/// #         todo!()
/// #     }
/// # }
///
/// fn main() -> std::process::ExitCode {
///     trine::cli::run(Registry::built_in().with(shout()))
/// }
/// ```
pub fn run(registry: Registry) -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    match Role::of_process(&arguments, &registry) {
        Role::Runtime(handler) if !scaleway::is_meant(&arguments) => {
            let (registry, refused) = plugged(registry);
            lambda::run(handler, &arguments, &registry, refused)
        }
        Role::Interpreter(name) => interpret(name.as_deref(), &arguments, &registry),
        _ => command(&scaleway::command_line(&arguments), registry),
    }
}

/// Runs one of the program's own commands.
fn command(line: &[OsString], registry: Registry) -> ExitCode {
    let command = parsed(line, &registry).command;
    let (registry, refused) = plugged(registry);
    if let Some(why) = refused {
        return fail(&format!("error: the environment variable {PLUG_INS}: {}", why.message()), 2);
    }
    let registry = &registry;
    match command {
        Command::New(new) => report(new.run(registry)),
        Command::Dev(dev) => report(dev.run(registry)),
        Command::Serve(serve) => report(serve.run(registry)),
        Command::Invoke(invoke) => invoke.run(registry),
        Command::Event(event) => report(event.run()),
        Command::Test(test) => test.run(registry),
        Command::Middlewares(middlewares) => middlewares.run(registry),
        Command::Package(package) => report(package.run(registry)),
        Command::Doctor(doctor) => doctor.run(registry),
        Command::Check(check) => check.run(registry),
        Command::Schema(schema) => schema.run(),
        Command::Engines(engines) => engines.run(registry),
        Command::Emulator(emulator) => report(emulator.run(registry)),
        Command::Types(types) => report(types.run(registry)),
        Command::Settings(settings) => settings.run(registry),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => report(man.run()),
        Command::Version(version) => version.run(registry),
    }
}

/// Returns the registry with the plug-ins that the environment names, or the reason why one of them is not there.
fn plugged(mut registry: Registry) -> (Registry, Option<Error>) {
    let plugged = registry.plug_in(&plug_ins(), Path::new(""));
    (registry, plugged.err())
}

/// Parses a command line. Ends the process where that asks for help, or is wrong.
fn parsed(arguments: &[OsString], registry: &Registry) -> Arguments {
    Arguments::try_parse_from(arguments).unwrap_or_else(|error| {
        if let Some(hint) = unknown::hint(&error, arguments, registry) {
            print_beside(&hint);
            trine_process::end(2);
        }
        error.exit()
    })
}

/// Returns the definition of the whole command line, for what is made of it.
fn definition() -> clap::Command {
    Arguments::command()
}

/// Runs the process as a language's interpreter: the one of this name, or the first that can be one.
fn interpret(name: Option<&str>, arguments: &[OsString], registry: &Registry) -> ExitCode {
    let settings = match settings() {
        Ok(settings) => settings,
        Err(error) => return fail(&format!("error: {error:#}"), 1),
    };
    let environment = settings.sequential_environment(settings.log(ProcessSink));
    // Without a name, the first engine that can be an interpreter is one, and does not return.
    let mut engines = registry.iter().filter(|engine| match name {
        Some(name) => registry.by_interpreter(name).is_some_and(|named| Arc::ptr_eq(named, engine)),
        None => true,
    });
    engines.any(|engine| engine.interpret(arguments, &environment));
    fail("error: a function has started this program, which is no interpreter in this build", 1)
}

/// Whether the first word of a command line is one of this program's own commands.
fn is_command(word: &OsStr) -> bool {
    // Checked at every start, so without building clap's whole description of the command line.
    word == "help" || word.to_str().is_some_and(Command::has_subcommand)
}

/// A command line, or a variable in its place, that makes no sense: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn report(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if error.is::<Usage>() { 2 } else { 1 };
            fail(&format!("error: {error:#}"), code)
        }
    }
}

/// Tells a person what went wrong. Whoever has closed the other end no longer wants to know.
fn fail(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(stderr(), "{message}");
    ExitCode::from(code)
}

/// Prints a line of a command's own output, as long as somebody reads it.
fn print(line: impl fmt::Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// Prints a text of a command's own, as long as somebody reads it.
fn print_raw(text: &[u8]) {
    let mut out = stdout();
    let _ = out.write_all(text).and_then(|()| out.flush());
}

/// Writes whole lines beside a command's result. Whoever has closed the other end does not want them.
fn print_beside(lines: &str) {
    let _ = stderr().write_all(lines.as_bytes());
}

/// Whether somebody reads an output who wants colours.
fn paints(out: &impl IsTerminal) -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    out.is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Reads the settings from the environment.
fn settings() -> anyhow::Result<Settings> {
    let settings = Settings::from_environment(|name| env::var(name).ok());
    settings.map_err(|error| Usage(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
