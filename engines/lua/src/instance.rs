//! One warm Lua: a state per root folder, and the functions that were loaded in them.

use crate::{call, limits::Stop, loader, state::State};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::c_int,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{
    Environment, Error, Exports, Form, FunctionId, Instance, Interrupter, Invocation, LocalFuture,
    Module, Payload, Result, Seek, Usage,
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
    /// Key of the function in the state's registry.
    key: c_int,
    name: Rc<str>,
    /// What to load again when the state is spoiled.
    module: Rc<Module>,
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
        let state = State::new(root, &self.environment, self.stop.clone())?;
        self.states.borrow_mut().insert(root.clone(), state.clone());
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
        for mut loaded in self.load_functions(module).await? {
            let mut functions = self.functions.borrow_mut();
            let same = |known: &Loaded| {
                Rc::ptr_eq(&known.state, &loaded.state)
                    && known.name == loaded.name
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

    /// Loads a module and keeps the functions that are sought in it.
    async fn load_functions(&self, module: &Module) -> Result<Vec<Loaded>> {
        let state = self.state(&module.root)?;
        let found = match loader::load(&state, module).await {
            Ok(loaded) => loader::find(&loaded, module)?,
            Err(error) => return Err(spoiling(&state, error)),
        };
        let module = Rc::new(module.clone());
        found
            .into_iter()
            .map(|found| {
                let key = state.keep(found.function)?;
                let (state, module) = (state.clone(), module.clone());
                Ok(Loaded { state, key, name: found.name.into(), module })
            })
            .collect()
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
        let mut module = (*known.module).clone();
        if module.seek == Seek::Hooks {
            module.seek = Seek::Handler(known.name.to_string());
        }
        let mut again = self.load_functions(&module).await?;
        let again = again.pop().ok_or_else(|| Error::internal("a handler was loaded as none"))?;
        self.functions.borrow_mut()[id.0 as usize] = again.clone();
        Ok(again)
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
        Box::pin(async move {
            self.check_open()?;
            let Loaded { state, key, name, .. } = self.function(function).await?;
            let result = call::call(&state, key, &name, input, form, invocation).await;
            self.calls.set(self.calls.get() + 1);
            result.map_err(|error| spoiling(&state, error))
        })
    }

    fn interrupter(&self) -> Interrupter {
        self.stop.interrupter()
    }

    fn usage(&self) -> Usage {
        let states = self.states.borrow();
        let heap_bytes = states.values().map(|state| state.lua().used_memory() as u64).sum();
        Usage { heap_bytes, calls: self.calls.get() }
    }

    fn shutdown(&self) {
        self.closed.set(true);
        self.functions.borrow_mut().clear();
        // Dropped outside of the borrow: finalizers are guest code.
        let states = std::mem::take(&mut *self.states.borrow_mut());
        drop(states);
    }
}

impl Drop for LuaInstance {
    fn drop(&mut self) {
        self.shutdown();
        self.stop.close();
    }
}
