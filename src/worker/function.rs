//! A function as one worker has it: loaded when it is first needed, loaded anew when its instances are replaced.

use super::{Claim, Isolation, Rescue, Worker, WorkerOptions, debug_proxy, run, traced};
use crate::{
    diagnostic::log_failure,
    heap::END_TIME,
    pipeline::{Pipeline, Plan},
    web::{is_its_own, request_of, response_of_failure},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    rc::Rc,
    time::SystemTime,
};
use tokio::sync::Mutex;
use trine_engine::{
    DebugSession, Error, ErrorDialect, Instance, Interface, Invocation, Level, LocalFuture,
    Payload, Profile, Result,
};

/// A function as one worker has it.
pub struct Function {
    worker: Rc<Worker>,
    plan: Plan,
    /// The pipeline that serves invocations. With an instance for each of them: the one that is ready for the next.
    ready: RefCell<Option<Rc<Pipeline>>>,
    /// The pipelines that have served the one invocation that they were for, and are about to end.
    spent: RefCell<Vec<Rc<Pipeline>>>,
    /// The lock that is held while it is loaded, so that it is loaded once.
    loading: Mutex<()>,
    /// Whether it was loaded and nobody has asked for [`Function::background`] since.
    is_new: Cell<bool>,
    /// The times between which it was loaded, until the next invocation tells of that.
    loaded: Cell<Option<(SystemTime, SystemTime)>>,
}

/// The outcome of an invocation.
pub struct Answer {
    result: Result<Payload>,
    claim: Claim,
}

impl Answer {
    /// Returns the invocation's result, and the right to answer with it.
    pub fn into_parts(self) -> (Result<Payload>, Claim) {
        (self.result, self.claim)
    }

    fn failed(error: Error) -> Self {
        Self { result: Err(error), claim: Claim::unwatched() }
    }
}

impl Function {
    /// Makes a function that `worker` will load when it is needed.
    pub fn new(worker: Rc<Worker>, plan: Plan) -> Self {
        Self {
            worker,
            plan,
            ready: RefCell::default(),
            spent: RefCell::default(),
            loading: Mutex::default(),
            is_new: Cell::default(),
            loaded: Cell::default(),
        }
    }

    /// Returns the look of its errors to a caller.
    pub fn dialect(&self) -> ErrorDialect {
        self.plan.handler.engine.info().error_dialect
    }

    /// Loads it unless it is loaded.
    ///
    /// # Errors
    /// As [`Worker::load`]. The next call tries again, so that its author may fix the file meanwhile.
    pub async fn load(&self) -> Result<()> {
        self.pipeline().await.map(drop)
    }

    /// Begins to note where the handler's language spends its time, once the function is loaded.
    ///
    /// # Errors
    /// As [`Worker::load`]; [`trine_engine::ErrorKind::Unsupported`] where the language has no profiler.
    pub async fn profile(&self) -> Result<Profile> {
        self.instance().await?.profile()
    }

    /// Writes a picture of the heap of the handler's language.
    ///
    /// # Errors
    /// As [`Function::profile`]; what the writer says.
    pub async fn heap_snapshot(&self, out: &mut dyn io::Write) -> Result<()> {
        self.instance().await?.heap_snapshot(out)
    }

    async fn instance(&self) -> Result<Rc<dyn Instance>> {
        let pipeline = self.pipeline().await?;
        let heap = pipeline.handlers_heap();
        heap.map(|heap| heap.instance().clone())
            .ok_or_else(|| Error::internal("the function has no heap"))
    }

    /// Lets a debugger attach from the place that an event names, where it may.
    async fn debug(
        &self,
        event: &Payload,
        invocation: &Invocation,
        pipeline: &Pipeline,
    ) -> Option<DebugSession> {
        let allowed = &self.worker.options().debug_proxies;
        if allowed.is_empty() {
            return None;
        }
        let place = debug_proxy::named(event)?;
        let heap = pipeline.handlers_heap()?;
        let attached = async {
            let connection = debug_proxy::connect(&place, allowed, invocation).await?;
            heap.instance().attach_debugger(connection).await
        };
        match attached.await {
            Ok(session) => Some(session),
            Err(error) => {
                // The function runs all the same.
                self.report(invocation, "the debugger's connection", &error);
                None
            }
        }
    }

    /// Prepares what is loaded for a snapshot of the process; see [`trine_engine::Instance::before_snapshot`].
    ///
    /// # Errors
    /// What a guest's code raised there.
    pub async fn before_snapshot(&self) -> Result<()> {
        let pipeline = self.pipeline().await?;
        for heap in pipeline.heaps().iter().rev() {
            heap.instance().before_snapshot().await?;
        }
        Ok(())
    }

