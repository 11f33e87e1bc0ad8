//! A runtime's process and the emulated Runtime API that it polls.

use crate::{bed::Folder, events::parsed, language::Language};
use bytes::Bytes;
use futures::future::join_all;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime;
use trine_emulator::{Emulator, EmulatorOptions, Event, RuntimeExit};

/// Maximum time a process may take until it asks for its first event.
const START: Duration = Duration::from_secs(60);
/// The timeout of an invocation. A runtime may watch it; none comes close.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of waiting events, so that `/next` never has to wait.
const BATCH: u64 = 500;

/// The time that a runtime has between two streams to ask for the next event.
const BETWEEN_STREAMS: Duration = Duration::from_millis(1);

/// A streamed answer: its length in bytes, and when it began and ended, since its event was sent.
struct Streamed {
    length: usize,
    begun: Duration,
    ended: Duration,
}

/// The program to start.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) function: Folder,
}

/// A program and the Runtime API for it. The process ends when this is dropped.
pub(crate) struct Lambda {
    program: Program,
    child: Option<Child>,
    emulator: Emulator,
    runtime: runtime::Runtime,
}

/// Returns the folder of the binaries that cargo has built together with this one.
pub(crate) fn binaries() -> PathBuf {
    let own = env::current_exe().expect("a process knows its binary");
    let folder = own.ancestors().nth(2).expect("benches lie in a folder below that of binaries");
    folder.to_owned()
}

/// Returns the folder into which peers are installed.
pub(crate) fn peers() -> PathBuf {
    let home = || Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cache/trine/peers");
    env::var_os("TRINE_BENCH_PEERS").map_or_else(home, PathBuf::from)
}

impl Program {
    /// Returns Trine with an echo.
    pub(crate) fn trine(language: Language) -> Self {
        let path = binaries().join("trine");
        Self { path, arguments: &[], function: Folder::new(language, language.echo) }
    }
}

impl Lambda {
    /// Starts a Runtime API, but not the program yet.
    pub(crate) fn new(program: Program) -> Self {
        Self::taking(program, 1)
    }

    /// As [`Lambda::new`], for a program that takes so many events at once.
    pub(crate) fn taking(program: Program, concurrency: usize) -> Self {
        let options = EmulatorOptions {
            concurrency,
            timeout: TIMEOUT,
            init_timeout: START,
            handler: "app.handler".to_owned(),
            queue_length: BATCH as usize,
            log_length: 0,
            records_length: 0,
            ..EmulatorOptions::default()
        };
        let emulator = Emulator::spawn_thread(options).expect("the loopback has a free port");
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has an event queue left");
        Self { program, child: None, emulator, runtime }
    }

    /// Starts the program; returns the time until it asks for its first event.
    pub(crate) fn start(&mut self) -> Duration {
        let Program { path, arguments, function } = &self.program;
        let mut command = Command::new(path);
        command.args(*arguments).current_dir(function.task()).stdin(Stdio::null());
        command.stdout(Stdio::null()).env_clear().envs(self.emulator.environment());
        command.env("LAMBDA_TASK_ROOT", function.task());
        for name in ["PATH", "HOME"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        let started = Instant::now();
        let child = command.spawn();
        self.child = Some(child.unwrap_or_else(|error| {
            panic!("{} cannot be started ({error}); is it built?", path.display())
        }));
        let asked = self.runtime.block_on(self.emulator.wait_for_next(START));
        let taken = started.elapsed();
        assert!(asked, "{} asks for no event: {:?}", path.display(), self.emulator.init_error());
        taken
    }

    /// Ends the process.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It may already have ended.
        let _ = child.kill();
        let _ = child.wait();
        self.emulator.runtime_exited(&RuntimeExit::Signal("killed".to_owned()));
    }

    /// Makes sure that an event comes back unchanged.
    pub(crate) fn check(&self, event: &Bytes) {
        let outcome = self.runtime.block_on(self.emulator.invoke(Event::new(event.clone())));
        let program = self.program.path.display();
        assert!(outcome.is_response(), "{program}: {outcome:?}");
        assert_eq!(outcome.json(), parsed(event), "the answer of {program}");
        self.emulator.assert_clean();
    }

    /// Returns the length of a streamed answer.
    pub(crate) fn streamed(&self, event: &Bytes) -> usize {
        let length = self.runtime.block_on(self.stream(event)).length;
        self.emulator.assert_clean();
        length
    }

    /// Has `count` answers streamed, one after the other; returns the total time from sending the event to the first
    /// bytes.
    pub(crate) fn first_bytes(&self, event: &Bytes, count: u64) -> Duration {
        self.sum(event, count, |streamed| streamed.begun)
    }

    /// As [`Lambda::first_bytes`], to the end of each answer.
    pub(crate) fn streams(&self, event: &Bytes, count: u64) -> Duration {
        self.sum(event, count, |streamed| streamed.ended)
    }

    fn sum(&self, event: &Bytes, count: u64, which: impl Fn(Streamed) -> Duration) -> Duration {
        self.runtime.block_on(async {
            let mut taken = Duration::ZERO;
            for _ in 0..count {
                taken += which(self.stream(event).await);
                // A stream ends with its connection: the next event is asked for on another one.
                tokio::time::sleep(BETWEEN_STREAMS).await;
            }
            taken
        })
    }

    async fn stream(&self, event: &Bytes) -> Streamed {
        let sent = Instant::now();
        let mut answer = self.emulator.invoke_streaming(Event::new(event.clone()));
        let mut length = answer.chunk().await.map_or(0, |chunk| chunk.len());
        let begun = sent.elapsed();
        while let Some(chunk) = answer.chunk().await {
            length += chunk.len();
        }
        let ended = sent.elapsed();
        let outcome = answer.finish().await;
        assert!(outcome.is_response(), "{outcome:?}");
        Streamed { length, begun, ended }
    }

    /// Has `together` events answered side by side, `rounds` times; returns how long that took.
    pub(crate) fn rounds(&self, event: &Bytes, together: usize, rounds: u64) -> Duration {
        let invoke = |_| self.emulator.invoke(Event::new(event.clone()));
        self.runtime.block_on(async {
            let started = Instant::now();
            for _ in 0..rounds {
                for outcome in join_all((0..together).map(invoke)).await {
                    assert_eq!(outcome.json(), parsed(event), "{outcome:?}");
                }
            }
            started.elapsed()
        })
    }

    /// Has `count` waiting events answered; returns the total time from handing out each one to the end of its answer.
    pub(crate) fn invocations(&self, event: &Bytes, count: u64) -> Duration {
        let mut taken = Duration::ZERO;
        let mut left = count;
        while left > 0 {
            let batch = left.min(BATCH);
            let invoke = |_| self.emulator.invoke(Event::new(event.clone()));
            for outcome in self.runtime.block_on(join_all((0..batch).map(invoke))) {
                assert!(outcome.is_response(), "{outcome:?}");
                taken += outcome.duration;
            }
            left -= batch;
        }
        taken
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.stop();
    }
}
