//! Plug-ins that are compiled when a test first wants them, and guests that are written in the language of one.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    sync::{Arc, OnceLock},
};
use tempfile::TempDir;
use trine_engine::{
    Engine, Environment, Error, Exports, Form, FunctionId, Invocation, Payload, Result, Wanted,
};
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::run;

/// Returns a folder of the repository, by its path from this crate's.
pub(crate) fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compiles a file to a shared library `name` in a folder.
pub(crate) fn compile(folder: &Path, name: &str, source: &Path, arguments: &[&str]) -> PathBuf {
    let library = folder.join(name);
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-w", "-I"]).arg(place("include"));
    command.args(arguments).arg("-o").arg(&library).arg(source);
    let output = command.output().expect("a C compiler named cc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// Compiles `broken.c` with these macros.
pub(crate) fn broken(folder: &TempDir, macros: &[&str]) -> PathBuf {
    compile(folder.path(), "broken.so", &place("tests/engines/broken.c"), macros)
}

/// Returns the engine of the language of the tests, *shout*.
pub(crate) fn shout() -> Arc<dyn Engine> {
    static ENGINE: OnceLock<(Arc<dyn Engine>, TempDir)> = OnceLock::new();
    let make = || {
        let folder = TempDir::with_prefix("trine-plugin-").unwrap();
        let source = place("tests/engines/shout.c");
        let library = compile(folder.path(), "shout.so", &source, &["-std=c11"]);
        (trine_plugin::load(&library).unwrap(), folder)
    };
    ENGINE.get_or_init(make).0.clone()
}

/// A guest that is written in *shout*.
pub(crate) struct Guest(guest::Guest);

impl Deref for Guest {
    type Target = guest::Guest;

    fn deref(&self) -> &guest::Guest {
        &self.0
    }
}

impl Guest {
    /// Makes a guest of one file, `app.shout`.
    pub(crate) fn new(source: &str) -> Self {
        Self::within(source, |_| ())
    }

    /// Makes a guest in an environment that `change` adapts.
    pub(crate) fn within(source: &str, change: impl FnOnce(&mut Environment)) -> Self {
        let files = [("app.shout", source)];
        Self(guest::Guest::start(&*shout(), &files, |environment, _| change(environment)))
    }

    /// Loads the file and returns a function of it.
    pub(crate) fn handler(&self, name: &str) -> FunctionId {
        let loaded = run(self.load("app.shout", Wanted::Handler(name.to_owned())));
        loaded.unwrap().functions[0].1
    }

    /// Loads the file as a middleware.
    pub(crate) fn hooks(&self) -> Exports {
        run(self.load("app.shout", Wanted::Hooks)).unwrap()
    }

    /// Calls a function of the file with an event.
    pub(crate) fn answer(&self, name: &str, event: &str) -> Result<String> {
        let invocation = Rc::new(guest::invocation("id-1"));
        run(self.call(self.handler(name), event, &invocation))
    }

    /// Returns the error of a function of the file.
    pub(crate) fn fault(&self, name: &str) -> Error {
        self.answer(name, "null").expect_err("the function fails")
    }

    /// Calls a function and asks for a result in the engine's own form.
    pub(crate) fn native(
        &self,
        function: FunctionId,
        input: Payload,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        run(self.instance.call(function, input, Form::Native, invocation))
    }
}
