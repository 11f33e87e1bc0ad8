//! An execution environment: a runtime's process with a Runtime API of its own, and the log of what it runs.
//! Contract: one invocation at a time, or as many as the function allows; of one at a time the process is killed when it
//! runs out of time; what a process has not
//! answered when it ends fails with `Runtime.ExitError`.

use super::{
    Emulator, RuntimeExit,
    console::{Console, Writer},
    directory::{Background, Finished},
    invoke_api::LOG_TAIL,
    options::EmulatorOptions,
    outcome::{Answer, Event, Outcome},
    report::{Usage, peak_memory},
    shared::lock,
    state::StreamPart,
};
use bytes::Bytes;
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use std::{
    fs::File,
    future::Future,
    io::{self, ErrorKind, Read},
    net::{Ipv4Addr, SocketAddr},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::unix::pipe,
    process::{Child, ChildStderr, ChildStdout},
    sync::{mpsc, oneshot, watch},
};

/// Time that a process has after SIGTERM; Lambda gives one with extensions as much.
const GRACE: Duration = Duration::from_secs(2);
/// Number of bytes of a log that are kept while more of it is written.
const KEPT: usize = 16 * LOG_TAIL;

/// A process and its Runtime API.
pub(super) struct Environment {
    pub(super) emulator: Emulator,
    /// The number of times that its function had been renewed when it was started.
    pub(super) generation: u64,
    process: u32,
    journal: Arc<Journal>,
    orders: mpsc::UnboundedSender<Order>,
    end: watch::Receiver<Option<End>>,
    /// The time from the start to the first request for an event, until it is reported.
    init: Arc<Mutex<Option<Duration>>>,
    /// Number of invocations that it was taken for.
    busy: AtomicUsize,
}

/// The end of an environment's process.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) status: ExitStatus,
    /// Whether it had asked for an event.
    pub(super) served: bool,
    /// Whether it was told to end.
    pub(super) was_told: bool,
}

/// What the owner of a process is asked to do.
enum Order {
    /// Ends it, by force if it does not end itself.
    End,
    /// Ends it by force.
    Kill,
}

