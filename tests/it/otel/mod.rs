//! Traces and logs over OTLP, as a collector gets them.

mod collector;
mod context;
mod failures;
mod faults;
mod lambda;
mod logs;
mod parts;
mod requests;
mod settings;

use crate::support::{Folder, Language, Process, Served, trine};
use collector::{Collector, Manner};

/// A trace that a client has begun.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The client's span in it.
const SPAN: &str = "b7ad6b7169203331";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

/// Starts a server whose traces go to this collector, without much of a wait.
#[track_caller]
fn serve(folder: &Folder, collector: &Collector, arguments: &[&str]) -> Served {
    serve_with(folder, collector, arguments, &[])
}

/// Does the same with further variables.
#[track_caller]
fn serve_with(
    folder: &Folder,
    collector: &Collector,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Served {
    let mut command =
        trine(folder, &[&["serve", "--port", "0", "--workers", "1"], arguments].concat());
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .envs(variables.iter().copied());
    Served::ready(Process::start(command))
}

/// Returns a handler that answers with its trace context.
fn reporter(language: Language) -> (String, &'static str) {
    let source = match language.extension {
        "py" => "def handler(event, context):\n    return context.w3c()\n",
        "lua" => "return { handler = function(event, context) return context.w3c end }\n",
        "cjs" => "exports.handler = async (event, context) => context.w3c();\n",
        _ => "export const handler = async (event, context) => context.w3c();\n",
    };
    (format!("app.{}", language.extension), source)
}
