//! The functions that the emulator runs: what their paths mean, and the command and the environment of their runtimes.

use super::{BOOTSTRAP, DECIDED, EmulatorCommand, MAX_CONCURRENCY, set_by_user};
use crate::{
    cli::Usage,
    engines::{Registry, plug_ins_of_children},
    http::{ServedFunction, Site},
};
use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};
use trine_emulator::{Emulator, Launch};
use trine_engine::Wanted;

/// A function of the emulator.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// Its name, where its path says one.
    pub(super) name: Option<String>,
    /// Its task root, where its path says one; else the working directory, or what the environment says.
    pub(super) root: Option<PathBuf>,
    /// Its handler, where its path says one.
    pub(super) handler: Option<String>,
    /// What a user reads of it.
    pub(super) title: String,
}

impl EmulatorCommand {
    /// Returns the functions that the command line names; none where a runtime of the user's own is to serve one.
    ///
    /// # Errors
    /// When a path holds no function, or two have the same name.
    pub(super) fn functions(&self, registry: &Registry) -> anyhow::Result<Vec<Function>> {
        if self.paths.is_empty() {
            let title = self.command.first().cloned();
            let only = title.map(|title| Function { name: None, root: None, handler: None, title });
            return Ok(only.into_iter().collect());
        }
        if self.handler.is_some() {
            let message = "--handler names the handler where no path does: leave one of them out";
            return Err(Usage(message.to_owned()).into());
        }
        let mut functions = Vec::new();
        for path in &self.paths {
            let site = Site::open(path, registry)?;
            for passed_over in site.passed_over() {
                super::note(&format!("passed over {}: {}", passed_over.path, passed_over.why));
            }
            // Other runtimes know Lambda's form of a handler alone.
            let is_own = self.command.is_empty();
            functions.extend(site.functions().iter().map(|served| Function::of(served, is_own)));
        }
        for (at, function) in functions.iter().enumerate() {
            let mut earlier = functions[..at].iter();
            if let Some(same) = earlier.find(|earlier| earlier.name == function.name) {
                let name = function.name.as_deref().unwrap_or_default();
                let (one, other) = (&same.title, &function.title);
                anyhow::bail!("{one} and {other} are both called {name:?}: name one of them apart");
            }
        }
        if self.name.is_some() && functions.len() > 1 {
            let message =
                format!("--name is the name of one function, and here are {}", functions.len());
            return Err(Usage(message).into());
        }
        Ok(functions)
    }
}

impl Function {
    /// Makes a function of a file. Its handler names the file where `by_file`, else it has Lambda's form.
    fn of(served: &ServedFunction, by_file: bool) -> Self {
        let module = &served.located.module;
        let file = module.path.strip_prefix(&module.root).unwrap_or(&module.path);
        let mut handler = file.to_string_lossy().into_owned();
        if let Wanted::Handler(export) = &module.wanted
            && !export.is_empty()
        {
            handler = format!("{handler}:{export}");
        }
        if !by_file {
            handler = served.located.handler();
        }
        // What Lambda takes as a name; a slash would be part of a URL.
        let name = served.name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-");
        let title = module.path.display().to_string();
        Self { name: Some(name), root: Some(module.root.clone()), handler: Some(handler), title }
    }

    /// Returns the way to start its runtime: a command of the user's, or this program.
    pub(super) fn launch(&self, command: &[String], decided: &[(&'static str, String)]) -> Launch {
        let (command, decided) = (command.to_vec(), decided.to_vec());
        let root = self.root.clone();
        Launch::new(move |emulator| {
            let mut runtime = match command.split_first() {
                Some((program, arguments)) if program != BOOTSTRAP || is_in_path(program) => {
                    let mut runtime = Command::new(program);
                    runtime.args(arguments);
                    runtime
                }
                other => {
                    let mut runtime = own_program()?;
                    runtime.args(other.map(|(_, arguments)| arguments).unwrap_or_default());
                    runtime
                }
            };
            if let Some(root) = &root {
                runtime.current_dir(root);
            }
            runtime
                .env_remove(MAX_CONCURRENCY)
                .envs(environment(emulator, root.as_deref(), &decided, &set_by_user))
                .envs(plug_ins_of_children())
                // Each invocation has its own.
                .env_remove("_X_AMZN_TRACE_ID");
            Ok(runtime)
        })
    }
}

/// Returns this program as a runtime.
fn own_program() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg0(BOOTSTRAP);
    Ok(command)
}

/// Whether a program of this name is installed.
fn is_in_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Returns the variables of a runtime's process as Lambda sets them. What the user has set, which `set` looks up, stays
/// as it is; the function's own facts have been taken from there.
pub(super) fn environment(
    emulator: &Emulator,
    root: Option<&Path>,
    decided: &[(&'static str, String)],
    set: &impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let here = || env::current_dir().unwrap_or_else(|_| "/var/task".into());
    let folder = root.map_or_else(here, Path::to_path_buf);
    let mut variables = emulator.environment();
    // Where invocations come side by side there is no other.
    let format = if emulator.options().is_concurrent() { "JSON" } else { "Text" };
    variables.extend([
        ("AWS_LAMBDA_LOG_FORMAT", format.to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        (TASK_ROOT, folder.to_string_lossy().into_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]);
    if variables.iter().any(|(name, _)| *name == "AWS_ENDPOINT_URL_LAMBDA") {
        variables.extend(super::durable::credentials(set));
    }
    for (name, value) in &mut variables {
        let is_decided = DECIDED.contains(name) || (*name == TASK_ROOT && root.is_some());
        if !is_decided && let Some(own) = set(name) {
            *value = own;
        }
    }
    variables.retain(|(name, _)| decided.iter().all(|(decided, _)| decided != name));
    variables.extend(decided.iter().cloned());
    variables
}

const TASK_ROOT: &str = "LAMBDA_TASK_ROOT";

/// Returns the folders whose files are the functions', each with the place of its function.
pub(super) fn folders(functions: &[Function]) -> Vec<PathBuf> {
    let here = || env::current_dir().unwrap_or_else(|_| ".".into());
    functions.iter().map(|function| function.root.clone().unwrap_or_else(here)).collect()
}

/// Returns the extensions of files that are a function's code or settings.
pub(super) fn extensions(registry: &Registry) -> Vec<&'static OsStr> {
    let code = registry.extensions().map(|(extension, _)| extension);
    code.chain(["json", "toml", "yaml", "yml"]).map(OsStr::new).collect()
}
