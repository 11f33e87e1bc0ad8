//! The program that runs a function behind Scaleway's upstream protocol, for as long as the server does.

use super::{Usage, address, print_beside, scaleway::variable};
use crate::{http::SubRuntime, worker::spawn_beside};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    env, io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

const PORT: &str = "SCW_UPSTREAM_PORT";
const DEFAULT_PORT: u16 = 8081;
const HOST: &str = "SCW_UPSTREAM_HOST";
const IS_BINARY: &str = "SCW_HANDLER_IS_BINARY";
const BINARY: &str = "SCW_RUNTIME_BINARY";
/// Time between two looks at whether the program still runs.
const PAUSE: Duration = Duration::from_millis(50);
/// Time that the program has to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A program, before it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// Its file, and what it is told.
    words: Vec<String>,
    port: u16,
}

impl Program {
    /// Returns the program that the variables name for the handler at this path.
    ///
    /// # Errors
    /// [`Usage`] where they name none, or a port that is none.
    pub(super) fn named(handler: &Path) -> Result<Self, Usage> {
        let words = if is_binary() {
            vec![handler.display().to_string()]
        } else if let Some(binary) = variable(BINARY) {
            [binary].into_iter().chain(variable("SCW_RUNTIME_BRIDGE")).collect()
        } else {
            let message = format!(
                "--sub-runtime runs the program that {IS_BINARY}=true or {BINARY} names: set one of them"
            );
            return Err(Usage(message));
        };
        let port = variable(PORT).map_or(Ok(DEFAULT_PORT), |text| address::port(&text));
        let port = port.map_err(|why| Usage(format!("the environment variable {PORT}: {why}")))?;
        Ok(Self { words, port })
    }

    /// Makes the engine of the functions that it runs.
    ///
    /// # Errors
    /// [`Usage`] where a variable names a host that is none.
    pub(super) fn engine(&self, name: &str, handler: &Path) -> Result<SubRuntime, Usage> {
        let host = variable(HOST).unwrap_or_else(|| "http://127.0.0.1".to_owned());
        SubRuntime::new(&host, self.port, name, handler.display().to_string())
            .map_err(|why| Usage(format!("the environment variable {HOST}: {why}")))
    }

    /// Starts it. If it ends by itself, so does this process: nobody else could answer.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn start(&self) -> anyhow::Result<Running> {
        let name = self.words.join(" ");
        let child = Command::new(&self.words[0])
            .args(&self.words[1..])
            .env(PORT, self.port.to_string())
            // Signals of a terminal are for the server, which ends it last.
            .process_group(0)
            .spawn()
            .map_err(|error| anyhow::anyhow!("'{name}' cannot be started: {error}"))?;
        print_beside(&format!(
            "warning: '{name}' answers requests, by Scaleway's upstream protocol on port {}: slower than a function in \
             this process, and without its limits\n",
            self.port
        ));
        let running = Running { child: Arc::new(Mutex::new(Some(child))) };
        let watched = running.child.clone();
        spawn_beside("trine-sub-runtime", move || {
            loop {
                match locked(&watched).as_mut().map(Child::try_wait) {
                    None => return,
                    Some(Ok(None)) => {}
                    Some(ended) => {
                        let how = match ended {
                            Ok(Some(status)) => status.to_string(),
                            _ => "it cannot be waited for".to_owned(),
                        };
                        print_beside(&format!("error: '{name}' has ended: {how}\n"));
                        trine_process::end(1);
                    }
                }
                thread::sleep(PAUSE);
            }
        })?;
        Ok(running)
    }
}

/// Whether the handler is a program itself.
pub(super) fn is_binary() -> bool {
    env::var(IS_BINARY).is_ok_and(|value| value == "true")
}

/// A program that runs. Ended when dropped.
#[derive(Debug)]
pub(super) struct Running {
    /// Nothing once it is being ended.
    child: Arc<Mutex<Option<Child>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let child = locked(&self.child).take();
        if let Some(mut child) = child {
            // One that cannot be ended has ended.
            let _ = end(&mut child);
        }
    }
}

/// Ends a program: in good order where it does so in time, else by force.
fn end(child: &mut Child) -> io::Result<()> {
    if let Ok(id) = i32::try_from(child.id()) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
    let asked = Instant::now();
    while asked.elapsed() < END_LIMIT {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait().map(drop)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
