//! The combinations that are run, made from the files of a case: every hook's language around every handler's, and for
//! chains every language at every place.

use super::super::{case::Case, members::Members, plan::lacking};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use trine_engine::EngineInfo;

/// The part of a case that says which files it is run with.
#[derive(Debug)]
pub(super) struct Cast {
    /// The middlewares, as the case lists them.
    pub(super) middlewares: Vec<String>,
    pairs: Pairs,
    /// Engines without which the case cannot be run.
    engines: Vec<String>,
    /// Engine → reason why there are no hooks in it here.
    no_hooks: BTreeMap<String, String>,
}

/// The languages that are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairs {
    All,
    /// Hooks of the handler's own language.
    Same,
    /// Hooks of other languages only.
    Different,
}

/// A file of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) engine: &'static str,
    pub(super) extension: &'static str,
    /// Label in names of trials: the engine, or the extension where the engine has several files.
    pub(super) label: &'static str,
}

/// One choice of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Combination {
    pub(super) handler: File,
    /// The chosen file for each middleware that exists in several languages.
    pub(super) hooks: Vec<(String, File)>,
    /// All middlewares, as they are named in a setting.
    pub(super) middlewares: Vec<String>,
}

impl Cast {
    /// Takes what concerns files out of a case.
    pub(super) fn take(case: &mut Case) -> Result<Self, String> {
        let names = ["middlewares", "pairs", "engines", "no_hooks"];
        let own = names.iter().filter_map(|name| Some(((*name).to_owned(), case.take(name)?)));
        let mut own = Members::of("the case", Value::Object(own.collect()))?;
        let pairs = match own.text("pairs")?.as_deref() {
            None | Some("all") => Pairs::All,
            Some("same") => Pairs::Same,
            Some("different") => Pairs::Different,
            Some(other) => return Err(format!("pairs {other:?} is none of all, same, different")),
        };
        let cast = Self {
            middlewares: own.texts("middlewares")?,
            pairs,
            engines: own.texts("engines")?,
            no_hooks: own.text_map("no_hooks")?.into_iter().collect(),
        };
        if cast.middlewares.is_empty() {
            return Err("the case must list its \"middlewares\"".into());
        }
        Ok(cast)
    }

    /// Returns the names that exist once per language: not those with an extension, nor those without any file.
    fn open_names(&self, folder: &Path) -> Vec<String> {
        let files = || folder.join("middlewares").read_dir().into_iter().flatten().flatten();
        let is_open = |name: &&String| {
            let begin = format!("{name}.");
            files().any(|file| {
                let is_folder = file.file_name() == name.as_str() && file.path().is_dir();
                is_folder || file.file_name().to_string_lossy().starts_with(&begin)
            })
        };
        let mut names: Vec<String> = self.middlewares.iter().filter(is_open).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns every combination, or what is missing for one.
    pub(super) fn combinations(
        &self,
        case: &Case,
        folder: &Path,
        languages: &[EngineInfo],
    ) -> Result<Vec<Combination>, String> {
        let is_here = |id: &String| languages.iter().any(|language| language.id == id);
        if !self.engines.iter().all(is_here) {
            return Ok(Vec::new());
        }
        let able = |language: &&EngineInfo| lacking(&case.needs, &language.capabilities).is_none();
        let able: Vec<&EngineInfo> = languages.iter().filter(able).collect();
        let mut handlers = Vec::new();
        for language in &able {
            let files = handler_files(folder, language);
            let reason = case.not_for.get(language.id);
            check_presence("handler", "not_for", language, files.is_empty(), reason)?;
            handlers.extend(files);
        }
        let names = self.open_names(folder);
        let mut choices = Vec::new();
        for name in &names {
            let mut files = Vec::new();
            for language in &able {
                let found = hook_files(folder, name, language);
                let what = format!("middlewares/{name}");
                let reason = self.no_hooks.get(language.id);
                check_presence(&what, "no_hooks", language, found.is_empty(), reason)?;
                files.push(found);
            }
            files.retain(|files| !files.is_empty());
            if files.is_empty() {
                // It exists only in languages that this build does not have.
                return Ok(Vec::new());
            }
            choices.push(files);
        }
        let mut combinations = Vec::new();
        for handler in &handlers {
            for files in self.selections(&choices, handler) {
                let hooks = names.iter().cloned().zip(files).collect();
                let middlewares = self
                    .middlewares
                    .iter()
                    .map(|name| name.replace("{language}", handler.engine))
                    .collect();
                let combination = Combination { handler: handler.clone(), hooks, middlewares };
                if !combinations.contains(&combination) {
                    combinations.push(combination);
                }
            }
        }
        if combinations.is_empty() && able.len() > 1 {
            return Err("no two of the case's files go together".into());
        }
        Ok(combinations)
    }

    /// Returns the files that are used around one handler: a list for each trial, with one file for each name.
    fn selections(&self, choices: &[Vec<Vec<File>>], handler: &File) -> Vec<Vec<File>> {
        let own = |files: &[Vec<File>]| {
            files.iter().flatten().find(|file| file.engine == handler.engine).cloned()
        };
        match (choices, self.pairs) {
            ([], _) => vec![Vec::new()],
            (choices, Pairs::Same) => {
                let files: Option<Vec<File>> = choices.iter().map(|files| own(files)).collect();
                files.into_iter().collect()
            }
            ([files], pairs) => {
                let fits = |file: &&File| pairs == Pairs::All || file.engine != handler.engine;
                files.iter().flatten().filter(fits).map(|file| vec![file.clone()]).collect()
            }
            (choices, pairs) => {
                let turns = choices.iter().map(Vec::len).max().unwrap_or_default();
                let turn = |turn: usize| -> Vec<File> {
                    let place = |(at, files): (usize, &Vec<Vec<File>>)| {
                        files[(turn + at) % files.len()][0].clone()
                    };
                    choices.iter().enumerate().map(place).collect()
                };
                let mut selections: Vec<_> = (0..turns).map(turn).collect();
                // All in one language as well: there, nothing is serialised in between.
                selections.extend(choices.iter().map(|files| own(files)).collect::<Option<_>>());
                if pairs == Pairs::Different {
                    selections.retain(|files: &Vec<File>| {
                        files.iter().all(|file| file.engine != handler.engine)
                    });
                }
                selections
            }
        }
    }
}

impl Combination {
    /// Returns the name of its trial within the case: `python-around-lua`.
    pub(super) fn name(&self) -> String {
        let handler = self.handler.label;
        if self.hooks.is_empty() {
            return handler.to_owned();
        }
        format!("{}-around-{handler}", self.hook_labels(|file| file.label))
    }

