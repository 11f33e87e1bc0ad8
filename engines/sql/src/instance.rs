//! One warm SQLite: the files that were loaded, each with what it keeps between calls.

use crate::{
    limits::Stop,
    loader::{self, Script},
    sqlite,
};
use std::{path::PathBuf, rc::Rc, sync::Arc};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, HANDLER_NAMES, Instance, Interrupter,
    Invocation, LoadedFunctions, LocalFuture, Module, Payload, Result, Usage, Wanted,
};

/// One warm SQLite.
pub(crate) struct SqlInstance {
    environment: Environment,
    stop: Arc<Stop>,
    functions: LoadedFunctions<Loaded>,
}

/// A file that is a function.
struct Loaded {
    root: PathBuf,
    path: PathBuf,
    script: Script,
}

impl SqlInstance {
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            stop: Arc::default(),
            functions: LoadedFunctions::new("SQL"),
        }
    }

    fn load_module(&self, module: &Module, began: u64) -> Result<Exports> {
        self.functions.check_open()?;
        let name = match &module.wanted {
            Wanted::Handler(name) if !name.is_empty() => name.as_str(),
            Wanted::Handler(_) | Wanted::Unnamed => HANDLER_NAMES[0],
            Wanted::Hooks | Wanted::Program => {
                let path = module.path.display();
                let message = format!(
                    "{path} cannot hold middleware: SQL has no functions to be called around a handler"
                );
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let is_it = |known: &Loaded| known.path == module.path && known.root == module.root;
        let id = match self.functions.find(is_it) {
            Some(id) => id,
            None => {
                let script = loader::load(module, &self.environment, &self.stop, began)?;
                let (root, path) = (module.root.clone(), module.path.clone());
                self.functions.keep(Loaded { root, path, script })
            }
        };
        Ok(Exports::handler(name, id))
    }

    fn call_function(
        &self,
        function: FunctionId,
        input: Payload,
        invocation: &Rc<Invocation>,
        began: u64,
    ) -> Result<Payload> {
        self.functions.check_open()?;
        let function = self.functions.get(function)?;
        let (event, _) = input.into_bytes()?;
        let answer = function.script.call(event, invocation, began);
        self.functions.count_call();
        answer
    }
}

impl Instance for SqlInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        // An interrupt from now on is meant for this load.
        let began = self.stop.count();
        Box::pin(async move { self.load_module(module, began) })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        _form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        // An interrupt from now on is meant for this call.
        let began = self.stop.count();
        Box::pin(async move { self.call_function(function, input, invocation, began) })
    }

    fn holds_thread(&self, _function: FunctionId) -> bool {
        true
    }

    fn after_restore(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async {
            sqlite::reseed();
            Ok(())
        })
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter()
    }

    fn usage(&self) -> Usage {
        let functions = self.functions.all();
        let used = functions.iter().map(|it| it.script.host.account().used() as u64);
        Usage { heap_bytes: used.sum(), calls: self.functions.calls() }
    }

    fn shutdown(&self) {
        self.functions.close();
    }
}
