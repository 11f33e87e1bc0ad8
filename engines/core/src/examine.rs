//! What a language has to say about a folder before it is shipped: whether compiled code fits the interpreter, and what
//! the source asks for that nobody brings.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The files that are to be shipped together, as [`crate::Engine::examine`] gets them.
#[derive(Debug, Clone, Copy)]
pub struct Examination<'a> {
    /// The function's own files.
    pub function: &'a PackedFolder,
    /// The layers' files, each as it is unpacked.
    pub layers: &'a [PackedFolder],
    /// The machine that the function will run on, as Linux names it: `x86_64`.
    pub machine: &'a str,
    /// The executable that will run the function, where it could be read.
    pub runtime: Option<&'a ElfFacts>,
}

impl<'a> Examination<'a> {
    /// Returns the function's folder, then the layers.
    pub fn folders(&self) -> impl Iterator<Item = &'a PackedFolder> {
        std::iter::once(self.function).chain(self.layers)
    }
}

/// A folder as it is shipped: without what is left out.
#[derive(Debug, Clone, Default)]
pub struct PackedFolder {
    /// The folder, absolute.
    pub root: PathBuf,
    /// Its files, sorted by name.
    pub files: Vec<PackedFile>,
}

impl PackedFolder {
    /// Returns a file by its name.
    pub fn file(&self, name: &str) -> Option<&PackedFile> {
        let at = self.files.binary_search_by(|file| file.name.as_str().cmp(name)).ok()?;
        self.files.get(at)
    }

    /// Whether there is a file in this sub-folder, or in one below it.
    pub fn has_folder(&self, name: &str) -> bool {
        let start = format!("{name}/");
        let at = self.files.partition_point(|file| file.name.as_str() < start.as_str());
        self.files.get(at).is_some_and(|file| file.name.starts_with(&start))
    }
}

/// A file that is shipped.
#[derive(Debug, Clone)]
pub struct PackedFile {
    /// The path below the folder, with slashes: `node_modules/sharp/lib/index.js`.
    pub name: String,
    /// The path at which it can be read.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The machine code in it, if it has any.
    pub code: Option<MachineCode>,
}

impl PackedFile {
    /// Returns the part of the name after the last slash.
    pub fn base(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(_, base)| base)
    }

    /// Returns the part of the name before the last slash; empty at the top.
    pub fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns its text, if it can be read and is UTF-8.
    pub fn text(&self) -> Option<String> {
        std::fs::read_to_string(&self.path).ok()
    }
}

/// The format of a file with machine code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineCode {
    /// Linux's.
    Elf(ElfFacts),
    /// macOS's.
    MachO,
    /// Windows'.
    Pe,
}

/// The facts that an ELF file states about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElfFacts {
    /// The machine, as Linux names it: `x86_64`, `aarch64`; else `machine 243`.
    pub machine: String,
    /// Names of the libraries that it needs: `libc.so.6`.
    pub needed: Vec<String>,
    /// Versions of symbols that it needs: `GLIBC_2.34`.
    pub versions: Vec<String>,
    /// Names of symbols that it expects others to have.
    pub imports: Vec<String>,
    /// Names of symbols that it has for others.
    pub exports: Vec<String>,
}

impl ElfFacts {
    /// Whether it was built against musl instead of glibc.
    pub fn is_for_musl(&self) -> bool {
        self.needed.iter().any(|name| name.starts_with("libc.musl-"))
    }
}

impl MachineCode {
    /// Returns the reason why code does not run on Linux with glibc and this machine, as in "is for macOS"; `None` where
    /// it does.
    pub fn misfit(&self, machine: &str) -> Option<String> {
        match self {
            Self::Elf(elf) if elf.machine != machine => Some(format!("is for {}", elf.machine)),
            Self::Elf(elf) if elf.is_for_musl() => {
                Some("is for musl, and this runtime uses glibc".to_owned())
            }
            Self::Elf(_) => None,
            Self::MachO => Some("is for macOS".to_owned()),
            Self::Pe => Some("is for Windows".to_owned()),
        }
    }
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether all is well.
    pub verdict: Verdict,
    /// The subject in one word: `wheel`, `addon`, `handler`.
    pub topic: &'static str,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    /// Returns the finding that all is well.
    pub fn ok(topic: &'static str, what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, topic, what: what.into(), advice: None }
    }

    /// Returns the finding of something that may fail.
    pub fn warn(topic: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { verdict: Verdict::Warn, topic, what: what.into(), advice }
    }

    /// Returns the finding of something that fails.
    pub fn fail(topic: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { verdict: Verdict::Fail, topic, what: what.into(), advice }
    }
}

/// The weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It may fail, or costs more than it should.
    Warn,
    /// It will fail.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// A place in a layer where a language looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlace {
    /// The folder below the layer's root: `python`.
    pub folder: String,
    /// What it holds, as in "packages of Python".
    pub holds: &'static str,
}

/// Something that is found in a folder and of no use in a package, by its path on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The path on this machine.
    pub path: &'a Path,
    /// The path below the folder, with slashes.
    pub name: &'a str,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl<'a> Candidate<'a> {
    /// Returns the part of the name after the last slash.
    pub fn base(&self) -> &'a str {
        self.name.rsplit_once('/').map_or(self.name, |(_, base)| base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> PackedFile {
        PackedFile { name: name.into(), path: name.into(), size: 0, code: None }
    }

    #[test]
    fn files_and_folders_are_found_by_name() {
        let files = ["a-b/x.py", "a.py", "a/b/c.py"].map(file).to_vec();
        let folder = PackedFolder { root: "/".into(), files };
        assert!(folder.file("a.py").is_some() && folder.file("b.py").is_none());
        let found =
            ["a", "a/b", "a-b", "a.py", "b", "a/b/c.py"].map(|name| folder.has_folder(name));
        assert_eq!(found, [true, true, true, false, false, false]);
        assert_eq!((folder.files[2].base(), folder.files[2].folder()), ("c.py", "a/b"));
        assert_eq!((folder.files[1].base(), folder.files[1].folder()), ("a.py", ""));
    }

    #[test]
    fn code_that_does_not_run_says_why() {
        let elf = |machine: &str, needed: &str| {
            let needed = vec![needed.to_owned()];
            MachineCode::Elf(ElfFacts { machine: machine.into(), needed, ..ElfFacts::default() })
        };
        assert_eq!(elf("x86_64", "libc.so.6").misfit("x86_64"), None);
        for (code, why) in [
            (elf("aarch64", "libc.so.6"), "is for aarch64"),
            (elf("x86_64", "libc.musl-x86_64.so.1"), "is for musl, and this runtime uses glibc"),
            (MachineCode::MachO, "is for macOS"),
            (MachineCode::Pe, "is for Windows"),
        ] {
            assert_eq!(code.misfit("x86_64").as_deref(), Some(why));
        }
    }
}
