//! One shared library that is loaded: its functions, how many calls of it may run, and who uses it.

use crate::{
    answer::Out,
    check::{self, advice, unloadable},
    context, crash,
    elf::Elf,
    error, exit,
    flight::{Doing, Flight},
    limits::{Load, lock},
    names::FREE,
};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use std::{
    ffi::{CStr, CString, c_char},
    mem::ManuallyDrop,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Semaphore, SemaphorePermit};
use trine_engine::{Environment, Error, Module, Result};
use trine_process::handlers::Handlers;

/// `trine_handle` and whatever else has its signature.
pub(crate) type Handle5 =
    unsafe extern "C" fn(*const u8, usize, *const u8, usize, *mut *mut u8, *mut usize) -> i32;
type Init = unsafe extern "C" fn(*const c_char, *const u8, usize, *mut *mut u8, *mut usize) -> i32;
type Free = unsafe extern "C" fn(*mut u8, usize);
type Cleanup = unsafe extern "C" fn();
type Threads = unsafe extern "C" fn() -> u32;
type ContentType = unsafe extern "C" fn() -> *const c_char;
type Warn = unsafe extern "C" fn(*const c_char);

/// The media type of answers where a library says none.
pub(crate) const JSON: &str = "application/json";
/// Maximum length of a media type.
const LONGEST_TYPE: usize = 255;

/// A library that is loaded, for as long as the process lives: what it has started (threads, Go's runtime) cannot be
/// taken out of the process again.
pub(crate) struct Library {
    handle: ManuallyDrop<Handle>,
    /// The file, as it was asked for.
    path: PathBuf,
    /// The file's name, for messages.
    label: String,
    symbols: Option<Vec<String>>,
    free: Free,
    init: Option<Init>,
    cleanup: Option<Cleanup>,
    warn: Option<Warn>,
    content_type: &'static str,
    threads: usize,
    turns: Semaphore,
    /// The handlers of signals before it was loaded, until it has run: runtimes such as Go's install theirs on a thread of
    /// their own, which is done by then. Others do so in their first call.
    signals: Mutex<Option<Handlers>>,
    was_called: AtomicBool,
    users: Mutex<Users>,
}

/// The instances that use a library.
#[derive(Default)]
struct Users {
    count: usize,
    is_ready: bool,
}

impl Library {
    /// Loads a library whose file was looked at before.
    pub(crate) fn open(module: &Module, elf: Elf) -> Result<Self> {
        crash::watch();
        exit::watch();
        let signals = Handlers::now();
        let flight = Flight::new(&module.path, Doing::Load);
        let loading = flight.begin();
        // SAFETY: the library's constructors run here. That they are sound is what whoever puts a native library into a
        // function vouches for, as for everything else in it.
        let opened = unsafe { Handle::open(Some(&module.path), RTLD_NOW | RTLD_LOCAL) };
        signals.keep();
        let handle = opened.map_err(|error| {
            let says = error.to_string();
            unloadable(module, &format!("cannot be loaded: {says}{}", advice(&says)))
        })?;
        let handle = ManuallyDrop::new(handle);
        // SAFETY: each symbol is read as what trine_handler.h declares it to be.
        let (free, init, cleanup, warn, threads, content_type) = unsafe {
            (
                symbol::<Free>(&handle, FREE).ok_or_else(|| check::no_free(module))?,
                symbol::<Init>(&handle, "trine_init"),
                symbol::<Cleanup>(&handle, "trine_cleanup"),
                symbol::<Warn>(&handle, "trine_warn"),
                symbol::<Threads>(&handle, "trine_threads"),
                symbol::<ContentType>(&handle, "trine_content_type"),
            )
        };
        // SAFETY: both take nothing and may be called once the library is loaded.
        let (threads, content_type) = unsafe {
            (
                threads.map_or(1, |threads| threads()),
                content_type.map(|content_type| content_type()),
            )
        };
        let content_type = media_type(module, content_type)?;
        drop(loading);
        let threads = usize::try_from(threads).unwrap_or(usize::MAX);
        let threads = threads.clamp(1, Semaphore::MAX_PERMITS);
        let label = module.path.file_name().unwrap_or(module.path.as_os_str());
        Ok(Self {
            handle,
            path: module.path.clone(),
            label: label.to_string_lossy().into_owned(),
            symbols: elf.exports,
            free,
            init,
            cleanup,
            warn,
            content_type,
            threads,
            turns: Semaphore::new(threads),
            signals: Mutex::new(Some(signals)),
            was_called: AtomicBool::new(false),
            users: Mutex::default(),
        })
    }

    /// Returns the name of its file.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Makes the note that code of it runs.
    pub(crate) fn flight<'a>(&'a self, doing: Doing<'a>) -> Flight<'a> {
        Flight::new(&self.path, doing)
    }

    /// Returns the names of its symbols, where they are known.
    pub(crate) fn symbols(&self) -> Option<&[String]> {
        self.symbols.as_deref()
    }

    /// Returns the media type of its answers.
    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Whether its functions may run on several threads at a time.
    pub(crate) fn takes_threads(&self) -> bool {
        self.threads > 1
    }

