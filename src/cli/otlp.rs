//! Traces and logs for an OpenTelemetry collector, as the commands have them that run functions.

use super::Usage;
use crate::{
    config::Settings,
    telemetry::{Facts, Log, Tracer},
    worker::spawn_beside,
};
use std::{env, process};
use trine_engine::LogSettings;

/// The flag.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct OtlpFlag {
    /// Send traces and logs to an OpenTelemetry collector, as OTLP over HTTP: http://localhost:4318, or off [default: the
    /// variable TRINE_OTLP, else as OTEL_EXPORTER_OTLP_ENDPOINT and its like say, else off]
    #[arg(long, value_name = "URL|off")]
    otlp: Option<String>,
}

impl OtlpFlag {
    /// Returns the tracer that flag and variables ask for, and starts what sends its spans. To be called while the process
    /// has one thread, when its environment is as guests will see it.
    ///
    /// # Errors
    /// [`Usage`] for settings that make no sense.
    pub(super) fn start(&self, settings: &Settings, log: &LogSettings) -> Result<Tracer, Usage> {
        start(self.otlp.as_deref(), || of_process(settings), log).map_err(Usage)
    }
}

/// Returns the tracer that variables ask for on Lambda, and starts what sends its spans.
///
/// # Errors
/// What is wrong with the settings, in words.
pub(super) fn on_lambda(settings: &Settings, log: &LogSettings) -> Result<Tracer, String> {
    start(None, || of_lambda(settings), log)
}

fn start(
    flag: Option<&str>,
    known: impl FnOnce() -> Facts,
    log: &LogSettings,
) -> Result<Tracer, String> {
    let variable = |name: &str| env::var(name).ok();
    let (tracer, background) = Tracer::start(flag, &variable, known, Log::new(log.clone()))?;
    if let Some(background) = background {
        let started = spawn_beside("trine-otlp", background);
        started.map_err(|error| format!("no thread for traces could be started: {error}"))?;
    }
    Ok(tracer)
}

/// Returns what is known of a process that serves functions.
fn of_process(settings: &Settings) -> Facts {
    let name = settings.function.name.as_deref().unwrap_or("trine");
    vec![("service.name", name.into()), ("process.pid", process::id().into())]
}

/// Returns what is known of an environment on Lambda. Contract: OpenTelemetry's conventions for resources on it.
fn of_lambda(settings: &Settings) -> Facts {
    let function = &settings.function;
    let name = function.name.as_deref().unwrap_or("function");
    let megabytes = function.memory_mb.as_deref().and_then(|text| text.parse::<u64>().ok());
    let groups = function.log_group.as_ref().map(|group| vec![group.as_str()]);
    let texts = [
        ("service.name", Some(name)),
        ("cloud.provider", Some("aws")),
        ("cloud.platform", Some("aws_lambda")),
        ("cloud.region", Some(settings.region.as_str())),
        ("faas.name", Some(name)),
        ("faas.version", function.version.as_deref()),
        ("faas.instance", function.log_stream.as_deref()),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?.into())));
    let memory = megabytes.map(|megabytes| ("faas.max_memory", (megabytes << 20).into()));
    let groups = groups.map(|groups| ("aws.log.group.names", groups.into()));
    texts.chain(memory).chain(groups).collect()
}
