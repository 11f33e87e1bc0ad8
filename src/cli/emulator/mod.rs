//! `trine emulator`: Lambda's Runtime API and Invoke API on this machine, for this runtime or any other.

mod durable;
mod functions;
mod watch;

use super::{Usage, address, debug_flags::DebugFlags, log_flags::LogFlags, print};
use crate::{
    config::{self, CountForm},
    engines::Registry,
};
use anyhow::Context;
use clap::Args;
use durable::DurableFlags;
use functions::{Function, environment};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    env,
    io::{Write, stderr, stdout},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use trine_emulator::{
    Console, Emulator, EmulatorOptions, Ended, Platform, PlatformOptions, Violation, Writer,
};
use watch::Watch;

/// The name under which this program acts as a runtime.
const BOOTSTRAP: &str = "bootstrap";
const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// Variables that the emulator sets itself, whatever its own environment says: a flag may differ.
const DECIDED: [&str; 6] = [
    "AWS_LAMBDA_RUNTIME_API",
    FUNCTION_NAME,
    MEMORY_SIZE,
    "_HANDLER",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    MAX_CONCURRENCY,
];

/// Characters of a name that are escaped in a URL.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The time limit of functions that are debugged: Lambda's longest.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(900);

/// Valid numbers of environments.
const CONCURRENCY: CountForm = CountForm { least: 1, most: 1000 };