impl Environment {
    /// Starts a process for a function.
    pub(super) async fn start(
        options: &EmulatorOptions,
        generation: u64,
        launch: impl FnOnce(&Emulator) -> io::Result<Command>,
        background: &Background,
    ) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let emulator = Emulator::start(EmulatorOptions { address, ..options.clone() }).await?;
        let begun = Instant::now();
        let mut child = tokio::process::Command::from(launch(&emulator)?)
            // A signal that a terminal gives to its whole job is for the emulator alone, and what a function has started
            // ends with it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let journal = Journal::new(options);
        let stdout = child.stdout.take().map(ChildStdout::into_owned_fd).transpose()?;
        let stderr = child.stderr.take().map(ChildStderr::into_owned_fd).transpose()?;
        for (pipe, writer) in [(stdout, Writer::Stdout), (stderr, Writer::Stderr)] {
            if let Some(pipe) = pipe {
                background.spawn(Journal::read(&journal, pipe, writer)?);
            }
        }
        let init = Arc::new(Mutex::new(None));
        let (timer, known) = (emulator.clone(), Arc::clone(&init));
        background.spawn(async move {
            if timer.wait_for_next(Duration::MAX).await {
                *lock(&known) = Some(begun.elapsed());
            }
        });
        let process = child.id().unwrap_or_default();
        let (orders, given) = mpsc::unbounded_channel();
        let (ending, end) = watch::channel(None);
        let owner = Owner { child, process, orders: given, emulator: emulator.clone() };
        background.spawn(owner.run(Arc::clone(&journal), ending));
        let busy = AtomicUsize::new(0);
        Ok(Self { emulator, generation, process, journal, orders, end, init, busy })
    }

    /// Runs one invocation.
    pub(super) async fn run(
        &self,
        event: Event,
        request_id: &str,
        version: &str,
        parts: Option<mpsc::Sender<StreamPart>>,
    ) -> Finished {
        let options = self.emulator.options();
        // What is written during the start belongs before the first START.
        if !options.snap_start {
            tokio::select! {
                _ = self.emulator.wait_for_next(options.init_timeout) => {}
                _ = self.ended() => {}
            }
        }
        self.journal.begin(request_id, &options.log_form.start(request_id, version));
        let outcome = self.outcome(event, request_id, parts).await;
        // Nobody may find a process idle that is about to end.
        let grace = match outcome.result {
            // A process with other invocations has to watch the time itself.
            Answer::Timeout { .. } if options.is_concurrent() => None,
            Answer::Timeout { .. } => Some(Duration::ZERO),
            Answer::InitError(_) | Answer::Platform { error_type: "Runtime.ExitError", .. } => {
                Some(GRACE)
            }
            _ => None,
        };
        if let Some(grace) = grace
            && tokio::time::timeout(grace, self.ended()).await.is_err()
        {
            self.kill();
            self.ended().await;
        }
        self.journal.catch_up().await;
        let usage = Usage {
            memory_mb: options.memory_mb,
            used_mb: peak_memory(self.process),
            init: lock(&self.init).take(),
        };
        let log = self.journal.end(request_id, &options.log_form.end_of(&outcome, &usage));
        Finished { outcome, log }
    }

    async fn outcome(
        &self,
        event: Event,
        request_id: &str,
        parts: Option<mpsc::Sender<StreamPart>>,
    ) -> Outcome {
        let options = self.emulator.options();
        let (_, mut done) = self.emulator.inner.shared.submit(event, parts);
        // A process that never asks for the event is waited for as long as for an answer.
        let never_taken = options.init_timeout + options.timeout * 2;
        let end = tokio::select! {
            biased;
            outcome = &mut done => match outcome {
                Ok(outcome) => return outcome,
                Err(_) => None,
            },
            end = self.ended() => end,
            () = tokio::time::sleep(never_taken) => {
                let result = Answer::Timeout { after: options.timeout };
                let request_id = request_id.to_owned();
                return Outcome { request_id, duration: options.timeout, result };
            }
        };
        // The end of the process has answered what the process had; an event still waiting has come too late for it.
        if let Ok(outcome) = done.try_recv() {
            return outcome;
        }
        let exit = end.map_or(RuntimeExit::Status(1), |end| exit_of(end.status));
        let message = format!("RequestId: {request_id} Error: {exit}");
        let result = Answer::Platform { error_type: "Runtime.ExitError", message };
        Outcome { request_id: request_id.to_owned(), duration: Duration::ZERO, result }
    }

    /// Takes it for an invocation.
    pub(super) fn take(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives it back after an invocation.
    pub(super) fn give_back(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it was taken for no invocation.
    pub(super) fn is_idle(&self) -> bool {
        self.busy.load(Ordering::Relaxed) == 0
    }

    /// Waits for the end of the process.
    pub(super) async fn ended(&self) -> Option<End> {
        let mut end = self.end.clone();
        end.wait_for(Option::is_some).await.ok().and_then(|end| *end)
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Tells the process to end.
    pub(super) fn stop(&self) {
        // Without an owner the process has ended.
        let _ = self.orders.send(Order::End);
    }

    fn kill(&self) {
        let _ = self.orders.send(Order::Kill);
    }
}

/// The owner of a process: waits for its end and gives it signals.
struct Owner {
    child: Child,
    process: u32,
    orders: mpsc::UnboundedReceiver<Order>,
    emulator: Emulator,
}

impl Owner {
    async fn run(mut self, journal: Arc<Journal>, end: watch::Sender<Option<End>>) {
        let mut kill_at = None;
        let mut was_told = false;
        let status = loop {
            let time_is_up = async {
                match kill_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                status = self.child.wait() => break status,
                Some(order) = self.orders.recv() => {
                    was_told = true;
                    match (order, i32::try_from(self.process)) {
                        (Order::End, Ok(id)) => {
                            // It may have ended meanwhile.
                            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
                            kill_at.get_or_insert(tokio::time::Instant::now() + GRACE);
                        }
                        _ => self.kill(),
                    }
                }
                () = time_is_up => {
                    kill_at = None;
                    self.kill();
                }
            }
        };
        let status = status.unwrap_or_else(|_| ExitStatus::from_raw(0));
        journal.catch_up().await;
        let served = self.emulator.wait_for_next(Duration::ZERO).await;
        self.emulator.runtime_exited(&exit_of(status));
        end.send_replace(Some(End { status, served, was_told }));
    }
}

impl Owner {
    /// Ends the process by force, and all that it has started.
    fn kill(&mut self) {
        // They may have ended meanwhile.
        if let Ok(id) = i32::try_from(self.process) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        let _ = self.child.start_kill();
    }
}

fn exit_of(status: ExitStatus) -> RuntimeExit {
    match (status.code(), status.signal()) {
        (Some(code), _) => RuntimeExit::Status(code),
        (None, Some(signal)) => RuntimeExit::Signal(signal.to_string()),
        (None, None) => RuntimeExit::Status(1),
    }
}

/// The log of an environment: what its process writes and what the platform says, on its way to the console.
struct Journal {
    console: Option<Console>,
    function: String,
    /// The invocations under way, by their ids, and the logs of each.
    open: Mutex<Vec<(String, Vec<u8>)>>,
    /// Those who want everything to be read that the process has written so far.
    readers: Mutex<Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>>,
}

impl Journal {
    fn new(options: &EmulatorOptions) -> Arc<Self> {
        Arc::new(Self {
            console: options.console.clone(),
            function: options.function_name.clone(),
            open: Mutex::default(),
            readers: Mutex::default(),
        })
    }

    /// Begins an invocation's log.
    fn begin(&self, request_id: &str, line: &str) {
        lock(&self.open).push((request_id.to_owned(), Vec::new()));
        self.write(Writer::Platform, line.as_bytes());
    }

    /// Ends an invocation's log and returns the end of it.
    fn end(&self, request_id: &str, lines: &str) -> Bytes {
        self.write(Writer::Platform, lines.as_bytes());
        let mut open = lock(&self.open);
        let Some(place) = open.iter().position(|(id, _)| id == request_id) else {
            return Bytes::new();
        };
        let (_, log) = open.swap_remove(place);
        Bytes::copy_from_slice(&log[log.len().saturating_sub(LOG_TAIL)..])
    }

    fn write(&self, writer: Writer, lines: &[u8]) {
        match lock(&self.open).as_mut_slice() {
            [(_, log)] => append(log, lines),
            // Of several, each has the lines that name it.
            several => {
                for line in lines.split_inclusive(|byte| *byte == b'\n') {
                    for (id, log) in &mut *several {
                        if line.windows(id.len()).any(|part| part == id.as_bytes()) {
                            append(log, line);
                        }
                    }
                }
            }
        }
        if let Some(console) = &self.console {
            console.receive(&self.function, writer, lines);
        }
    }

    /// Returns once everything is read that the process has written so far.
    async fn catch_up(&self) {
        let readers = lock(&self.readers).clone();
        for reader in readers {
            let (done, is_done) = oneshot::channel();
            if reader.send(done).is_ok() {
                // A reader that ends meanwhile has read everything.
                let _ = is_done.await;
            }
        }
    }

    /// Reads a pipe until all its writers have closed it.
    fn read(
        journal: &Arc<Self>,
        pipe: OwnedFd,
        writer: Writer,
    ) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        // As a pipe it tells when there is something; as a file it can be asked at any time. Neither blocks.
        let pipe = pipe::Receiver::from_owned_fd(pipe)?;
        let file = File::from(pipe.as_fd().try_clone_to_owned()?);
        let (sender, mut wanted) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        lock(&journal.readers).push(sender);
        let journal = Arc::clone(journal);
        Ok(async move {
            let mut lines = Lines { journal: &journal, writer, begun: Vec::new() };
            loop {
                tokio::select! {
                    ready = pipe.readable() => {
                        match ready.and_then(|()| lines.take(|bytes| pipe.try_read(bytes))) {
                            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                            Ok(0) | Err(_) => break,
                            Ok(_) => {}
                        }
                    }
                    Some(done) = wanted.recv() => {
                        while lines.take(|bytes| (&file).read(bytes)).is_ok_and(|read| read > 0) {}
                        lines.finish();
                        let _ = done.send(());
                    }
                }
            }
            lines.finish();
        })
    }
}

/// Appends to a log of which the end is kept.
fn append(log: &mut Vec<u8>, lines: &[u8]) {
    log.extend_from_slice(lines);
    if log.len() > 2 * KEPT {
        log.drain(..log.len() - KEPT);
    }
}

/// What was read of a pipe, passed on line by line.
struct Lines<'j> {
    journal: &'j Journal,
    writer: Writer,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl Lines<'_> {
    /// Reads once.
    fn take(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let read = read(&mut bytes)?;
        self.begun.extend_from_slice(&bytes[..read]);
        if let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.begun.split_off(end + 1);
            self.journal.write(self.writer, &self.begun);
            self.begun = rest;
        }
        Ok(read)
    }

    /// Ends a line that has no end.
    fn finish(&mut self) {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            self.journal.write(self.writer, &self.begun);
            self.begun.clear();
        }
    }
}
