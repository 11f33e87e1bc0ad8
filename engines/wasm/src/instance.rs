//! One warm instance: an isolate, the modules that were loaded into it, and the reactors that are warm.

use crate::{
    answer,
    form::{self, Role},
    guest::{self, Occasion, Reactor},
    isolate::Isolate,
    limits::Stop,
    loader,
    program::{Context, Loaded},
};
use bytes::Bytes;
use std::{cell::RefCell, collections::HashMap, ffi::OsString, path::PathBuf, rc::Rc, sync::Arc};
use trine_engine::{
    Environment, ErrorKind, Exports, Form, FunctionId, GuestOutput, Instance, Interrupter,
    Invocation, LoadedFunctions, LocalFuture, Module, Payload, Result, Usage, Wanted,
};

/// One warm instance.
pub(crate) struct WasmInstance {
    environment: Environment,
    /// The process's variables at the start.
    variables: Vec<(OsString, OsString)>,
    stop: Arc<Stop>,
    output: Rc<GuestOutput>,
    /// The modules, by the root of their function and their file.
    modules: RefCell<HashMap<(PathBuf, PathBuf), Rc<Known>>>,
    functions: LoadedFunctions<Function>,
    /// Last, so that what lies in it is gone before.
    isolate: RefCell<Isolate>,
}

/// A module that was loaded.
struct Known {
    source: loader::Source,
    loaded: Loaded,
    /// The warm reactor; `None` for a command, and where the last call has spoiled it.
    reactor: RefCell<Option<Reactor>>,
}

/// A function of a module.
struct Function {
    module: Rc<Known>,
    role: Role,
}

impl WasmInstance {
    pub(crate) fn new(environment: &Environment) -> Result<Self> {
        let stop = Arc::new(Stop::default());
        Ok(Self {
            environment: environment.clone(),
            variables: std::env::vars_os().collect(),
            isolate: RefCell::new(Isolate::start(environment.memory_limit, &stop)?),
            stop,
            output: Rc::new(GuestOutput::new(environment.log.clone())),
            modules: RefCell::default(),
            functions: LoadedFunctions::new("WebAssembly"),
        })
    }

    fn check_open(&self) -> Result<()> {
        self.functions.check_open()?;
        self.isolate.borrow().check_heap()
    }

    /// Returns the error of a load or a call; that of an interrupt where one has cut V8 short, at whatever it was.
    fn explained<T>(&self, result: Result<T>, epoch: u64) -> Result<T> {
        result.map_err(|error| match error.kind() {
            ErrorKind::OutOfMemory => error,
            _ => match self.isolate.borrow().check_heap() {
                Err(crossed) => crossed,
                Ok(()) if self.stop.epoch() != epoch => guest::stopped(),
                Ok(()) => error,
            },
        })
    }

    fn load_module(&self, module: &Module, epoch: u64) -> Result<Exports> {
        self.check_open()?;
        let known = self.known(module, epoch)?;
        let found = form::find(&known.source.binary, module)?;
        let mut exports = Exports::default();
        if module.wanted == Wanted::Hooks {
            exports.others = form::others(&known.source.binary);
        }
        for role in found {
            let name = role.name().to_owned();
            let same = |one: &Function| Rc::ptr_eq(&one.module, &known) && one.role == role;
            let id = self.functions.find(same);
            let id =
                id.unwrap_or_else(|| self.functions.keep(Function { module: known.clone(), role }));
            exports.functions.push((name, id));
        }
        Ok(exports)
    }

    /// Returns a module, loaded if it has not been yet. A reactor is started, so that its first call finds it warm.
    fn known(&self, module: &Module, epoch: u64) -> Result<Rc<Known>> {
        let key = (module.root.clone(), module.path.clone());
        if let Some(known) = self.modules.borrow().get(&key) {
            return Ok(known.clone());
        }
        let source = loader::read(module)?;
        // What has no handler is not worth compiling.
        form::find(&source.binary, module)?;
        let context = Context {
            environment: &self.environment,
            variables: &self.variables,
            output: &self.output,
            stop: &self.stop,
        };
        let mut isolate = self.isolate.borrow_mut();
        let mut isolate = isolate.enter();
        let loaded = Loaded::new(&context, &mut isolate, &source, module)?;
        let reactor = match form::is_command(&source.binary) {
            true => None,
            false => {
                let occasion = Occasion { epoch, invocation: None };
                Some(Reactor::start(&mut isolate, &loaded, occasion)?)
            }
        };
        let known = Rc::new(Known { source, loaded, reactor: RefCell::new(reactor) });
        self.modules.borrow_mut().insert(key, known.clone());
        Ok(known)
    }

    fn call_function(
        &self,
        id: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
        epoch: u64,
    ) -> Result<Payload> {
        self.check_open()?;
        let function = self.functions.get(id)?;
        let Function { module, role } = &*function;
        let input = match input {
            Payload::Nothing => Bytes::new(),
            input => input.into_bytes()?.0,
        };
        let occasion = Occasion { epoch, invocation: Some(invocation) };
        let bytes = self.run(module, role, input, occasion);
        self.functions.count_call();
        match role {
            Role::Hook(hook) => answer::of_hook(bytes?, form, *hook, &module.loaded.path),
            _ => Ok(answer::of(bytes?)),
        }
    }

    fn run(
        &self,
        known: &Known,
        role: &Role,
        input: Bytes,
        occasion: Occasion<'_>,
    ) -> Result<Bytes> {
        let loaded = &known.loaded;
        let mut isolate = self.isolate.borrow_mut();
        let mut isolate = isolate.enter();
        if *role == Role::Command {
            return guest::command(&mut isolate, loaded, input, occasion);
        }
        let warm = known.reactor.take();
        let reactor = match warm {
            Some(reactor) => reactor,
            // The last call has left it in the middle of something.
            None => Reactor::start(&mut isolate, loaded, occasion)?,
        };
        let (result, reactor) = reactor.call(&mut isolate, loaded, role.name(), &input, occasion);
        known.reactor.replace(reactor);
        result
    }
}

impl Instance for WasmInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        let epoch = self.stop.begin();
        Box::pin(async move { self.explained(self.load_module(module, epoch), epoch) })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        // An interrupt from now on is meant for this call.
        let epoch = self.stop.begin();
        Box::pin(async move {
            let result = self.call_function(function, input, form, invocation, epoch);
            self.explained(result, epoch)
        })
    }

    fn holds_thread(&self, _function: FunctionId) -> bool {
        true
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter()
    }

    fn usage(&self) -> Usage {
        let mut isolate = self.isolate.borrow_mut();
        let mut isolate = isolate.enter();
        let mut heap_bytes = isolate.v8().get_heap_statistics().used_heap_size() as u64;
        for known in self.modules.borrow().values() {
            let reactor = known.reactor.borrow();
            heap_bytes += reactor.as_ref().map_or(0, |reactor| reactor.size(&mut isolate));
        }
        Usage { heap_bytes, calls: self.functions.calls() }
    }

    fn shutdown(&self) {
        let mut isolate = self.isolate.borrow_mut();
        let _entered = isolate.enter();
        self.functions.close();
        self.modules.take();
    }
}

impl Drop for WasmInstance {
    fn drop(&mut self) {
        self.shutdown();
    }
}