    /// Goes on in a copy of the process; see [`trine_engine::Instance::after_restore`].
    ///
    /// # Errors
    /// As [`Function::before_snapshot`].
    pub async fn after_restore(&self) -> Result<()> {
        let pipeline = self.pipeline().await?;
        for heap in pipeline.heaps() {
            heap.instance().after_restore().await?;
        }
        Ok(())
    }

    /// Runs one invocation. `rescue` says what to do if its thread does not come back in time; it is asked only where
    /// the invocation has a deadline.
    pub async fn invoke(
        &self,
        event: Payload,
        invocation: &Rc<Invocation>,
        rescue: impl FnOnce() -> Option<Rescue>,
    ) -> Answer {
        // Before what may take its time: loading is part of it.
        let ahead = invocation.remaining_ms().is_some_and(|left| left > 0);
        let WorkerOptions { watchdog, conversion, tracer, .. } = self.worker.options();
        let trail = tracer.trail(invocation);
        let pipeline = match self.take().await {
            Ok(pipeline) => pipeline,
            Err(error) => {
                trail.fail(&error);
                return Answer::failed(error);
            }
        };
        if trail.is_on() {
            let loaded = self.loaded.take();
            trail.set("faas.coldstart", loaded.is_some());
            if let Some(times) = loaded {
                trail.past("load", times);
            }
        }
        let _debugger = self.debug(&event, invocation, &pipeline).await;
        let asked = pipeline.interface().is_web().then(|| event.clone());
        let id = &invocation.request_id;
        let rescue = || match trail.is_on() {
            true => rescue().map(|rescue| traced::rescue(rescue, &trail, id)),
            false => rescue(),
        };
        let conversion = conversion.as_ref();
        let report = |what: &str, error: &Error| self.report(invocation, what, error);
        let (result, claim) = run::run(
            &pipeline, event, conversion, invocation, ahead, watchdog, rescue, &trail, report,
        )
        .await;
        let result = result.or_else(|error| match asked {
            Some(event) => self.failed_application(&event, invocation, error),
            None => Err(error),
        });
        if self.is_fresh() {
            self.spent.borrow_mut().push(pipeline);
        }
        Answer { result, claim }
    }

    /// Returns the answer of a web application that has failed: for the sender of an event, who expects a result, it is a
    /// response as under the application's own server, and a line of the log.
    ///
    /// # Errors
    /// The same error, for whoever answers a request, and where it is none of the application's own.
    fn failed_application(
        &self,
        event: &Payload,
        invocation: &Invocation,
        error: Error,
    ) -> Result<Payload> {
        let Payload::Json(event) = event.clone().whole() else { return Err(error) };
        let form = match is_its_own(error.kind()) {
            true => request_of(event).map(|(_, form)| form),
            false => return Err(error),
        };
        let Ok(form) = form else { return Err(error) };
        log_failure(self.worker.log(), &error, self.dialect(), Some(invocation));
        Ok(form.result(response_of_failure()))
    }

