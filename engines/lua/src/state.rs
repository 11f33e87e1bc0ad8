//! One Lua state: the heap of one root folder, with its modules, its coroutines and its host.

use crate::{
    bulk, context, convert,
    convert::{Fault, Marks, Strictness},
    error, find, guard, host,
    host::Host,
    limits::Stop,
    loader::Loaded,
    memory::Vm,
    output, pattern, shared,
};
use mlua::{
    Function, Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    ffi::{c_int, c_void},
    path::{Path, PathBuf},
    ptr,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Environment, Error, Result};

/// So many coroutines are kept for further calls.
const IDLE: usize = 32;

/// The preludes, in the order in which they run.
const PRELUDES: [(&str, &str); 3] = [
    ("=[trine require]", include_str!("prelude/require.lua")),
    ("=[trine io]", include_str!("prelude/io.lua")),
    ("=[trine]", include_str!("prelude/trine.lua")),
];

/// The prelude of those that run programs.
const PROGRAM: (&str, &str) = ("=[trine program]", include_str!("prelude/program.lua"));

/// One Lua state. Functions of one root share it; those of different roots never meet.
pub(crate) struct State {
    lua: Vm,
    main: *mut lua_State,
    /// What each file returned, by its path, as `require` sees it.
    files: Table,
    /// Runs a program: made when the first one is loaded.
    program: OnceCell<Function>,
    modules: RefCell<HashMap<PathBuf, Rc<Loaded>>>,
    idle: RefCell<Vec<Coroutine>>,
    calls: Cell<i64>,
    spoiled: Cell<bool>,
    /// Last, because finalizers that run when `lua` is closed may still ask for it.
    host: Rc<Host>,
}

/// A coroutine, kept alive by the registry.
pub(crate) struct Coroutine {
    pub(crate) raw: *mut lua_State,
    key: c_int,
}

impl State {
    /// Starts a state whose modules are looked for in `root`.
    pub(crate) fn new(root: &Path, environment: &Environment, stop: Arc<Stop>) -> Result<Rc<Self>> {
        let host = Rc::new(Host::new(environment, stop));
        let started = Vm::new().and_then(|lua| {
            let (main, functions) = prepare(&lua, &host, root, environment)?;
            Ok((lua, main, functions))
        });
        let (lua, main, functions) =
            started.map_err(|error| Error::internal(format!("Lua cannot start: {error}")))?;
        let state = Rc::new(Self {
            lua,
            main,
            files: functions.raw_get("files").map_err(|error| error::internal(&error))?,
            program: OnceCell::new(),
            modules: RefCell::default(),
            idle: RefCell::default(),
            calls: Cell::new(0),
            spoiled: Cell::new(false),
            host,
        });
        state.host.set_state(&state);
        Ok(state)
    }

    pub(crate) fn lua(&self) -> &Lua {
        &self.lua
    }

    /// How large the heap is, in bytes.
    pub(crate) fn used_memory(&self) -> usize {
        self.lua.used()
    }

    pub(crate) fn main(&self) -> *mut lua_State {
        self.main
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn files(&self) -> &Table {
        &self.files
    }

    /// The function that runs programs, as [`crate::program`] calls it.
    pub(crate) fn program(&self) -> Result<&Function> {
        if let Some(program) = self.program.get() {
            return Ok(program);
        }
        let (name, source) = PROGRAM;
        let program = self.lua.load(source).set_name(name).eval::<Function>();
        let program = program.map_err(|error| self.error(&error))?;
        Ok(self.program.get_or_init(|| program))
    }

    pub(crate) fn modules(&self) -> &RefCell<HashMap<PathBuf, Rc<Loaded>>> {
        &self.modules
    }

    /// Whether the guest has ended this state: nothing may be called in it any more.
    pub(crate) fn spoiled(&self) -> bool {
        self.spoiled.get()
    }

    pub(crate) fn spoil(&self) {
        self.spoiled.set(true);
    }

    /// A number for a call, unlike that of any other in this state.
    pub(crate) fn next_call(&self) -> i64 {
        self.calls.set(self.calls.get() + 1);
        self.calls.get()
    }

    /// Keeps a value and returns its key in the registry.
    pub(crate) fn keep(&self, value: impl mlua::IntoLua) -> Result<c_int> {
        let mut key = ffi::LUA_REFNIL;
        // SAFETY: `exec_raw` runs this in protected mode with the value on the stack; `luaL_ref` takes it.
        unsafe {
            self.lua.exec_raw::<()>(value, |state| {
                key = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            })
        }
        .map_err(|error| self.error(&error))?;
        Ok(key)
    }

    /// What Lua refused us, as our error.
    pub(crate) fn error(&self, error: &mlua::Error) -> Error {
        error::internal(error)
    }

    /// Has modules looked for in `folder` too, after all other places.
    pub(crate) fn search_in(&self, folder: &Path) -> Result<()> {
        let added = format!("{0}/?.lua;{0}/?/init.lua", folder.display());
        let package: mlua::Result<Table> = self.lua.globals().raw_get("package");
        let package = package.map_err(|error| self.error(&error))?;
        let path: String = package.raw_get("path").map_err(|error| self.error(&error))?;
        if path.contains(&added) {
            return Ok(());
        }
        package.raw_set("path", format!("{path};{added}")).map_err(|error| self.error(&error))
    }

    /// A table as JSON, if it has such a form.
    pub(crate) fn json(&self, table: &Table) -> Option<String> {
        String::from_utf8(self.encode(table, Strictness::Ordinary).ok()?.ok()?).ok()
    }

    /// Any value as JSON. The outer error is one of memory.
    pub(crate) fn encode(
        &self,
        value: impl mlua::IntoLua,
        strictness: Strictness,
    ) -> mlua::Result<Result<Vec<u8>, Box<Fault>>> {
        let mut text = Vec::with_capacity(256);
        let mut encoded = Ok(());
        // SAFETY: `exec_raw` runs this in protected mode with the value on the stack. A memory error skips the frames
        // of the closure only, and what has a destructor is out here.
        unsafe {
            self.lua.exec_raw::<()>(value, |state| {
                encoded = convert::encode(state, -1, &self.host, strictness, &mut text);
            })
        }?;
        Ok(encoded.map(|()| text))
    }

    /// The value that the registry holds under a key.
    pub(crate) fn value(&self, key: c_int) -> mlua::Result<Value> {
        // SAFETY: `exec_raw` runs this in protected mode with room for a value.
        unsafe {
            self.lua.exec_raw((), |state| {
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into());
            })
        }
    }

