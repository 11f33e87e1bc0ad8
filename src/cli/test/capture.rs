//! What functions log and print while their cases run: kept apart from the report, and shown where a case fails.

use anyhow::Context;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::{
    fs::File,
    io::{self, Write, stdout},
    os::unix::fs::FileExt,
    sync::Arc,
};
use trine_engine::{LogSink, Stream};

/// The largest part of a case's output that is kept, in bytes: the end of it.
const KEPT: u64 = 1 << 20;

/// The place of all output.
#[derive(Clone)]
pub(super) struct Capture(Arc<File>);

impl Capture {
    /// Begins to take what goes to standard output, by whatever means. Returns the real one as well, for the report.
    pub(super) fn begin() -> anyhow::Result<(Self, File)> {
        let out = nix::unistd::dup(stdout()).context("cannot use standard output")?;
        let taken = tempfile::tempfile().context("cannot make a file for what functions print")?;
        // Several write to it, each behind the others.
        fcntl(&taken, FcntlArg::F_SETFL(OFlag::O_APPEND)).context("cannot append to a file")?;
        nix::unistd::dup2_stdout(&taken).context("cannot redirect standard output")?;
        Ok((Self(Arc::new(taken)), File::from(out)))
    }

    /// Returns what was written since the last time.
    pub(super) fn take(&self) -> String {
        self.read().unwrap_or_default()
    }

    fn read(&self) -> io::Result<String> {
        let length = self.0.metadata()?.len();
        let from = length.saturating_sub(KEPT);
        let mut bytes = vec![0; usize::try_from(length - from).unwrap_or_default()];
        self.0.read_exact_at(&mut bytes, from)?;
        self.0.set_len(0)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(if from > 0 { format!("… {from} bytes before\n{text}") } else { text })
    }
}

impl LogSink for Capture {
    fn write(&self, _stream: Stream, line: &[u8]) {
        // What has no room is dropped, as the trait has it.
        let _ = (&*self.0).write_all(line);
    }

    fn joins_lines(&self) -> bool {
        false
    }
}
