//! A folder of Python files and an instance that loaded one of them.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    path::Path,
    rc::Rc,
};
use trine_engine::{
    Environment, Error, Exports, Form, FunctionId, FunctionInfo, Invocation, Module, Payload,
    Result, Wanted,
};
use trine_testkit::guest;

pub(crate) use trine_testkit::guest::{Folder, Guest, LIMIT, text};

/// A guest that is written in Python.
pub(crate) struct Case(pub(crate) Guest);

impl Deref for Case {
    type Target = Guest;

    fn deref(&self) -> &Guest {
        &self.0
    }
}

impl DerefMut for Case {
    fn deref_mut(&mut self) -> &mut Guest {
        &mut self.0
    }
}

impl Case {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, |_| ())
    }

    pub(crate) fn with(files: &[(&str, &str)], change: impl FnOnce(&mut Environment)) -> Self {
        Self(Guest::start(&trine_python::engine(), files, |environment, folder| {
            environment.layer_root = folder.with_file_name("layers");
            environment.function = FunctionInfo {
                name: Some("sums".into()),
                version: Some("$LATEST".into()),
                memory_mb: Some("128".into()),
                log_group: Some("/aws/lambda/sums".into()),
                log_stream: None,
            };
            change(environment);
        }))
    }

    pub(crate) fn module(&self, name: &str, wanted: Wanted) -> Module {
        Module::new(
            self.folder.path(),
            self.folder.path().join(format!("{}.py", name.replace('.', "/"))),
            name,
            wanted,
        )
    }

    /// Loads `name` from `module`.
    pub(crate) fn load(&self, module: &str, name: &str) -> Result<FunctionId> {
        let module = self.module(module, Wanted::Handler(name.to_owned()));
        block_on(self.instance.load(&module)).map(|exports| exports.functions[0].1)
    }

    /// Calls a function of `app.py` with an event and a plain invocation.
    pub(crate) fn call(&self, name: &str, event: &str) -> Result<String> {
        self.call_with(name, event, invocation())
    }

    pub(crate) fn call_with(
        &self,
        name: &str,
        event: &str,
        invocation: Invocation,
    ) -> Result<String> {
        let function = self.load("app", name)?;
        let payload = Payload::json(event.to_owned());
        block_on(self.instance.call(function, payload, Form::Json, &Rc::new(invocation))).map(text)
    }

    /// Calls a loaded function with a plain invocation.
    pub(crate) fn run(&self, function: FunctionId, input: Payload, form: Form) -> Result<Payload> {
        block_on(self.instance.call(function, input, form, &Rc::new(invocation())))
    }

    /// Returns the error that a call of `handler` ends with.
    pub(crate) fn fails(&self, event: &str) -> Error {
        self.call("handler", event).unwrap_err()
    }
}

/// Functions of a module, called for one invocation after another.
impl Case {
    /// Loads what is requested from a file anywhere, for this case's root.
    pub(crate) fn load_file(&self, path: &Path, wanted: Wanted) -> Result<Exports> {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let root = self.folder.path().to_owned();
        let path = path.to_owned();
        block_on(self.instance.load(&Module::new(root, path, name, wanted)))
    }

    /// Loads the hooks of `<name>.py` in this case's folder.
    pub(crate) fn hooks(&self, name: &str) -> Exports {
        let path = self.folder.path().join(format!("{name}.py"));
        self.load_file(&path, Wanted::Hooks).unwrap()
    }

    /// Calls a loaded function for an invocation that others are called for as well.
    pub(crate) fn run_for(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        block_on(self.instance.call(function, input, form, invocation))
    }
}

/// Returns the answer of the `handler` of an `app.py` with this text.
pub(crate) fn answer(source: &str, event: &str) -> Result<String> {
    Case::new(&[("app.py", source)]).call("handler", event)
}

/// Returns the answer of a handler that returns this expression.
pub(crate) fn expression(setup: &str, value: &str) -> Result<String> {
    answer(&format!("{setup}\ndef handler(event):\n    return {value}\n"), "null")
}

pub(crate) fn invocation() -> Invocation {
    guest::invocation("id-1")
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    guest::run(future)
}