/// Serve Lambda's Invoke API on this machine, and run functions as Lambda does.
///
/// Runs the functions of the paths, each in environments of its own, which are started as callers need them and replaced
/// when they end, run out of time or, with --watch, when files change. Prints what functions write, with Lambda's lines
/// START, END and REPORT around it, or its records in their place with --log-format json, and tells what a runtime does
/// that Lambda's contract forbids.
///
/// The runtime is this program, or the one that is named after --. Without paths and without a command, serves the
/// Runtime API as well and prints the environment for a runtime that you start yourself.
#[derive(Debug, Args)]
pub(super) struct EmulatorCommand {
    /// Functions: files (app.py), functions of files (app.py:get), or folders of them
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, short, value_name = "PORT", default_value = "9001", allow_negative_numbers = true, value_parser = address::port)]
    port: u16,
    /// A function's timeout: 30s, 500ms, 5m; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "3s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Duration,
    /// The function's name [default: the variable AWS_LAMBDA_FUNCTION_NAME, else that of its file, else function]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A function's memory: 512MiB, 1GB; a number alone is MiB, which Lambda calls MB. Told to the runtime, not
    /// enforced [default: the variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE, else 128]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: Option<u64>,
    /// The handler: what the runtime finds in _HANDLER [default: the variable itself]
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    /// Maximum number of environments of each function; a caller beyond gets status 429
    #[arg(long, value_name = "N", default_value = "10", allow_negative_numbers = true, value_parser = |text: &str| CONCURRENCY.parse(text))]
    concurrency: u64,
    /// Number of events that each environment takes at once, as on managed instances: what the runtime finds in
    /// AWS_LAMBDA_MAX_CONCURRENCY
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true, value_parser = |text: &str| CONCURRENCY.parse(text))]
    max_concurrency: u64,
    /// Start environments as SnapStart does: each waits for its restore before it asks for its first event
    #[arg(long, conflicts_with = "max_concurrency")]
    snap_start: bool,
    /// Time before the first retry of an asynchronous invocation that has failed; the second waits for twice as long
    #[arg(long, value_name = "TIME", default_value = "1s", allow_negative_numbers = true, value_parser = |text: &str| config::GRACE.parse(text))]
    retry_delay: Duration,
    /// Serve functions as function URLs as well, on this port: any request becomes an event of payload format 2.0
    #[arg(long, value_name = "PORT", allow_negative_numbers = true, value_parser = address::port)]
    url_port: Option<u16>,
    #[command(flatten)]
    durable_flags: DurableFlags,
    #[command(flatten)]
    log_flags: LogFlags,
    #[command(flatten)]
    debug: DebugFlags,
    /// Start environments anew when files of their function change
    #[arg(long)]
    watch: bool,
    /// The runtime's command, after --; bootstrap is this program, unless another one of the name is installed.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl EmulatorCommand {
    /// Returns the variables that the flags decide.
    fn decided(&self) -> Vec<(&'static str, String)> {
        [self.log_flags.variables(), self.debug.variables()].concat()
    }

    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.serve(registry))
    }

    async fn serve(self, registry: &Registry) -> anyhow::Result<()> {
        let address = address::resolve(&self.host, self.port)?;
        let functions = self.functions(registry)?;
        let console = console(functions.len() > 1);
        // Several functions cannot share the one name that the environment may have.
        let set = |name: &str| {
            let is_shared = name == FUNCTION_NAME && functions.len() > 1;
            if is_shared { None } else { set_by_user(name) }
        };
        let names: Vec<String> = match functions.as_slice() {
            [] => vec![self.name_of(None, &set)],
            some => some.iter().map(|function| self.name_of(Some(function), &set)).collect(),
        };
        self.durable_flags.check(&names)?;
        let options = |function: Option<&Function>| {
            let console = Some(console.clone());
            let options = self.options(address, function, &set)?;
            anyhow::Ok(EmulatorOptions { console, ..options })
        };
        let cannot_listen =
            || format!("cannot listen on {address}; choose another address with --host and --port");
        if functions.is_empty() {
            let emulator = Emulator::start(options(None)?).await.with_context(cannot_listen)?;
            announce_environment(&emulator, &self.decided());
            announce(emulator.address(), [emulator.options()]);
            if let Some(port) = self.url_port {
                let address = SocketAddr::new(address.ip(), port);
                let served = emulator.serve_function_url(address).await;
                let address = served.with_context(|| format!("cannot listen on {address}"))?;
                announce_urls(address, [emulator.options()]);
            }
            asked_to_end().await?;
            return report(&emulator.violations());
        }
        let mut known = Vec::new();
        for function in &functions {
            known.push((options(Some(function))?, function.launch(&self.command, &self.decided())));
        }
        let platform = Platform::start(PlatformOptions {
            address,
            concurrency: self.concurrency as usize,
            functions: known.clone(),
        })
        .await
        .with_context(cannot_listen)?;
        announce(platform.address(), known.iter().map(|(options, _)| options));
        if let Some(port) = self.url_port {
            let address = SocketAddr::new(address.ip(), port);
            let served = platform.serve_function_urls(address).await;
            let address = served.with_context(|| format!("cannot listen on {address}"))?;
            announce_urls(address, known.iter().map(|(options, _)| options));
        }
        let running = tokio::select! {
            running = self.keep_running(&platform, &functions, registry) => running,
            asked = asked_to_end() => asked,
        };
        let violations = platform.violations();
        platform.shutdown().await;
        running?;
        report(&violations)
    }

    /// Replaces environments that end, and those whose files change. One function alone is started at once.
    ///
    /// # Errors
    /// When the runtime cannot be started, or the only one ends without ever having asked for an event.
    async fn keep_running(
        &self,
        platform: &Platform,
        functions: &[Function],
        registry: &Registry,
    ) -> anyhow::Result<()> {
        let is_alone = functions.len() == 1;
        let program = |place: usize| self.command.first().unwrap_or(&functions[place].title);
        let warm = async |place: usize| match is_alone {
            true => {
                let started = platform.warm(place).await;
                started.with_context(|| format!("cannot start {}", program(place)))
            }
            false => Ok(()),
        };
        warm(0).await?;
        let mut watch = self
            .watch
            .then(|| Watch::new(functions::folders(functions), functions::extensions(registry)));
        loop {
            let changed = async {
                match &mut watch {
                    Some(watch) => watch.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = platform.ended() => {
                    let Some(Ended { place, status, served, was_told, .. }) = ended else {
                        return Ok(());
                    };
                    let title = program(place);
                    if served && !was_told {
                        note(&format!("the runtime ended ({status}) and is started again"));
                    }
                    if served || was_told {
                        warm(place).await?;
                        continue;
                    }
                    let message = format!("{title} ended before it asked for an event: {status}");
                    anyhow::ensure!(self.watch || !is_alone, message);
                    note(&message);
                }
                changed = changed => {
                    for place in changed {
                        note(&format!("{} has changed", functions[place].title));
                        platform.renew(place);
                        warm(place).await?;
                    }
                }
            }
        }
    }

    /// Returns a function's name: the flag's, the environment's, which `set` looks up, or that of its file.
    fn name_of(
        &self,
        function: Option<&Function>,
        set: &impl Fn(&str) -> Option<String>,
    ) -> String {
        let of_path = function.and_then(|function| function.name.clone());
        let name = self.name.clone().or_else(|| set(FUNCTION_NAME)).or(of_path);
        name.unwrap_or_else(|| "function".to_owned())
    }

    /// Returns a function's facts from its path and the command line, else from the environment, which `set` looks up.
    ///
    /// # Errors
    /// When a variable's value is invalid.
    fn options(
        &self,
        address: SocketAddr,
        function: Option<&Function>,
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
        let name = self.name_of(function, set);
        let of_path = function.and_then(|function| function.handler.clone());
        let handler = of_path.or_else(|| self.handler.clone()).or_else(|| set("_HANDLER"));
        Ok(EmulatorOptions {
            address,
            // A function that stands at a breakpoint is not late.
            timeout: if self.debug.are_given() {
                LONGEST_TIMEOUT.max(self.timeout)
            } else {
                self.timeout
            },
            concurrency: self.max_concurrency as usize,
            snap_start: self.snap_start,
            retry_delay: self.retry_delay,
            durable: self.durable_flags.options(&name),
            function_name: name,
            function_version: set("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or(usual.function_version),
            // At most a TiB, see the form.
            memory_mb: (memory >> 20) as u32,
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).unwrap_or(usual.region),
            handler: handler.unwrap_or_default(),
            log_form: self.log_flags.form(set).of_platform(),
            ..EmulatorOptions::default()
        })
    }
}