    /// A copy of the topmost value of a coroutine's stack.
    pub(crate) fn take(&self, coroutine: *mut lua_State) -> mlua::Result<Value> {
        // SAFETY: `exec_raw` makes room for three values; a coroutine's stack has a spare slot.
        unsafe {
            self.lua.exec_raw::<Value>((), |state| {
                if ffi::lua_gettop(coroutine) > 0 && ffi::lua_checkstack(coroutine, 1) != 0 {
                    ffi::lua_pushvalue(coroutine, -1);
                    ffi::lua_xmove(coroutine, state, 1);
                } else {
                    ffi::lua_pushnil(state);
                }
            })
        }
    }

    /// A coroutine with an empty stack.
    pub(crate) fn coroutine(&self) -> Result<Coroutine> {
        if let Some(idle) = self.idle.borrow_mut().pop() {
            return Ok(idle);
        }
        let mut made = Coroutine { raw: ptr::null_mut(), key: ffi::LUA_REFNIL };
        // SAFETY: `exec_raw` runs this in protected mode with room for a value.
        unsafe {
            self.lua.exec_raw::<()>((), |state| {
                made.raw = ffi::lua_newthread(state);
                made.key = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            })
        }
        .map_err(|error| self.error(&error))?;
        Ok(made)
    }

    /// Takes back a coroutine that has returned.
    pub(crate) fn recycle(&self, coroutine: Coroutine) {
        if self.idle.borrow().len() >= IDLE {
            return self.abandon(coroutine);
        }
        // SAFETY: the coroutine is live; one that has returned may be used again once its stack is empty.
        unsafe { ffi::lua_settop(coroutine.raw, 0) };
        self.idle.borrow_mut().push(coroutine);
    }

    /// Leaves a coroutine to the collector.
    pub(crate) fn abandon(&self, coroutine: Coroutine) {
        self.forget(coroutine.key);
    }

    /// Gives back a key of [`State::keep`].
    pub(crate) fn forget(&self, key: c_int) {
        // SAFETY: `main` lives as long as `lua`. Giving back a key writes into slots that exist: it allocates nothing.
        unsafe { ffi::luaL_unref(self.main, ffi::LUA_REGISTRYINDEX, key) };
    }
}

