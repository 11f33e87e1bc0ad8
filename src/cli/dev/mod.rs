//! `trine dev`, and `trine serve --reload`: a server that is replaced, as a whole, whenever files change.
//!
//! This process holds the port, watches the files and reads the keys; what answers is a process of its own, the
//! *generation*. When something changes, the present one stops accepting at once and ends when it has answered what it has;
//! the next one begins with nothing of it, and finds whoever came meanwhile waiting at the port. So every answer after a
//! change is one of the new code, in all workers and languages, whatever the old code has left in its interpreters.

mod browser;
mod environment;
mod generations;
mod keys;
mod lines;
mod member;
mod pace;
mod place;
mod relevance;
mod tree;
mod watch;

use super::serve::Serve;
use crate::engines::Registry;
use clap::Args;
pub(super) use environment::EnvironmentFlags;
pub(super) use generations::supervise;
pub(super) use place::Place;
use std::path::{Path, PathBuf};

/// Serve functions while they are being written: with every change of a file, and a page to try them.
///
/// As `serve --reload --console --log-requests --eager --workers 1`, with errors shown in full. Keys: r reloads, o opens the
/// page, c clears the screen, q quits.
#[derive(Debug, Args)]
pub(super) struct Dev {
    #[command(flatten)]
    serve: Serve,
}

impl Dev {
    /// Serves until a signal comes, or `q`.
    ///
    /// # Errors
    /// As `serve`.
    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        self.serve.for_development().run(registry)
    }
}

/// The flags that have files watched.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReloadFlags {
    /// Serve anew whenever a file changes that functions are made of
    #[arg(long)]
    pub(super) reload: bool,
    /// Also reload when this file or anything in this folder changes; repeat for several
    #[arg(long, value_name = "PATH")]
    watch: Vec<PathBuf>,
    /// Do not reload for files of this name, path or pattern (data.json, out/, *.gen.ts); repeat for several
    #[arg(long, value_name = "PATTERN")]
    ignore: Vec<String>,
    /// Look at all files a few times a second: for file systems that do not tell of changes, such as network drives
    #[arg(long)]
    poll: bool,
    #[command(flatten)]
    environment: EnvironmentFlags,
    /// The place of a server that was started to be one of a row
    #[arg(long, hide = true, value_name = "PLACE")]
    pub(super) generation: Option<Place>,
}

impl ReloadFlags {
    /// Returns the first flag that is of no use without --reload.
    pub(super) fn idle(&self) -> Option<&'static str> {
        let given = [
            ("--watch", !self.watch.is_empty()),
            ("--ignore", !self.ignore.is_empty()),
            ("--poll", self.poll),
            ("--env", self.environment.has_values()),
            ("--env-file", self.environment.has_files()),
        ];
        given.into_iter().find(|(_, is_given)| !self.reload && *is_given).map(|(flag, _)| flag)
    }
}

/// What is served: the places to watch.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// The file or folder.
    place: PathBuf,
    /// The folders in which middlewares are found beside it.
    beside: Vec<PathBuf>,
    /// Extensions of the languages at hand.
    extensions: Vec<String>,
    /// Variables with which nothing old of a file is taken for current.
    variables: Vec<(&'static str, &'static str)>,
    /// Whether debuggers attach at an address of their own.
    pub(super) is_debugged: bool,
}

impl Watched {
    /// Makes the places to watch for a path as the user wrote it, a folder, a file or a file with an export.
    pub(super) fn new(path: &Path, layer_root: &Path, registry: &Registry) -> Self {
        let path = path.to_string_lossy();
        let file = match path.rsplit_once(':') {
            Some((file, export)) if !Path::new(&*path).exists() && !export.contains('/') => file,
            _ => &path,
        };
        let place = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
        let beside = [layer_root.join("middlewares")];
        let engines = registry.iter();
        Self {
            place,
            is_debugged: false,
            beside: beside.into_iter().filter(|folder| folder.is_dir()).collect(),
            extensions: registry.extensions().map(|(extension, _)| extension.to_owned()).collect(),
            variables: engines
                .flat_map(|engine| engine.variables_while_files_change())
                .copied()
                .collect(),
        }
    }

    /// Whether there is anything to watch.
    pub(super) fn exists(&self) -> bool {
        self.place.exists()
    }

    /// Returns the folder that is served, or the one of the file.
    fn root(&self) -> PathBuf {
        match self.place.is_dir() {
            true => self.place.clone(),
            false => self.place.parent().map_or_else(|| self.place.clone(), PathBuf::from),
        }
    }
}
