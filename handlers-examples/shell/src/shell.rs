//! Shell scripts as handlers: each event starts the system's `sh`, reads what it prints, and ends whatever it has left
//! running.
//!
//! The event is on standard input, and in `$EVENT` up to 100 KiB. What the script prints is the answer, as it is; what it
//! writes to standard error goes to the log. An exit status other than 0 is an error.

use std::{
    io::{self, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};
use trine_engine::{
    Engine, EngineInfo, Error, ErrorKind, Frame, Invocation, Output, Result, Simple,
    SimpleEnvironment, SimpleRuntime,
};

/// Maximum number of bytes of an answer: what Lambda takes.
const ANSWER_LIMIT: usize = 6 << 20;
/// Maximum number of bytes of an event that `$EVENT` holds; Linux takes 128 KiB a variable.
const EVENT_LIMIT: usize = 100 << 10;
/// Maximum number of bytes of standard error's last line that an error quotes.
const QUOTED: usize = 1000;
/// Time that is left for the answer when a script is stopped.
const MARGIN: Duration = Duration::from_millis(50);
/// Time that output may still take when the script has ended: only what has left its process group can still write.
const GRACE: Duration = Duration::from_millis(100);
/// Linux's number of SIGKILL.
const KILL: i32 = 9;

/// Returns the engine of files that end in `.sh`.
pub(crate) fn engine() -> impl Engine {
    let info = EngineInfo::new("shell", "Shell", "sh").with_extensions(&["sh"]);
    // Scripts commonly lie beside handlers without being any.
    let info = info.with_yields(true);
    Simple::new(info, Shell::default)
}

#[derive(Default)]
struct Shell {
    task_root: PathBuf,
    script: PathBuf,
    /// The function to call when the script has run; empty where the script itself is the handler.
    function: String,
}

impl SimpleRuntime for Shell {
    fn setup(&mut self, environment: &SimpleEnvironment) -> Result<()> {
        let path = &environment.path;
        let source = std::fs::read(path).map_err(|e| {
            Error::new(ErrorKind::ImportModule, format!("cannot read {}: {e}", path.display()))
        })?;
        check(path)?;
        self.task_root = environment.task_root.clone();
        self.script = path.clone();
        if defines(&String::from_utf8_lossy(&source), &environment.export) {
            self.function = environment.export.clone();
        }
        Ok(())
    }

    fn invoke(&mut self, event: &[u8], invocation: &Invocation) -> Result<Output> {
        let until = deadline(invocation);
        let mut run = Run::start(self.command(event, invocation), event)?;
        let end = run.wait(until);
        run.end_group();
        let status = end?;
        run.drain()?;
        if status.success() {
            return Ok(Output::Raw(run.answer.into()));
        }
        Err(failure(status, &String::from_utf8_lossy(&run.line), &self.script))
    }
}

impl Shell {
    fn command(&self, event: &[u8], invocation: &Invocation) -> Command {
        let mut command = Command::new("sh");
        if self.function.is_empty() {
            command.arg(&self.script);
        } else {
            // Both are arguments, not text of the program: no name can become a command.
            command.args(["-c", ". \"$0\" && \"$1\""]).arg(&self.script).arg(&self.function);
        }
        let deadline = invocation.deadline_ms.map(|deadline| deadline.to_string());
        let variables = [
            ("TRINE_REQUEST_ID", Some(invocation.request_id.as_str())),
            ("TRINE_DEADLINE_MS", deadline.as_deref()),
            ("TRINE_FUNCTION_ARN", invocation.invoked_function_arn.as_deref()),
            ("_X_AMZN_TRACE_ID", invocation.trace_id.as_deref()),
            ("EVENT", event_text(event)),
        ];
        for (name, value) in variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(&self.task_root).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Returns the event where a variable can hold it.
fn event_text(event: &[u8]) -> Option<&str> {
    let fits = event.len() <= EVENT_LIMIT && !event.contains(&0);
    fits.then_some(event).and_then(|event| std::str::from_utf8(event).ok())
}

fn deadline(invocation: &Invocation) -> Option<Instant> {
    let left = Duration::from_millis(invocation.remaining_ms()?.max(0) as u64);
    Instant::now().checked_add(left.saturating_sub(MARGIN))
}

/// Whether a script defines a function on a line of its own: `name()`, `name ()` or `function name`.
fn defines(source: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_word) {
        return false;
    }
    source.lines().map(str::trim_start).any(|line| {
        let keyword = line.strip_prefix("function").filter(|rest| rest.starts_with([' ', '\t']));
        let rest = keyword.unwrap_or(line).trim_start().strip_prefix(name);
        let Some(rest) = rest.filter(|rest| !rest.starts_with(is_word)) else { return false };
        keyword.is_some() || rest.trim_start().starts_with('(')
    })
}

/// Has the shell parse a script without running it.
fn check(path: &Path) -> Result<()> {
    let output = Command::new("sh").arg("-n").arg(path).stdin(Stdio::null()).output();
    let output = output.map_err(|e| Error::internal(format!("sh cannot be started: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let told = told.lines().next().unwrap_or("sh does not parse it and does not say why");
    let error = Error::new(ErrorKind::UserCodeSyntax, told);
    Err(error.with_frames(place(told, path)))
}

/// Finds the line that a shell's message is about: `app.sh: 3: Syntax error`, `app.sh: line 3: syntax error`.
fn place(message: &str, script: &Path) -> Option<Frame> {
    let file = script.display().to_string();
    let rest = message.strip_prefix(&file)?.strip_prefix(':')?.trim_start();
    let digits = rest.strip_prefix("line ").unwrap_or(rest);
    let line = digits.split(':').next()?.parse().ok()?;
    Some(Frame { file, line, ..Frame::default() })
}

fn failure(status: ExitStatus, last_line: &str, script: &Path) -> Error {
    let status = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    };
    let last_line = last_line.trim();
    let message = if last_line.is_empty() { status } else { format!("{status}: {last_line}") };
    Error::guest("Shell.Failed", message).with_frames(place(last_line, script))
}

/// Something that a running script did.
enum Heard {
    Printed(Vec<u8>),
    Logged(Vec<u8>),
    /// Standard output, or standard error, was closed by all that had it.
    Closed,
    Ended(io::Result<ExitStatus>),
}

/// A script at work.
struct Run {
    group: i32,
    heard: Receiver<Heard>,
    /// Outputs that are still open.
    open: u8,
    answer: Vec<u8>,
    /// Standard error's last line that is not empty, while the one after it begins.
    line: Vec<u8>,
    is_line_whole: bool,
}

impl Run {
    fn start(mut command: Command, event: &[u8]) -> Result<Self> {
        let started = command.spawn();
        let mut child =
            started.map_err(|e| Error::internal(format!("sh cannot be started: {e}")))?;
        let group = child.id() as i32;
        // Few messages are on their way at a time, so that a script that prints without end waits instead of filling memory.
        let (tell, heard) = sync_channel(16);
        let event = event.to_vec();
        if let Some(mut input) = child.stdin.take() {
            // A script need not read its event.
            thread::spawn(move || drop(input.write_all(&event)));
        }
        if let Some(output) = child.stdout.take() {
            pass_on(output, Heard::Printed, tell.clone());
        }
        if let Some(output) = child.stderr.take() {
            pass_on(output, Heard::Logged, tell.clone());
        }
        wait_for(child, tell);
        let (answer, line) = (Vec::new(), Vec::new());
        Ok(Self { group, heard, open: 2, answer, line, is_line_whole: false })
    }

    /// Takes what the script prints until it has ended.
    fn wait(&mut self, until: Option<Instant>) -> Result<ExitStatus> {
        let gone = || Error::internal("the threads that watch the script are gone");
        loop {
            let heard = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(left) => self.heard.recv_timeout(left),
                None => self.heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(Heard::Ended(status)) => {
                    return status.map_err(|e| Error::internal(format!("waiting for sh: {e}")));
                }
                Ok(heard) => self.take(heard)?,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::new(ErrorKind::Timeout, Error::STOPPED));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }

    /// Ends all processes that the script has started, whatever they do.
    fn end_group(&self) {
        // Most scripts have left nothing behind, which is an error to the system.
        let _ = trine_process::signal::send(-self.group, KILL);
    }

    /// Takes what was printed before the end.
    fn drain(&mut self) -> Result<()> {
        let until = Instant::now() + GRACE;
        while self.open > 0 {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(heard) = self.heard.recv_timeout(left) else { break };
            self.take(heard)?;
        }
        Ok(())
    }

    fn take(&mut self, heard: Heard) -> Result<()> {
        match heard {
            Heard::Printed(bytes) if self.answer.len() + bytes.len() > ANSWER_LIMIT => {
                let message = format!("the script printed more than {ANSWER_LIMIT} bytes");
                return Err(Error::new(ErrorKind::ResponseTooLarge, message));
            }
            Heard::Printed(bytes) => self.answer.extend(bytes),
            Heard::Logged(bytes) => {
                let _ = io::stderr().write_all(&bytes);
                self.remember(&bytes);
            }
            Heard::Closed => self.open -= 1,
            Heard::Ended(_) => {}
        }
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if part.trim_ascii().is_empty() {
                self.is_line_whole = true;
                continue;
            }
            if std::mem::replace(&mut self.is_line_whole, part.ends_with(b"\n")) {
                self.line.clear();
            }
            let room = QUOTED - self.line.len().min(QUOTED);
            self.line.extend_from_slice(&part[..part.len().min(room)]);
        }
    }
}

/// Passes an output on until it is closed, or nobody listens.
fn pass_on(
    mut from: impl Read + Send + 'static,
    what: fn(Vec<u8>) -> Heard,
    tell: SyncSender<Heard>,
) {
    thread::spawn(move || {
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if tell.send(what(piece[..length].to_vec())).is_err() {
                return;
            }
        }
        let _ = tell.send(Heard::Closed);
    });
}

fn wait_for(mut child: Child, tell: SyncSender<Heard>) {
    thread::spawn(move || {
        let status = child.wait();
        let _ = tell.send(Heard::Ended(status));
    });
}

#[cfg(test)]
mod tests;