    /// Returns what goes on between invocations since it was loaded, each once; see
    /// [`trine_engine::Instance::background`].
    pub fn background(&self) -> Vec<LocalFuture<'static, ()>> {
        if !self.is_new.take() {
            return Vec::new();
        }
        let ready = self.ready.borrow();
        let heaps = ready.iter().flat_map(|ready| ready.heaps());
        heaps.filter_map(|heap| heap.instance().background()).collect()
    }

    /// Returns the interface by which its handler is called; `None` unless it is loaded.
    pub fn interface(&self) -> Option<Interface> {
        self.ready.borrow().as_ref().map(|ready| ready.interface())
    }

    /// Makes ready what the next invocation needs, if something of it has to be replaced. Meant for the time after an
    /// answer has gone out.
    ///
    /// # Errors
    /// As [`Worker::load`].
    pub async fn refresh(&self) -> Result<()> {
        if self.is_fresh() {
            let loaded = self.load().await;
            let spent = std::mem::take(&mut *self.spent.borrow_mut());
            for pipeline in spent {
                self.end_retired(&pipeline).await;
            }
            return loaded;
        }
        let Some(old) = self.ready.borrow().clone() else { return Ok(()) };
        if !self.worker.retire_worn(&old) {
            return Ok(());
        }
        let loaded = self.replace(&old).await;
        self.end_retired(&old).await;
        loaded
    }

    /// Lets guests finish what they have begun with files, such as lines of a log, because nothing of theirs goes on until
    /// the next invocation. Meant for the time after an answer has gone out.
    pub async fn rest(&self) {
        let Some(ready) = self.ready.borrow().clone() else { return };
        for heap in ready.heaps() {
            heap.rest().await;
        }
    }

    /// Whether guests have begun anything with files that [`Function::rest`] would wait for.
    pub fn is_writing(&self) -> bool {
        let ready = self.ready.borrow();
        let is_writing =
            |pipeline: &Rc<Pipeline>| pipeline.heaps().iter().any(|heap| heap.is_writing());
        ready.as_ref().is_some_and(is_writing)
    }

    /// Stops using what is worn or cannot be trusted, without loading a replacement. Returns whether there was any.
    pub fn retire_worn(&self) -> bool {
        let ready = self.ready.borrow().clone();
        ready.is_some_and(|old| self.worker.retire_worn(&old))
    }

    /// Whether everything that it calls holds its thread meanwhile, so that only other threads can run something beside
    /// it; `None` unless it is loaded.
    pub fn holds_thread(&self) -> Option<bool> {
        self.ready.borrow().as_ref().map(|ready| ready.holds_thread())
    }

    /// Returns the names of its middlewares with those of their hooks; `None` unless it is loaded.
    pub(crate) fn hooks(&self) -> Option<Vec<(String, Vec<&'static str>)>> {
        self.ready.borrow().as_ref().map(|ready| ready.hooks())
    }

    /// Whether [`Function::refresh`] would replace anything.
    pub fn is_worn(&self) -> bool {
        let recycling = &self.worker.options().recycling;
        let worn = |pipeline: &Rc<Pipeline>| {
            let mut heaps = pipeline.heaps().iter();
            heaps.any(|heap| heap.is_poisoned() || heap.is_retired() || heap.is_worn(recycling))
        };
        self.is_fresh() || self.ready.borrow().as_ref().is_some_and(worn)
    }

    fn is_fresh(&self) -> bool {
        self.worker.options().recycling.isolation == Isolation::Fresh
    }

    /// Takes the pipeline for one invocation.
    async fn take(&self) -> Result<Rc<Pipeline>> {
        if !self.is_fresh() {
            return self.pipeline().await;
        }
        let ready = self.ready.borrow_mut().take();
        match ready {
            Some(ready) => Ok(ready),
            None => self.timed(self.worker.load_apart(&self.plan)).await.map(Rc::new),
        }
    }

    /// Returns what is ready, loaded if need be.
    async fn pipeline(&self) -> Result<Rc<Pipeline>> {
        if let Some(ready) = self.usable() {
            return Ok(ready);
        }
        let _one = self.loading.lock().await;
        if let Some(ready) = self.usable() {
            return Ok(ready);
        }
        let loaded = Rc::new(match self.is_fresh() {
            true => self.timed(self.worker.load_apart(&self.plan)).await?,
            false => self.timed(self.worker.load(&self.plan)).await?,
        });
        *self.ready.borrow_mut() = Some(loaded.clone());
        Ok(loaded)
    }

    /// Loads, and notes when that was, if anybody takes spans.
    async fn timed(&self, load: impl Future<Output = Result<Pipeline>>) -> Result<Pipeline> {
        let begun = self.worker.options().tracer.is_on().then(SystemTime::now);
        let loaded = load.await;
        self.is_new.set(loaded.is_ok());
        if loaded.is_ok() {
            self.loaded.set(begun.map(|begun| (begun, SystemTime::now())));
        }
        loaded
    }

    /// Returns what is ready and may be called: not when another function has poisoned one of its instances. An
    /// instance that was merely retired goes on until its successor is there.
    fn usable(&self) -> Option<Rc<Pipeline>> {
        let ready = self.ready.borrow();
        let usable =
            |pipeline: &&Rc<Pipeline>| !pipeline.heaps().iter().any(|heap| heap.is_poisoned());
        ready.as_ref().filter(usable).cloned()
    }

    /// Loads anew while `old` can still be called, where it can.
    async fn replace(&self, old: &Rc<Pipeline>) -> Result<()> {
        let _one = self.loading.lock().await;
        if !self.ready.borrow().as_ref().is_some_and(|ready| Rc::ptr_eq(ready, old)) {
            return Ok(());
        }
        let (loaded, result) = match self.worker.load(&self.plan).await {
            Ok(loaded) => (Some(Rc::new(loaded)), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.is_new.set(loaded.is_some());
        self.ready.replace(loaded);
        result
    }

    /// Runs the `shutdown` hooks of the instances into which nothing will be loaded any more.
    async fn end_retired(&self, pipeline: &Pipeline) {
        for heap in pipeline.heaps().iter().filter(|heap| heap.is_retired()) {
            self.worker.end(heap).await;
            heap.settle(END_TIME, None, false).await;
        }
    }

    fn report(&self, invocation: &Invocation, what: &str, error: &Error) {
        let id = &invocation.request_id;
        let message = format!("RequestId: {id} {what} failed: {error:#}");
        let facts = [("requestId", id.as_str().into()), ("errorType", error.name().into())];
        self.worker.log().line(Level::Error, &message, &facts);
    }
}