/// Sets up a fresh Lua: marks, the host's functions, preludes, search paths.
fn prepare(
    lua: &Vm,
    host: &Rc<Host>,
    root: &Path,
    environment: &Environment,
) -> mlua::Result<(*mut lua_State, Table)> {
    let mut main = ptr::null_mut();
    // SAFETY: outside of any callback the current state is the main one, which lives as long as `lua`.
    unsafe { lua.exec_raw::<()>((), |state| main = state)? };
    let functions = host::functions(lua, host)?;
    host.set_marks(marks(lua, host, &functions)?);
    host.keys().prepare(lua)?;
    functions.raw_set("null", Value::NULL)?;
    functions.raw_set("trace_in_environment", environment.trace_in_environment)?;
    for (name, function) in output::CLOSURES {
        functions.raw_set(name, closure(lua, host, function)?)?;
    }
    functions.raw_set("state_keys", closure(lua, host, shared::keys)?)?;
    functions.raw_set("encode", closure(lua, host, convert::json_encode)?)?;
    functions.raw_set("decode", closure(lua, host, convert::json_decode)?)?;
    let globals = lua.globals();
    let plain = guard::FUNCTIONS.into_iter().chain(pattern::FUNCTIONS).chain(bulk::FUNCTIONS);
    for (library, name, function) in plain {
        // SAFETY: these are C functions written for this purpose.
        let function = unsafe { lua.create_c_function(function)? };
        globals.raw_get::<Table>(library)?.raw_set(name, function)?;
    }
    globals.raw_get::<Table>("os")?.raw_set("exit", closure(lua, host, host::os_exit)?)?;
    let debug = globals.raw_get::<Table>("debug")?;
    let sethook = debug.raw_get::<Function>("sethook")?;
    debug.raw_set("sethook", closure_with(lua, host, guard::sethook, sethook)?)?;
    let package = globals.raw_get::<Table>("package")?;
    package.raw_set("path", find::search_path(root, &environment.layer_root))?;
    package.raw_set("cpath", "")?;
    let token = mlua::LightUserData(guard::wait_token());
    for (name, source) in PRELUDES {
        lua.load(source).set_name(name).call::<()>((&functions, token))?;
    }
    // SAFETY: `State` keeps the host beyond `lua`, and setting a warning function cannot fail.
    unsafe { ffi::lua_setwarnf(main, Some(output::warn), Rc::as_ptr(host).cast_mut().cast()) };
    lua.limit(host.memory());
    Ok((main, functions))
}

/// The metatables that say what a table is; those for guests go into the host's functions.
fn marks(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<Marks> {
    let array = lua.create_table()?;
    array.raw_set("__name", "array")?;
    let object = lua.create_table()?;
    object.raw_set("__name", "object")?;
    let methods = lua.create_table()?;
    methods.raw_set("get_remaining_time_in_millis", closure(lua, host, context::remaining)?)?;
    methods.raw_set("reply", closure(lua, host, shared::reply)?)?;
    let context = lua.create_table()?;
    context.raw_set("__index", closure_with(lua, host, context::index, &methods)?)?;
    context.raw_set("__pairs", closure(lua, host, context::pairs)?)?;
    context.raw_set("__newindex", closure(lua, host, context::newindex)?)?;
    let filled = lua.create_table()?;
    filled.raw_set("__index", closure_with(lua, host, context::filled_index, &methods)?)?;
    let state = lua.create_table()?;
    state.raw_set("__index", closure(lua, host, shared::index)?)?;
    state.raw_set("__newindex", closure(lua, host, shared::newindex)?)?;
    state.raw_set("__name", "context.state")?;
    // The rest of these three is written in Lua.
    let error = lua.create_table()?;
    let deadline = lua.create_table()?;
    functions.raw_set("state", &state)?;
    functions.raw_set("error", &error)?;
    functions.raw_set("deadline_exceeded", &deadline)?;
    functions.raw_set("array", &array)?;
    functions.raw_set("object", &object)?;
    let key = |table: &Table| {
        let mut key = ffi::LUA_REFNIL;
        // SAFETY: `exec_raw` runs this in protected mode with the table on the stack; `luaL_ref` takes it.
        unsafe {
            lua.exec_raw::<()>(table, |state| {
                key = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            })
        }
        .map(|()| key)
    };
    key(&object)?;
    Ok(Marks {
        array: array.to_pointer(),
        array_key: key(&array)?,
        object: object.to_pointer(),
        context: context.to_pointer(),
        context_key: key(&context)?,
        filled: filled.to_pointer(),
        filled_key: key(&filled)?,
        state: state.to_pointer(),
        state_key: key(&state)?,
        error: error.to_pointer(),
        error_key: key(&error)?,
        deadline: deadline.to_pointer(),
        deadline_key: key(&deadline)?,
    })
}

/// A C closure whose first upvalue is the host.
fn closure(lua: &Lua, host: &Rc<Host>, function: ffi::lua_CFunction) -> mlua::Result<Function> {
    closure_with(lua, host, function, Value::Nil)
}

/// The same with a second upvalue.
fn closure_with(
    lua: &Lua,
    host: &Rc<Host>,
    function: ffi::lua_CFunction,
    second: impl mlua::IntoLuaMulti,
) -> mlua::Result<Function> {
    let host: *const Host = Rc::as_ptr(host);
    // SAFETY: `exec_raw` runs this in protected mode with room for two values; `State` keeps the host beyond `lua`.
    unsafe {
        lua.exec_raw(second, |state| {
            ffi::lua_pushlightuserdata(state, host.cast_mut().cast::<c_void>());
            ffi::lua_insert(state, 1);
            ffi::lua_pushcclosure(state, function, 2);
        })
    }
}
