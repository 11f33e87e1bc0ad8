//! The rules by which something is left out of a package: `.trineignore` of the folder, then leftovers that every project
//! may have, then what engines know to be of no use to them.

use super::FolderError;
use crate::engines::Registry;
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use std::{borrow::Cow, path::Path};
use trine_engine::Candidate;

/// The file that names what is to be left out, and with `!` what is not, in the syntax of `.gitignore`.
pub const IGNORE_FILE: &str = ".trineignore";

/// The rules of one folder.
pub(super) struct Rules<'r> {
    own: Gitignore,
    registry: &'r Registry,
}

impl<'r> Rules<'r> {
    /// Reads the rules of a folder.
    ///
    /// # Errors
    /// [`FolderError::Rules`] when the file has a rule that makes no sense, with its line, or cannot be read.
    pub(super) fn of(root: &Path, registry: &'r Registry) -> Result<Self, FolderError> {
        let mut builder = GitignoreBuilder::new(root);
        let file = root.join(IGNORE_FILE);
        let told = |error: ignore::Error| FolderError::Rules(error.to_string());
        if file.exists()
            && let Some(error) = builder.add(&file)
        {
            return Err(told(error));
        }
        Ok(Self { own: builder.build().map_err(told)?, registry })
    }

    /// Returns the reason why something is left out; `None` where it is shipped.
    pub(super) fn reason(&self, candidate: &Candidate<'_>) -> Option<Cow<'static, str>> {
        match self.own.matched(candidate.name, candidate.is_folder) {
            Match::Ignore(_) => return Some(format!("named in {IGNORE_FILE}").into()),
            Match::Whitelist(_) => return None,
            Match::None => {}
        }
        usual(candidate).or_else(|| self.by_engine(candidate)).map(Cow::Borrowed)
    }

    fn by_engine(&self, candidate: &Candidate<'_>) -> Option<&'static str> {
        let mut engines = self.registry.iter();
        engines.find_map(|engine| engine.spare(candidate))
    }
}

/// Returns the reason why something is left out that every project may have.
fn usual(candidate: &Candidate<'_>) -> Option<&'static str> {
    let base = candidate.base();
    match (candidate.is_folder, base) {
        (_, ".git") | (true, ".hg" | ".svn" | ".bzr" | "CVS") => Some("version control"),
        (false, ".gitignore" | ".gitattributes" | ".gitmodules" | ".hgignore") => {
            Some("version control")
        }
        (true, ".idea" | ".vscode" | ".vs" | "__MACOSX" | ".Trash") => Some("editors and desktops"),
        // Types that `trine types` writes.
        (true, ".trine") => Some("editors and desktops"),
        (false, ".DS_Store" | "Thumbs.db" | "desktop.ini") => Some("editors and desktops"),
        (false, _) if base.starts_with("._") || base.ends_with('~') || is_swap_file(base) => {
            Some("editors and desktops")
        }
        (true, ".aws-sam" | ".serverless" | ".terraform" | "cdk.out") => Some("deployment tools"),
        _ => None,
    }
}

/// The beginning of the name that a package has while it is being written.
pub(crate) const PART_PREFIX: &str = ".trine-package-";

/// Whether vim has left this behind: `.app.py.swp`.
fn is_swap_file(base: &str) -> bool {
    base.starts_with('.') && [".swp", ".swo"].iter().any(|ending| base.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn reason(rules: &Rules<'_>, name: &str, is_folder: bool) -> Option<String> {
        let candidate = Candidate { path: Path::new(name), name, is_folder };
        rules.reason(&candidate).map(Cow::into_owned)
    }

    #[test]
    fn the_folders_own_rules_come_first_and_may_keep_what_is_usually_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# not needed\n/data/*.csv\n!/data/keep.csv\n!.git\ntests/\n";
        fs::write(folder.path().join(IGNORE_FILE), text).unwrap();
        let registry = Registry::new(Vec::new());
        let rules = Rules::of(folder.path(), &registry).unwrap();
        let named = Some("named in .trineignore".to_owned());
        assert_eq!(reason(&rules, "data/a.csv", false), named);
        assert_eq!(reason(&rules, "data/keep.csv", false), None);
        assert_eq!(reason(&rules, "sub/data/a.csv", false), None);
        assert_eq!(reason(&rules, "sub/tests", true), named);
        assert_eq!(reason(&rules, "sub/tests", false), None);
        assert_eq!(reason(&rules, ".git", true), None);
        assert_eq!(reason(&rules, ".hg", true).as_deref(), Some("version control"));
        assert_eq!(reason(&rules, ".trine", true).as_deref(), Some("editors and desktops"));
        assert_eq!(reason(&rules, ".trine-cache", true), None);
        assert_eq!(reason(&rules, "a/.app.py.swp", false).as_deref(), Some("editors and desktops"));
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(IGNORE_FILE), "fine\n[z-a]\n").unwrap();
        let registry = Registry::new(Vec::new());
        let Err(error) = Rules::of(folder.path(), &registry) else { panic!("it was taken") };
        let text = error.to_string();
        assert!(text.contains(".trineignore") && text.contains("line 2"), "{text}");
    }
}
