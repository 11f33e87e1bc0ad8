//! The way to the main thread: some languages have one interpreter per process and one thread on which everything is
//! called. Workers on other threads accept requests for them as well, hand the invocations over, and get the answers
//! back; that is the only hop.

use super::{
    connection::LAST_ANSWERS,
    functions::Functions,
    lifeline::{Lifeline, LostThread},
    options::ServeOptions,
    queue::{Admission, Places},
};
use crate::telemetry::{Opening, Role};
use bytes::Bytes;
use std::{collections::BTreeMap, rc::Rc, sync::Arc};
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinSet,
    time,
};
use trine_engine::{
    Conventions, Error, ErrorKind, Exchange, HttpResult, Invocation, Payload, RawPayload,
    ResponseStream, Result, Shaped, StreamPlace, WebRequest, WebResponse,
};

/// The means by which a worker hands over what another thread is to run.
#[derive(Debug, Clone)]
pub(super) struct Dispatcher {
    jobs: mpsc::UnboundedSender<Job>,
    /// The thread that is lost if an invocation that was handed over does not come back.
    thread: LostThread,
    /// Whether the main thread is lost.
    lost: watch::Receiver<bool>,
    places: Arc<Places>,
}

/// The invocations that were handed over, to be run by whichever of several threads takes them first.
#[derive(Clone)]
pub(super) struct Inbox(Arc<Mutex<mpsc::UnboundedReceiver<Job>>>);

/// Makes a dispatcher, and the inbox that `thread` is to serve, where these places are. `lost` holds true when the main
/// thread is lost.
pub(super) fn dispatcher(
    thread: LostThread,
    lost: watch::Receiver<bool>,
    places: Places,
) -> (Dispatcher, Inbox) {
    let (jobs, received) = mpsc::unbounded_channel();
    let places = Arc::new(places);
    (Dispatcher { jobs, thread, lost, places }, Inbox(Arc::new(Mutex::new(received))))
}

impl Inbox {
    /// Waits for the next one; `None` when nobody can hand anything over any more.
    pub(super) async fn next(&self) -> Option<Job> {
        self.0.lock().await.recv().await
    }
}

/// An invocation that was handed over.
#[derive(Debug)]
pub(super) struct Job {
    function: usize,
    event: Portable,
    facts: Facts,
    lifeline: Option<Lifeline>,
    admission: Admission,
    answer: oneshot::Sender<Result<Portable>>,
}

impl Dispatcher {
    /// Returns the places on the other thread.
    pub(super) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// Has a function invoked on the other thread. Whoever drops this future before the invocation has begun takes the
    /// job back.
    ///
    /// # Errors
    /// Whatever loading or the handler raised, or the loss or the end of the thread.
    pub(super) async fn call(
        &self,
        function: usize,
        event: Payload,
        invocation: &Invocation,
        lifeline: Option<Lifeline>,
        admission: Admission,
    ) -> Result<Payload> {
        let (answer, answered) = oneshot::channel();
        let (event, facts) = (Portable::of(event)?, Facts::of(invocation));
        let lifeline = lifeline.map(|lifeline| Lifeline { thread: self.thread, ..lifeline });
        let job = Job { function, event, facts, lifeline, admission, answer };
        // A job that cannot be delivered is dropped, and its answer with it.
        let _ = self.jobs.send(job);
        let mut lost = self.lost.clone();
        let lost = async {
            if lost.wait_for(|lost| *lost).await.is_err() {
                // Nobody looks after this server any longer.
                std::future::pending::<()>().await;
            }
        };
        let without = || if *self.lost.borrow() { gone() } else { left() };
        tokio::select! {
            biased;
            answer = answered => answer.map_err(|_| without()).flatten().map(Payload::from),
            () = lost => Err(gone()),
        }
    }
}

/// Runs what is handed over until nobody can hand over any more and all of it has ended.
pub(super) async fn serve_beside(
    inbox: Inbox,
    functions: Rc<Functions>,
    options: Arc<ServeOptions>,
) {
    let mut jobs = JoinSet::new();
    run_all(&inbox, &functions, &options, &mut jobs).await;
}

/// Runs what is handed over until nobody can hand over any more, then lets it finish. After the end of `stop` and the
/// grace, what has not finished is left: whoever has handed it over takes it back, and tells.
pub(super) async fn serve(
    inbox: Inbox,
    functions: Rc<Functions>,
    options: Arc<ServeOptions>,
    mut stop: watch::Receiver<bool>,
) {
    let mut jobs = JoinSet::new();
    let served = async {
        run_all(&inbox, &functions, &options, &mut jobs).await;
        functions.finish().await;
    };
    let given_up = async {
        let _ = stop.wait_for(|stop| *stop).await;
        time::sleep(options.grace).await;
    };
    tokio::select! {
        biased;
        () = served => return,
        () = given_up => {}
    }
    let taken_back = async { while jobs.join_next().await.is_some() {} };
    let _ = time::timeout(LAST_ANSWERS, taken_back).await;
}

async fn run_all(
    inbox: &Inbox,
    functions: &Rc<Functions>,
    options: &Arc<ServeOptions>,
    jobs: &mut JoinSet<()>,
) {
    while let Some(job) = inbox.next().await {
        let (functions, options) = (functions.clone(), options.clone());
        jobs.spawn_local(async move { job.run(&functions, &options).await });
        // Those that have ended.
        while jobs.try_join_next().is_some() {}
    }
    while jobs.join_next().await.is_some() {}
}