    /// Returns a function with the signature of `trine_handle`.
    pub(crate) fn function(&self, name: &str) -> Option<Handle5> {
        // SAFETY: names that begin with `trine_handle` or `trine_hook_` are of this signature by trine_handler.h.
        unsafe { symbol(&self.handle, name) }
    }

    /// Returns the function that hears of deadlines.
    pub(crate) fn warn(&self) -> Option<Warn> {
        self.warn
    }

    /// Waits until a call may begin; it is over when the permit is dropped. The thread is free meanwhile.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let closed = |_| Error::internal("nobody closes the turns of a library");
        self.turns.acquire().await.map_err(closed)
    }

    /// Calls a function, and takes what it puts into `out`.
    pub(crate) fn call(&self, function: Handle5, event: &[u8], context: &[u8]) -> (i32, Out<'_>) {
        let mut out = Out::new(self.free);
        let (bytes, length) = out.places();
        let is_first = !self.was_called.swap(true, Ordering::Relaxed);
        let signals = is_first.then(|| lock(&self.signals).take().unwrap_or_else(Handlers::now));
        // SAFETY: the texts live until the function returns, and `out` until what is in it was given back. That the
        // function keeps to its side of trine_handler.h is its author's affair.
        let status = unsafe {
            function(event.as_ptr(), event.len(), context.as_ptr(), context.len(), bytes, length)
        };
        if let Some(signals) = signals {
            signals.keep();
        }
        (status, out)
    }

    /// Counts an instance that uses the library, and prepares it for the first one.
    ///
    /// # Errors
    /// When it cannot be prepared; [`trine_engine::ErrorKind::Timeout`] when the load is interrupted before.
    pub(crate) fn enter(
        &self,
        module: &Module,
        environment: &Environment,
        load: &Load<'_>,
    ) -> Result<()> {
        let mut users = load.lock(&self.users)?;
        if !users.is_ready {
            load.check()?;
            self.prepare(module, environment)?;
            users.is_ready = true;
        }
        users.count += 1;
        Ok(())
    }

    fn prepare(&self, module: &Module, environment: &Environment) -> Result<()> {
        let Some(init) = self.init else { return Ok(()) };
        let facts = context::facts(environment, &module.root, &module.path)?;
        let root = CString::new(module.root.as_os_str().as_bytes())
            .map_err(|_| unloadable(module, "lies in a folder whose name contains NUL"))?;
        let flight = self.flight(Doing::Prepare);
        let _preparing = flight.begin();
        let mut out = Out::new(self.free);
        let (bytes, length) = out.places();
        // SAFETY: as for calls; the root is terminated by NUL.
        let status = unsafe { init(root.as_ptr(), facts.as_ptr(), facts.len(), bytes, length) };
        if let Some(signals) = lock(&self.signals).take() {
            signals.keep();
        }
        if status == 0 {
            return Ok(());
        }
        let told = error::of(self, "trine_init", status, out.bytes(&self.label)?);
        let message = format!("trine_init of {} failed: {}", module.path.display(), told.message());
        Err(told.with_message(message))
    }

    /// Counts an instance out, and lets the library clean up after the last one.
    pub(crate) fn leave(&self) {
        let mut users = lock(&self.users);
        users.count = users.count.saturating_sub(1);
        if users.count > 0 || !users.is_ready {
            return;
        }
        users.is_ready = false;
        if let Some(cleanup) = self.cleanup {
            let flight = self.flight(Doing::CleanUp);
            let _cleaning = flight.begin();
            // SAFETY: no instance is left that could be calling any other function, and none begins to use the library
            // while the lock is held.
            unsafe { cleanup() };
        }
    }
}

/// Returns a function of a library.
///
/// # Safety
/// `T` is the type of a pointer to the function that has this name.
unsafe fn symbol<T: Copy>(handle: &Handle, name: &str) -> Option<T> {
    // SAFETY: the caller vouches for the type. The library is never unloaded, so the function outlives its symbol.
    unsafe { handle.get::<Option<T>>(name.as_bytes()) }.ok().and_then(|symbol| *symbol)
}

/// Checks the media type that a library says, and keeps it.
fn media_type(module: &Module, said: Option<*const c_char>) -> Result<&'static str> {
    let Some(said) = said else { return Ok(JSON) };
    if said.is_null() {
        return Ok(JSON);
    }
    // SAFETY: trine_handler.h wants a text that is terminated by NUL.
    let text = unsafe { CStr::from_ptr(said) }.to_string_lossy();
    let is_one = text.len() <= LONGEST_TYPE
        && text.bytes().all(|byte| matches!(byte, 32..=126))
        && text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if !is_one {
        let shown: String = text.chars().take(LONGEST_TYPE).collect();
        return Err(unloadable(
            module,
            &format!(
                "says with trine_content_type that its answers are {shown:?}, which is no media type"
            ),
        ));
    }
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(JSON) {
        return Ok(JSON);
    }
    // Once for each library of the process.
    Ok(Box::leak(text.into_owned().into_boxed_str()))
}
