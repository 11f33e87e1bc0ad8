//! The contestants: Trine, the designs that it replaces, the runtimes that people use instead. They are data, one TOML
//! file per kind in `benches/contestants/`, so that adding one does not need code.

use anyhow::{Context, ensure};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// All contestants, in the order in which tables list them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contestants {
    /// Processes that speak Lambda's Runtime API.
    #[serde(default)]
    pub lambda: Vec<Lambda>,
    /// HTTP servers.
    #[serde(default)]
    pub http: Vec<Server>,
}

/// The role of a contestant relative to Trine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Trine itself.
    Trine,
    /// The lower bound of any runtime: a raw client that echoes.
    Floor,
    /// A design that Trine replaces.
    Baseline,
    /// A runtime that people would use instead.
    Peer,
}

/// A part of the comparison of Lambda runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Warm invocations of four sizes.
    Warm,
    /// Warm invocations with no, one and three hooks.
    Hooks,
    /// Time from exec to the first `/next`.
    Start,
    /// Blocks of what ships that a cold start reads.
    Blocks,
    /// Resident memory.
    Memory,
}

/// Properties that all contestants have in common.
#[derive(Debug, Clone, Deserialize)]
pub struct Identity {
    /// Stable name in results: `trine-js`.
    pub id: String,
    /// Name in tables: `Trine, JavaScript`.
    pub name: String,
    /// Its role.
    pub group: Group,
    /// Language of the handler: `js`, `python`, `lua` or `rust`; of a web application its framework. Ratios are to Trine's
    /// first entry of the same.
    pub language: String,
    /// The peer that must be installed for it, if any.
    pub peer: Option<String>,
    /// The file that must be there for it, if any.
    pub needs: Option<Needs>,
    /// A command whose first line of output is its version.
    #[serde(default)]
    pub version: Vec<String>,
}

/// A file that is made before measuring, and by what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Its path, with placeholders.
    pub file: String,
    /// The command that makes it: `make layer`.
    pub made_by: String,
}

/// A process that speaks Lambda's Runtime API.
#[derive(Debug, Clone, Deserialize)]
pub struct Lambda {
    /// Its identity.
    #[serde(flatten)]
    pub identity: Identity,
    /// Program and arguments, with placeholders (see [`Places::fill`]).
    pub command: Vec<String>,
    /// `LAMBDA_TASK_ROOT` and working directory, with placeholders.
    pub task: String,
    /// `_HANDLER`.
    pub handler: String,
    /// Additional environment variables, with placeholders.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// A command that runs to its end before it is measured, with the same folder and environment, and placeholders.
    #[serde(default)]
    pub prepare: Vec<String>,
    /// Parts of the comparison in which it takes part.
    pub suites: BTreeSet<Suite>,
    /// Handler that starts in [`Suite::Start`]: `bare`, or the name of a set of dependencies.
    #[serde(default = "bare")]
    pub load: String,
    /// The variable that takes the list `hook1,hook2,hook3` in [`Suite::Hooks`].
    pub hooks_variable: Option<String>,
    /// Files, folders and names of programs that ship, for [`Suite::Blocks`], with placeholders. Libraries that they load
    /// from elsewhere need not be listed.
    #[serde(default)]
    pub ships: Vec<String>,
    /// An interpreter of Python whose standard library ships, too, with placeholders.
    pub library_of: Option<String>,
    /// Values that its first figure of a suite should not exceed, by the suites' names.
    #[serde(default)]
    pub goals: BTreeMap<String, f64>,
}

/// An HTTP server.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    /// Its identity.
    #[serde(flatten)]
    pub identity: Identity,
    /// Program and arguments, with placeholders and `{port}`.
    pub command: Vec<String>,
    /// Working directory, with placeholders.
    pub task: String,
    /// Additional environment variables, with placeholders and `{port}`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Path that echoes a JSON body posted to it.
    pub path: String,
}

fn bare() -> String {
    "bare".to_owned()
}

/// Folders that commands name by placeholders.
#[derive(Debug, Clone)]
pub struct Places {
    /// This crate's folder: `{benches}`.
    pub benches: PathBuf,
    /// Folder into which peers are installed: `{peers}`.
    pub peers: PathBuf,
    /// Folder of cargo's binaries of the everyday profile: `{target}`.
    pub target: PathBuf,
    /// Folder of what ships, which `make layer` leaves: `{tree}`.
    pub tree: PathBuf,
}

impl Places {
    fn named(&self) -> [(&'static str, &Path); 4] {
        [
            ("{benches}", &self.benches),
            ("{peers}", &self.peers),
            ("{target}", &self.target),
            ("{tree}", &self.tree),
        ]
    }

    /// Replaces the placeholders `{benches}`, `{peers}`, `{target}` and `{tree}` in `text`.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, place) in self.named() {
            text = text.replace(name, &place.to_string_lossy());
        }
        text
    }

    /// Replaces every folder in `text` by its placeholder, for results that do not name a machine's paths.
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, place) in self.named() {
            text = text.replace(&*place.to_string_lossy(), name);
        }
        text
    }
}

impl Contestants {
    /// Reads all files of `folder`, by name.
    ///
    /// # Errors
    /// When a file cannot be read or understood, or an id is used twice.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .with_context(|| format!("cannot list {}", folder.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        files.sort();
        let mut all = Self::default();
        for file in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let Self { lambda, http } = toml::from_str(&text)
                .with_context(|| format!("cannot understand {}", file.display()))?;
            all.lambda.extend(lambda);
            all.http.extend(http);
        }
        let mut ids = BTreeSet::new();
        for identity in all.identities() {
            ensure!(ids.insert(&identity.id), "the id {} is used twice", identity.id);
        }
        Ok(all)
    }

    /// Returns the identities of all contestants.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let lambda = self.lambda.iter().map(|lambda| &lambda.identity);
        lambda.chain(self.http.iter().map(|server| &server.identity))
    }
}
