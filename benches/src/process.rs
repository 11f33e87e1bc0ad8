//! The driver's processes: each in a group of its own, with its output in a file, and ended with its whole group
//! whatever becomes of the driver's own work.

use crate::affinity::Cores;
use anyhow::{Context, anyhow};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::Read,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::process::Command;

/// Maximum number of bytes of a process's output that are read.
const OUTPUT_BYTES: u64 = 64 * 1024;

/// The description of a process to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Working directory.
    pub(crate) folder: &'a Path,
    /// The environment, on top of `PATH` and `HOME`.
    pub(crate) environment: Vec<(String, String)>,
    /// Folder for its output; the driver's own output when `None`.
    pub(crate) scratch: Option<&'a Path>,
    /// The processors, if it runs on the contestants'.
    pub(crate) cores: Option<Cores>,
}

/// A started process. Dropping it ends it and everything it started, and waits for it.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    /// The id of both the process and its group.
    pub(crate) id: Pid,
    output: Option<PathBuf>,
    has_ended: bool,
}

impl Launch<'_> {
    /// Starts the process.
    ///
    /// # Errors
    /// When the system refuses, for example because there is no such program.
    pub(crate) fn spawn(self) -> anyhow::Result<Child> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (program, arguments) = self.command.split_first().context("the command is empty")?;
        let output = self.scratch.map(|scratch| {
            scratch.join(format!("output-{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
        });
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null()).process_group(0);
        if let Some(output) = &output {
            let file = File::create(output)
                .with_context(|| format!("cannot write {}", output.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        command.env_clear().envs(base()).envs(self.environment);
        let spawned = match self.cores {
            Some(cores) => cores.among_contestants(|| command.spawn())?,
            None => command.spawn(),
        };
        let process = spawned
            .with_context(|| format!("cannot start {program} in {}", self.folder.display()))?;
        let id = process.id().context("the process has no id")?;
        Ok(Child { process, id: Pid::from_raw(id.try_into()?), output, has_ended: false })
    }
}

/// Returns the part of the driver's environment that all processes get.
fn base() -> impl Iterator<Item = (&'static str, OsString)> {
    let home = env::var_os("HOME").map(|home| ("HOME", home));
    [("PATH", search_path().clone())].into_iter().chain(home)
}

/// Returns `PATH` with the folder of the real Python first: version managers replace it by scripts that take several
/// times as long to start.
fn search_path() -> &'static OsString {
    static PATH: OnceLock<OsString> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = env::var_os("PATH").unwrap_or_default();
        let ask =
            "import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)), end='')";
        let python = std::process::Command::new("python3").args(["-c", ask]).output();
        let folder = python.ok().map(|told| PathBuf::from(OsString::from_vec(told.stdout)));
        let folder = folder.filter(|folder| folder.join("python3").is_file());
        let folders = folder.into_iter().chain(env::split_paths(&path));
        env::join_paths(folders).unwrap_or(path)
    })
}

impl Child {
    /// Waits for the process to end by itself.
    pub(crate) async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let status = self.process.wait().await?;
        self.has_ended = true;
        // Its id is known not to be anyone else's just now.
        let _ = killpg(self.id, Signal::SIGKILL);
        Ok(status)
    }

    /// Waits for `work`, which needs the process.
    ///
    /// # Errors
    /// When the process ends first, or time runs out; the message says `what` was to be done.
    pub(crate) async fn during<T>(
        &mut self,
        what: &str,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<T> {
        let failure = tokio::select! {
            biased;
            done = work => return Ok(done),
            status = self.wait() => match status {
                Ok(status) => format!("ended ({status}) before {what}"),
                Err(error) => format!("cannot be waited for: {error}"),
            },
            () = tokio::time::sleep(limit) => {
                format!("not done within {} s: {what}", limit.as_secs_f64())
            }
        };
        Err(anyhow!("{failure}{}", self.wrote()))
    }

    /// Returns what the process has written so far, from the beginning.
    pub(crate) fn output(&self) -> String {
        let mut bytes = Vec::new();
        if let Some(output) = &self.output
            && let Ok(file) = File::open(output)
        {
            // What cannot be read is treated as not written.
            let _ = file.take(OUTPUT_BYTES).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the first lines of the output, to append to a reason.
    pub(crate) fn wrote(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> =
            output.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
        if lines.is_empty() {
            return "; it wrote nothing".to_owned();
        }
        format!("; it wrote: {}", lines.join(" / "))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = killpg(self.id, Signal::SIGKILL);
            let until = Instant::now() + Duration::from_secs(5);
            // A process that is killed is gone at once, except while it waits for a disk.
            while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < until {
                thread::sleep(Duration::from_micros(500));
            }
        }
        if let Some(output) = &self.output {
            let _ = fs::remove_file(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell<'a>(script: &str, scratch: &'a Path) -> Launch<'a> {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let environment = vec![("GREETING".to_owned(), "hello".to_owned())];
        Launch { command, folder: scratch, environment, scratch: Some(scratch), cores: None }
    }

    /// Whether a process runs; one that has ended but has not been waited for does not.
    fn runs(id: &str) -> bool {
        fs::read_to_string(format!("/proc/{id}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
    }

    #[tokio::test]
    async fn dropping_ends_the_whole_group() {
        let scratch = tempfile::tempdir().unwrap();
        let child = shell("sleep 100 & echo $!; sleep 100", scratch.path()).spawn().unwrap();
        let mut output = String::new();
        while !output.ends_with('\n') {
            tokio::time::sleep(Duration::from_millis(1)).await;
            output = child.output();
        }
        let (own, inner) = (child.id.to_string(), output.trim());
        assert!(runs(&own) && runs(inner));
        drop(child);
        while runs(inner) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!runs(&own));
    }

    #[tokio::test]
    async fn a_process_that_ends_early_is_told_with_what_it_wrote() {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = shell("echo $GREETING; exit 7", scratch.path()).spawn().unwrap();
        let never = std::future::pending::<()>();
        let error = child.during("it was asked", Duration::from_secs(20), never).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ended (exit status: 7) before it was asked; it wrote: hello"
        );
    }

    #[tokio::test]
    async fn a_process_that_hangs_is_given_up() {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = shell("sleep 100", scratch.path()).spawn().unwrap();
        let never = std::future::pending::<()>();
        let error = child.during("it spoke", Duration::from_millis(20), never).await.unwrap_err();
        assert_eq!(error.to_string(), "not done within 0.02 s: it spoke; it wrote nothing");
    }

    #[tokio::test]
    async fn a_program_that_is_missing_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let mut launch = shell("", scratch.path());
        launch.command = vec!["/nowhere/program".to_owned()];
        let error = launch.spawn().unwrap_err();
        assert!(error.to_string().starts_with("cannot start /nowhere/program in "), "{error}");
    }
}
