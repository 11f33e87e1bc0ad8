//! One warm Lua: a state per root folder, and the functions that were loaded in them.

use crate::{
    call::{self, Callee, Role, Run},
    exports::{callable, kind_of},
    functions,
    limits::Stop,
    loader, program,
    state::State,
    value::LuaValue,
};
use mlua::{Value, ffi};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::c_int,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    Environment, Error, ErrorKind, Exports, Form, FunctionId, Hook, Instance, Interrupter,
    Invocation, LocalFuture, Module, Payload, Result, Seek, Usage,
};

/// One warm Lua.
pub(crate) struct LuaInstance {
    environment: Environment,
    stop: Arc<Stop>,
    states: RefCell<HashMap<PathBuf, Rc<State>>>,
    functions: RefCell<Vec<Loaded>>,
    calls: Cell<u64>,
    closed: Cell<bool>,
}

/// A function that a module has.
#[derive(Clone)]
struct Loaded {
    state: Rc<State>,
    /// Key in the state's registry: of the function, or of a program's source.
    key: c_int,
    name: Rc<str>,
    /// What to load again when the state is spoiled.
    module: Rc<Module>,
    kind: Kind,
}

/// How a function came to be, and how it is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function(Role),
    Program(Hook),
    /// A handler that a `wrap` hook has returned.
    Wrapped {
        wrapper: FunctionId,
        handler: FunctionId,
    },
}

impl LuaInstance {
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            environment: environment.clone(),
            stop: Stop::new(),
            states: RefCell::default(),
            functions: RefCell::default(),
            calls: Cell::new(0),
            closed: Cell::new(false),
        }
    }

    /// The state of a root: there is one, and a new one once it is spoiled.
    fn state(&self, root: &PathBuf) -> Result<Rc<State>> {
        if let Some(state) = self.states.borrow().get(root)
            && !state.spoiled()
        {
            return Ok(state.clone());
        }
        let state = functions::start(root, &self.environment, self.stop.clone())?;
        // Dropped outside of the borrow: finalizers are guest code.
        let before = self.states.borrow_mut().insert(root.clone(), state.clone());
        drop(before);
        Ok(state)
    }

    fn check_open(&self) -> Result<()> {
        if self.closed.get() {
            return Err(Error::internal("this Lua instance is shut down"));
        }
        Ok(())
    }

    async fn load_module(&self, module: &Module) -> Result<Exports> {
        self.check_open()?;
        let mut exports = Exports::default();
        let (found, others) = self.load_functions(module).await?;
        exports.others = others;
        for mut loaded in found {
            let mut functions = self.functions.borrow_mut();
            let same = |known: &Loaded| {
                Rc::ptr_eq(&known.state, &loaded.state)
                    && known.name == loaded.name
                    && known.kind == loaded.kind
                    && known.module.path == module.path
            };
            let index = match functions.iter().position(same) {
                Some(index) => {
                    std::mem::swap(&mut functions[index], &mut loaded);
                    loaded.state.forget(loaded.key);
                    index
                }
                None => {
                    functions.push(loaded);
                    functions.len() - 1
                }
            };
            let name = functions[index].name.to_string();
            exports.functions.push((name, FunctionId(index as u32)));
        }
        Ok(exports)
    }

    /// Loads a module and keeps the functions that are sought in it; also names of others that a middleware has.
    async fn load_functions(&self, module: &Module) -> Result<(Vec<Loaded>, Vec<String>)> {
        let state = self.state(&module.root)?;
        let shared = Rc::new(module.clone());
        let keep = |name: String, value: Value, kind: Kind| {
            let key = state.keep(value)?;
            Ok(Loaded {
                state: state.clone(),
                key,
                name: name.into(),
                module: shared.clone(),
                kind,
            })
        };
        if module.seek == Seek::Program {
            let source = program::load(&state, module)?;
            let hooks = [Hook::Before, Hook::After].into_iter();
            let loaded =
                hooks.map(|hook| keep(hook.name().to_owned(), source.clone(), Kind::Program(hook)));
            return Ok((loaded.collect::<Result<_>>()?, Vec::new()));
        }
        let loaded = match loader::load(&state, module).await {
            Ok(loaded) => loaded,
            Err(error) => return Err(spoiling(&state, error)),
        };
        let is_middleware = module.seek == Seek::Hooks;
        let found = loader::find(&loaded, module)?.into_iter().map(|found| {
            let hook = Hook::named(&found.name).filter(|_| is_middleware);
            let role = hook.map_or(Role::Handler, Role::Hook);
            keep(found.name, found.function, Kind::Function(role))
        });
        let others = if is_middleware { loader::others(&loaded) } else { Vec::new() };
        Ok((found.collect::<Result<_>>()?, others))
    }

    /// The function with this id, loaded again if the guest has ended its state.
    async fn function(&self, id: FunctionId) -> Result<Loaded> {
        let known = self.functions.borrow().get(id.0 as usize).cloned();
        let known = known.ok_or_else(|| {
            Error::internal(format!("no function of this Lua instance has the id {}", id.0))
        })?;
        if !known.state.spoiled() {
            return Ok(known);
        }
        let again = if let Kind::Wrapped { wrapper, handler } = known.kind {
            Box::pin(self.wrapped(wrapper, handler)).await?
        } else {
            let (again, _) = self.load_functions(&known.module).await?;
            let mut again = again.into_iter();
            again.find(|loaded| loaded.name == known.name && loaded.kind == known.kind).ok_or_else(
                || {
                    let (name, module) = (&known.name, &known.module.name);
                    let message = format!("'{name}' of module '{module}' is gone after a restart");
                    Error::new(ErrorKind::HandlerNotFound, message)
                },
            )?
        };
        self.functions.borrow_mut()[id.0 as usize] = again.clone();
        Ok(again)
    }

    /// What a `wrap` hook makes of a handler.
    async fn wrapped(&self, wrapper: FunctionId, handler: FunctionId) -> Result<Loaded> {
        self.check_open()?;
        let (wrap, inner) = (self.function(wrapper).await?, self.function(handler).await?);
        if !Rc::ptr_eq(&wrap.state, &inner.state) {
            let message = format!(
                "wrap of module '{}' cannot wrap a handler of another root folder: each root has a Lua \
                 state of its own",
                wrap.module.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let state = &wrap.state;
        let mut run = Run::new(state, None, &wrap.name)?;
        let coroutine = run.raw();
        // SAFETY: a new coroutine has room for two values; reading the registry does not allocate.
        unsafe {
            for key in [wrap.key, inner.key] {
                ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, key.into());
            }
        }
        let finished = run.finish(1).await;
        state.host().output().flush();
        let results = finished.map_err(|error| spoiling(state, error))?;
        let value = if results == 0 {
            Value::Nil
        } else {
            // SAFETY: the coroutine has left this many results, of which the first one counts.
            unsafe { ffi::lua_pop(coroutine, results - 1) };
            state.take(coroutine).map_err(|error| state.error(&error))?
        };
        run.done();
        if !callable(&value) {
            let message = format!(
                "wrap of module '{}' has returned {} instead of a handler: it must return a function",
                wrap.module.name,
                kind_of(&value)
            );
            return Err(Error::new(ErrorKind::HandlerNotFound, message));
        }
        let key = state.keep(value)?;
        Ok(Loaded { key, kind: Kind::Wrapped { wrapper, handler }, ..inner })
    }

    async fn call_function(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.check_open()?;
        let Loaded { state, key, name, kind, module } = self.function(function).await?;
        let result = match kind {
            Kind::Program(hook) => {
                program::call(&state, key, &module, hook, input, invocation).await
            }
            kind => {
                let role = match kind {
                    Kind::Function(role) => role,
                    _ => Role::Handler,
                };
                let callee = Callee { key, label: &name, role };
                call::call(&state, callee, input, form, invocation).await
            }
        };
        self.calls.set(self.calls.get() + 1);
        result.map_err(|error| spoiling(&state, error))
    }
}

