//! The thread that sends.

use super::{
    client::{Connections, Reason},
    queue::{Lost, Queue},
};
use crate::telemetry::Log;
use futures::future::join;
use opentelemetry::InstrumentationScope;
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::{
    logs::{LogBatch, LogExporter as _, SdkLogRecord},
    trace::{SpanData, SpanExporter as _},
};
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use trine_engine::Level;

/// The longest time that sending may take for anybody to wait for it.
const IN_TIME: Duration = Duration::from_millis(500);

/// Where one kind of data goes, and whether it does at present.
pub(super) struct Sink<E> {
    exporter: E,
    what: &'static str,
    url: String,
    reason: Reason,
    /// Whether it has been told that this does not work.
    is_told: Cell<bool>,
    /// Whether it has been told that more comes than is sent.
    is_full_told: Cell<bool>,
    /// The number that was dropped before.
    told: Cell<u64>,
}

impl<E> Sink<E> {
    pub(super) fn new(exporter: E, what: &'static str, url: &str, reason: Reason) -> Self {
        Self {
            exporter,
            what,
            url: shown(url),
            reason,
            is_told: Cell::default(),
            is_full_told: Cell::default(),
            told: Cell::default(),
        }
    }

    /// Notes what became of so many, and tells of it if that is news.
    fn note(&self, is_sent: bool, count: u64, lost: &AtomicU64, log: &Log) {
        if !is_sent {
            lost.fetch_add(count, Ordering::Relaxed);
        }
        let Self { what, url, .. } = self;
        if !is_sent {
            if !self.is_told.replace(true) {
                let why = self.reason.get();
                let message = format!(
                    "{what} cannot be sent to {url}: {why}; they are dropped while that is so, and nothing else waits for \
                     them"
                );
                log.line(Level::Warn, &message, &[]);
            }
            return;
        }
        let all = lost.load(Ordering::Relaxed);
        let new = all - self.told.replace(all);
        let facts = [("dropped", new.into())];
        if self.is_told.replace(false) {
            let message = format!("{what} reach {url} again; {new} were dropped meanwhile");
            log.line(Level::Info, &message, &facts);
        } else if new > 0 && !self.is_full_told.replace(true) {
            let message = format!(
                "{new} {what} were dropped, because more came than {url} has taken: OTEL_BSP_MAX_QUEUE_SIZE makes room for \
                 more"
            );
            log.line(Level::Warn, &message, &facts);
        }
    }
}

/// Returns a URL without what may be secret in it.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}/{path}")
}

/// What the thread needs.
pub(super) struct Sender {
    pub(super) connections: Connections,
    pub(super) queue: Arc<Queue>,
    pub(super) spans: Option<Sink<SpanExporter>>,
    pub(super) records: Option<Sink<LogExporter>>,
    pub(super) batch: usize,
    pub(super) delay: Duration,
    pub(super) log: Log,
}

impl Sender {
    /// Sends until the process ends.
    pub(super) fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.work()),
            Err(error) => {
                self.queue.fails();
                let message = format!("no traces are sent, because the system refuses: {error}");
                self.log.line(Level::Error, &message, &[]);
            }
        }
    }

    async fn work(self) {
        // Before anybody waits for it. What fails is told with the first request.
        let _ = self.connections.get();
        loop {
            // Whoever wants it sent at once wakes it.
            let _ = tokio::time::timeout(self.delay, self.queue.wake.notified()).await;
            while let Some((spans, records)) = self.queue.take() {
                let begun = Instant::now();
                let both = join(self.send_spans(spans), self.send_records(records));
                let (are_sent, are_told) = both.await;
                if are_sent && are_told && begun.elapsed() < IN_TIME {
                    self.queue.works();
                } else {
                    self.queue.fails();
                }
                self.queue.tell_sent();
            }
            self.queue.tell_sent();
        }
    }

    /// Sends spans; returns whether that was possible.
    async fn send_spans(&self, spans: Vec<SpanData>) -> bool {
        let Some(sink) = &self.spans else { return true };
        let lost: &Lost = &self.queue.lost;
        let mut all = true;
        let mut spans = spans.into_iter();
        loop {
            let batch: Vec<_> = spans.by_ref().take(self.batch).collect();
            if batch.is_empty() {
                return all;
            }
            let count = batch.len() as u64;
            let is_sent = sink.exporter.export(batch).await.is_ok();
            sink.note(is_sent, count, &lost.spans, &self.log);
            all &= is_sent;
        }
    }

    /// Sends messages; returns whether that was possible.
    async fn send_records(&self, records: Vec<SdkLogRecord>) -> bool {
        let Some(sink) = &self.records else { return true };
        let scope = InstrumentationScope::builder(super::SCOPE)
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let lost: &Lost = &self.queue.lost;
        let mut all = true;
        for batch in records.chunks(self.batch) {
            let entries: Vec<_> = batch.iter().map(|record| (record, &scope)).collect();
            let is_sent = sink.exporter.export(LogBatch::new(&entries)).await.is_ok();
            sink.note(is_sent, batch.len() as u64, &lost.records, &self.log);
            all &= is_sent;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_secrets() {
        for (url, text) in [
            ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
            ("https://user:secret@c/a?token=secret#x", "https://c/a"),
            ("http://c", "http://c/"),
        ] {
            assert_eq!(shown(url), text);
        }
    }
}
