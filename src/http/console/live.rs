//! The stream of what happens: server-sent events, until the reader goes away or the server stops.

use super::Console;
use crate::{
    http::{invocations::streamed, response::Reply, service::Service, wire::Hold},
    watchdog::resident_memory,
};
use bytes::Bytes;
use http::{HeaderValue, header, request::Parts};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{self, Instant},
};
use trine_engine::ResponseStream;

/// The time between two figures where nothing happens, and where something does.
const INTERVAL: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_millis(300);
/// Time for the last bytes to leave.
const LAST_BYTES: Duration = Duration::from_millis(500);
/// Number of bytes that are sent at once, about.
const BATCH: usize = 64 * 1024;

impl Service {
    /// Answers with whatever has happened since a message (`?process=` and `?since=`), and what happens from now on.
    pub(super) fn live(&self, console: &Arc<Console>, hold: &Hold, parts: &Parts) -> Reply {
        hold.owe();
        let query = parts.uri.query().unwrap_or_default();
        let of = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        let since = of("since=").and_then(|text| text.parse().ok());
        // Numbers of messages mean nothing to another process.
        let since = since.filter(|_| of("process=") == Some(&console.process));
        let next = since.filter(|next| *next <= console.watch.next()).unwrap_or(0);
        let stream = ResponseStream::default();
        let (console, stopped) = (console.clone(), self.stopped.clone());
        tokio::task::spawn_local(tell(console, stream.clone(), next, stopped, hold.clone()));
        let mut reply = streamed(&stream, hold);
        let kind = HeaderValue::from_static("text/event-stream");
        reply.headers_mut().insert(header::CONTENT_TYPE, kind);
        reply
    }
}

/// Writes what happens into a stream until nobody reads it or the server stops.
async fn tell(
    console: Arc<Console>,
    stream: ResponseStream,
    next: u64,
    mut stopped: watch::Receiver<bool>,
    hold: Hold,
) {
    tokio::select! {
        biased;
        // A sender that is gone means the same as one that says so.
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = stream.gone() => {}
        () = console.tell(&stream, next) => {}
    }
    stream.finish(Ok(()));
    // A page that sleeps must not hold up the server's end.
    if time::timeout(LAST_BYTES, stream.gone()).await.is_err() {
        hold.cut_stream();
    }
}

impl Console {
    async fn tell(&self, stream: &ResponseStream, mut next: u64) {
        let mut news = self.watch.news();
        let (mut told, mut due) = (Instant::now(), Instant::now());
        let hello = json!({
            "generation": self.options.generation,
            "isDevelopment": self.options.is_development,
            "process": self.process,
        });
        if !send(stream, "hello", &hello).await {
            return;
        }
        loop {
            news.mark_unchanged();
            while let Some(batch) = self.watch.after(next, BATCH) {
                if batch.missed > 0
                    && next > 0
                    && !send(stream, "missed", &batch.missed.into()).await
                {
                    return;
                }
                next = batch.next;
                if !stream.send(batch.text).await.unwrap_or_default() {
                    return;
                }
            }
            tokio::select! {
                _ = news.changed() => due = due.min(told + SOON),
                () = time::sleep_until(due) => {
                    if !send(stream, "metrics", &self.metrics()).await {
                        return;
                    }
                    told = Instant::now();
                    due = told + INTERVAL;
                }
            }
        }
    }

    /// Returns the figures of the server.
    fn metrics(&self) -> Value {
        let figures = self.watch.figures();
        let heaps = self.census.figures();
        let heap: u64 = heaps.iter().map(|(_, of)| of.heap_bytes).sum();
        let interpreters: u64 = heaps.iter().map(|(_, of)| of.alive).sum();
        json!({
            "requests": figures.invocations,
            "errors": figures.errors,
            "inFlight": figures.in_flight,
            "p50": figures.p50,
            "p99": figures.p99,
            "heap": heap,
            "interpreters": interpreters,
            "resident": resident_memory(),
        })
    }
}

async fn send(stream: &ResponseStream, event: &str, data: &Value) -> bool {
    let text = Bytes::from(format!("event: {event}\ndata: {data}\n\n"));
    stream.send(text).await.unwrap_or_default()
}
