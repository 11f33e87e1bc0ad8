//! The machine, the runtime and the folder that the runtime ships in: whether their C libraries go together.

use super::{PLATFORM_GLIBC, Version};
use crate::folder::{machine_code, versions_of_library};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use trine_engine::{ElfFacts, Finding, MachineCode};

const TOPIC: &str = "platform";

/// The file by which a folder with a runtime is known.
const MANIFEST: &str = "share/trine/manifest.json";

/// The folder that a runtime ships in, with everything that it needs.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
    manifest: Value,
}

impl Tree {
    /// Opens a folder.
    ///
    /// # Errors
    /// A message that says what is missing or damaged.
    pub fn open(root: &Path) -> Result<Self, String> {
        let file = root.join(MANIFEST);
        let text = fs::read(&file).map_err(|error| {
            format!("{root:?} holds no runtime to ship: cannot read {}: {error}", file.display())
        })?;
        let manifest = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is damaged: {error}", file.display()))?;
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let tree = Self { root, manifest };
        match tree.program().is_file() {
            true => Ok(tree),
            false => Err(format!("{:?} lacks bin/trine", tree.root)),
        }
    }

    /// Returns the folder that a runtime's file belongs to, if it does to one.
    pub fn of_runtime(runtime: &Path) -> Option<Self> {
        let file = fs::canonicalize(runtime).ok()?;
        Self::open(file.parent()?.parent()?).ok()
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the runtime's file.
    pub fn program(&self) -> PathBuf {
        self.root.join("bin/trine")
    }

    /// Returns the version of glibc that it needs.
    fn glibc(&self) -> Option<Version> {
        self.manifest["glibc"].as_str().and_then(Version::parse)
    }

    /// Returns the size of its files.
    pub fn size(&self) -> u64 {
        let files = self.manifest["files"].as_object();
        let sizes = files.into_iter().flat_map(|files| files.values());
        sizes.filter_map(|file| file["size"].as_u64()).sum()
    }

    /// Returns files of the manifest that are missing or have another size: names, in their order.
    pub fn damaged(&self) -> Vec<String> {
        let files = self.manifest["files"].as_object();
        let files = files.into_iter().flatten();
        let is_damaged = |(name, facts): &(&String, &Value)| {
            let found = fs::metadata(self.root.join(name)).ok().map(|found| found.len());
            found.is_none() || facts["size"].as_u64().is_some_and(|size| found != Some(size))
        };
        files.filter(is_damaged).map(|(name, _)| name.clone()).collect()
    }
}

/// Returns the facts about a runtime's file.
pub(super) fn facts_of(runtime: &Path) -> Option<ElfFacts> {
    match machine_code(runtime) {
        Some(MachineCode::Elf(facts)) => Some(facts),
        _ => None,
    }
}

/// Returns the newest version of glibc that a library file has symbols for.
pub fn glibc_of(library: &Path) -> Option<Version> {
    let versions = versions_of_library(library);
    let numbers = versions.iter().filter_map(|version| version.strip_prefix("GLIBC_"));
    numbers.filter_map(Version::parse).max()
}

/// Returns the version of this process's glibc.
fn glibc_here() -> Option<Version> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let mut paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    glibc_of(Path::new(paths.find(|path| path.ends_with("/libc.so.6"))?))
}

/// Looks at the machine and the runtime.
pub(super) fn look(runtime: &Path, facts: Option<&ElfFacts>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let here = glibc_here();
    let tree = Tree::of_runtime(runtime);
    if let Some(tree) = &tree {
        let damaged = tree.damaged();
        if let [first, ..] = damaged.as_slice() {
            let what = format!(
                "{} of the runtime's files in {} are missing or damaged, as {first}",
                damaged.len(),
                tree.root().display()
            );
            findings.push(Finding::fail(TOPIC, what, "unpack the runtime again"));
        }
    }
    let of_file = facts.into_iter().flat_map(|facts| &facts.versions);
    let of_file =
        of_file.filter_map(|version| Version::parse(version.strip_prefix("GLIBC_")?)).max();
    let needed = tree.as_ref().and_then(Tree::glibc).max(of_file);
    let (Some(here), Some(needed)) = (here, needed) else { return findings };
    let what = format!("the runtime needs glibc {needed}; this machine has {here}");
    findings.push(match needed {
        _ if needed > here => Finding::fail(TOPIC, what, "run it on a newer system"),
        _ if needed > PLATFORM_GLIBC => Finding::warn(
            TOPIC,
            format!("{what}, Amazon Linux 2023 {PLATFORM_GLIBC}"),
            "on Lambda, use the runtime that 'make layer' builds",
        ),
        _ => Finding::ok(TOPIC, format!("{what}, Amazon Linux 2023 {PLATFORM_GLIBC}")),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_glibc_is_known() {
        let here = glibc_here().unwrap();
        assert!(here >= Version(2, 17) && here < Version(3, 0), "{here}");
    }

    #[test]
    fn a_folder_with_a_manifest_is_a_runtimes() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let open = || Tree::open(folder.path());
        assert!(open().unwrap_err().contains("holds no runtime to ship"));
        write(MANIFEST, "{");
        assert!(open().unwrap_err().contains("is damaged"));
        let files = r#"{"bin/trine": {"size": 4}, "lib/x": {"size": 2}, "bin/a": {"size": 9}}"#;
        write(MANIFEST, &format!(r#"{{"glibc": "2.34", "files": {files}}}"#));
        assert!(open().unwrap_err().contains("lacks bin/trine"));
        write("bin/trine", "four");
        write("bin/a", "a");
        let tree = open().unwrap();
        assert_eq!((tree.glibc(), tree.size()), (Some(Version(2, 34)), 15));
        assert_eq!(tree.damaged(), ["lib/x", "bin/a"]);
        let runtime = folder.path().join("bin/trine");
        let root = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(Tree::of_runtime(&runtime).unwrap().root(), root);
    }
}
