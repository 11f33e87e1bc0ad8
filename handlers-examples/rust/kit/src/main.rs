//! A Lambda runtime for shell scripts: the handler `hello` is `hello.sh`, run by `sh` for each event, which it reads.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};
use trine::kit::{self, Environment, Error, Invocation, Output, Result, Runtime};

#[derive(Default)]
struct Shell {
    script: PathBuf,
}

impl Runtime for Shell {
    fn setup(&mut self, environment: &Environment) -> Result<()> {
        self.script = environment.task_root.join(format!("{}.sh", environment.name));
        let missing = || Error::guest("Shell.NoScript", format!("no {}", self.script.display()));
        if self.script.is_file() { Ok(()) } else { Err(missing()) }
    }

    fn invoke(&mut self, event: &[u8], _invocation: &Invocation) -> Result<Output> {
        let failed = |error: std::io::Error| Error::internal(format!("sh: {error}"));
        let (input, output) = (Stdio::piped(), Stdio::piped());
        let mut script = Command::new("sh");
        let mut child =
            script.arg(&self.script).stdin(input).stdout(output).spawn().map_err(failed)?;
        // A script need not read its event.
        let _ = child.stdin.take().map(|mut input| input.write_all(event));
        let output = child.wait_with_output().map_err(failed)?;
        match output.status.success() {
            true => Ok(Output::Raw(output.stdout.into())),
            false => Err(Error::guest("Shell.Failed", output.status.to_string())),
        }
    }
}

fn main() -> ExitCode {
    kit::run(Shell::default)
}
