//! A function's health before it is shipped: whether its handler is found and loads, whether compiled code in it fits,
//! whether what it imports is there, and whether the platform takes it.
//!
//! Files and limits are looked at here. What depends on a language is asked of its engine
//! ([`trine_engine::Engine::examine`]). Whether the handler loads is tried in a process of its own ([`Trial`]), because
//! a function may hang or crash.

mod code;
mod handler;
mod layer;
mod permissions;
mod platform;
mod sizes;
mod trial;

pub use layer::{Layers, strays};
pub use platform::{Tree, glibc_of};
pub use sizes::{Sizes, UNPACKED_LIMIT, ZIPPED_LIMIT, shown as shown_size};
pub use trial::{Outcome, Trial};

use crate::{
    config::Settings,
    engines::Registry,
    folder::{Contents, FolderError, Survey},
    handler::SearchPaths,
};
use std::path::{Path, PathBuf};
use trine_engine::{Examination, Finding, PackedFolder, Verdict};

/// The newest version of glibc whose symbols Amazon Linux 2023 has.
pub const PLATFORM_GLIBC: Version = Version(2, 34);

/// A version of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Reads `2.34`; a third number is passed over.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A checkup of one function.
pub struct Checkup<'c> {
    /// The function's folder.
    pub root: &'c Path,
    /// The handler as the user wrote it; else the environment names it.
    pub handler: Option<&'c str>,
    /// The layers, unpacked.
    pub layers: &'c [PathBuf],
    /// The settings of this process.
    pub settings: &'c Settings,
    /// The languages.
    pub registry: &'c Registry,
    /// The runtime that will run the function.
    pub runtime: &'c Path,
    /// The listener that hears what is being done.
    pub progress: &'c dyn Fn(&str),
}

impl Checkup<'_> {
    /// Returns what was found, in the order in which a reader wants it.
    ///
    /// # Errors
    /// When the function's folder, or a layer's, cannot be looked at.
    pub fn run(&self) -> Result<Vec<Finding>, FolderError> {
        (self.progress)("looking at the files");
        let function = self.survey(self.root)?;
        let packed: Vec<Contents> =
            self.layers.iter().map(|layer| self.survey(layer)).collect::<Result<_, _>>()?;
        let layers = Layers::of(self.layers, &self.settings.layer_root.value)?;
        let search =
            SearchPaths { task_root: function.root.clone(), layer_root: layers.root().to_owned() };
        let mut findings = handler::look(self.handler, &search, self.registry);
        let is_found = findings.iter().all(|finding| finding.verdict != Verdict::Fail);
        if is_found && findings.iter().any(|finding| finding.verdict == Verdict::Ok) {
            (self.progress)("loading the handler");
            let trial = Trial {
                runtime: self.runtime,
                root: &function.root,
                handler: self.handler,
                layer_root: layers.root(),
                keeps_cache: false,
            };
            findings.push(trial.run().finding());
        }
        (self.progress)("looking at compiled code and imports");
        let files = function.for_engines();
        let files_of_layers: Vec<PackedFolder> = packed.iter().map(Contents::for_engines).collect();
        let runtime = platform::facts_of(self.runtime);
        let examination = Examination {
            function: &files,
            layers: &files_of_layers,
            machine: std::env::consts::ARCH,
            runtime: runtime.as_ref(),
        };
        for engine in self.registry.iter() {
            findings.extend(engine.examine(&examination));
        }
        findings.extend(code::look(&examination));
        findings.extend(platform::look(self.runtime, runtime.as_ref()));
        for layer in &packed {
            findings.extend(strays(layer, self.registry));
        }
        let sizes = Sizes::of(&function, &packed, Tree::of_runtime(self.runtime).as_ref());
        findings.push(sizes.finding());
        for (at, contents) in std::iter::once(&function).chain(&packed).enumerate() {
            findings.extend(permissions::look(contents, at == 0));
            findings.extend(
                contents
                    .problems
                    .iter()
                    .map(|problem| Finding::fail("folder", problem.what.clone(), problem.advice)),
            );
        }
        Ok(findings)
    }

    fn survey(&self, root: &Path) -> Result<Contents, FolderError> {
        let registry = self.registry;
        Survey { root, except: &[], follow: false, registry, progress: &|_| () }.run()
    }
}
