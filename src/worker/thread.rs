//! Threads for workers: each has a single-threaded async runtime of its own, because interpreters never change threads.

use super::{Worker, WorkerOptions};
use std::{
    future::Future,
    io,
    rc::Rc,
    thread::{Builder, JoinHandle},
};
use tokio::{runtime::Runtime, task::LocalSet};

/// Stack of a worker's thread, in bytes: guests recurse deeper than the usual 2 MiB allow.
const STACK: usize = 16 * 1024 * 1024;

/// Starts a thread `trine-worker-{number}` with a worker, drives `run` to its end there, and ends the worker.
///
/// # Errors
/// When the system has no thread or no event queue left.
pub fn spawn<F, R>(number: usize, options: WorkerOptions, run: F) -> io::Result<JoinHandle<()>>
where
    F: FnOnce(Rc<Worker>) -> R + Send + 'static,
    R: Future<Output = ()>,
{
    start(format!("trine-worker-{number}"), move || Worker::new(options), run)
}

/// Starts a thread as [`spawn`] does, `trine-thread-{number}`, with a worker that follows ([`Worker::following`]).
///
/// # Errors
/// As [`spawn`].
pub fn spawn_following<F, R>(
    number: usize,
    options: WorkerOptions,
    run: F,
) -> io::Result<JoinHandle<()>>
where
    F: FnOnce(Rc<Worker>) -> R + Send + 'static,
    R: Future<Output = ()>,
{
    start(format!("trine-thread-{number}"), move || Worker::following(options), run)
}

fn start<F, R>(
    name: String,
    worker: impl FnOnce() -> Worker + Send + 'static,
    run: F,
) -> io::Result<JoinHandle<()>>
where
    F: FnOnce(Rc<Worker>) -> R + Send + 'static,
    R: Future<Output = ()>,
{
    let runtime = runtime()?;
    Builder::new().name(name).stack_size(STACK).spawn(move || drive(&runtime, worker(), run))
}

/// Runs a worker as [`spawn`] does, on the calling thread; returns when all is done.
///
/// # Errors
/// When the system has no event queue left.
pub fn run_here<F, R>(options: WorkerOptions, run: F) -> io::Result<()>
where
    F: FnOnce(Rc<Worker>) -> R,
    R: Future<Output = ()>,
{
    drive(&runtime()?, Worker::new(options), run);
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn drive<F, R>(runtime: &Runtime, worker: Worker, run: F)
where
    F: FnOnce(Rc<Worker>) -> R,
    R: Future<Output = ()>,
{
    LocalSet::new().block_on(runtime, async {
        let worker = Rc::new(worker);
        run(worker.clone()).await;
        worker.shutdown().await;
    });
}

/// Starts a thread on which no guest runs, for what has to go on while guests hold the calling one.
///
/// # Errors
/// When the system has no thread left.
pub(crate) fn spawn_beside<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(run)
}

/// Runs what would hold the calling thread, and is no guest's, on a thread that the runtime keeps for such work.
///
/// # Errors
/// When it panicked.
pub(crate) async fn run_beside<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(run).await.map_err(io::Error::other)
}
