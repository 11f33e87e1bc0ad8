//! The function that is run, the interpreter of its language and its hooks: what the designs have in common.

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use std::{
    env,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A language, identified by the program that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Node,
    Python,
    Deno,
}

/// The function and what is needed to run it.
pub(crate) struct Function {
    pub(crate) language: Language,
    /// Folder of the language's part of a design.
    scripts: PathBuf,
    /// The handler's file.
    pub(crate) file: PathBuf,
    /// The name of the handler in it.
    pub(crate) name: String,
    /// Names of hooks, in order.
    pub(crate) hooks: Vec<String>,
    /// `LAMBDA_TASK_ROOT`.
    task: PathBuf,
}

impl Language {
    /// Parses a language's name as given on the command line.
    pub(crate) fn parse(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "node" => Self::Node,
            "python" => Self::Python,
            "deno" => Self::Deno,
            _ => bail!("there is no language {name}: there are node, python and deno"),
        })
    }

    /// Returns its folder beside the core.
    fn folder(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Deno => "deno",
        }
    }

    /// Returns the extensions of its handlers' files, the preferred one first.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Node | Self::Deno => &["mjs", "cjs", "js"],
            Self::Python => &["py"],
        }
    }
}

impl Function {
    /// Finds the function of `_HANDLER` (`file.function`) in `LAMBDA_TASK_ROOT`, with the hooks of `BASELINE_HOOKS`.
    /// `folder` holds the languages' own parts.
    pub(crate) fn from_environment(language: Language, folder: &Path) -> anyhow::Result<Self> {
        let variable =
            |name: &'static str| env::var(name).with_context(|| format!("{name} is not set"));
        let handler = variable("_HANDLER")?;
        let (module, name) = handler
            .rsplit_once('.')
            .with_context(|| format!("the handler {handler:?} is not of the form file.function"))?;
        let task = PathBuf::from(variable("LAMBDA_TASK_ROOT")?);
        let file = find(language, &task.join(module))?;
        let hooks = env::var("BASELINE_HOOKS").unwrap_or_default();
        let hooks = hooks.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let scripts = folder.join(language.folder());
        Ok(Self { language, scripts, file, name: name.to_owned(), hooks, task })
    }

    /// Returns the command of the interpreter with the language's part of a design: `once`, `pipes` or `serve`.
    pub(crate) fn command(&self, part: &str) -> anyhow::Result<Command> {
        let mut command = match self.language {
            Language::Node => Command::new("node"),
            Language::Python => {
                let mut command = Command::new("python3");
                // Functions bring their packages along: there is no need to search what this machine has installed.
                command.arg("-S");
                command
            }
            Language::Deno => {
                let deno = env::var_os("BASELINE_DENO").context("BASELINE_DENO is not set")?;
                let mut command = Command::new(deno);
                // Nothing unnecessary is looked for: no configuration, lock file or package.
                command.args(["run", "--quiet", "--no-config", "--no-lock", "--no-check"]);
                command.args(["--no-remote", "--no-npm", "--allow-all"]);
                command
            }
        };
        let script = self.scripts.join(part).with_extension(self.language.extensions()[0]);
        ensure!(script.is_file(), "there is no {}", script.display());
        command.arg(script);
        Ok(command)
    }

    /// Finds the file of a hook that is a function in the handler's language.
    pub(crate) fn hook_file(&self, name: &str) -> anyhow::Result<PathBuf> {
        find(self.language, &self.task.join("middlewares").join(name))
    }

    /// Returns the file of a hook that is a program.
    pub(crate) fn hook_program(&self, name: &str) -> PathBuf {
        self.scripts.join("middlewares").join(name)
    }
}

/// Finds the file that is `path` with one of the language's extensions.
fn find(language: Language, path: &Path) -> anyhow::Result<PathBuf> {
    let mut files = language.extensions().iter().map(|extension| path.with_extension(extension));
    files
        .find(|file| file.is_file())
        .with_context(|| format!("there is no function at {}", path.display()))
}

/// Runs a process to its end, with `input` on stdin; returns its stdout. It must read everything before it writes.
pub(crate) fn run_to_end(command: &mut Command, input: &[u8]) -> anyhow::Result<Bytes> {
    let mut child = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let written = child.stdin.take().context("no stdin")?.write_all(input);
    let mut output = Vec::with_capacity(input.len() + 64);
    let read = child.stdout.take().context("no stdout")?.read_to_end(&mut output);
    let status = child.wait()?;
    // The status says more than a broken pipe.
    ensure!(status.success(), "{command:?} failed: {status}");
    written?;
    read?;
    Ok(output.into())
}

/// Starts a process; the error names it.
pub(crate) fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))
}