impl Job {
    /// Returns the position of its function in the site.
    pub(super) fn function(&self) -> usize {
        self.function
    }

    /// Invokes it here, and sends the answer back.
    pub(super) async fn run(self, functions: &Rc<Functions>, options: &ServeOptions) {
        let Self { function, event, facts, lifeline, admission, mut answer } = self;
        if answer.is_closed() {
            // The client hung up before its turn came.
            return;
        }
        // The time limit is this invocation's alone: time spent on those before it does not count.
        let deadline_ms = options.deadline_from_now(functions.timeout(function));
        let mut invocation = Invocation { deadline_ms, ..facts.into() };
        let name = invocation.function_name.clone().unwrap_or_default();
        // Where no front door has: a message's.
        let _span = functions.tracer().adopt(&mut invocation, || Opening {
            name: name.into(),
            role: Role::Consumer,
            facts: vec![("faas.trigger", "pubsub".into())],
            ..Opening::default()
        });
        let (event, invocation) = (event.into(), Rc::new(invocation));
        let call = functions.call(function, event, invocation, lifeline, admission);
        let result = tokio::select! {
            biased;
            result = call => result,
            // Or since. What has begun goes on to its end all the same.
            () = answer.closed() => return,
        };
        let _ = answer.send(result.and_then(Portable::of));
    }
}

fn left() -> Error {
    Error::internal("the server has ended before the invocation had its answer")
}

fn gone() -> Error {
    let message =
        "the main thread is lost to another invocation that cannot be stopped; the server ends";
    Error::new(ErrorKind::Internal, message)
}

/// A payload that may change threads: one without values of an interpreter.
#[derive(Debug)]
enum Portable {
    Json(Bytes),
    Shaped(Shaped),
    Http(HttpResult),
    Raw(RawPayload),
    Nothing,
    Streamed,
    Request(Arc<WebRequest>),
    Response(Box<WebResponse>),
}

impl Portable {
    /// # Errors
    /// [`ErrorKind::Marshal`] when a native value has no JSON form.
    fn of(payload: Payload) -> Result<Self> {
        Ok(match payload {
            Payload::Shaped(event) => Self::Shaped(event),
            Payload::Http(result) => Self::Http(result),
            Payload::Raw(raw) => Self::Raw(raw),
            Payload::Nothing => Self::Nothing,
            Payload::Streamed => Self::Streamed,
            Payload::Request(request) => Self::Request(request),
            Payload::Response(response) => Self::Response(response),
            other => Self::Json(other.into_bytes()?.0),
        })
    }
}

impl From<Portable> for Payload {
    fn from(portable: Portable) -> Self {
        match portable {
            Portable::Json(text) => Self::Json(text),
            Portable::Shaped(event) => Self::Shaped(event),
            Portable::Http(result) => Self::Http(result),
            Portable::Raw(raw) => Self::Raw(raw),
            Portable::Nothing => Self::Nothing,
            Portable::Streamed => Self::Streamed,
            Portable::Request(request) => Self::Request(request),
            Portable::Response(response) => Self::Response(response),
        }
    }
}

/// The facts about an invocation that has not begun: all but what its functions share, and its deadline.
#[derive(Debug)]
struct Facts {
    request_id: String,
    invoked_function_arn: Option<String>,
    trace_id: Option<String>,
    client_context: Option<String>,
    identity: Option<String>,
    tenant_id: Option<String>,
    w3c: Option<BTreeMap<String, String>>,
    function_name: Option<String>,
    conventions: Option<Arc<Conventions>>,
    event_is_json: bool,
    takes_http_result: bool,
    takes_stream: bool,
    /// The answer, should it be streamed.
    stream: ResponseStream,
}

impl Facts {
    fn of(invocation: &Invocation) -> Self {
        let Invocation {
            request_id,
            deadline_ms: _,
            invoked_function_arn,
            trace_id,
            client_context,
            identity,
            tenant_id,
            w3c,
            function_name,
            conventions,
            event_is_json,
            takes_http_result,
            takes_stream,
            exchange: _,
            stream,
        } = invocation;
        Self {
            request_id: request_id.clone(),
            invoked_function_arn: invoked_function_arn.clone(),
            trace_id: trace_id.clone(),
            client_context: client_context.clone(),
            identity: identity.clone(),
            tenant_id: tenant_id.clone(),
            w3c: w3c.clone(),
            function_name: function_name.clone(),
            conventions: conventions.clone(),
            event_is_json: *event_is_json,
            takes_http_result: *takes_http_result,
            takes_stream: *takes_stream,
            stream: stream.get().clone(),
        }
    }
}

impl From<Facts> for Invocation {
    fn from(facts: Facts) -> Self {
        Self {
            request_id: facts.request_id,
            deadline_ms: None,
            invoked_function_arn: facts.invoked_function_arn,
            trace_id: facts.trace_id,
            client_context: facts.client_context,
            identity: facts.identity,
            tenant_id: facts.tenant_id,
            w3c: facts.w3c,
            function_name: facts.function_name,
            conventions: facts.conventions,
            event_is_json: facts.event_is_json,
            takes_http_result: facts.takes_http_result,
            takes_stream: facts.takes_stream,
            exchange: Exchange::default(),
            stream: StreamPlace::of(facts.stream),
        }
    }
}
