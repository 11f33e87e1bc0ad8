//! A resident language runtime behind two named pipes, a JSON document per line in each direction, and a process for
//! each hook of each invocation.

use crate::function::{Function, run_to_end, spawn};
use anyhow::{Context, bail};
use bytes::Bytes;
use nix::{sys::stat::Mode, unistd::mkfifo};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// Default capacity of a pipe.
const PIPE_SIZE: usize = 64 * 1024;
/// Interval at which the language runtime is checked while it starts.
const LOOK_AFTER: Duration = Duration::from_millis(50);

/// A language runtime that is ready.
pub(crate) struct Pipes {
    function: Function,
    child: Child,
    events: File,
    answers: BufReader<File>,
}

impl Pipes {
    /// Starts the language runtime and waits until it has loaded the handler and opened its pipes.
    pub(crate) fn start(function: Function) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for the pipes")?;
        let (events, answers) = (folder.path().join("events"), folder.path().join("answers"));
        for pipe in [&events, &answers] {
            mkfifo(pipe, Mode::S_IRUSR | Mode::S_IWUSR)
                .with_context(|| format!("cannot make the pipe {}", pipe.display()))?;
        }
        let mut command = function.command("pipes")?;
        command.arg(&function.file).arg(&function.name).args([&events, &answers]);
        // What functions print is their log: it must not mix with the protocol.
        let mut child = spawn(command.stdin(Stdio::null()))?;

        // An end opens only when the runtime opens the other one.
        let (opened, open) = channel();
        thread::spawn(move || {
            let ends = File::options().write(true).open(events);
            let ends = ends.and_then(|events| Ok((events, File::open(answers)?)));
            // Nobody waits any more when the runtime has ended.
            let _ = opened.send(ends);
        });
        let (events, answers) = loop {
            match open.recv_timeout(LOOK_AFTER) {
                Ok(ends) => break ends.context("cannot open the pipes")?,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = child.try_wait()? {
                        bail!("the language runtime did not start: {status}");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the pipes were not opened"),
            }
        };
        let answers = BufReader::with_capacity(PIPE_SIZE, answers);
        Ok(Self { function, child, events, answers })
    }

    /// Returns the answer to an event that has gone through the hooks. Blocks this thread: meanwhile there is nothing
    /// else to do.
    pub(crate) fn answer(&mut self, mut event: Bytes) -> anyhow::Result<Bytes> {
        for hook in &self.function.hooks {
            let mut program = Command::new(self.function.hook_program(hook));
            event = run_to_end(program.arg("before"), &event)?;
            if event.ends_with(b"\n") {
                event.truncate(event.len() - 1);
            }
        }
        let answer = self.exchange(event).map_err(anyhow::Error::from);
        answer.or_else(|error| match self.child.wait() {
            Ok(status) => bail!("the language runtime has ended: {status}"),
            Err(_) => Err(error),
        })
    }

    /// Sends one line and reads one line back.
    fn exchange(&mut self, event: Bytes) -> io::Result<Bytes> {
        let mut line = Vec::with_capacity(event.len() + 1);
        line.extend_from_slice(&event);
        // A line break is just whitespace between JSON's tokens.
        line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        line.push(b'\n');
        self.events.write_all(&line)?;
        let mut answer = Vec::with_capacity(line.len());
        self.answers.read_until(b'\n', &mut answer)?;
        match answer.pop() {
            Some(b'\n') => Ok(answer.into()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
