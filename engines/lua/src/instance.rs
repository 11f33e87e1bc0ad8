//! One warm Lua: a state per root folder, and the functions that were loaded into them.

use crate::{
    call::{self, Callee, Role, Run},
    debugger,
    exports::{callable, kind_of},
    functions,
    limits::Stop,
    loader, profile, program, snapshot,
    value::LuaValue,
    vm::Vm,
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
    Invocation, LocalFuture, Module, Payload, Profile, Result, Usage, Wanted,
};

/// One warm Lua.
pub(crate) struct LuaInstance {
    environment: Environment,
    stop: Arc<Stop>,
    vms: RefCell<HashMap<PathBuf, Rc<Vm>>>,
    functions: RefCell<Vec<Loaded>>,
    calls: Cell<u64>,
    closed: Cell<bool>,
}

/// A function of a module.
#[derive(Clone)]
struct Loaded {
    vm: Rc<Vm>,
    /// Key in the state's registry: that of the function, or of a program's source.
    key: c_int,
    name: Rc<str>,
    /// The module to load again when the state is spoiled.
    module: Rc<Module>,
    kind: Kind,
}

/// The origin of a function, which decides how it is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function(Role),
    Program(Hook),
    /// A handler returned by a `wrap` hook.
    Wrapped {
        wrapper: FunctionId,
        handler: FunctionId,
        role: Role,
    },
}

impl Kind {
    fn role(self) -> Role {
        match self {
            Self::Function(role) | Self::Wrapped { role, .. } => role,
            Self::Program(_) => Role::Handler,
        }
    }
}

impl LuaInstance {
    pub(crate) fn new(environment: &Environment) -> Result<Self> {
        Ok(Self {
            environment: environment.clone(),
            stop: Stop::new(debugger::join(environment)?),
            vms: RefCell::default(),
            functions: RefCell::default(),
            calls: Cell::new(0),
            closed: Cell::new(false),
        })
    }

    /// Returns the state of a root: the existing one, or a new one once that is spoiled.
    fn vm(&self, root: &PathBuf) -> Result<Rc<Vm>> {
        if let Some(vm) = self.vms.borrow().get(root)
            && !vm.spoiled()
        {
            return Ok(vm.clone());
        }
        let vm = functions::start(root, &self.environment, self.stop.clone())?;
        // Dropped outside the borrow: finalizers are guest code.
        let before = self.vms.borrow_mut().insert(root.clone(), vm.clone());
        drop(before);
        Ok(vm)
    }

