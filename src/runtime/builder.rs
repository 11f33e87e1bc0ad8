//! The settings of a runtime inside of another program.

use super::{
    Runtime,
    thread::{Jobs, Shop},
};
use crate::{
    config::Settings,
    engines::Registry,
    pipeline::{MiddlewareNames, Order},
    telemetry::ErrorSink,
    worker::{Recycling, spawn},
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use trine_engine::{Error, LogFormat, LogSink, Permissions, Result};

/// A [`Runtime`] that is about to be made. Nothing comes from environment variables: what is not set here has its default.
pub struct RuntimeBuilder {
    registry: Registry,
    settings: Result<Settings>,
    sink: Box<dyn FnOnce(&Settings) -> trine_engine::LogSettings + Send>,
    timeout: Option<Duration>,
}

impl RuntimeBuilder {
    pub(super) fn new(folder: PathBuf) -> Self {
        let settings = Settings::from_environment(|_| None)
            .map_err(|error| Error::internal(format!("the defaults are no settings: {error}")));
        let settings = settings.map(|mut settings| {
            settings.task_root.value = std::path::absolute(&folder).unwrap_or(folder);
            settings
        });
        Self {
            registry: Registry::built_in(),
            settings,
            sink: Box::new(|settings| settings.log(ErrorSink)),
            timeout: None,
        }
    }

    /// Sets the languages. The default is every language of the build.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Sets the middlewares around every function, between commas, the outermost first. They are looked for in the folder
    /// `middlewares` of the layers and of the functions' folder.
    #[must_use]
    pub fn middlewares(self, names: &str) -> Self {
        let names = MiddlewareNames::list(names, Order::Onion);
        self.set(|settings| settings.middlewares = names)
    }

    /// Sets the folder that layers are unpacked to, in which packages and middlewares are looked for. The default is
    /// `/opt`.
    #[must_use]
    pub fn layers(self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        self.set(|settings| {
            settings.layer_root.value = std::path::absolute(&folder).unwrap_or(folder);
        })
    }

    /// Sets the time that an invocation may take, from its turn to its answer. A [`Call`](super::Call) may have its own.
    /// The default is no limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the memory that an interpreter may take, in bytes, where its language can be limited. The default is no limit.
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        self.set(|settings| settings.limit_memory(Some(bytes)))
    }

    /// Sets what functions may do. The default is everything.
    #[must_use]
    pub fn permissions(self, permissions: Permissions) -> Self {
        self.set(|settings| settings.permissions.value = permissions)
    }

    /// Sets when interpreters are replaced. The default is only when they cannot be trusted any more.
    #[must_use]
    pub fn recycling(self, recycling: Recycling) -> Self {
        self.set(|settings| settings.recycling = recycling)
    }

    /// Sets where functions' output and log lines go, and the form of log lines. The default is standard error, in text.
    #[must_use]
    pub fn log(mut self, format: LogFormat, sink: impl LogSink + 'static) -> Self {
        self.sink = Box::new(move |settings| {
            let log = settings.log(sink);
            trine_engine::LogSettings { format, ..log }
        });
        self
    }

    /// Makes the runtime and starts its thread. Interpreters start with the first function of their language.
    ///
    /// # Errors
    /// When the folder is none, or the system has no thread left.
    pub fn build(self) -> Result<Runtime> {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let Self { registry, settings, sink, timeout } = self;
        let settings = settings?;
        let folder = &settings.task_root.value;
        if !folder.is_dir() {
            return Err(Error::internal(format!("{} is no folder", folder.display())));
        }
        let log = sink(&settings);
        let options = settings.concurrent_worker(log, 1);
        let (jobs, received) = Jobs::new();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let lost = jobs.lost();
        let shop = move |worker| Shop { registry, settings, timeout, worker, lost }.serve(received);
        // Nobody waits for the thread: it ends with its last handle.
        spawn(number, options, shop)
            .map_err(|error| Error::internal(format!("no thread can be started: {error}")))?;
        Ok(Runtime { jobs: Arc::new(jobs) })
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        if let Ok(settings) = &mut self.settings {
            set(settings);
        }
        self
    }
}
