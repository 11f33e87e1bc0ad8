//! One isolate and the invocations in flight in it.
//!
//! Every call drives the isolate's one event loop for as long as its own promise is pending. The loop knows one waker:
//! it wakes all calls in flight, and each looks at its own promise.

use crate::{
    convert::{
        LoadedFunctions, Read, read_functions, read_or_fail, read_text, read_value, text_to_v8,
    },
    error::{During, from_core, placed, syntax},
    host::{Host, text_or_undefined},
    isolate::{Isolate, Snapshot},
    limits::Limits,
    loader::{Loader, NodeServices, imports_node, package_folders},
    wakers::Wakers,
};
use bytes::Bytes;
use deno_runtime::deno_core::{ModuleSpecifier, PollEventLoopOptions, v8};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, Hook, Instance, Interrupter,
    Invocation, LocalFuture, Module, NativeValue, Payload, Result, Seek, Usage,
};

/// One isolate, started when the first module is loaded: that module decides which snapshot it starts from.
pub(crate) struct JsInstance {
    shared: Rc<Shared>,
}

struct Shared {
    environment: Environment,
    host: Rc<Host>,
    isolate: RefCell<Option<Isolate>>,
    loader: Rc<Loader>,
    /// What the isolate takes when it starts.
    services: RefCell<Option<NodeServices>>,
    functions: RefCell<Vec<Loaded>>,
    wakers: Arc<Wakers>,
    limits: Limits,
    /// Interrupts that have been answered for: one that came while nothing ran must not stop the next call.
    interrupts_seen: Cell<u64>,
    calls: Cell<u64>,
}

struct Loaded {
    module: Module,
    name: String,
    function: v8::Global<v8::Function>,
}

/// What a call into the isolate has come to.
enum Step<T> {
    Done(T),
    Pending(v8::Global<v8::Promise>),
}

impl JsInstance {
    pub(crate) fn new(environment: Environment) -> Self {
        let wakers = Arc::<Wakers>::default();
        let folders = package_folders(&environment.layer_root);
        let (loader, services) = Loader::new(&folders);
        Self {
            shared: Rc::new(Shared {
                host: Host::new(environment.clone(), folders),
                environment,
                isolate: RefCell::default(),
                loader,
                services: RefCell::new(Some(services)),
                functions: RefCell::default(),
                limits: Limits::new(wakers.clone()),
                interrupts_seen: Cell::new(0),
                wakers,
                calls: Cell::new(0),
            }),
        }
    }
}

impl Instance for JsInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move {
            if let Some(exports) = self.shared.already_loaded(module) {
                return Ok(exports);
            }
            let url = ModuleSpecifier::from_file_path(&module.path).map_err(|()| {
                Error::internal(format!("{} is not an absolute path", module.path.display()))
            })?;
            let functions = self
                .shared
                .find(module, &url)
                .await
                .map_err(|error| self.shared.with_place(error))?;
            Ok(self.shared.register(module, functions))
        })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            let shared = &self.shared;
            shared.calls.set(shared.calls.get() + 1);
            let result = match form {
                Form::Json => shared
                    .run(function, &input, form, invocation, read_text)
                    .await
                    .map(Payload::Json),
                Form::Native => {
                    let value = shared.run(function, &input, form, invocation, read_value).await;
                    value.map(|value| {
                        Payload::Native(Rc::new(JsValue { shared: shared.clone(), value }))
                    })
                }
            };
            result.map_err(|error| match error.kind() {
                // The text that the platform gives when a process ends during an invocation.
                ErrorKind::Exit => Error::new(
                    ErrorKind::Exit,
                    format!("RequestId: {} Error: {}", invocation.request_id, error.message()),
                ),
                _ => error,
            })
        })
    }

    fn interrupter(&self) -> Interrupter {
        self.shared.limits.interrupter()
    }

    fn usage(&self) -> Usage {
        let mut isolate = self.shared.isolate.borrow_mut();
        let heap_bytes = isolate.as_mut().map_or(0, |isolate| {
            let statistics = isolate.worker.js_runtime.v8_isolate().get_heap_statistics();
            (statistics.used_heap_size() + statistics.external_memory()) as u64
        });
        Usage { heap_bytes, calls: self.shared.calls.get() }
    }

    fn shutdown(&self) {
        self.shared.functions.borrow_mut().clear();
        self.shared.limits.forget();
        self.shared.isolate.borrow_mut().take();
    }
}

impl Shared {
    fn already_loaded(&self, module: &Module) -> Option<Exports> {
        let functions: Vec<(String, FunctionId)> = self
            .functions
            .borrow()
            .iter()
            .enumerate()
            .filter(|(_, loaded)| loaded.module == *module)
            .map(|(index, loaded)| (loaded.name.clone(), FunctionId(index as u32)))
            .collect();
        (!functions.is_empty()).then_some(Exports { functions, others: Vec::new() })
    }