/// Notes that a state must not be used again, if `error` says so.
fn spoiling(state: &State, error: Error) -> Error {
    if error.poisons() {
        state.spoil();
    }
    error
}

impl Instance for LuaInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(self.load_module(module))
    }

    fn call<'a>(
        &'a self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(self.call_function(function, input, form, invocation))
    }

    /// Where there are several states, nobody knows yet which of them the value is for: it stays as it is.
    fn adopt(&self, value: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        let _ = invocation;
        let states = self.states.borrow();
        let mut usable = states.values().filter(|state| !state.spoiled());
        match (usable.next(), usable.next()) {
            (Some(state), None) => LuaValue::adopt(state, value),
            _ => Ok(value),
        }
    }

    fn wrap<'a>(
        &'a self,
        wrapper: FunctionId,
        handler: FunctionId,
    ) -> LocalFuture<'a, Result<FunctionId>> {
        Box::pin(async move {
            let wrapped = self.wrapped(wrapper, handler).await?;
            let mut functions = self.functions.borrow_mut();
            functions.push(wrapped);
            Ok(FunctionId(functions.len() as u32 - 1))
        })
    }

    fn warn(&self, invocation: &Rc<Invocation>) {
        // A call goes on in the state in which it began, also when that is spoiled by now.
        let mut warned: Vec<*const State> = Vec::new();
        let functions: Vec<_> =
            self.functions.borrow().iter().map(|loaded| loaded.state.clone()).collect();
        for state in functions {
            if !warned.contains(&Rc::as_ptr(&state)) {
                warned.push(Rc::as_ptr(&state));
                state.host().warnings().warn(invocation);
            }
        }
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter()
    }

    fn usage(&self) -> Usage {
        let states = self.states.borrow();
        let heap_bytes = states.values().map(|state| state.used_memory() as u64).sum();
        Usage { heap_bytes, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        self.closed.set(true);
        // Dropped outside of the borrows: finalizers are guest code.
        let functions = self.functions.take();
        let states = self.states.take();
        drop((functions, states));
    }
}

impl Drop for LuaInstance {
    fn drop(&mut self) {
        self.shutdown();
        self.stop.close();
    }
}
