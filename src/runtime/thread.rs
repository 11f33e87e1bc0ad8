//! The thread of a runtime inside of another program, and the way there.

use super::call::Call;
use crate::{
    config::Settings,
    engines::Registry,
    handler,
    worker::{Function, Lost, Rescue, Worker},
};
use bytes::Bytes;
use std::{
    cell::RefCell,
    pin::pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
};
use trine_engine::{
    Error, ErrorKind, Invocation, Payload, RawPayload, ResponseStream, Result, StreamHead,
    StreamPlace, timed_out,
};
use uuid::Uuid;

/// The time after its deadline at which an invocation whose thread does not come back is answered all the same.
const LOST_AFTER: Duration = Duration::from_millis(500);

/// The most invocations of a function that are in flight at a time, where its language interleaves them.
const MOST_CONCURRENT: usize = 1000;

/// What a runtime's thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Load {
        handler: String,
        loaded: oneshot::Sender<Result<usize>>,
    },
    Call {
        function: usize,
        call: Call,
        stream: ResponseStream,
        answer: oneshot::Sender<Result<Reply>>,
    },
    End {
        ended: oneshot::Sender<()>,
    },
}

/// The answer of a function, or the beginning of one.
#[derive(Debug)]
pub(super) enum Reply {
    Whole(Bytes, &'static str),
    Streamed(StreamHead),
}

/// The way to a runtime's thread.
#[derive(Debug)]
pub(super) struct Jobs {
    jobs: mpsc::UnboundedSender<Job>,
    lost: Arc<watch::Sender<bool>>,
}

impl Jobs {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Job>) {
        let (jobs, received) = mpsc::unbounded_channel();
        (Self { jobs, lost: Arc::new(watch::Sender::new(false)) }, received)
    }

    /// Returns what is told when the thread is lost.
    pub(super) fn lost(&self) -> Arc<watch::Sender<bool>> {
        self.lost.clone()
    }

    /// # Errors
    /// When the thread has ended, or is lost.
    pub(super) fn send(&self, job: Job) -> Result<()> {
        if *self.lost.borrow() {
            return Err(self.over());
        }
        self.jobs.send(job).map_err(|_| self.over())
    }

    /// Waits for the answer to a call.
    ///
    /// # Errors
    /// The call's, or that of a thread that has ended or is lost.
    pub(super) async fn unless_lost<T>(&self, answered: oneshot::Receiver<Result<T>>) -> Result<T> {
        let mut lost = self.lost.subscribe();
        tokio::select! {
            biased;
            answer = answered => answer.map_err(|_| self.over())?,
            _ = lost.wait_for(|lost| *lost) => Err(self.over()),
        }
    }

    /// Returns the error of whoever asks a thread for something that cannot give it any more.
    pub(super) fn over(&self) -> Error {
        Error::internal(match *self.lost.borrow() {
            true => "the runtime's thread is lost to an invocation that cannot be stopped",
            false => "the runtime has ended",
        })
    }
}

/// What runs on a runtime's thread.
pub(super) struct Shop {
    pub(super) registry: Registry,
    pub(super) settings: Settings,
    pub(super) timeout: Option<Duration>,
    pub(super) worker: Rc<Worker>,
    pub(super) lost: Arc<watch::Sender<bool>>,
}

/// A function that was loaded.
struct Loaded {
    function: Function,
    permits: Semaphore,
}

impl Shop {
    /// Does what is asked until nobody can ask any more, or the end is asked for.
    pub(super) async fn serve(self, mut received: mpsc::UnboundedReceiver<Job>) {
        let shop = Rc::new(self);
        let known: Rc<RefCell<Vec<Rc<Loaded>>>> = Rc::default();
        let mut running = JoinSet::new();
        let mut ends = None;
        while let Some(job) = received.recv().await {
            let (shop, known) = (shop.clone(), known.clone());
            match job {
                Job::Load { handler, loaded } => {
                    running.spawn_local(async move {
                        let function = shop.load(&handler).await.map(|function| {
                            let mut known = known.borrow_mut();
                            known.push(Rc::new(function));
                            known.len() - 1
                        });
                        // Whoever no longer waits does not want it.
                        let _ = loaded.send(function);
                    });
                }
                Job::Call { function, call, stream, answer } => {
                    let found = known.borrow().get(function).cloned();
                    running.spawn_local(async move {
                        match found {
                            Some(loaded) => shop.call(&loaded, call, stream, answer).await,
                            None => drop(answer),
                        }
                    });
                }
                Job::End { ended } => {
                    ends = Some(ended);
                    break;
                }
            }
            while running.try_join_next().is_some() {}
        }
        received.close();
        while running.join_next().await.is_some() {}
        shop.worker.shutdown().await;
        drop(ends);
    }

