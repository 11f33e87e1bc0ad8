//! One instance of a plug-in, and the functions that were loaded into it.

use crate::{
    abi::{self, Lent},
    call::{self, Input, Outcome},
    context, convert, crash, error,
    exports::{self, Function},
    host::Host,
    library::Library,
    limits::Line,
};
use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    ptr,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    EngineInfo, Environment, Error, ErrorKind, Exports, Form, FunctionId, Instance, Interrupter,
    Invocation, LocalFuture, Module, Payload, Result, Usage, Wanted,
};

/// What is known about a plug-in.
pub(crate) struct Plugin {
    pub(crate) library: Library,
    pub(crate) info: EngineInfo,
    /// Whether its files can be middlewares.
    pub(crate) hooks: bool,
}

/// One instance. It belongs to its thread because of the address in it.
pub(crate) struct PluginInstance {
    plugin: Arc<Plugin>,
    address: *mut c_void,
    /// Kept in place for the plug-in, which knows the addresses of both.
    host: Box<Host>,
    _host_table: Box<abi::Host>,
    environment: Environment,
    functions: RefCell<Vec<Function>>,
    room: RefCell<Vec<u8>>,
    calls: Cell<u64>,
    closed: Cell<bool>,
}

impl PluginInstance {
    /// Starts an instance on the calling thread.
    pub(crate) fn start(plugin: Arc<Plugin>, environment: &Environment) -> Result<Self> {
        let library = &plugin.library;
        let line = Line::new(library.interrupt);
        let host = Box::new(Host::new(environment.log.clone(), line, plugin.info.name));
        let host_table = Box::new(host.table());
        let text = context::environment(environment);
        let (mut address, mut given) = (ptr::null_mut(), abi::Given::NONE);
        let status = crash::guarded(&library.path, "in `start`", || {
            // SAFETY: the texts outlive the call, and the host outlives the instance.
            unsafe {
                let text = Lent::of(text.as_bytes());
                (library.start)(text, &raw const *host_table, &raw mut address, &raw mut given)
            }
        });
        // SAFETY: it is as the plug-in has just filled it in.
        let given = unsafe { convert::take(library, given, "start") };
        if status != abi::OK {
            let error = error::failed(library, &given?, "start", false);
            return Err(error.with_context("plug-in", library.path.display().to_string()));
        }
        Ok(Self {
            plugin,
            address,
            host,
            _host_table: host_table,
            environment: environment.clone(),
            functions: RefCell::default(),
            room: RefCell::default(),
            calls: Cell::new(0),
            closed: Cell::new(false),
        })
    }

    fn library(&self) -> &Library {
        &self.plugin.library
    }

    fn check_open(&self) -> Result<()> {
        if self.closed.get() {
            let name = self.plugin.info.name;
            return Err(Error::internal(format!("this instance of {name} is shut down")));
        }
        Ok(())
    }

    fn load_module(&self, module: &Module) -> Result<Exports> {
        self.check_open()?;
        let library = self.library();
        if module.wanted == Wanted::Hooks && !self.plugin.hooks {
            let (path, name) = (module.path.display(), self.plugin.info.name);
            let message = format!("{path} cannot be a middleware: {name} has no hooks");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let text = context::module(module, &self.place(module))?;
        let mut given = abi::Given::NONE;
        let status = {
            let _running = self.host.line.run(self.address);
            crash::guarded(&library.path, "in `load`", || {
                // SAFETY: the instance is this thread's and alive, and the text outlives the call.
                unsafe { (library.load)(self.address, Lent::of(text.as_bytes()), &raw mut given) }
            })
        };
        // SAFETY: it is as the plug-in has just filled it in.
        let given = unsafe { convert::take(library, given, "load") }?;
        if status != abi::OK {
            let interrupted = self.host.line.is_interrupted();
            return Err(error::failed(library, &given, "load", interrupted));
        }
        let (chosen, others) = exports::choose(module, exports::read(library, &given)?)?;
        let named = |function: Function| (function.name.clone(), self.keep(function));
        let functions = chosen.into_iter().map(named).collect();
        Ok(Exports { functions, others, ..Exports::default() })
    }

    /// Returns the environment of a module's root. Where functions have instances of their own, the instance has been started
    /// with that of its function.
    fn place(&self, module: &Module) -> Environment {
        match self.plugin.info.instance_per_function {
            true => self.environment.clone(),
            false => self.environment.of_place(self.plugin.info.id, &module.root),
        }
    }

    fn keep(&self, function: Function) -> FunctionId {
        let mut functions = self.functions.borrow_mut();
        let known = functions.iter().position(|known| *known == function);
        let at = known.unwrap_or_else(|| {
            functions.push(function);
            functions.len() - 1
        });
        FunctionId(at as u32)
    }

    fn call_function(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Invocation,
    ) -> Result<Payload> {
        self.check_open()?;
        let library = self.library();
        let (number, hook) = {
            let functions = self.functions.borrow();
            let function = functions.get(function.0 as usize).ok_or_else(|| {
                let name = self.plugin.info.name;
                let message =
                    format!("no function of this instance of {name} has the id {}", function.0);
                Error::internal(message)
            })?;
            (function.number, function.hook)
        };
        let input = Input::of(input)?;
        let mut room = self.room.borrow_mut();
        context::write(&mut room, invocation, &self.environment.function, hook)?;
        self.host.run(invocation);
        let outcome = {
            let _running = self.host.line.run(self.address);
            // SAFETY: the instance is this thread's, and it is not closed.
            unsafe { call::call(library, self.address, number, &input, &room) }
        };
        self.host.rest();
        self.calls.set(self.calls.get() + 1);
        match outcome? {
            Outcome::Answered { kind, bytes, content_type } => {
                call::value(library, (kind, bytes, content_type), form, invocation)
            }
            Outcome::Failed(bytes) => {
                let interrupted = self.host.line.is_interrupted();
                Err(error::failed(library, &bytes, "call", interrupted))
            }
        }
    }
}

impl Instance for PluginInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move { self.load_module(module) })
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move { self.call_function(function, input, form, invocation) })
    }

    /// Whether calls hold their thread: all of them do. Where the language is at home on the main thread, others do not help.
    fn holds_thread(&self, _function: FunctionId) -> bool {
        !self.plugin.info.on_main_thread
    }

    fn interrupter(&self) -> Interrupter {
        self.host.line.interrupter()
    }

    fn usage(&self) -> Usage {
        let size = abi::size_of::<abi::Usage>();
        let mut usage = abi::Usage { size, reserved: 0, heap_bytes: 0 };
        if let Some(get) = self.library().usage.filter(|_| !self.closed.get()) {
            // SAFETY: the instance is this thread's and alive.
            unsafe { get(self.address, &raw mut usage) };
        }
        Usage { heap_bytes: usage.heap_bytes, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        if !self.closed.replace(true) {
            // SAFETY: the instance is this thread's, and is not used afterwards.
            unsafe { (self.library().shutdown)(self.address) };
        }
    }
}

impl Drop for PluginInstance {
    fn drop(&mut self) {
        self.shutdown();
    }
}
