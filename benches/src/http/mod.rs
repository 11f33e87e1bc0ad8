//! The part of the comparison that measures HTTP servers: all of them run, but only one at a time has work.

mod probe;
mod wrk;

use crate::{
    bench::{Bench, START_LIMIT, filled},
    contestant::Server,
    lambda::Exchange,
    plan::{Part, peer_absence},
    process::{Child, Launch},
    sheet::{P50, P99, RATE, Sheet},
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Numbers of simultaneous connections.
const CONNECTIONS: [(u32, &str); 3] =
    [(1, "1 connection"), (8, "8 connections"), (64, "64 connections")];
/// Duration of a run of wrk, in whole seconds.
const SECONDS: u64 = 1;
/// Extra time that wrk may take beyond that.
const GRACE: Duration = Duration::from_secs(15);

/// A server that answers.
struct Running<'a> {
    server: &'a Server,
    child: Child,
    port: u16,
}

/// wrk, and what it sends.
struct Client {
    program: String,
    script: PathBuf,
    exchange: Exchange,
}

/// Takes all rounds.
pub(crate) async fn measure(bench: &Bench<'_>, sheet: &mut Sheet) {
    let suite = Part::Http.name();
    let servers = bench.present(suite, bench.plan.servers(), |server| &server.identity, sheet);
    if servers.is_empty() {
        return;
    }
    let client = match Client::new(bench) {
        Ok(client) => client,
        Err(error) => {
            for server in servers {
                bench.give_up(suite, &server.identity, &format!("{error:#}"), sheet);
            }
            return;
        }
    };
    let mut running = Vec::new();
    for server in servers {
        bench.progress(suite, 0, &server.identity);
        match Running::start(bench, server, &client).await {
            Ok(server) => running.push(server),
            Err(error) => {
                bench.give_up(suite, &server.identity, &format!("{error:#}"), sheet);
            }
        }
    }
    for round in 1..=bench.plan.rounds {
        let mut alive = Vec::new();
        for mut one in running {
            let identity = &one.server.identity;
            bench.progress(suite, round, identity);
            match one.take(bench, &client, sheet).await {
                Ok(()) => alive.push(one),
                Err(error) => bench.give_up(suite, identity, &format!("{error:#}"), sheet),
            }
        }
        running = alive;
    }
}

impl Client {
    fn new(bench: &Bench<'_>) -> anyhow::Result<Self> {
        let peers = &bench.places().peers;
        if let Some(why) = peer_absence(peers, "wrk") {
            anyhow::bail!("{why}");
        }
        let exchange = Exchange::echo(1 << 10);
        let body = std::str::from_utf8(&exchange.event).context("an event is text")?;
        let script = bench.scratch.join("post.lua");
        fs::write(&script, wrk::script(body)).context("cannot write wrk's script")?;
        let program = peers.join("wrk/wrk").to_string_lossy().into_owned();
        Ok(Self { program, script, exchange })
    }

    /// Runs wrk on the driver's processor.
    async fn load(
        &self,
        bench: &Bench<'_>,
        url: &str,
        connections: u32,
    ) -> anyhow::Result<wrk::Load> {
        let launch = Launch {
            command: vec![
                self.program.clone(),
                "--threads=1".to_owned(),
                format!("--connections={connections}"),
                format!("--duration={SECONDS}s"),
                "--timeout=10s".to_owned(),
                format!("--script={}", self.script.display()),
                url.to_owned(),
            ],
            folder: &bench.scratch,
            environment: Vec::new(),
            scratch: Some(&bench.scratch),
            cores: None,
        };
        let mut child = launch.spawn()?;
        let status = child.wait().await?;
        ensure!(status.success(), "wrk failed ({status}){}", child.wrote());
        wrk::parse(&child.output())
    }
}

impl<'a> Running<'a> {
    /// Starts a server, waits until it answers, and warms it up.
    async fn start(bench: &Bench<'_>, server: &'a Server, client: &Client) -> anyhow::Result<Self> {
        let port = probe::free_port().await?;
        let fill = |text: &str| bench.places().fill(text).replace("{port}", &port.to_string());
        let task = fill(&server.task);
        let folder = Path::new(&task);
        ensure!(folder.is_dir(), "there is no folder {task}");
        let given = filled(&server.env, fill);
        let mut child = bench.launch(&server.command, folder, fill, given).spawn()?;
        let answered = probe::until_right(port, &server.path, &client.exchange);
        child.during("it answered", START_LIMIT, answered).await??;
        let mut running = Self { server, child, port };
        running.load(bench, client, CONNECTIONS[1].0).await?;
        Ok(running)
    }

    /// Takes one round: every number of connections.
    async fn take(
        &mut self,
        bench: &Bench<'_>,
        client: &Client,
        sheet: &mut Sheet,
    ) -> anyhow::Result<()> {
        let (suite, id) = (Part::Http.name(), &self.server.identity.id);
        for (connections, case) in CONNECTIONS {
            let load = self.load(bench, client, connections).await?;
            for (quantity, value) in [(RATE, load.rate), (P50, load.p50), (P99, load.p99)] {
                sheet.add(suite, id, case, quantity, value);
            }
        }
        // The probe checks what wrk does not: whether the answer is still right.
        let asked = probe::once(self.port, &self.server.path, &client.exchange);
        self.child.during("it answered", START_LIMIT, asked).await?
    }

    async fn load(
        &mut self,
        bench: &Bench<'_>,
        client: &Client,
        connections: u32,
    ) -> anyhow::Result<wrk::Load> {
        let url = format!("http://127.0.0.1:{}{}", self.port, self.server.path);
        let limit = Duration::from_secs(SECONDS) + GRACE;
        let what = format!("it was asked over {connections} connections");
        self.child.during(&what, limit, client.load(bench, &url, connections)).await?
    }
}