    async fn load(&self, text: &str) -> Result<Loaded> {
        let located = handler::locate(text, &self.settings.search_paths(), &self.registry)?;
        let interleaves = located.engine.info().capabilities.interleaving;
        let plan = self.settings.plan(located, &self.registry)?;
        let function = Function::new(self.worker.clone(), plan);
        function.load().await?;
        let places = if interleaves { MOST_CONCURRENT } else { 1 };
        Ok(Loaded { function, permits: Semaphore::new(places) })
    }

    async fn call(
        &self,
        loaded: &Loaded,
        call: Call,
        stream: ResponseStream,
        mut answer: oneshot::Sender<Result<Reply>>,
    ) {
        let permit = tokio::select! {
            biased;
            permit = loaded.permits.acquire() => permit,
            () = answer.closed() => return,
        };
        let limit = call.timeout.or(self.timeout);
        let (event, invocation) = opened(call, limit, stream);
        let invocation = Rc::new(invocation);
        // The watchdog may be the one that answers.
        let answer = Arc::new(Mutex::new(Some(answer)));
        let reply = |reply: Result<Reply>| {
            let taken = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Whoever no longer waits does not want it.
            let _ = taken.map(|answer| answer.send(reply));
        };
        let rescue = || Some(self.rescue(&invocation.request_id, answer.clone()));
        let mut running = pin!(loaded.function.invoke(event, &invocation, rescue));
        let ended = match invocation.stream.until_out(running.as_mut()).await {
            Some(ended) => ended,
            None => {
                reply(Ok(Reply::Streamed(invocation.stream.get().head())));
                running.await
            }
        };
        let (result, claim) = ended.into_parts();
        if claim.take() {
            reply(result.and_then(|payload| match payload {
                Payload::Streamed => Ok(Reply::Streamed(invocation.stream.get().head())),
                whole => whole.into_bytes().map(|(body, kind)| Reply::Whole(body, kind)),
            }));
        }
        loaded.function.rest().await;
        if loaded.function.is_worn() {
            // What fails is told to the next call, which tries again.
            let _ = loaded.function.refresh().await;
        }
        drop(permit);
    }

    /// Returns what the watchdog does for an invocation whose thread does not come back.
    fn rescue(
        &self,
        request_id: &str,
        answer: Arc<Mutex<Option<oneshot::Sender<Result<Reply>>>>>,
    ) -> Rescue {
        let (id, thread) = (request_id.to_owned(), self.lost.clone());
        let act = move |lost: &Lost| {
            let why = match lost.stuck {
                true => "it runs native code that cannot be stopped, and its thread is lost",
                false => "another invocation holds its thread",
            };
            let message = format!("{}; {why}", timed_out(&id, lost.given));
            let taken = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            let error = Error::new(ErrorKind::Timeout, message);
            let _ = taken.map(|answer| answer.send(Err(error)));
            if lost.stuck {
                thread.send_replace(true);
            }
        };
        Rescue { act: Box::new(act), lost_after: Some(LOST_AFTER) }
    }
}

/// Returns a call's event and invocation, whose time begins now.
fn opened(call: Call, limit: Option<Duration>, stream: ResponseStream) -> (Payload, Invocation) {
    let request_id = call.request_id.unwrap_or_else(|| Uuid::new_v4().to_string());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let event = match call.is_json {
        true => Payload::Json(call.event),
        false => {
            let content_type = "application/octet-stream";
            Payload::Raw(RawPayload { bytes: call.event, content_type })
        }
    };
    let invocation = Invocation {
        deadline_ms: limit.map(|limit| (now + limit).as_millis() as u64),
        trace_id: call.trace_id,
        client_context: call.client_context,
        tenant_id: call.tenant_id,
        w3c: call.w3c,
        event_is_json: call.is_json,
        stream: StreamPlace::of(stream),
        ..Invocation::json(request_id)
    };
    (event, invocation)
}