/// Waits for a signal to end.
async fn asked_to_end() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Makes what prints a function's lines, with its name in front of them where there are several functions. Whoever has
/// closed the other end no longer wants them.
fn console(with_names: bool) -> Console {
    Console::new(move |function, writer, lines| {
        let mark = match writer {
            Writer::Note => "# ",
            Writer::Violation => "# the runtime broke a rule of Lambda's contract: ",
            _ => "",
        };
        let mut text = Vec::with_capacity(lines.len() + 64);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if with_names {
                text.extend_from_slice(function.as_bytes());
                text.extend_from_slice(b" | ");
            }
            text.extend_from_slice(mark.as_bytes());
            text.extend_from_slice(line);
        }
        // On Lambda the lines of a record end in carriage returns, so that it stays one record; on a screen they would
        // overwrite each other.
        for at in 1..text.len() {
            if text[at - 1] == b'\r' && text[at] != b'\n' {
                text[at - 1] = b'\n';
            }
        }
        let _ = match writer {
            Writer::Stderr | Writer::Violation => stderr().write_all(&text),
            _ => stdout().write_all(&text).and_then(|()| stdout().flush()),
        };
    })
}

/// Prints what the emulator has to say about itself.
fn note(line: &str) {
    print(format_args!("# {line}"));
}

/// Prints the environment for a runtime that somebody else starts.
fn announce_environment(emulator: &Emulator, decided: &[(&'static str, String)]) {
    note("Environment for the runtime:");
    for (name, value) in environment(emulator, None, decided, &set_by_user) {
        print(format_args!("export {name}='{}'", value.replace('\'', r"'\''")));
    }
}

/// Prints how each function is invoked.
fn announce<'o>(address: SocketAddr, functions: impl IntoIterator<Item = &'o EmulatorOptions>) {
    note("Invoke with:");
    for options in functions {
        let name = utf8_percent_encode(&options.function_name, IN_PATHS);
        // Durable functions are invoked with a version.
        let version = if options.durable.is_some() { ":%24LATEST" } else { "" };
        print(format_args!(
            "curl -d '{{}}' http://{address}/2015-03-31/functions/{name}{version}/invocations"
        ));
    }
    note(&format!("AWS's tools and SDKs take --endpoint-url http://{address}"));
}

/// Prints each function's URL.
fn announce_urls<'o>(
    address: SocketAddr,
    functions: impl IntoIterator<Item = &'o EmulatorOptions>,
) {
    let functions: Vec<&EmulatorOptions> = functions.into_iter().collect();
    if functions.len() == 1 {
        return note(&format!("function URL: http://{address}/"));
    }
    for options in functions {
        note(&format!(
            "function URL: http://{}.localhost:{}/",
            options.function_name,
            address.port()
        ));
    }
}

/// Looks up a variable that the user has set.
fn set_by_user(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Fails where rules were broken; each was told when it was.
fn report(violations: &[Violation]) -> anyhow::Result<()> {
    let times = match violations.len() {
        0 => return Ok(()),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    anyhow::bail!("the runtime broke rules of Lambda's contract, {times}: see above")
}
