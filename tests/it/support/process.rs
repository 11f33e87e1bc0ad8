//! The binary as a process that never outlives its test.

use super::{Folder, LIMIT, eventually};
use std::{
    ffi::OsStr,
    fmt,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Instant,
};

/// Variables of this process that its children keep. Any other might change what is tested.
const KEPT: &[&str] = &["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

/// Makes a command for `program` in the task root of `folder`, with a clean environment.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.task()).env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("TRINE_LAYER_ROOT", folder.layers());
    command
}

/// Returns the path of the binary that is tested: the one of this build, or another one that `TRINE_BINARY` names, such
/// as the one that ships.
pub(crate) fn binary() -> String {
    std::env::var("TRINE_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_trine").to_owned())
}

/// Makes the command `trine` with these arguments in the task root of `folder`.
pub(crate) fn trine(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = command(binary(), folder);
    command.args(arguments);
    command
}

/// The end of a process, and what it wrote.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) raw_stdout: Vec<u8>,
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: Command) -> Finished {
    Process::start(command).finish()
}

/// Runs a command to its end, with `input` on its standard input.
#[track_caller]
pub(crate) fn run_with_input(command: Command, input: &[u8]) -> Finished {
    let (process, mut stdin) = Process::typed_to(command);
    stdin.write_all(input).unwrap();
    drop(stdin);
    process.finish()
}

/// A running process. Killed when dropped.
pub(crate) struct Process {
    pub(crate) id: u32,
    child: Arc<Mutex<Child>>,
    stdout: Output,
    stderr: Output,
}

/// The output of a process so far.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Process {
    /// Starts a command, with nothing on its standard input.
    pub(crate) fn start(command: Command) -> Self {
        Self::begin(command, Stdio::null())
    }

    /// Starts a command. Returns what its standard input is written to.
    pub(crate) fn typed_to(command: Command) -> (Self, ChildStdin) {
        let process = Self::begin(command, Stdio::piped());
        let typed = process.child.lock().unwrap().stdin.take().unwrap();
        (process, typed)
    }

    /// Starts a command with this on its standard input.
    pub(crate) fn begin(mut command: Command, stdin: Stdio) -> Self {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        Self { id: child.id(), child: Arc::new(Mutex::new(child)), stdout, stderr }
    }

    /// Returns what it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Returns what it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Returns its status, if it has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    /// Calls `ended` on a thread of its own once the process has ended.
    pub(crate) fn when_ended(&self, ended: impl FnOnce(ExitStatus) + Send + 'static) {
        let child = Arc::clone(&self.child);
        thread::spawn(move || {
            loop {
                if let Ok(Some(status)) = child.lock().unwrap().try_wait() {
                    return ended(status);
                }
                thread::sleep(std::time::Duration::from_millis(10));
            }
        });
    }

    /// Sends a signal by its name: `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.id);
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for its end and returns the exit code, or the signal that killed it with a minus sign.
    #[track_caller]
    pub(crate) fn wait(&self) -> Option<i32> {
        let status = eventually(&format!("the process ends\n{self:?}"), || self.status());
        status.code().or_else(|| status.signal().map(|signal| -signal))
    }

    /// Waits for its end and for the end of its output.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let code = self.wait();
        let raw_stdout = self.stdout.rest();
        let stdout = String::from_utf8_lossy(&raw_stdout).into_owned();
        let stderr = String::from_utf8_lossy(&self.stderr.rest()).into_owned();
        Finished { code, stdout, stderr, raw_stdout }
    }

    /// Returns the names of its threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id)).unwrap();
        let name = |path: &Path| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        tasks.map(|task| name(&task.unwrap().path()).trim().to_owned()).collect()
    }

    /// Returns a value of `/proc/<id>/status` in kB: `VmRSS`.
    pub(crate) fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        // It may already have ended.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--- stdout\n{}\n--- stderr\n{}\n---", last(&self.stdout()), last(&self.stderr()))
    }
}

/// Returns the end of a long text.
fn last(text: &str) -> &str {
    let from = text.len().saturating_sub(4000);
    &text[text.ceil_char_boundary(from)..]
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut piece = [0; 65536];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                kept.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Returns everything, once nobody holds the pipe any more.
    fn rest(&mut self) -> Vec<u8> {
        let until = Instant::now() + LIMIT;
        while !self.reader.is_finished() && Instant::now() < until {
            thread::sleep(std::time::Duration::from_millis(1));
        }
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}