    fn register(&self, module: &Module, functions: LoadedFunctions) -> Exports {
        let mut known = self.functions.borrow_mut();
        let mut exports = Exports::default();
        for (name, function) in functions {
            exports.functions.push((name.clone(), FunctionId(known.len() as u32)));
            known.push(Loaded { module: module.clone(), name, function });
        }
        exports
    }

    async fn find(&self, module: &Module, url: &ModuleSpecifier) -> Result<LoadedFunctions> {
        let format = self.prepare(module, url)?;
        let interrupts = self.forget_old_interrupts();
        let step = self.begin_load(module, url, format)?;
        self.finish(step, During::Load, read_functions, interrupts).await
    }

    /// Adds to a syntax error where it is, if V8 did not say.
    fn with_place(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::UserCodeSyntax {
            return error;
        }
        match self.loader.problem_of_last_required() {
            Some(problem) => placed(error, &problem),
            None => error,
        }
    }

    /// Says how to load a module, and starts the isolate if need be, from the snapshot that suits this module.
    fn prepare(&self, module: &Module, url: &ModuleSpecifier) -> Result<&'static str> {
        let commonjs = self.loader.is_commonjs(url).map_err(|error| syntax(&error.to_string()))?;
        let mut isolate = self.isolate.borrow_mut();
        if isolate.is_none() {
            let snapshot = Snapshot::of_process(|| {
                // A process with several instances will meet all kinds of modules.
                let many = !self.environment.main_thread;
                if many || commonjs || imports_node(module) {
                    Snapshot::Node
                } else {
                    Snapshot::Web
                }
            });
            let services = self
                .services
                .take()
                .ok_or_else(|| Error::internal("the isolate could not be started before"))?;
            let mut started = Isolate::start(snapshot, &self.host, self.loader.clone(), services)?;
            self.limits.watch(started.worker.js_runtime.v8_isolate().thread_safe_handle());
            *isolate = Some(started);
        }
        Ok(if commonjs { "commonjs" } else { "module" })
    }

    async fn run<T>(
        &self,
        function: FunctionId,
        input: &Payload,
        form: Form,
        invocation: &Invocation,
        read: Read<T>,
    ) -> Result<T> {
        let interrupts = self.forget_old_interrupts();
        let step = self.begin_call(function, input, form, invocation, read)?;
        self.turn_for_work(&step)?;
        self.finish(step, During::Call, read, interrupts).await
    }

    /// How often the isolate was interrupted so far; what of that came while nothing ran has no effect any more.
    fn forget_old_interrupts(&self) -> u64 {
        let interrupts = self.limits.interrupts();
        if self.interrupts_seen.replace(interrupts) != interrupts
            && let Some(isolate) = self.isolate.borrow_mut().as_mut()
        {
            isolate.worker.js_runtime.v8_isolate().cancel_terminate_execution();
        }
        interrupts
    }

    /// One turn of the event loop, if anything is in it: what earlier invocations left behind goes on, and a rejection
    /// that nobody handles comes to light before its invocation has its answer.
    ///
    /// # Errors
    /// What this invocation's own work threw. What earlier ones left behind is logged instead: they have their answers.
    fn turn_for_work<T>(&self, step: &Step<T>) -> Result<()> {
        let leftovers = self.host.take_leftovers();
        let mut isolate = self.isolate.borrow_mut();
        let isolate = isolate.as_mut().ok_or_else(ended)?;
        // A call that is still pending turns the loop anyway.
        if !leftovers && (matches!(step, Step::Pending(_)) || !Self::has_work(isolate)) {
            return Ok(());
        }
        let waker = self.wakers.waker();
        let turn = isolate
            .worker
            .js_runtime
            .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
        match turn {
            Poll::Ready(Err(error)) if leftovers => self.host.log_stray(&from_core(error)),
            Poll::Ready(Err(error)) => return Err(from_core(error)),
            _ => {}
        }
        Ok(())
    }

    fn has_work(isolate: &mut Isolate) -> bool {
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let undefined = v8::undefined(scope).into();
        let has_work = v8::Local::new(scope, &isolate.prelude.has_work);
        has_work.call(scope, undefined, &[]).is_some_and(|has_work| has_work.is_true())
    }

    fn begin_load(
        &self,
        module: &Module,
        url: &ModuleSpecifier,
        format: &str,
    ) -> Result<Step<LoadedFunctions>> {
        let mut isolate = self.isolate.borrow_mut();
        let isolate = isolate.as_mut().ok_or_else(ended)?;
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let path = module.path.to_string_lossy();
        let (paths, required, wanted) = match &module.seek {
            Seek::Handler(export) if export.is_empty() => (vec![""], true, module.name.clone()),
            Seek::Handler(export) => {
                (vec![export.as_str()], true, format!("{}.{export}", module.name))
            }
            Seek::Hooks => {
                (Hook::ALL.iter().map(|hook| hook.name()).collect(), false, module.name.clone())
            }
            Seek::Program => {
                let message = "JavaScript programs cannot be middleware";
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let texts: Vec<v8::Local<'_, v8::Value>> =
            paths.iter().map(|path| text_or_undefined(scope, Some(path))).collect();
        let arguments = [
            text_or_undefined(scope, Some(format)),
            text_or_undefined(scope, Some(&path)),
            text_or_undefined(scope, Some(url.as_str())),
            v8::Array::new_with_elements(scope, &texts).into(),
            v8::Boolean::new(scope, required).into(),
            text_or_undefined(scope, Some(&wanted)),
        ];
        let undefined = v8::undefined(scope).into();
        let load = v8::Local::new(scope, &isolate.prelude.load);
        let result = load.call(scope, undefined, &arguments);
        self.step(scope, result, During::Load, read_functions)
    }

    fn begin_call<T>(
        &self,
        function: FunctionId,
        input: &Payload,
        form: Form,
        invocation: &Invocation,
        read: Read<T>,
    ) -> Result<Step<T>> {
        let mut isolate = self.isolate.borrow_mut();
        let isolate = isolate.as_mut().ok_or_else(ended)?;
        let functions = self.functions.borrow();
        let loaded = functions
            .get(function.0 as usize)
            .ok_or_else(|| Error::internal(format!("no function has the id {}", function.0)))?;
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let handler = v8::Local::new(scope, &loaded.function);
        let (event, parses) = match input {
            Payload::Native(value) => match value.as_any().downcast_ref::<JsValue>() {
                Some(value) if std::ptr::eq(&*value.shared, self) => {
                    (v8::Local::new(scope, &value.value), false)
                }
                _ => (text_to_v8(scope, &value.to_json()?)?, true),
            },
            Payload::Json(text) => (text_to_v8(scope, text)?, true),
            Payload::Raw(raw) => (text_to_v8(scope, &raw.bytes)?, true),
            Payload::Nothing => (v8::undefined(scope).into(), false),
            _ => return Err(Error::internal("this form of payload is not known")),
        };
        let deadline: v8::Local<'_, v8::Value> = match invocation.deadline_ms {
            Some(deadline) => v8::Number::new(scope, deadline as f64).into(),
            None => v8::undefined(scope).into(),
        };
        let w3c = invocation.w3c.as_ref().and_then(|map| serde_json::to_string(map).ok());
        let arguments = [
            handler.into(),
            event,
            v8::Boolean::new(scope, parses).into(),
            v8::Boolean::new(scope, form == Form::Json).into(),
            text_or_undefined(scope, Some(&invocation.request_id)),
            deadline,
            text_or_undefined(scope, invocation.invoked_function_arn.as_deref()),
            text_or_undefined(scope, invocation.trace_id.as_deref()),
            text_or_undefined(scope, invocation.client_context.as_deref()),
            text_or_undefined(scope, invocation.identity.as_deref()),
            text_or_undefined(scope, invocation.tenant_id.as_deref()),
            text_or_undefined(scope, invocation.function_name.as_deref()),
            text_or_undefined(scope, w3c.as_deref()),
        ];
        let undefined = v8::undefined(scope).into();
        let invoke = v8::Local::new(scope, &isolate.prelude.invoke);
        let result = invoke.call(scope, undefined, &arguments);
        self.step(scope, result, During::Call, read)
    }

    /// What a call into the prelude has come to. A promise that settles without a turn of the event loop counts as
    /// done.
    fn step<T>(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        result: Option<v8::Local<'_, v8::Value>>,
        during: During,
        read: Read<T>,
    ) -> Result<Step<T>> {
        let Some(result) = result else { return Err(self.stopped(scope)) };
        let Ok(promise) = v8::Local::<'_, v8::Promise>::try_from(result) else {
            return read_or_fail(scope, result, during, read).map(Step::Done);
        };
        scope.perform_microtask_checkpoint();
        match self.settled(scope, promise, during, read) {
            Some(outcome) => outcome.map(Step::Done),
            None => Ok(Step::Pending(v8::Global::new(scope, promise))),
        }
    }

    /// The outcome of a promise of the prelude's, if it has one. These promises are never rejected.
    fn settled<T>(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        promise: v8::Local<'_, v8::Promise>,
        during: During,
        read: Read<T>,
    ) -> Option<Result<T>> {
        if scope.is_execution_terminating() || self.host.has_exit() {
            return Some(Err(self.stopped(scope)));
        }
        if promise.state() == v8::PromiseState::Pending {
            return None;
        }
        let value = promise.result(scope);
        Some(read_or_fail(scope, value, during, read))
    }

    /// The error of a call whose code was stopped, and the isolate made ready for the next one.
    fn stopped(&self, isolate: &v8::Isolate) -> Error {
        isolate.cancel_terminate_execution();
        self.interrupts_seen.set(self.limits.interrupts());
        match self.host.take_exit() {
            Some(status) => Error::new(ErrorKind::Exit, exit_message(status)),
            None => {
                Error::new(ErrorKind::Timeout, "the invocation was stopped because its time was up")
            }
        }
    }

    /// Drives the event loop until the step is done.
    async fn finish<T>(
        &self,
        step: Step<T>,
        during: During,
        read: Read<T>,
        interrupts: u64,
    ) -> Result<T> {
        let promise = match step {
            Step::Done(value) => return Ok(value),
            Step::Pending(promise) => promise,
        };
        let ticket = self.wakers.ticket();
        poll_fn(|cx| {
            ticket.register(cx.waker());
            self.poll_promise(&promise, during, read, interrupts)
        })
        .await
    }

    fn poll_promise<T>(
        &self,
        promise: &v8::Global<v8::Promise>,
        during: During,
        read: Read<T>,
        interrupts: u64,
    ) -> Poll<Result<T>> {
        let mut isolate = self.isolate.borrow_mut();
        let Some(isolate) = isolate.as_mut() else { return Poll::Ready(Err(ended())) };
        let waker = self.wakers.waker();
        loop {
            if self.limits.interrupts() != interrupts {
                return Poll::Ready(Err(self.stopped(isolate.worker.js_runtime.v8_isolate())));
            }
            // Another call's turn of the loop may have settled this promise.
            if let Some(outcome) = self.look_at(isolate, promise, during, read) {
                return Poll::Ready(outcome);
            }
            let turn = isolate
                .worker
                .js_runtime
                .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
            let stopped = self.host.has_exit() || self.limits.interrupts() != interrupts;
            let turn = match turn {
                // Also where this turn settled the promise: what failed unseen must not be lost.
                Poll::Ready(Err(error)) if !stopped => return Poll::Ready(Err(from_core(error))),
                turn => turn,
            };
            if let Some(outcome) = self.look_at(isolate, promise, during, read) {
                // Whoever else waits may have been served by the same turn.
                self.wakers.wake_all();
                return Poll::Ready(outcome);
            }
            match turn {
                Poll::Pending => return Poll::Pending,
                // The next look finds out that it was stopped.
                Poll::Ready(Err(_)) => {}
                Poll::Ready(Ok(())) if self.idle(isolate, promise) => {}
                Poll::Ready(Ok(())) => return Poll::Ready(Err(never_settled())),
            }
        }
    }

    fn look_at<T>(
        &self,
        isolate: &mut Isolate,
        promise: &v8::Global<v8::Promise>,
        during: During,
        read: Read<T>,
    ) -> Option<Result<T>> {
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let promise = v8::Local::new(scope, promise);
        self.settled(scope, promise, during, read)
    }

    /// Tells the prelude that the event loop is empty; whether that brings an answer.
    fn idle(&self, isolate: &mut Isolate, promise: &v8::Global<v8::Promise>) -> bool {
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let promise = v8::Local::new(scope, promise);
        let undefined = v8::undefined(scope).into();
        let idle = v8::Local::new(scope, &isolate.prelude.idle);
        let answered = idle.call(scope, undefined, &[promise.into()]);
        let answered = answered.is_some_and(|answered| answered.is_true());
        scope.perform_microtask_checkpoint();
        answered
    }
}

