//! The environment of a generation: `--env` over the user's environment over `--env-file` over `.env`.

use super::super::Usage;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The file of variables that is read without being named.
const USUAL_FILE: &str = ".env";
/// The largest file of variables, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The flags that set variables.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in super::super) struct EnvironmentFlags {
    /// Set a variable for functions (NAME=value), whatever the environment says; repeat for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Read variables that the environment does not set from this file, before those of .env; repeat for several
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
}

/// Reads a variable and its value.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| "write a name, = and a value, such as STAGE=dev".to_owned())?;
    match text.contains('\0') {
        true => Err("no environment can hold a NUL character".to_owned()),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

impl EnvironmentFlags {
    pub(super) fn has_values(&self) -> bool {
        !self.env.is_empty()
    }

    pub(super) fn has_files(&self) -> bool {
        !self.env_file.is_empty()
    }

    /// Returns the files that are read, whether they exist or not.
    pub(super) fn files(&self, root: &Path) -> Vec<PathBuf> {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        self.env_file.iter().map(absolute).chain([root.join(USUAL_FILE)]).collect()
    }

    /// Returns the variables that a generation gets beside those that `is_set` in the environment.
    ///
    /// # Errors
    /// [`Usage`] for a file that was named and cannot be read, or one that is no text.
    pub(super) fn variables(
        &self,
        root: &Path,
        is_set: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, String>, Usage> {
        let mut variables = BTreeMap::new();
        let files = self.files(root);
        for (at, file) in files.iter().enumerate() {
            let is_named = at < self.env_file.len();
            let text = match read(file) {
                Ok(text) => text,
                Err(why) if why.kind() == io::ErrorKind::NotFound && !is_named => continue,
                Err(why) => {
                    let message = format!("the file of variables {}: {why}", file.display());
                    return Err(Usage(message));
                }
            };
            // Some editors begin a file with a mark that is no part of it.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            dotenv::parse_env_content_hook(text, &mut |name, value| {
                let fits = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
                if fits && !is_set(name) {
                    variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
                }
            });
        }
        variables.extend(self.env.iter().cloned());
        Ok(variables)
    }
}

fn read(file: &Path) -> io::Result<String> {
    let size = fs::metadata(file)?.len();
    if size > LARGEST {
        let message = format!("it has {size} bytes, and may have {LARGEST}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    fs::read_to_string(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_before_the_environment_and_that_before_files_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("dev.env");
        fs::write(&named, "A=file\nB=file\nC=file # said\nD='two\nlines'\n").unwrap();
        fs::write(folder.path().join(".env"), "\u{feff}C=usual\nexport E=\"usual\"\nF=a=b\n")
            .unwrap();
        let flags = EnvironmentFlags {
            env: vec![("A".to_owned(), "flag".to_owned())],
            env_file: vec![named],
        };
        let variables = flags.variables(folder.path(), |name| name == "A" || name == "B").unwrap();
        let found: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let wanted =
            [("A", "flag"), ("C", "file"), ("D", "two\nlines"), ("E", "usual"), ("F", "a=b")];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there_and_the_usual_one_may_not() {
        let folder = tempfile::tempdir().unwrap();
        let none = EnvironmentFlags::default();
        assert_eq!(none.variables(folder.path(), |_| false).unwrap(), BTreeMap::new());
        let named =
            EnvironmentFlags { env_file: vec![folder.path().join("gone.env")], ..none.clone() };
        let why = named.variables(folder.path(), |_| false).unwrap_err().to_string();
        assert!(why.contains("gone.env: No such file"), "{why}");
        fs::write(folder.path().join(".env"), b"A=\xff").unwrap();
        let why = none.variables(folder.path(), |_| false).unwrap_err().to_string();
        assert!(why.contains(".env: stream did not contain valid UTF-8"), "{why}");
    }

    #[test]
    fn a_variable_has_a_name() {
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert_eq!(variable("A="), Ok(("A".to_owned(), String::new())));
        for wrong in ["A", "=b", ""] {
            assert!(variable(wrong).unwrap_err().contains("STAGE=dev"));
        }
    }
}
