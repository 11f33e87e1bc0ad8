//! A second hold on a connection, by which a request is answered when its worker's thread is lost to guest code that
//! cannot be stopped.

use super::{
    error::failure, format::EventFormat, options::ErrorDetail, response::Reply, wire::Hold,
};
use crate::{
    telemetry::Log,
    worker::{Lost, Rescue},
};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use std::{
    future::Future,
    io,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::sync::mpsc;
use trine_engine::{Error, ErrorDialect, ErrorKind, Level, timed_out};

/// The time after the deadline at which a thread that does not come back is given up.
const LOST_AFTER: Duration = Duration::from_millis(500);

/// The thread that is lost to guest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LostThread {
    /// That of the worker that accepted the request.
    Worker,
    /// The main thread, to which the invocation had been handed over.
    Main,
}

/// The means to answer one request from outside its worker.
#[derive(Debug)]
pub(super) struct Lifeline {
    /// The thread that it runs on.
    pub(super) thread: LostThread,
    /// The connection on which its sender waits; `None` where nobody does.
    pub(super) hold: Option<Hold>,
    /// The channel that tells the server that a worker is lost.
    pub(super) stuck: mpsc::UnboundedSender<LostThread>,
    pub(super) method: Method,
    /// The form of the function's events, by which its failures are told.
    pub(super) format: EventFormat,
    pub(super) request_id: String,
    pub(super) function: String,
    pub(super) dialect: ErrorDialect,
    pub(super) detail: ErrorDetail,
    pub(super) log: Log,
}

impl Lifeline {
    /// Returns what the watchdog does: it answers with 504, and the server ends if this request holds the thread.
    pub(super) fn rescue(self) -> Rescue {
        Rescue { act: Box::new(move |lost| self.answer(lost)), lost_after: Some(LOST_AFTER) }
    }

    fn answer(self, lost: &Lost) {
        let why = match lost.stuck {
            true => "it runs native code that cannot be stopped, so the process ends",
            false => "another invocation holds its thread",
        };
        let message = format!("{}; {why}", timed_out(&self.request_id, lost.given));
        let error = Error::new(ErrorKind::Timeout, message);
        self.log.failure(&self.function, &self.request_id, &error);
        if let Some(hold) = &self.hold {
            let (id, detail) = (&self.request_id, self.detail);
            let reply = failure(self.format, &self.method, &error, self.dialect, id, detail);
            if let Err(error) = self.send(hold, reply) {
                self.log.line(Level::Warn, &format!("the answer could not be sent: {error}"), &[]);
            }
        }
        if lost.stuck {
            // The server may be gone already.
            let _ = self.stuck.send(self.thread);
        }
    }

    fn send(&self, hold: &Hold, reply: Reply) -> io::Result<()> {
        let (head, body) = reply.into_parts();
        let mut text = status_line(head.status).into_bytes();
        for (name, value) in
            head.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH)
        {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        // A body in memory is there at the first poll.
        let mut collected = pin!(body.collect());
        let body = match collected.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(body)) => body.to_bytes(),
            _ => return Err(io::Error::other("the body is not there")),
        };
        // The reply to a `HEAD` says how long the body would be.
        let said = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let length = said.map_or_else(|| body.len().to_string(), str::to_owned);
        let id = &self.request_id;
        text.extend_from_slice(
            format!(
                "x-amzn-requestid: {id}\r\nx-request-id: {id}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        text.extend_from_slice(&body);
        hold.answer_instead(&text)
    }
}

fn status_line(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("HTTP/1.1 {} {reason}\r\n", status.as_u16())
}
