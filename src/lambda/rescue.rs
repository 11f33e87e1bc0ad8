//! The answer, from another thread, to an invocation whose thread is lost to guest code that cannot be stopped.

use super::{
    ApiError,
    client::{Delivery, ERROR_TYPE, INVOCATION_ID, USER_AGENT, answer_path},
};
use crate::{
    diagnostic::{DOCUMENT_LIMIT, STUCK_EXIT, error_type_header},
    telemetry::{Log, Tracer},
    worker::{Lost, Rescue},
};
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use trine_engine::{Error, ErrorDialect, ErrorKind, Level, timed_out};

/// Time limit of the Runtime API for one step of taking the last answer.
const STEP: Duration = Duration::from_millis(500);

/// The time for the spans of an invocation with which the process ends.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// The loss that goes with an invocation whose thread does not come back.
#[derive(Debug, Clone)]
pub(super) enum Ends {
    /// The process ends: that thread is all there is.
    Always,
    /// The process ends where this invocation holds the thread: others wait for it as well.
    WhenStuck,
    /// The process ends with the last of these threads: each has no other invocations, and may come back.
    WithTheLast(Arc<LostThreads>),
}

/// The means to answer from outside the loop.
pub(super) struct Rescuer {
    pub(super) address: String,
    pub(super) dialect: ErrorDialect,
    pub(super) log: Log,
    /// Whether the answer to the invocation under way has begun to go out, from here or from its own thread. Where that
    /// streams it, the caller learns from the end of the process that it is not whole.
    pub(super) answering: AtomicBool,
    pub(super) ends: Ends,
    pub(super) tracer: Tracer,
}

/// The number of threads that have not come back, of all that there are. Where none is left the process ends: whatever holds
/// them, such as native code with an interpreter's lock, nothing will ever be served again.
#[derive(Debug)]
pub(super) struct LostThreads {
    count: AtomicUsize,
    all: usize,
}

impl LostThreads {
    pub(super) fn of(all: usize) -> Arc<Self> {
        Arc::new(Self { count: AtomicUsize::new(0), all })
    }

    /// Notes that one more is lost; returns whether that was the last.
    fn add(&self) -> bool {
        self.count.fetch_add(1, Ordering::AcqRel) + 1 >= self.all
    }

    fn remove(&self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Rescuer {
    /// Returns what the watchdog does for this delivery: it posts the error on a connection of its own and, where no other
    /// invocation can go on, ends the process, so that the platform starts another one.
    pub(super) fn rescue(self: &Arc<Self>, delivery: &Delivery) -> Rescue {
        let (rescuer, delivery) = (self.clone(), delivery.clone());
        let act = move |lost: &Lost| rescuer.answer(&delivery, lost);
        Rescue { act: Box::new(act), lost_after: None }
    }

    /// Notes that the answer begins to go out; returns whether nobody else's has.
    pub(super) fn begins(&self) -> bool {
        !self.answering.swap(true, Ordering::AcqRel)
    }

    /// Goes on where the watchdog has answered.
    pub(super) async fn answered(&self) -> Result<(), ApiError> {
        match &self.ends {
            // It is about to end the process.
            Ends::Always => std::future::pending().await,
            Ends::WhenStuck => Ok(()),
            Ends::WithTheLast(threads) => {
                threads.remove();
                Ok(())
            }
        }
    }

    fn answer(&self, delivery: &Delivery, lost: &Lost) {
        let id = delivery.request_id.to_str().unwrap_or_default();
        let why = match lost.stuck {
            true => "it runs native code that cannot be stopped",
            false => "its thread does not come back",
        };
        let ends = match &self.ends {
            Ends::Always => true,
            Ends::WhenStuck => lost.stuck,
            Ends::WithTheLast(threads) => threads.add(),
        };
        let (level, so) = match ends {
            true => (Level::Fatal, ", so the process ends"),
            false => (Level::Error, ""),
        };
        let message = format!("{}; {why}{so}", timed_out(id, lost.given));
        self.log.line(level, &message, &[("requestId", id.into())]);
        let error = Error::new(ErrorKind::Timeout, message);
        if self.begins()
            && let Err(error) = self.post(delivery, id, &error)
        {
            self.log.line(level, &format!("the error could not be posted: {error}"), &[]);
        }
        if ends {
            self.tracer.flush_blocking(LAST_SPANS);
            trine_process::end(STUCK_EXIT);
        }
    }

    fn post(&self, delivery: &Delivery, id: &str, error: &Error) -> io::Result<()> {
        let document = self.dialect.document(error, Some(id), DOCUMENT_LIMIT);
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STEP))?;
        stream.set_read_timeout(Some(STEP))?;
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: {USER_AGENT}\r\ncontent-type: application/json\r\n\
             {ERROR_TYPE}: {}\r\ncontent-length: {}\r\nconnection: close\r\n",
            answer_path(delivery, "error"),
            self.address,
            error_type_header(error),
            document.len()
        )
        .into_bytes();
        if let Some(attempt) = &delivery.attempt {
            head.extend_from_slice(format!("{INVOCATION_ID}: ").as_bytes());
            head.extend_from_slice(attempt.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(document.as_bytes());
        stream.write_all(&head)?;
        // The first bytes of the answer say that it was taken.
        let mut answer = [0; 64];
        let read = stream.read(&mut answer)?;
        let taken = answer[..read].starts_with(b"HTTP/1.1 2");
        if taken {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&answer[..read]).into_owned()))
    }
}
