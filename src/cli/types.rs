//! `trine types`: types of what functions are given, as files for editors.

use super::{Usage, print};
use crate::{
    engines::Registry,
    new::{LANGUAGES, Language, TYPES_FOLDER},
};
use anyhow::{Context, bail};
use clap::Args;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Engine, TypeFile};

/// Write types for editors and type checkers: contexts, hooks, what each language is given.
///
/// Projects of 'trine new' have them already; run it there to have those of the installed version. Files of the same names
/// that hold something else stay, unless --force replaces them.
#[derive(Debug, Args)]
#[command(after_help = USE)]
pub(super) struct Types {
    /// The folder to write to
    #[arg(default_value = TYPES_FOLDER)]
    folder: PathBuf,
    /// The language; may be given several times [default: those whose types lie in the folder already, else all]
    #[arg(long = "language", short, value_name = "LANGUAGE")]
    languages: Vec<String>,
    /// Replace files that hold something else
    #[arg(long)]
    force: bool,
}

const USE: &str = "\
Where editors look for them:
  TypeScript, JavaScript   \"include\": [\"**/*.ts\", \".trine/*.d.ts\"] in tsconfig.json, then
                           import type { Handler } from \"./.trine/trine.d.ts\"
  Python                   \"stubPath\": \".trine\" in pyrightconfig.json; MYPYPATH=.trine for mypy
  Lua                      \"workspace.library\": [\".trine\"] in .luarc.json";

impl Types {
    /// Writes the files and prints their paths.
    ///
    /// # Errors
    /// [`Usage`] for a language without types; otherwise when a file cannot be written, or is somebody else's.
    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        let files = self.files(registry)?;
        // All or none, as far as that can be told before.
        for file in &files {
            let path = self.folder.join(file.name);
            if !self.force && !is_replaceable(&path, file)? {
                bail!("{} holds something else: --force replaces it", path.display());
            }
        }
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        for file in files {
            let path = self.folder.join(file.name);
            let cannot = || format!("cannot write {}", path.display());
            fs::write(&path, file.text).with_context(cannot)?;
            print(path.display());
        }
        Ok(())
    }

    /// Returns the files that are asked for.
    fn files(&self, registry: &Registry) -> anyhow::Result<Vec<TypeFile>> {
        let of = |engines: &[&Arc<dyn Engine>]| -> Vec<TypeFile> {
            engines.iter().flat_map(|engine| engine.types()).copied().collect()
        };
        if !self.languages.is_empty() {
            let mut engines: Vec<&Arc<dyn Engine>> = Vec::new();
            for language in &self.languages {
                let engine = engine(language, registry)?;
                if !engines.iter().any(|known| Arc::ptr_eq(known, engine)) {
                    engines.push(engine);
                }
            }
            return Ok(of(&engines));
        }
        let all: Vec<&Arc<dyn Engine>> = registry.iter().collect();
        let lie_there = |engine: &&Arc<dyn Engine>| {
            engine.types().iter().any(|file| self.folder.join(file.name).is_file())
        };
        let there: Vec<&Arc<dyn Engine>> = all.iter().copied().filter(lie_there).collect();
        Ok(of(if there.is_empty() { &all } else { &there }))
    }
}

/// Finds an engine by its id, or by the name of a language of projects.
fn engine<'r>(language: &str, registry: &'r Registry) -> Result<&'r Arc<dyn Engine>, Usage> {
    let named = registry.iter().find(|engine| engine.info().id == language);
    let engine = named.or_else(|| Language::named(language)?.engine_of(registry));
    engine.filter(|engine| !engine.types().is_empty()).ok_or_else(|| {
        let has_types = |known: &&Language| {
            known.engine_of(registry).is_some_and(|engine| !engine.types().is_empty())
        };
        let known = LANGUAGES.iter().filter(has_types).map(|known| known.id);
        let known = known.collect::<Vec<_>>().join(", ");
        Usage(format!("there are no types for {language:?}: use one of {known}"))
    })
}

/// Whether a file is missing, or one of these types of whatever version: its first line says so.
fn is_replaceable(path: &Path, file: &TypeFile) -> anyhow::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => {
            let first = file.text.lines().next().unwrap_or_default();
            Ok(bytes.is_empty() || bytes.starts_with(first.as_bytes()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
