//! Spans and messages over OTLP, by way of OpenTelemetry's own crates.
//!
//! What ends is put into a queue with room for so many; a thread on which no guest ever runs sends it in batches. So nobody
//! waits for a collector, and what does not fit is counted.

mod client;
mod queue;
mod sender;
mod settings;
mod spans;

use super::{Backend, Background, Facts, Log, Tracer};
use client::{Client, Connections, Reason};
use opentelemetry::{
    InstrumentationScope, KeyValue,
    logs::{LogRecord as _, Logger as _, LoggerProvider as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{
    LogExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    logs::{LogExporter as _, SdkLogger, SdkLoggerProvider},
    trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter as _},
};
use queue::Queue;
use sender::{Sender, Sink};
use settings::{Sampling, Settings, Target};
use spans::{OtelSpan, Processor, any_value, severity, value};
use std::{env, sync::Arc, time::SystemTime};
use trine_process::environment;

/// What names the sender within what is sent.
const SCOPE: &str = "trine";

/// The variables that the exporters read and cannot do anything with: what they ask for is done by the client.
const COMPRESSION: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
];

/// Spans and messages on their way to a collector.
struct Otlp {
    tracer: SdkTracer,
    logger: SdkLogger,
    takes_records: bool,
    queue: Arc<Queue>,
}

impl Tracer {
    /// Makes the tracer that the settings ask for, and what sends its spans, for a thread of its own. `flag` names the
    /// collector before any variable does, `known` is what is known of the sender, `log` takes complaints. To be called
    /// while the process has one thread.
    ///
    /// # Errors
    /// A setting that makes no sense, in words.
    pub fn start(
        flag: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
        known: impl FnOnce() -> Facts,
        log: Log,
    ) -> Result<(Self, Option<Background>), String> {
        let Some(settings) = Settings::read(flag, variable)? else {
            return Ok((Self::default(), None));
        };
        let resource = resource(&settings, known());
        let queue = Arc::new(Queue::new(settings.queue, settings.batch));
        let connections = Connections::default();
        let with = (&connections, &queue, &resource);
        let spans = settings.traces.as_ref().map(|to| span_sink(to, with));
        let records = settings.logs.as_ref().map(|to| log_sink(to, with));
        let (spans, records) = (spans.transpose()?, records.transpose()?);
        let tracers = SdkTracerProvider::builder()
            .with_sampler(sampler(settings.sampling, spans.is_some()))
            .with_span_processor(Processor(queue.clone()))
            .build();
        let scope = InstrumentationScope::builder(SCOPE).with_version(env!("CARGO_PKG_VERSION"));
        let otlp = Otlp {
            tracer: tracers.tracer_with_scope(scope.build()),
            logger: SdkLoggerProvider::builder().build().logger(SCOPE),
            takes_records: records.is_some(),
            queue: queue.clone(),
        };
        let sender = Sender {
            queue,
            spans,
            records,
            connections,
            batch: settings.batch,
            delay: settings.delay,
            log,
        };
        let tracer = Self::new(Arc::new(otlp), settings.propagators);
        Ok((tracer, Some(Box::new(move || sender.run()))))
    }
}

impl Backend for Otlp {
    fn begin(&self, new: super::NewSpan<'_>) -> Box<dyn super::Span> {
        Box::new(OtelSpan::begin(&self.tracer, new))
    }

    fn takes_records(&self) -> bool {
        self.takes_records
    }

    fn record(&self, record: super::Record<'_>) {
        let mut sent = self.logger.create_log_record();
        let now = SystemTime::now();
        sent.set_timestamp(record.time.unwrap_or(now));
        sent.set_observed_timestamp(now);
        if let Some(level) = record.level {
            sent.set_severity_number(severity(level));
            sent.set_severity_text(level.name());
        }
        sent.set_body(any_value(record.body));
        for (name, value) in record.facts {
            sent.add_attribute(name, any_value(value));
        }
        if let Some(context) = record.context {
            let (trace_id, span_id) = (context.trace_id.into(), context.span_id.into());
            sent.set_trace_context(trace_id, span_id, Some(spans::flags(context)));
        }
        self.queue.put_record(sent);
    }

    fn flush(&self, done: Box<dyn FnOnce() + Send>, insists: bool) {
        self.queue.flush(done, insists);
    }

    fn was_slow(&self) {
        self.queue.fails();
    }

    fn dropped(&self) -> (u64, u64) {
        self.queue.left()
    }
}

fn resource(settings: &Settings, known: Facts) -> Resource {
    let own = [
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.distro.name", SCOPE),
        ("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
    ];
    let own = own.map(|(name, value)| KeyValue::new(name, value));
    let described = settings.describe(known);
    let described = described.into_iter().map(|(name, fact)| KeyValue::new(name, value(fact)));
    Resource::builder_empty().with_attributes(own).with_attributes(described).build()
}

fn sampler(sampling: Sampling, is_sent: bool) -> Sampler {
    let of_roots = match sampling.ratio {
        _ if !is_sent => return Sampler::AlwaysOff,
        1.0 => Sampler::AlwaysOn,
        0.0 => Sampler::AlwaysOff,
        ratio => Sampler::TraceIdRatioBased(ratio),
    };
    if sampling.by_parent { Sampler::ParentBased(Box::new(of_roots)) } else { of_roots }
}

fn span_sink(
    to: &Target,
    (connections, queue, resource): (&Connections, &Arc<Queue>, &Resource),
) -> Result<Sink<SpanExporter>, String> {
    let reason = Reason::default();
    let client = Client::new(connections.clone(), to, queue.clone(), reason.clone());
    let builder = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&to.url)
        .with_http_client(client);
    let mut exporter =
        without_compression(|| builder.build()).map_err(|error| error.to_string())?;
    exporter.set_resource(resource);
    Ok(Sink::new(exporter, "spans", &to.url, reason))
}

fn log_sink(
    to: &Target,
    (connections, queue, resource): (&Connections, &Arc<Queue>, &Resource),
) -> Result<Sink<LogExporter>, String> {
    let reason = Reason::default();
    let client = Client::new(connections.clone(), to, queue.clone(), reason.clone());
    let builder = LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&to.url)
        .with_http_client(client);
    let mut exporter =
        without_compression(|| builder.build()).map_err(|error| error.to_string())?;
    exporter.set_resource(resource);
    Ok(Sink::new(exporter, "messages of the log", &to.url, reason))
}

/// Builds an exporter while the variables about compression are out of the way, and puts them back for guests.
fn without_compression<T>(build: impl FnOnce() -> T) -> T {
    let taken: Vec<(&str, String)> = COMPRESSION
        .into_iter()
        .filter_map(|name| {
            let text = env::var(name).ok()?;
            environment::take(name).map(|_| (name, text))
        })
        .collect();
    let built = build();
    environment::set_missing(&taken);
    built
}
