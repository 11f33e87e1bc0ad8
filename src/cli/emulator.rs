//! `trine emulator`: Lambda's Runtime API and Invoke API on this machine, for this runtime or any other.

use crate::config;
use anyhow::Context;
use clap::Args;
use std::{
    env,
    ffi::OsString,
    io::{Write, stdout},
    net::{IpAddr, Ipv4Addr, SocketAddr},
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

/// Serve Lambda's Runtime API and Invoke API on this machine.
///
/// Runs the runtime that is named after --, with the environment that Lambda would set, and starts it again when it
/// ends, as Lambda does. Without one, prints the environment for a runtime that you start yourself. Tells what the
/// runtime does that Lambda's contract forbids.
#[derive(Debug, Args)]
pub(super) struct EmulatorCommand {
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short, default_value_t = 9001)]
    port: u16,
    /// The function's timeout: 30s, 500ms, 5m; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Duration,
    /// The function's name.
    #[arg(long, default_value = "function", value_name = "NAME")]
    name: String,
    /// The function's memory: 512MiB, 1GB; a number alone is MiB, which Lambda calls MB. Told to the runtime, not
    /// enforced.
    #[arg(long, value_name = "SIZE", default_value = "128", value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: u64,
    /// The handler: what the runtime finds in _HANDLER.
    #[arg(long, value_name = "HANDLER", default_value = "")]
    handler: String,
    /// The runtime's command, after --.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl EmulatorCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<()> {
        let address = SocketAddr::new(self.host, self.port);
        let emulator = Emulator::start(EmulatorOptions {
            address,
            timeout: self.timeout,
            function_name: self.name.clone(),
            // At most a TiB, see the form.
            memory_mb: (self.memory >> 20) as u32,
            handler: self.handler.clone(),
            ..EmulatorOptions::default()
        })
        .await
        .with_context(|| format!("cannot listen on {address}; choose another port with --port"))?;
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

    fn announce(&self, emulator: &Emulator) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        let address = emulator.address();
        if self.command.is_empty() {
            writeln!(out, "# Environment for the runtime:")?;
            for (name, value) in emulator.environment() {
                writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''"))?;
            }
        }
        writeln!(out, "# Invoke with:")?;
        writeln!(
            out,
            "curl -d '{{}}' http://{address}/2015-03-31/functions/{}/invocations",
            self.name
        )?;
        Ok(())
    }

    /// Starts the command again and again, until it ends without ever having asked for an event.
    async fn keep_running(&self, emulator: &Emulator) -> anyhow::Result<()> {
        let Some((program, arguments)) = self.command.split_first() else {
            return std::future::pending().await;
        };
        loop {
            let mut child: Child = Command::new(program)
                .args(arguments)
                .envs(of_the_place())
                .envs(emulator.environment())
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("cannot start {program}"))?;
            let status = child.wait().await?;
            let served = emulator.wait_for_next(Duration::ZERO).await;
            emulator.runtime_exited(&exit_of(status));
            anyhow::ensure!(served, "{program} ended before it asked for an event: {status}");
            writeln!(stdout().lock(), "# the runtime ended ({status}) and is started again")?;
        }
    }
}

/// What Lambda tells a runtime about where it runs, unless the user has.
fn of_the_place() -> Vec<(&'static str, OsString)> {
    let folder = env::current_dir().unwrap_or_else(|_| "/var/task".into());
    let place = [("LAMBDA_TASK_ROOT", folder.into_os_string()), ("TZ", ":UTC".into())];
    place.into_iter().filter(|(name, _)| env::var_os(name).is_none()).collect()
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
