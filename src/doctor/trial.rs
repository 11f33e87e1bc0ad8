//! The trial start of a function: as Lambda starts it, up to the moment in which it asks for its first event.
//!
//! It runs in a process of its own, under a Runtime API of this process. No event is sent, so no handler is called; the
//! function's top-level code, its middlewares and their `init` hooks run.

use crate::engines::plug_ins_of_children;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    env,
    fs::File,
    io::{self, Read, Seek},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use trine_emulator::{Emulator, EmulatorOptions, InitFailure};
use trine_engine::{CHILD_MARK, Finding};

/// The time that Lambda gives a function to start.
const LAMBDA_LIMIT: Duration = Duration::from_secs(10);
/// The time after which a start is given up here: machines differ.
const LIMIT: Duration = Duration::from_secs(60);
/// The time that a process has to end, once it was asked to.
const END_LIMIT: Duration = Duration::from_secs(10);
/// Default memory of the function, in MB: enough for one core.
const MEMORY_MB: u32 = 1769;
/// Number of lines of a process's output that are told.
const LINES: usize = 20;

/// A function that is to be started once.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'t> {
    /// The runtime: this program's file, or another build of it.
    pub runtime: &'t Path,
    /// The task root.
    pub root: &'t Path,
    /// The handler as the user wrote it; else the environment names it.
    pub handler: Option<&'t str>,
    /// The folder that layers are unpacked to.
    pub layer_root: &'t Path,
    /// Whether what makes the next start faster is left in the task root alone, wherever the environment wants it.
    pub keeps_cache: bool,
}

/// The outcome of a trial.
#[derive(Debug)]
pub enum Outcome {
    /// It asked for an event.
    Ready {
        /// The time that it took.
        after: Duration,
    },
    /// It said why it could not start.
    Failed {
        /// The error's type and message.
        error: String,
        /// The error's stack.
        stack: String,
    },
    /// Its process ended without a word.
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its output.
        output: String,
    },
    /// It was still starting when it was given up.
    Late {
        /// The end of its output.
        output: String,
    },
    /// It could not be started, or there could be no Runtime API for it.
    NotTried(io::Error),
}

impl Trial<'_> {
    /// Starts the function, waits until it is ready, and ends it.
    pub fn run(&self) -> Outcome {
        self.start().unwrap_or_else(Outcome::NotTried)
    }

    fn start(&self) -> io::Result<Outcome> {
        let memory = env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok();
        let emulator = Emulator::spawn_thread(EmulatorOptions {
            init_timeout: LIMIT,
            memory_mb: memory.and_then(|text| text.parse().ok()).unwrap_or(MEMORY_MB),
            handler: self.handler.unwrap_or_default().to_owned(),
            function_name: "function".to_owned(),
            ..EmulatorOptions::default()
        })?;
        let mut output = tempfile::tempfile().map_err(|error| {
            let why = format!("there is no place for its output: {error}; set TMPDIR to a folder that can be written");
            io::Error::new(error.kind(), why)
        })?;
        let mut command = Command::new(self.runtime);
        command
            .arg0("bootstrap")
            .current_dir(self.root)
            .envs(emulator.environment())
            .env("LAMBDA_TASK_ROOT", self.root)
            .env("LAMBDA_RUNTIME_DIR", "/var/runtime")
            .env("TRINE_LAYER_ROOT", self.layer_root)
            .envs(plug_ins_of_children())
            .env_remove("_X_AMZN_TRACE_ID")
            .env_remove(CHILD_MARK)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        if self.keeps_cache {
            command.env_remove("TRINE_CODE_CACHE");
        }
        let begun = Instant::now();
        let mut child = command.spawn()?;
        let outcome = loop {
            if emulator.wait_for_next_blocking(Duration::from_millis(10)) {
                break Outcome::Ready { after: begun.elapsed() };
            }
            let failure = emulator.init_error();
            if let Some(status) = child.try_wait()? {
                break match failure.or_else(|| emulator.init_error()) {
                    Some(failure) => told(&failure),
                    None => Outcome::Ended { status, output: end_of(&mut output) },
                };
            }
            if begun.elapsed() > LIMIT {
                break Outcome::Late { output: end_of(&mut output) };
            }
        };
        end(&mut child)?;
        Ok(outcome)
    }
}

/// Ends a process: in good order, so that it leaves what it keeps for the next start, or by force.
fn end(child: &mut Child) -> io::Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    if let Ok(id) = i32::try_from(child.id()) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
    let asked = Instant::now();
    while asked.elapsed() < END_LIMIT {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait().map(drop)
}

/// Returns the outcome of a start whose error the runtime has reported.
fn told(failure: &InitFailure) -> Outcome {
    let document: Value = serde_json::from_slice(&failure.body).unwrap_or_default();
    let member = |name: &str| document[name].as_str().unwrap_or_default();
    let (kind, message) = (member("errorType"), member("errorMessage"));
    let error = if message.is_empty() { kind.to_owned() } else { format!("{kind}: {message}") };
    // Languages have names of their own for it.
    let members = document.as_object().into_iter().flat_map(|document| document.values());
    let lines = members.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let lines: Vec<&str> = lines.map(str::trim_end).filter(|line| *line != error).collect();
    Outcome::Failed { error, stack: lines.join("\n") }
}

/// Returns the last lines of an output.
fn end_of(output: &mut File) -> String {
    let mut bytes = Vec::new();
    let _ = output.rewind().and_then(|()| output.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

impl Outcome {
    /// Returns the finding that tells of it.
    pub fn finding(&self) -> Finding {
        match self {
            Self::Ready { after } if *after > LAMBDA_LIMIT => Finding::warn(
                "start",
                format!("the handler took {} s to load", after.as_secs()),
                "Lambda gives 10 s for it and then starts again: load less, or later",
            ),
            Self::Ready { .. } => Finding::ok("start", "the handler loads"),
            _ => {
                let (what, advice) = self.failure().unwrap_or_default();
                Finding::fail("start", what, advice)
            }
        }
    }

    /// Returns the error's stack, or the end of what it wrote; empty where it got ready.
    pub fn output(&self) -> &str {
        match self {
            Self::Failed { stack, .. } => stack,
            Self::Ended { output, .. } | Self::Late { output } => output.trim(),
            Self::Ready { .. } | Self::NotTried(_) => "",
        }
    }

    /// Returns why it did not get ready, and what to do; `None` where it did.
    pub fn failure(&self) -> Option<(String, String)> {
        match self {
            Self::Ready { .. } => None,
            Self::Failed { error, .. } => {
                let what = format!("the handler does not load: {error}");
                Some((what, "mend what the error names".to_owned()))
            }
            Self::Ended { status, .. } => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("exit status {code}"),
                    (None, Some(signal)) => format!("signal {signal}"),
                    (None, None) => status.to_string(),
                };
                let what =
                    format!("the process ended while it loaded the handler: {how}{}", self.last());
                let advice = "look for an exit at the top level, or for compiled code that crashes";
                Some((what, advice.to_owned()))
            }
            Self::Late { .. } => {
                let time = LIMIT.as_secs();
                let what = format!("the handler was still loading after {time} s{}", self.last());
                Some((what, "look for what its top-level code waits for".to_owned()))
            }
            Self::NotTried(error) => {
                let what = format!("the runtime cannot be started: {error}");
                Some((what, "name a runtime that runs on this machine with --runtime".to_owned()))
            }
        }
    }

    /// Returns the last line that it wrote, as the end of a sentence.
    fn last(&self) -> String {
        let last = self.output().lines().last();
        last.map_or_else(String::new, |line| format!("; its last line is: {line}"))
    }
}
