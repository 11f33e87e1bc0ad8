//! `trine new`: a small project to begin with.

use super::{Usage, print};
use crate::{
    engines::Registry,
    new::{LANGUAGES, Language, Project, check, derived, make},
};
use anyhow::Context;
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Make a small project: a function, an event with its answer, types for editors.
///
/// The function answers an event and an HTTP request alike. Nothing that exists is written over: the project's folder must be
/// missing, or empty but for .git.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// The project's name, which is that of its folder; . for the working directory
    #[arg(required_unless_present = "here")]
    name: Option<String>,
    /// The language of its files
    #[arg(
        long, short, value_name = "ts|js|python|lua", hide_possible_values = true, value_parser = languages()
    )]
    language: String,
    /// Add a middleware of the project's name, with hooks before and after the function
    #[arg(long)]
    middleware: bool,
    /// Make the function one that answers HTTP requests, by method and path
    #[arg(long)]
    web: bool,
    /// Make the project in the working directory
    #[arg(long, conflicts_with = "name")]
    here: bool,
}

const EXAMPLES: &str = "\
Examples:
  trine new hello --language python
  trine new shop --language ts --web --middleware
  trine new . --language lua";

/// Returns the names of languages, with other names for them.
fn languages() -> PossibleValuesParser {
    let value = |language: &Language| PossibleValue::new(language.id).aliases(language.aliases);
    PossibleValuesParser::new(LANGUAGES.iter().map(value))
}

impl New {
    /// Makes the project and prints what can be done with it.
    ///
    /// # Errors
    /// [`Usage`] for a name that no function can have or a language that this build has not; otherwise when files cannot
    /// be made.
    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        let (name, folder) = self.place()?;
        let language = Language::named(&self.language)
            .with_context(|| format!("there are no projects in {}", self.language))?;
        let engine = language.engine_of(registry).ok_or_else(|| {
            Usage(format!(
                "this build does not run {}: 'trine engines' lists what it does",
                language.name
            ))
        })?;
        let project = Project {
            name: &name,
            language,
            types: engine.types(),
            middleware: self.middleware,
            web: self.web,
        };
        let files = project.files();
        make(folder.as_deref().unwrap_or(Path::new(".")), &files)?;
        let place =
            folder.as_deref().map_or("here".into(), |folder| format!("in {}", folder.display()));
        print(format_args!("Made {name}, a function in {}, {place}:", language.name));
        files.iter().for_each(|file| print(format_args!("  {}", file.path)));
        print("\nNext:");
        next(&project, folder.as_deref()).iter().for_each(|line| print(format_args!("  {line}")));
        Ok(())
    }

    /// Returns the project's name, and its folder unless that is the working directory.
    fn place(&self) -> anyhow::Result<(String, Option<PathBuf>)> {
        let name = self.name.as_deref().unwrap_or(".");
        if name == "." || name == "./" {
            let folder = env::current_dir().context("cannot tell the working directory")?;
            let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((derived(&folder), None));
        }
        // Shells complete folders with a slash.
        let name = name.strip_suffix('/').filter(|name| !name.is_empty()).unwrap_or(name);
        check(name).map_err(|error| Usage(error.to_string()))?;
        Ok((name.to_owned(), Some(name.into())))
    }
}

/// Returns the commands that come next, as they work from the working directory.
fn next(project: &Project<'_>, folder: Option<&Path>) -> [String; 2] {
    let program = env::args_os().next().unwrap_or_default();
    let program = program.to_str().filter(|path| path.contains('/')).unwrap_or("trine");
    let below = |path: &str| match folder {
        Some(folder) => folder.join(path).display().to_string(),
        None => path.to_owned(),
    };
    let middlewares = match project.middleware {
        true => format!(" --middlewares {}", project.name),
        false => String::new(),
    };
    let (handler, event) = (below(&project.handler()), below("events/hello.json"));
    let serve = folder.map_or(String::new(), |folder| format!(" {}", folder.display()));
    let program = quoted(program);
    [
        format!("{program} invoke {handler} --event {event}{middlewares}"),
        format!("{program} serve{serve}"),
    ]
}

/// Returns a word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+~".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_in_odd_places_are_quoted() {
        assert_eq!(quoted("/opt/trine-1/bin/trine"), "/opt/trine-1/bin/trine");
        assert_eq!(quoted("/my files/trine"), "'/my files/trine'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn the_help_names_every_language() {
        let ids: Vec<&str> = LANGUAGES.iter().map(|language| language.id).collect();
        let command = <New as Args>::augment_args(clap::Command::new("new"));
        let language = command.get_arguments().find(|arg| arg.get_id() == "language").unwrap();
        let shown = language.get_value_names().unwrap();
        assert_eq!(shown[0].as_str(), ids.join("|"));
    }
}
