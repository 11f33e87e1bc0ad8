//! `trine serve` in the place of Scaleway's core runtime: a process that finds the variables of their platform serves the
//! handler that they name.

use super::{
    Usage, address,
    sub_runtime::{self, Program},
};
use crate::{
    engines::Registry,
    handler::{Located, SearchPaths, locate_file},
    http::{EventFormat, Scaleway, ServeError, ServeOptions, ServedFunction, Site},
};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Module, Wanted};

const HANDLER_PATH: &str = "SCW_HANDLER_PATH";
/// The name that the platform gives to a handler that nobody has named.
const USUAL_NAME: &str = "handle";
/// The port where the variable names none, or none that is one.
const DEFAULT_PORT: u16 = 8080;

/// Returns the command line of a process: one without words serves, where the platform says what.
pub(super) fn command_line(arguments: &[OsString]) -> Vec<OsString> {
    match arguments {
        [program] if variable(HANDLER_PATH).is_some() => vec![program.clone(), "serve".into()],
        _ => arguments.to_vec(),
    }
}

/// Whether a process that was started as a Lambda runtime is one of Scaleway's.
pub(super) fn is_meant(arguments: &[OsString]) -> bool {
    arguments.len() == 1
        && env::var_os(super::role::RUNTIME_API).is_none()
        && variable(HANDLER_PATH).is_some()
}

/// The handler that the platform has named.
#[derive(Debug)]
pub(super) struct Handler {
    file: PathBuf,
    export: String,
}

impl Handler {
    /// Returns the handler that the variables name, if they name one.
    pub(super) fn named() -> Option<Self> {
        let file = PathBuf::from(variable(HANDLER_PATH)?);
        Some(Self { file, export: variable("SCW_HANDLER_NAME").unwrap_or_default() })
    }

    /// Returns its file.
    pub(super) fn path(&self) -> PathBuf {
        self.file.clone()
    }

    /// Makes the site of this handler alone.
    ///
    /// # Errors
    /// [`ServeError::Function`] where there is no such file; [`Usage`] where it is a program.
    pub(super) fn site(&self, registry: &Registry) -> anyhow::Result<Site> {
        if sub_runtime::is_binary() {
            return Err(Usage(format!(
                "'{}' is a program of its own (SCW_HANDLER_IS_BINARY): --sub-runtime has it answer by the upstream protocol",
                self.file.display()
            ))
            .into());
        }
        let file = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        let folder = file.parent().unwrap_or(Path::new("/"));
        let find = |export: &str| {
            let located = locate_file(&file, export, &SearchPaths::new(folder), registry)?;
            Ok::<_, ServeError>(ServedFunction::looked_at(located.module.name.clone(), located))
        };
        let function = match self.export.as_str() {
            "" => Some(find(USUAL_NAME)?).filter(|function| function.problem.is_none()),
            export => Some(find(export)?),
        };
        Ok(Site::new(vec![function.map_or_else(|| find(""), Ok)?]))
    }
}

/// Makes the site of a handler that a program runs.
///
/// # Errors
/// [`Usage`] where the variables name none.
pub(super) fn site_of_program(handler: Option<&Handler>) -> Result<(Site, Program), Usage> {
    let handler = handler.ok_or_else(|| {
        Usage(
            "--sub-runtime is for the handler that SCW_HANDLER_PATH names, and no other".to_owned(),
        )
    })?;
    let program = Program::named(&handler.file)?;
    let name = if handler.export.is_empty() { USUAL_NAME } else { &handler.export };
    let engine = Arc::new(program.engine(name, &handler.file)?);
    let folder = handler.file.parent().unwrap_or(Path::new("/"));
    let stem = handler.file.file_stem().unwrap_or_default().to_string_lossy();
    let module = Module::new(folder, &handler.file, stem.clone(), Wanted::Handler(name.to_owned()));
    let function = ServedFunction::new(stem, Located { engine, module });
    Ok((Site::new(vec![function]), program))
}

/// Returns the port on which the platform expects its function.
pub(super) fn port() -> u16 {
    variable("PORT").and_then(|text| address::port(&text).ok()).unwrap_or(DEFAULT_PORT)
}

/// Applies the variables of the platform to the options of a server. `is_theirs` says that they have named the handler.
pub(super) fn apply(options: &mut ServeOptions, is_theirs: bool, local: bool) {
    // Whoever develops a function has no tokens for it yet.
    options.scaleway = Scaleway::from_variables(variable, is_theirs && !local);
    options.scaleway.local = local;
}

/// Returns the largest body that the platform lets through, if it says so.
pub(super) fn body_limit() -> Option<usize> {
    variable("SCW_PAYLOAD_MAX_SIZE")?.parse().ok()
}

/// Checks that what a function is said to do behind the platform's ingress concerns one.
///
/// # Errors
/// [`Usage`] where no function has events of their form.
pub(super) fn check_local(options: &ServeOptions, site: &Site) -> Result<(), Usage> {
    let form = |function: &ServedFunction| function.event_format.unwrap_or(options.event_format);
    match site.functions().iter().any(|function| form(function) == EventFormat::Scaleway) {
        true => Ok(()),
        false => Err(Usage(
            "--local is for functions with events of Scaleway's form, and none has them: add --event-format scaleway"
                .to_owned(),
        )),
    }
}

/// Returns a variable that is set to something.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