    fn hook_labels(&self, label: impl Fn(&File) -> &'static str) -> String {
        let labels: Vec<&str> = self.hooks.iter().map(|(_, file)| label(file)).collect();
        if labels.windows(2).all(|pair| pair[0] == pair[1]) {
            return labels.first().copied().unwrap_or_default().to_owned();
        }
        labels.join("-")
    }

    /// Returns the keys of `by_language` that apply to it, the more specific ones later.
    pub(super) fn difference_keys(&self) -> Vec<String> {
        let is_same = self.hooks.iter().all(|(_, file)| file.engine == self.handler.engine);
        let mut keys = vec![if is_same { "same" } else { "different" }.to_owned()];
        let mut levels = Vec::new();
        for by in [|file: &File| file.engine, |file: &File| file.extension] {
            let level = (self.hook_labels(by), by(&self.handler));
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        let add = |keys: &mut Vec<String>, key: String| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        for (_, handler) in &levels {
            add(&mut keys, format!("*-around-{handler}"));
        }
        for (hooks, _) in &levels {
            add(&mut keys, format!("{hooks}-around-*"));
        }
        for (hooks, handler) in &levels {
            add(&mut keys, format!("{hooks}-around-{handler}"));
        }
        keys
    }
}

/// Whether a key of `by_language` can apply to any combination at all.
pub(super) fn is_difference_key(key: &str) -> bool {
    key == "same" || key == "different" || key.contains("-around-")
}

fn handler_files(folder: &Path, language: &EngineInfo) -> Vec<File> {
    files(language, |extension| folder.join(format!("handler.{extension}")).is_file())
}

fn hook_files(folder: &Path, name: &str, language: &EngineInfo) -> Vec<File> {
    let folder = folder.join("middlewares");
    files(language, |extension| {
        folder.join(format!("{name}.{extension}")).is_file()
            || folder.join(name).join(format!("index.{extension}")).is_file()
    })
}

fn files(language: &EngineInfo, exists: impl Fn(&str) -> bool) -> Vec<File> {
    let found: Vec<_> = language.extensions.iter().filter(|extension| exists(extension)).collect();
    let is_only = found.len() == 1;
    found
        .into_iter()
        .map(|extension| File {
            engine: language.id,
            extension,
            label: if is_only { language.id } else { extension },
        })
        .collect()
}

/// Fails when a language has neither a file nor a reason for its absence, or both.
fn check_presence(
    what: &str,
    member: &str,
    language: &EngineInfo,
    is_absent: bool,
    reason: Option<&String>,
) -> Result<(), String> {
    match (is_absent, reason) {
        (true, None) => {
            let files: Vec<_> =
                language.extensions.iter().map(|extension| format!("{what}.{extension}")).collect();
            Err(format!(
                "the case has no {what} in {}: add one of {}, or say why not in {member:?}",
                language.name,
                files.join(", ")
            ))
        }
        (false, Some(_)) => {
            Err(format!("{member:?} names {}, and yet there is a {what} in it", language.id))
        }
        _ => Ok(()),
    }
}
