//! Folders with files in them, and what is read of them as short texts.

use std::{fs, path::PathBuf};
use tempfile::TempDir;
use trine_template::{Function, Inputs, Project};

/// A folder with a project.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    /// Makes a folder with files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Reads a file of the folder, without variables.
    pub(crate) fn read(&self, name: &str) -> Result<Project, String> {
        self.read_with(name, &Inputs::default())
    }

    /// Reads a file of the folder; the folder's name is taken out of messages.
    pub(crate) fn read_with(&self, name: &str, inputs: &Inputs) -> Result<Project, String> {
        let here = format!("{}/", self.0.path().display());
        Project::read_with(&self.path(name), inputs)
            .map_err(|error| error.to_string().replace(&here, ""))
    }

    /// Returns a project's notes without the folder's name.
    pub(crate) fn notes(&self, project: &Project) -> Vec<String> {
        let here = format!("{}/", self.0.path().display());
        project.not_understood.iter().map(|note| note.to_string().replace(&here, "")).collect()
    }
}

/// Reads one file.
pub(crate) fn read(name: &str, text: &str) -> Project {
    Folder::with(&[(name, text)]).read(name).unwrap()
}

/// Returns what is said of one file that cannot be read.
pub(crate) fn refused(name: &str, text: &str) -> String {
    Folder::with(&[(name, text)]).read(name).unwrap_err()
}

/// Returns one function.
pub(crate) fn function<'p>(project: &'p Project, name: &str) -> &'p Function {
    project.functions.iter().find(|function| function.name == name).unwrap()
}

/// Returns a function's routes as texts.
pub(crate) fn routes(function: &Function) -> Vec<String> {
    let text = |route: &trine_template::Route| {
        let methods = if route.methods.is_empty() { "ANY".into() } else { route.methods.join(",") };
        let base = route.base_path.as_ref().map(|base| format!(" at {base}")).unwrap_or_default();
        format!("{methods} {} {}{base}", route.path, route.format)
    };
    function.routes.iter().map(text).collect()
}

/// Returns a function's variables as a text.
pub(crate) fn environment(function: &Function) -> String {
    let all = function.environment.iter().map(|(name, value)| format!("{name}={value}"));
    all.collect::<Vec<_>>().join(" ")
}

/// Returns a function's triggers as a text.
pub(crate) fn triggers(function: &Function) -> String {
    function.triggers.iter().map(|trigger| trigger.kind.as_str()).collect::<Vec<_>>().join(" ")
}