    /// Returns the states that may be called.
    fn usable(&self) -> Vec<Rc<Vm>> {
        self.vms.borrow().values().filter(|vm| !vm.spoiled()).cloned().collect()
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
                Rc::ptr_eq(&known.vm, &loaded.vm)
                    && known.name == loaded.name
                    && known.kind == loaded.kind
                    && known.module.path == module.path
            };
            let index = match functions.iter().position(same) {
                Some(index) => {
                    std::mem::swap(&mut functions[index], &mut loaded);
                    loaded.vm.forget(loaded.key);
                    index
                }
                None => {
                    functions.push(loaded);
                    functions.len() - 1
                }
            };
            let name = functions[index].name.to_string();
            if let Kind::Function(Role::Web(interface)) = functions[index].kind {
                exports.interface = interface;
            }
            exports.functions.push((name, FunctionId(index as u32)));
        }
        Ok(exports)
    }

    /// Loads a module and keeps the functions that are sought in it; also returns the names of others in a middleware.
    async fn load_functions(&self, module: &Module) -> Result<(Vec<Loaded>, Vec<String>)> {
        let vm = self.vm(&module.root)?;
        let shared = Rc::new(module.clone());
        let keep = |name: String, value: Value, kind: Kind| {
            let key = vm.keep(value)?;
            Ok(Loaded { vm: vm.clone(), key, name: name.into(), module: shared.clone(), kind })
        };
        if module.wanted == Wanted::Program {
            let source = program::load(&vm, module)?;
            let hooks = [Hook::Before, Hook::After].into_iter();
            let loaded =
                hooks.map(|hook| keep(hook.name().to_owned(), source.clone(), Kind::Program(hook)));
            return Ok((loaded.collect::<Result<_>>()?, Vec::new()));
        }
        let loaded = match loader::load(&vm, module).await {
            Ok(loaded) => loaded,
            Err(error) => return Err(spoiling(&vm, error)),
        };
        let is_middleware = module.wanted == Wanted::Hooks;
        let found = loader::find(vm.lua(), &loaded, module)?.into_iter().map(|found| {
            let hook = Hook::named(&found.name).filter(|_| is_middleware);
            let role = match hook {
                Some(hook) => Role::Hook(hook),
                None if found.interface.is_web() => Role::Web(found.interface),
                None => Role::Handler,
            };
            keep(found.name, found.function, Kind::Function(role))
        });
        let others = if is_middleware { loader::others(&loaded) } else { Vec::new() };
        Ok((found.collect::<Result<_>>()?, others))
    }

    /// Returns the function with this id, loaded again if the guest has ended its state.
    async fn function(&self, id: FunctionId) -> Result<Loaded> {
        let known = self.functions.borrow().get(id.0 as usize).cloned();
        let known = known.ok_or_else(|| {
            Error::internal(format!("no function of this Lua instance has the id {}", id.0))
        })?;
        if !known.vm.spoiled() {
            return Ok(known);
        }
        let again = if let Kind::Wrapped { wrapper, handler, .. } = known.kind {
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

    /// Makes the function that a `wrap` hook returns for a handler.
    async fn wrapped(&self, wrapper: FunctionId, handler: FunctionId) -> Result<Loaded> {
        self.check_open()?;
        let (wrap, inner) = (self.function(wrapper).await?, self.function(handler).await?);
        if !Rc::ptr_eq(&wrap.vm, &inner.vm) {
            let message = format!(
                "wrap of module '{}' cannot wrap a handler of another root folder: each root has a Lua \
                 state of its own",
                wrap.module.name
            );
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let vm = &wrap.vm;
        let mut run = Run::new(vm, None, &wrap.name)?;
        let coroutine = run.raw();
        // SAFETY: a new coroutine has room for two values; reading the registry does not allocate.
        unsafe {
            for key in [wrap.key, inner.key] {
                ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, key.into());
            }
        }
        let finished = run.finish(1).await;
        vm.host().output().flush();
        let results = finished.map_err(|error| spoiling(vm, error))?;
        let value = if results == 0 {
            Value::Nil
        } else {
            // SAFETY: the coroutine has left this many results, of which the first one counts.
            unsafe { ffi::lua_pop(coroutine, results - 1) };
            vm.take(coroutine).map_err(|error| vm.error(&error))?
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
        let key = vm.keep(value)?;
        Ok(Loaded {
            key,
            kind: Kind::Wrapped { wrapper, handler, role: inner.kind.role() },
            ..inner
        })
    }

    async fn call_function(
        &self,
        function: FunctionId,
        input: Payload,
        form: Form,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        self.check_open()?;
        let Loaded { vm, key, name, kind, module } = self.function(function).await?;
        let result = match kind {
            Kind::Program(hook) => program::call(&vm, key, &module, hook, input, invocation).await,
            kind => {
                let callee = Callee { key, label: &name, role: kind.role() };
                call::call(&vm, callee, input, form, invocation).await
            }
        };
        self.calls.set(self.calls.get() + 1);
        result.map_err(|error| spoiling(&vm, error))
    }
}

/// Marks a state as unusable, if `error` says so.
fn spoiling(vm: &Vm, error: Error) -> Error {
    if error.poisons() {
        vm.spoil();
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

    /// Adopts a value for the state, if there is only one: of several, it is not known yet which one it is for.
    fn adopt(&self, value: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        let _ = invocation;
        let vms = self.vms.borrow();
        let mut usable = vms.values().filter(|vm| !vm.spoiled());
        match (usable.next(), usable.next()) {
            (Some(vm), None) => LuaValue::adopt(vm, value),
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
        // A call continues in the state in which it began, even if that is spoiled by now.
        let mut warned: Vec<*const Vm> = Vec::new();
        let functions: Vec<_> =
            self.functions.borrow().iter().map(|loaded| loaded.vm.clone()).collect();
        for vm in functions {
            if !warned.contains(&Rc::as_ptr(&vm)) {
                warned.push(Rc::as_ptr(&vm));
                vm.host().warnings().warn(invocation);
            }
        }
    }

    fn before_snapshot(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async {
            for vm in self.usable() {
                snapshot::prepare(&vm).await.map_err(|error| spoiling(&vm, error))?;
            }
            Ok(())
        })
    }

    fn after_restore(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(async {
            for vm in self.usable() {
                snapshot::go_on(&vm).await.map_err(|error| spoiling(&vm, error))?;
            }
            Ok(())
        })
    }

    fn profile(&self) -> Result<Profile> {
        self.check_open()?;
        profile::begin(&self.stop)
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter()
    }

    fn usage(&self) -> Usage {
        let vms = self.vms.borrow();
        let heap_bytes = vms.values().map(|vm| vm.used_memory() as u64).sum();
        Usage { heap_bytes, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        self.closed.set(true);
        // Dropped outside the borrows: finalizers are guest code.
        let functions = self.functions.take();
        let vms = self.vms.take();
        drop((functions, vms));
    }
}

impl Drop for LuaInstance {
    fn drop(&mut self) {
        self.shutdown();
        self.stop.close();
    }
}
