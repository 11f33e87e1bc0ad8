//! The comparison's driver: installs the peers, measures, renders.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::{self, ExitCode},
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use trine_benches::{
    console,
    contestant::{Contestants, Places},
    install,
    plan::{Part, Plan, ROUNDS},
    record::Record,
    render, run, table,
};

/// Exit code that shells expect of a process that was interrupted.
const INTERRUPTED: u8 = 130;

/// Measures Trine beside the designs that it replaces and the runtimes that people use instead.
#[derive(Debug, Parser)]
#[command(name = "trine-bench", arg_required_else_help = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Peers are installed into $TRINE_BENCH_PEERS, or ~/.cache/trine/peers.

Examples:
  trine-bench run                                        all of it, as published
  trine-bench run --suites warm --only trine-js,floor    a look at two of them while changing something";

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what Trine is compared with.
    Install,
    Run(Run),
    /// Make tables and plots of the published record.
    Render,
}

/// Measure, and write a record.
///
/// All of it goes to benches/results/latest.json. A part of it (fewer suites, contestants or rounds) goes beside this
/// program, and its medians are printed.
#[derive(Debug, Args)]
struct Run {
    /// Parts of the comparison; all of them when left out.
    #[arg(long, value_delimiter = ',', value_name = "SUITE,...")]
    suites: Vec<Part>,
    /// Ids of contestants; all of them when left out.
    #[arg(long, value_delimiter = ',', value_name = "ID,...")]
    only: Vec<String>,
    /// How often each figure is taken.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Where the record goes.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match start(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<ExitCode> {
    let places = places()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // From here on the signals end the work and, with it, its processes.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = work(command, places) => result.map(|()| ExitCode::SUCCESS),
            _ = interrupt.recv() => Ok(ExitCode::from(INTERRUPTED)),
            _ = terminate.recv() => Ok(ExitCode::from(INTERRUPTED)),
        }
    })
}

async fn work(command: Command, places: Places) -> anyhow::Result<()> {
    let results = places.benches.join("results");
    match command {
        Command::Install => install::run(&places).await,
        Command::Run(run) => run.measure(places, &results).await,
        Command::Render => {
            let record = Record::read(&results.join("latest.json"))?;
            render::run(&record, &results, &places.benches.join("../README.md"))
        }
    }
}

impl Run {
    async fn measure(self, places: Places, results: &Path) -> anyhow::Result<()> {
        let suites: BTreeSet<Part> = self.suites.into_iter().collect();
        let plan = Plan {
            parts: if suites.is_empty() { Part::ALL.into_iter().collect() } else { suites },
            only: self.only.into_iter().collect(),
            rounds: self.rounds,
            contestants: Contestants::read(&places.benches.join("contestants"))?,
            places,
        };
        plan.check()?;
        let is_full = plan.is_full();
        let (command, file) = if is_full {
            ("make bench".to_owned(), results.join("latest.json"))
        } else {
            (own_command(&plan.places), plan.places.target.join("trine-bench.json"))
        };
        let file = self.out.unwrap_or(file);
        let record = run::run(&plan, command).await?;
        record.write(&file)?;
        if !is_full {
            console::print(&table::plain(&record));
        }
        console::say(&format!("written to {}", file.display()));
        Ok(())
    }
}

/// Returns the command line of this process, without folders of this machine.
fn own_command(places: &Places) -> String {
    let arguments: Vec<String> = env::args().skip(1).collect();
    places.hide(&format!("trine-bench {}", arguments.join(" ")))
}

fn places() -> anyhow::Result<Places> {
    let program = env::current_exe().context("cannot find this program")?;
    let target = program.parent().context("this program is in no folder")?;
    let peers = match env::var_os("TRINE_BENCH_PEERS") {
        Some(peers) => PathBuf::from(peers),
        None => {
            let home = env::var_os("HOME").context("neither TRINE_BENCH_PEERS nor HOME is set")?;
            Path::new(&home).join(".cache/trine/peers")
        }
    };
    Ok(Places {
        benches: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        // The scripts and the contestants must find the same folder from anywhere.
        peers: std::path::absolute(peers)?,
        target: target.to_owned(),
        tree: std::path::absolute(tree(target)?)?,
    })
}

/// Returns the folder of what ships: `TRINE_TREE`, or where `make layer` leaves it. Nothing need be there.
fn tree(target: &Path) -> anyhow::Result<PathBuf> {
    if let Some(tree) = env::var_os("TRINE_TREE") {
        return Ok(PathBuf::from(tree));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/ship/shipping.py");
    let told = process::Command::new("python3").arg(script).output();
    let version = told.context("cannot ask python3 for its version")?.stdout;
    let version = String::from_utf8_lossy(&version);
    // Beside cargo's folder, which has one for each profile.
    let beside = target.ancestors().nth(2).unwrap_or(target);
    Ok(beside.join("ship").join(format!("python{}", version.trim())).join("tree"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
