//! The three-method form of an engine, for one's own runtime: set up, invoke, clean up. [`Simple`] makes an
//! [`Engine`] of it.

use crate::{
    Engine, EngineInfo, Environment, Error, ErrorKind, Exports, Form, FunctionId, HANDLER_NAMES,
    Instance, Interrupter, Invocation, LocalFuture, Module, Payload, RawPayload, Result,
    StreamHead, Usage, Wanted,
};
use bytes::Bytes;
use std::{
    cell::{Cell, RefCell},
    fmt,
    path::PathBuf,
    rc::Rc,
};

/// A runtime in three methods. One value serves one handler on one thread.
pub trait SimpleRuntime: 'static {
    /// Prepares for the handler: reads its file, compiles it, connects. Called once, before the first event.
    ///
    /// # Errors
    /// Anything; it is reported as an init error and nothing is invoked.
    fn setup(&mut self, environment: &SimpleEnvironment) -> Result<()>;

    /// Answers one event.
    ///
    /// # Errors
    /// Anything; it is reported as this invocation's error, and the next one follows.
    fn invoke(&mut self, event: &[u8], invocation: &Invocation) -> Result<Output>;

    /// Releases what `setup` took. Called once, at the end.
    fn cleanup(&mut self) {}
}

/// The facts that a [`SimpleRuntime`] is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleEnvironment {
    /// The function's folder: `LAMBDA_TASK_ROOT`.
    pub task_root: PathBuf,
    /// The handler's file.
    pub path: PathBuf,
    /// The name of the handler's module as its user wrote it: `src/app` of `src/app.handler`.
    pub name: String,
    /// The name after the file's, empty when there is none: `handler` of `app.handler`.
    pub export: String,
}

/// The answer of a [`SimpleRuntime`].
pub enum Output {
    /// Bytes that go to the caller as they are.
    Raw(Bytes),
    /// A value that goes to the caller as JSON.
    Json(serde_json::Value),
    /// An answer in pieces, each of which goes to the caller when it is there. The next one is asked for when the caller
    /// has taken most of those before it, and none is once the caller is gone.
    Stream(StreamHead, Box<dyn Iterator<Item = Result<Bytes>>>),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(bytes) => f.debug_tuple("Raw").field(bytes).finish(),
            Self::Json(value) => f.debug_tuple("Json").field(value).finish(),
            Self::Stream(head, _) => f.debug_tuple("Stream").field(head).finish_non_exhaustive(),
        }
    }
}

/// An [`Engine`] made of a [`SimpleRuntime`].
pub struct Simple<F> {
    info: EngineInfo,
    make: F,
}

impl<F, R> Simple<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: SimpleRuntime,
{
    /// Makes an engine that creates a new runtime with `make` for every handler that it loads.
    pub fn new(info: EngineInfo, make: F) -> Self {
        Self { info, make }
    }
}

impl<F, R> Engine for Simple<F>
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: SimpleRuntime,
{
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn start(&self, _environment: &Environment) -> Result<Rc<dyn Instance>> {
        Ok(Rc::new(SimpleInstance {
            make: self.make.clone(),
            runtimes: RefCell::new(Vec::new()),
            calls: Cell::new(0),
        }))
    }
}

struct SimpleInstance<F, R> {
    make: F,
    runtimes: RefCell<Vec<R>>,
    calls: Cell<u64>,
}

impl<F, R> Instance for SimpleInstance<F, R>
where
    F: Fn() -> R,
    R: SimpleRuntime,
{
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move {
            let export = match &module.wanted {
                Wanted::Handler(export) => export.as_str(),
                Wanted::Unnamed => HANDLER_NAMES[0],
                Wanted::Hooks | Wanted::Program => {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        format!("{} cannot hold middleware", module.path.display()),
                    ));
                }
            };
            let mut runtime = (self.make)();
            runtime.setup(&SimpleEnvironment {
                task_root: module.root.clone(),
                path: module.path.clone(),
                name: module.name.clone(),
                export: export.to_owned(),
            })?;
            let mut runtimes = self.runtimes.borrow_mut();
            runtimes.push(runtime);
            Ok(Exports::handler(export, FunctionId(runtimes.len() as u32 - 1)))
        })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        _form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            let (event, _) = input.into_bytes()?;
            self.calls.set(self.calls.get() + 1);
            let unknown = || Error::internal(format!("no function has the id {}", function.0));
            let output = {
                let mut runtimes = self.runtimes.borrow_mut();
                let runtime = runtimes.get_mut(function.0 as usize).ok_or_else(unknown)?;
                runtime.invoke(&event, invocation)?
            };
            match output {
                Output::Raw(bytes) => {
                    let content_type = "application/octet-stream";
                    Ok(Payload::Raw(RawPayload { bytes, content_type }))
                }
                Output::Json(value) => Ok(Payload::from(&value)),
                Output::Stream(head, chunks) => {
                    let stream = invocation.stream.get();
                    stream.set_head(head)?;
                    for chunk in chunks {
                        if !stream.send(chunk?).await? {
                            break;
                        }
                    }
                    Ok(Payload::Streamed)
                }
            }
        })
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter::new(|| {})
    }

    fn usage(&self) -> Usage {
        Usage { heap_bytes: 0, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        for mut runtime in self.runtimes.borrow_mut().drain(..) {
            runtime.cleanup();
        }
    }
}
