//! The compiled cores of the designs that Trine replaces, each rebuilt as well as its design allows, and the floor of
//! the comparison: a client of Lambda's Runtime API that does nothing else. See `benches/baselines/README.md`.

mod client;
mod function;
mod http_hop;
mod pipes;
mod process;
mod report;
mod runtime_api;
mod stream;

use anyhow::bail;
use bytes::Bytes;
use function::{Function, Language};
use http_hop::HttpHop;
use pipes::Pipes;
use process::ProcessPerCall;
use runtime_api::RuntimeApi;
use std::{convert::Infallible, env, process::ExitCode};

const USAGE: &str = "usage: trine-baseline (floor|stream)
       trine-baseline (pipes|http|process) (node|python|deno) FOLDER
FOLDER is where the languages' own parts are: benches/baselines.
The environment is Lambda's; BASELINE_HOOKS=hook1,hook2 names hooks, BASELINE_DENO is the path of deno.";

/// The design that answers events.
enum Design {
    /// The same bytes, returned by this process.
    Floor,
    /// The same as a stream.
    Stream,
    /// A resident language runtime behind named pipes.
    Pipes(Pipes),
    /// A resident sub-process behind HTTP.
    Http(HttpHop),
    /// A new process for each event.
    Process(ProcessPerCall),
}

impl Design {
    /// Reads the command line, starts what is resident and waits until it is ready.
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Ok(match arguments {
            ["floor"] => Self::Floor,
            ["stream"] => Self::Stream,
            [design, language, folder] => {
                let language = Language::parse(language)?;
                let function = Function::from_environment(language, folder.as_ref())?;
                match *design {
                    "pipes" => Self::Pipes(Pipes::start(function)?),
                    "http" => Self::Http(HttpHop::start(function)?),
                    "process" => Self::Process(ProcessPerCall::new(function)),
                    _ => bail!(USAGE),
                }
            }
            _ => bail!(USAGE),
        })
    }

    async fn answer(&mut self, event: Bytes) -> anyhow::Result<Bytes> {
        match self {
            Self::Floor | Self::Stream => Ok(event),
            Self::Pipes(pipes) => pipes.answer(event),
            Self::Http(hop) => hop.answer(event).await,
            Self::Process(process) => process.answer(&event),
        }
    }
}

fn main() -> ExitCode {
    let Err(error) = run();
    report::failure(&error);
    ExitCode::FAILURE
}

fn run() -> anyhow::Result<Infallible> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut design = Design::start(&arguments)?;
    // One thread is all that is needed for one invocation at a time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut api = RuntimeApi::from_environment()?;
        loop {
            let invocation = api.next().await?;
            if matches!(design, Design::Stream) {
                stream::respond(&invocation).await?;
                continue;
            }
            let answer = design.answer(invocation.event.clone()).await?;
            api.respond(&invocation, answer).await?;
        }
    })
}
