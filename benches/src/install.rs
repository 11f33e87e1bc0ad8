//! Installation of the peers, by their own scripts.

use crate::{console, contestant::Places, process::Launch};
use anyhow::ensure;
use std::{env, fs};

/// Runs the scripts and reports the results. A peer that cannot be installed is reported, but is not an error.
///
/// # Errors
/// When a script itself fails.
pub async fn run(places: &Places) -> anyhow::Result<()> {
    let peers = places.peers.to_string_lossy().into_owned();
    let mut failed = Vec::new();
    for kind in ["lambda", "http", "web"] {
        let folder = places.benches.join("peers").join(kind);
        console::say(&format!("peers: {kind}"));
        let launch = Launch {
            command: vec!["bash".to_owned(), "install.sh".to_owned(), peers.clone()],
            folder: &folder,
            environment: environment(),
            scratch: None,
            cores: None,
        };
        let ended = match launch.spawn() {
            Ok(mut script) => script.wait().await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(status) if status.success() => {}
            Ok(status) => failed.push(format!("peers/{kind}/install.sh: {status}")),
            Err(error) => failed.push(format!("peers/{kind}/install.sh: {error:#}")),
        }
    }
    tell(places);
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// Returns all of the driver's own environment, which may say where registries are and which certificates to trust. The
/// search path is not included, because it is already set.
fn environment() -> Vec<(String, String)> {
    let variables = env::vars_os().filter(|(name, _)| name != "PATH");
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reports which peers are present and which are not.
fn tell(places: &Places) {
    let Ok(folder) = fs::read_dir(places.peers.join("status")) else { return };
    let mut names: Vec<String> = folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.ends_with(".log"))
        .collect();
    names.sort();
    let (there, missing): (Vec<_>, Vec<_>) = names
        .into_iter()
        .map(|name| (crate::plan::peer_absence(&places.peers, &name), name))
        .partition(|(why, _)| why.is_none());
    let there: Vec<String> = there.into_iter().map(|(_, name)| name).collect();
    console::say(&format!("peers: installed: {}", there.join(", ")));
    for (why, _) in missing {
        console::say(&format!("peers: {}", why.unwrap_or_default()));
    }
}
