//! Time, memory and exits: whatever a handler does, its invocation gets one answer and the next one is served.

mod exits;
mod memory;
mod recycling;
mod time;

use crate::support::{Folder, LIMIT, Lambda, Language, PROBE_LANGUAGES};
use serde_json::{Value, json};
use std::time::Duration;
use trine_emulator::EmulatorOptions;

/// The function's timeout in tests of timeouts. A tenth of it is the margin, which a busy machine may need.
const TIMEOUT: Duration = Duration::from_millis(1500);

fn source(language: Language) -> &'static str {
    match language.engine {
        "js" => include_str!("handler.mjs"),
        "python" => include_str!("handler.py"),
        _ => include_str!("handler.lua"),
    }
}

fn language(engine: &str) -> Language {
    *PROBE_LANGUAGES.iter().find(|language| language.engine == engine).unwrap()
}

/// Makes a folder with the handler of a language.
fn folder(engine: &str) -> Folder {
    let language = language(engine);
    Folder::new(&[(&format!("app.{}", language.extension), source(language))])
}

/// Starts a function with this much memory and additional variables, and more time than it will need.
fn lambda(folder: &Folder, memory_mb: u32, variables: &[(&str, &str)]) -> Lambda {
    lambda_within(LIMIT, folder, memory_mb, variables)
}

/// Starts a function with [`TIMEOUT`].
fn hasty(folder: &Folder, variables: &[(&str, &str)]) -> Lambda {
    lambda_within(TIMEOUT, folder, 512, variables)
}

fn lambda_within(
    timeout: Duration,
    folder: &Folder,
    memory_mb: u32,
    variables: &[(&str, &str)],
) -> Lambda {
    let options =
        EmulatorOptions { timeout, init_timeout: LIMIT, memory_mb, ..EmulatorOptions::default() };
    Lambda::under(options, folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_TIMEOUT_MARGIN_MS", "150");
        command.envs(variables.iter().copied());
    })
}

fn ask(what: &str) -> Value {
    json!({"do": what})
}

/// Checks that the process keeps serving after `what` has failed with this type; returns the document.
#[track_caller]
fn fails_and_goes_on(engine: &str, what: &str, error_type: &str) -> Value {
    fails_within(512, engine, what, error_type)
}

/// Checks the same with this much memory.
#[track_caller]
fn fails_within(memory_mb: u32, engine: &str, what: &str, error_type: &str) -> Value {
    let folder = folder(engine);
    fails_in(&lambda(&folder, memory_mb, &[]), engine, what, error_type)
}

/// Checks that the process keeps serving after `what` has run out of [`TIMEOUT`]; returns the document.
#[track_caller]
fn times_out_and_goes_on(engine: &str, what: &str) -> Value {
    let folder = folder(engine);
    fails_in(&hasty(&folder, &[]), engine, what, "Function.Timeout")
}

#[track_caller]
fn fails_in(lambda: &Lambda, engine: &str, what: &str, error_type: &str) -> Value {
    assert_eq!(lambda.invoke(ask("fine")), 1, "{engine} {what}");
    let (_, document) = lambda.fail(ask(what));
    assert_eq!(document["errorType"], error_type, "{engine} {what}: {document}");
    let served = lambda.invoke(ask("fine"));
    assert!(served.is_number(), "{engine} {what}: {served}");
    lambda.emulator.assert_clean();
    document
}
