//! What a cold start reads of what ships, in blocks as Lambda loads them. A script counts them, for which it has to be root.

use super::runtime::{emulator, given};
use crate::{
    bench::Bench,
    console,
    contestant::Lambda,
    sheet::{Quantity, Sheet},
};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const BLOCKS: Quantity = ("blocks", "blocks");
const PAGES: Quantity = ("pages", "pages");
const FILES: Quantity = ("files", "files");
const SIZE: Quantity = ("size", "MB");
const SUITE: &str = "blocks";
/// Maximum time for copying what ships, and for all starts.
const LIMIT: Duration = Duration::from_secs(300);
/// Exit code of the script where the system does not let it count.
const REFUSED: i32 = 77;

/// What the script counts.
#[derive(Debug, Deserialize)]
struct Count {
    blocks: f64,
    pages: f64,
    files: f64,
    /// Bytes of all files that ship.
    size: f64,
}

/// The outcome of counting for one contestant.
enum Outcome {
    Counted(Count),
    /// Nothing can be counted here, for anybody.
    Refused(String),
}

/// Counts once for each contestant: unlike a time, the figure is the same in every round.
pub(crate) async fn measure(bench: &Bench<'_>, contestants: Vec<&Lambda>, sheet: &mut Sheet) {
    for lambda in contestants {
        let id = &lambda.identity.id;
        console::progress(&format!("{SUITE}: {id}"));
        match count(bench, lambda).await {
            Ok(Outcome::Counted(count)) => {
                let megabytes = count.size / 1e6;
                for (quantity, value) in [
                    (BLOCKS, count.blocks),
                    (PAGES, count.pages),
                    (FILES, count.files),
                    (SIZE, megabytes),
                ] {
                    sheet.add(SUITE, id, &lambda.load, quantity, value);
                }
            }
            Ok(Outcome::Refused(reason)) => {
                let reason = bench.hide(&reason);
                console::say(&format!("{SUITE}: not measured: {reason}"));
                sheet.lacks_all(SUITE, &reason);
                return;
            }
            Err(error) => bench.give_up(SUITE, &lambda.identity, &format!("{error:#}"), sheet),
        }
    }
}

async fn count(bench: &Bench<'_>, lambda: &Lambda) -> anyhow::Result<Outcome> {
    let fill = |text: &str| bench.places().fill(text);
    let mut command: Vec<&str> =
        vec!["python3", "{benches}/../.ci/ship/blocks", "--scratch", "{target}"];
    command.extend(lambda.ships.iter().flat_map(|path| ["--ships", path]));
    command.extend(lambda.library_of.iter().flat_map(|python| ["--library-of", python]));
    command.push("--");
    command.extend(lambda.command.iter().map(String::as_str));
    let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
    let task = fill(&lambda.task);
    // For its variables alone: the script answers the runtime itself, because it ends it at its first request.
    let environment = given(bench, lambda, &emulator(lambda).await?);
    let mut child = bench.launch(&command, Path::new(&task), fill, environment).spawn()?;
    let status = tokio::time::timeout(LIMIT, child.wait())
        .await
        .with_context(|| format!("not counted within {} s", LIMIT.as_secs()))??;
    let output = child.output();
    let last = output.lines().last().unwrap_or_default();
    if status.code() == Some(REFUSED) {
        return Ok(Outcome::Refused(last.trim_start_matches("blocks: ").to_owned()));
    }
    if !status.success() {
        bail!("ended ({status}){}", child.wrote());
    }
    let count = serde_json::from_str(last);
    Ok(Outcome::Counted(count.with_context(|| format!("counted {last}"))?))
}