/// A value of this isolate, held for the next function in it.
struct JsValue {
    shared: Rc<Shared>,
    value: v8::Global<v8::Value>,
}

impl NativeValue for JsValue {
    fn engine(&self) -> &'static str {
        "js"
    }

    fn to_json(&self) -> Result<Bytes> {
        let mut isolate = self.shared.isolate.borrow_mut();
        let isolate = isolate.as_mut().ok_or_else(ended)?;
        deno_runtime::deno_core::scope!(scope, &mut isolate.worker.js_runtime);
        let value = v8::Local::new(scope, &self.value);
        let undefined = v8::undefined(scope).into();
        let stringify = v8::Local::new(scope, &isolate.prelude.stringify);
        match stringify.call(scope, undefined, &[value]) {
            Some(text) => read_or_fail(scope, text, During::Call, read_text),
            None => Err(self.shared.stopped(scope)),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn ended() -> Error {
    Error::internal("this instance has ended")
}

fn never_settled() -> Error {
    Error::new(
        ErrorKind::NeverSettled,
        "the handler's promise can no longer settle: nothing is left in the event loop that it could wait for",
    )
}

fn exit_message(status: i32) -> String {
    match status {
        0 => "Runtime exited without providing a reason".to_owned(),
        status => format!("Runtime exited with error: exit status {status}"),
    }
}
