//! The account that a server gives of its requests: lines of its logs, and metrics.

use super::{
    access_log::{Outcome, Record},
    arrival::Arrival,
    body::ReplyBody,
    own::is_own,
    response::Reply,
    service::Service,
    spans,
};
use http::{Method, request::Parts};
use hyper::body::Body;
use std::{sync::Arc, time::Instant};
use trine_engine::{Error, Level};

/// What is kept of a request until it is answered, as far as anybody wants it.
pub(super) struct Account {
    begin: Instant,
    /// Method and path, for a line of the server's own log.
    line: Option<(Method, String)>,
    record: Option<Record>,
}

impl Service {
    /// Opens the account of a request, if there is to be one.
    pub(super) fn open_account(
        &self,
        begin: Option<Instant>,
        parts: &Parts,
        arrival: &Arrival,
    ) -> Option<Account> {
        let begin = begin?;
        let line = || (parts.method.clone(), parts.uri.path().to_owned());
        let record = || Record::new(begin, parts, arrival.origin, &arrival.id);
        Some(Account {
            begin,
            line: (self.options.log_requests && !self.is_for_console(parts)).then(line),
            record: self.options.access_log.map(|_| record()),
        })
    }

    /// Whether a request is one of the console's own page, which asks for much that nobody wants to read of.
    fn is_for_console(&self, parts: &Parts) -> bool {
        self.options.console.is_some() && is_own(parts.uri.path())
    }

    /// Returns the time, if accounts of requests are kept.
    pub(super) fn account_begins(&self) -> Option<Instant> {
        let options = &self.options;
        let is_kept = options.log_requests
            || options.access_log.is_some()
            || options.metrics.is_some()
            || self.functions.tracer().is_on();
        is_kept.then(Instant::now)
    }

    /// Closes the account of a request with its answer. One that is streamed ends later.
    pub(super) fn close_account(&self, account: Account, arrival: &Arrival, reply: &mut Reply) {
        let Account { begin, line, record } = account;
        let status = reply.status();
        if let Some((method, path)) = line {
            let milliseconds = begin.elapsed().as_secs_f64() * 1000.0;
            let function =
                arrival.function.get().and_then(|index| self.site.functions().get(index));
            let of = function.map(|function| format!(" {}", function.name)).unwrap_or_default();
            let cold = if arrival.is_cold.get() { ", cold" } else { "" };
            let message =
                format!("{method} {path} {}{of} {milliseconds:.2} ms{cold}", status.as_u16());
            let thousandth = (milliseconds * 1000.0).round() / 1000.0;
            let facts = [
                ("status", status.as_u16().into()),
                ("durationMs", thousandth.into()),
                ("function", function.map(|function| function.name.as_str()).into()),
                ("coldStart", arrival.is_cold.get().into()),
            ];
            self.log.line(Level::Info, &message, &facts);
        }
        let index = arrival.function.get();
        let is_counted = self.shared.metrics.is_some();
        let record = record.zip(self.options.access_log);
        let span = arrival.span.clone();
        if record.is_none() && !is_counted && span.is_none() {
            return;
        }
        let name = index.and_then(|index| self.site.functions().get(index));
        let name = name.filter(|_| record.is_some()).map(|function| function.name.clone());
        let (log, shared) = (self.log.clone(), Arc::clone(&self.shared));
        let end = move |bytes, is_whole| {
            if let Some(span) = &span {
                spans::answered(span, status, is_whole);
            }
            if let Some(metrics) = &shared.metrics {
                metrics.answered(index, status, begin.elapsed());
            }
            if let Some((record, form)) = record {
                let function = name.as_deref();
                record.write(form, &log, Outcome { status, bytes, is_whole, function });
            }
        };
        match reply.body_mut() {
            ReplyBody::Streamed(streamed) => streamed.at_end(Box::new(end)),
            whole => end(whole.size_hint().lower(), true),
        }
    }

    /// Counts and logs an invocation that failed; what was told in full before in a few words.
    pub(super) fn note_failure(&self, index: usize, id: &str, error: &Error) {
        self.shared.count_failure(index, error.kind());
        let name = &self.site.functions()[index].name;
        match self.reported.knows(name, error) {
            true => self.log.failure_again(name, id, error),
            false => self.log.failure(name, id, error),
        }
    }
}
