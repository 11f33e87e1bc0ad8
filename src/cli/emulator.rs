//! `trine emulator`: Lambda's Runtime API and Invoke API on this machine, for this runtime or any other.

use super::{Usage, address};
use crate::config;
use anyhow::Context;
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    env,
    io::{ErrorKind, Write, stdout},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use trine_emulator::{Emulator, EmulatorOptions, RuntimeExit};

/// The name under which this program acts as a runtime.
const BOOTSTRAP: &str = "bootstrap";
const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// Variables that the emulator sets itself, whatever its own environment says: a flag may differ.
const DECIDED: [&str; 4] =
    ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", MEMORY_SIZE, "_HANDLER"];

/// Characters of a name that are escaped in a URL.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Serve Lambda's Runtime API and Invoke API on this machine.
///
/// Runs the runtime that is named after --, with the environment that Lambda would set, and starts it again when it
/// ends, as Lambda does. Without one, prints the environment for a runtime that you start yourself. Tells what the
/// runtime does that Lambda's contract forbids.
#[derive(Debug, Args)]
pub(super) struct EmulatorCommand {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short, value_name = "PORT", default_value = "9001", allow_negative_numbers = true, value_parser = address::port)]
    port: u16,
    /// The function's timeout: 30s, 500ms, 5m; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "3s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Duration,
    /// The function's name [default: the variable AWS_LAMBDA_FUNCTION_NAME, else function]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The function's memory: 512MiB, 1GB; a number alone is MiB, which Lambda calls MB. Told to the runtime, not
    /// enforced [default: the variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE, else 128]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: Option<u64>,
    /// The handler: what the runtime finds in _HANDLER [default: the variable itself]
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    /// The runtime's command, after --; bootstrap is this program, unless another one of the name is installed.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl EmulatorCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<()> {
        let address = address::resolve(&self.host, self.port)?;
        let options = self.options(address, &set_by_user)?;
        let emulator = Emulator::start(options).await.with_context(|| {
            format!("cannot listen on {address}; choose another address with --host and --port")
        })?;
        self.announce(&emulator)?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = self.keep_running(&emulator) => result?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        report_violations(&emulator)
    }

    /// Returns the function's facts from the command line, else from the environment, which `set` looks up.
    ///
    /// # Errors
    /// When a variable's value is invalid.
    fn options(
        &self,
        address: SocketAddr,
        set: &impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<EmulatorOptions> {
        let usual = EmulatorOptions::default();
        let memory = match (self.memory, set(MEMORY_SIZE)) {
            (Some(memory), _) => memory,
            (None, Some(text)) => config::MEMORY
                .parse(&text)
                .map_err(|why| Usage(format!("the environment variable {MEMORY_SIZE}: {why}")))?,
            (None, None) => u64::from(usual.memory_mb) << 20,
        };
        let name = self.name.clone().or_else(|| set("AWS_LAMBDA_FUNCTION_NAME"));
        Ok(EmulatorOptions {
            address,
            timeout: self.timeout,
            function_name: name.unwrap_or_else(|| "function".to_owned()),
            function_version: set("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or(usual.function_version),
            // At most a TiB, see the form.
            memory_mb: (memory >> 20) as u32,
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).unwrap_or(usual.region),
            handler: self.handler.clone().or_else(|| set("_HANDLER")).unwrap_or_default(),
            ..EmulatorOptions::default()
        })
    }

    fn announce(&self, emulator: &Emulator) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        let address = emulator.address();
        if self.command.is_empty() {
            writeln!(out, "# Environment for the runtime:")?;
            for (name, value) in environment(emulator, &set_by_user) {
                writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
            }
        }
        writeln!(out, "# Invoke with:")?;
        let name = utf8_percent_encode(&emulator.options().function_name, IN_PATHS).to_string();
        writeln!(out, "curl -d '{{}}' http://{address}/2015-03-31/functions/{name}/invocations")?;
        Ok(())
    }

    /// Restarts the command until it ends without ever having asked for an event.
    async fn keep_running(&self, emulator: &Emulator) -> anyhow::Result<()> {
        let Some((program, arguments)) = self.command.split_first() else {
            return std::future::pending().await;
        };
        loop {
            let mut child = spawn(program, arguments, emulator)?;
            let status = child.wait().await?;
            let served = emulator.wait_for_next(Duration::ZERO).await;
            emulator.runtime_exited(&exit_of(status));
            anyhow::ensure!(served, "{program} ended before it asked for an event: {status}");
            writeln!(stdout().lock(), "# the runtime ended ({status}) and is started again")?;
        }
    }
}

/// Starts the runtime. Where no program is called `bootstrap`, this name means this program as a runtime.
fn spawn(program: &str, arguments: &[String], emulator: &Emulator) -> anyhow::Result<Child> {
    let start = |command: &mut Command| {
        command
            .args(arguments)
            .envs(environment(emulator, &set_by_user))
            // Each invocation has its own.
            .env_remove("_X_AMZN_TRACE_ID")
            .kill_on_drop(true)
            .spawn()
    };
    let started = match start(&mut Command::new(program)) {
        Err(error) if error.kind() == ErrorKind::NotFound && program == BOOTSTRAP => {
            start(Command::new(env::current_exe()?).arg0(BOOTSTRAP))
        }
        started => started,
    };
    started.with_context(|| format!("cannot start {program}"))
}

/// Returns the variables of a runtime's process as Lambda sets them. What the user has set, which `set` looks up, stays
/// as it is; the function's own facts have been taken from there.
fn environment(
    emulator: &Emulator,
    set: &impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let folder = env::current_dir().unwrap_or_else(|_| "/var/task".into());
    let mut variables = emulator.environment();
    variables.extend([
        ("AWS_LAMBDA_LOG_FORMAT", "Text".to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("LAMBDA_TASK_ROOT", folder.to_string_lossy().into_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]);
    for (name, value) in &mut variables {
        if !DECIDED.contains(name)
            && let Some(own) = set(name)
        {
            *value = own;
        }
    }
    variables
}

/// Looks up a variable that the user has set.
fn set_by_user(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn exit_of(status: ExitStatus) -> RuntimeExit {
    match (status.code(), status.signal()) {
        (Some(code), _) => RuntimeExit::Status(code),
        (None, Some(signal)) => RuntimeExit::Signal(signal.to_string()),
        (None, None) => RuntimeExit::Status(1),
    }
}

fn report_violations(emulator: &Emulator) -> anyhow::Result<()> {
    let violations: Vec<String> =
        emulator.violations().iter().map(|violation| format!("  {violation}")).collect();
    anyhow::ensure!(
        violations.is_empty(),
        "the runtime broke rules of Lambda's contract:\n{}",
        violations.join("\n")
    );
    Ok(())
}
