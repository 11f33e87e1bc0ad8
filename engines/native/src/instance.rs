//! The functions that one thread has loaded from libraries. Their state is the process's: there is no heap to an instance.

use crate::{
    ID, answer, check, context, error,
    flight::Doing,
    libraries::{self, Opened},
    library::{Handle5, Library},
    limits::{Load, Stop},
    names,
    warnings::Running,
};
use std::{cell::RefCell, rc::Rc, sync::Arc};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, GuestOutput, Hook, Instance,
    Interrupter, Invocation, Level, LoadedFunctions, LocalFuture, Module, Payload, Result, Stream,
    Usage, Wanted,
};

/// The functions that one thread has loaded.
pub(crate) struct NativeInstance {
    environment: Environment,
    stop: Arc<Stop>,
    running: Arc<Running>,
    libraries: RefCell<Vec<Arc<Library>>>,
    functions: LoadedFunctions<Function>,
    output: GuestOutput,
}

/// A function of a library.
struct Function {
    library: Arc<Library>,
    symbol: String,
    pointer: Handle5,
    hook: Option<Hook>,
}

impl NativeInstance {
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            stop: Arc::default(),
            running: Arc::default(),
            libraries: RefCell::default(),
            functions: LoadedFunctions::new("native code"),
            output: GuestOutput::new(environment.log.clone()),
        }
    }

    fn load_module(&self, module: &Module, load: &Load<'_>) -> Result<Exports> {
        self.functions.check_open()?;
        load.check()?;
        if module.wanted == Wanted::Program {
            return Err(check::no_program(module));
        }
        let library = self.library(module, load)?;
        if module.wanted == Wanted::Hooks {
            return self.hooks(module, &library);
        }
        let chosen = names::choose(&module.wanted, &|symbol| library.function(symbol).is_some());
        let missing = || check::missing(module, library.symbols().unwrap_or_default());
        let (name, symbol) = chosen.ok_or_else(missing)?;
        let pointer = library.function(&symbol).ok_or_else(missing)?;
        let id = self.keep(Function { library, symbol, pointer, hook: None });
        Ok(Exports::handler(name, id))
    }

    /// Returns a module's library, loaded and prepared.
    fn library(&self, module: &Module, load: &Load<'_>) -> Result<Arc<Library>> {
        let Opened { library, has_changed } = libraries::open(module, load)?;
        if has_changed {
            let path = module.path.display();
            let text = format!(
                "{path} has changed since it was loaded, and a library is loaded once: restart the process"
            );
            self.output.message(Stream::Stderr, Level::Warn, &text);
        }
        let mut libraries = self.libraries.borrow_mut();
        if !libraries.iter().any(|known| Arc::ptr_eq(known, &library)) {
            let environment = self.environment.of_place(ID, &module.root);
            library.enter(module, &environment, load)?;
            libraries.push(library.clone());
        }
        Ok(library)
    }

    fn hooks(&self, module: &Module, library: &Arc<Library>) -> Result<Exports> {
        let mut exports = Exports::default();
        let has_wrap = library.function(&names::symbol_of_hook(Hook::Wrap)).is_some();
        if has_wrap {
            let message = format!(
                "{} exports '{}', and native functions cannot be wrapped: use before and after",
                module.path.display(),
                names::symbol_of_hook(Hook::Wrap)
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        for hook in Hook::ALL {
            let symbol = names::symbol_of_hook(hook);
            let Some(pointer) = library.function(&symbol) else { continue };
            let library = library.clone();
            let id = self.keep(Function { library, symbol, pointer, hook: Some(hook) });
            exports.functions.push((hook.name().to_owned(), id));
        }
        exports.others = names::handlers(library.symbols().unwrap_or_default());
        Ok(exports)
    }

    fn keep(&self, function: Function) -> FunctionId {
        let same = |known: &Function| {
            Arc::ptr_eq(&known.library, &function.library) && known.symbol == function.symbol
        };
        self.functions.find(same).unwrap_or_else(|| self.functions.keep(function))
    }

    async fn call_function(
        &self,
        id: FunctionId,
        input: Payload,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.functions.check_open()?;
        let function = self.functions.get(id)?;
        let Function { library, symbol, pointer, hook } = &*function;
        let (event, _) = input.into_bytes()?;
        let turn = library.turn().await?;
        let context = context::of(&self.environment.function, invocation, *hook)?;
        if self.environment.trace_in_environment {
            trine_process::trace::set(invocation.trace_id.as_deref());
        }
        // Until what the function gives has been given back, which is the library's code as well.
        let flight = library.flight(Doing::Handle(&invocation.request_id));
        let _in_flight = flight.begin();
        let entered = self.running.enter(library, invocation);
        let (status, out) = library.call(*pointer, &event, &context);
        drop(entered);
        drop(turn);
        self.functions.count_call();
        let is_reply = status == REPLY && *hook == Some(Hook::Before);
        if status != OK && !is_reply {
            return Err(error::of(library, symbol, status, out.bytes(library.label())?));
        }
        let payload = answer::payload(library, symbol, &out)?;
        if is_reply {
            let reply = payload.unwrap_or_else(|| answer::without_bytes(library));
            invocation.exchange.reply(reply)?;
            return Ok(Payload::Nothing);
        }
        Ok(payload.unwrap_or_else(|| match hook {
            Some(_) => Payload::Nothing,
            None => answer::without_bytes(library),
        }))
    }
}

/// What functions return for an answer, and for one that a `before` hook gives instead of the handler.
const OK: i32 = 0;
const REPLY: i32 = 2;

impl Instance for NativeInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        // An interrupt from now on is meant for this load.
        let load = self.stop.begin();
        Box::pin(async move { self.load_module(module, &load) })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        _form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(self.call_function(function, input, invocation))
    }

    fn holds_thread(&self, function: FunctionId) -> bool {
        self.functions.get(function).is_ok_and(|function| function.library.takes_threads())
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter(&self.running)
    }

    fn usage(&self) -> Usage {
        Usage { heap_bytes: 0, calls: self.functions.calls() }
    }

    fn shutdown(&self) {
        self.functions.close();
        for library in self.libraries.take() {
            library.leave();
        }
    }
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        self.shutdown();
    }
}
