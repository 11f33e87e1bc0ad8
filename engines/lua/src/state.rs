//! One Lua state: the heap of one root folder, with its modules, its coroutines and its host.

use crate::{
    context, convert, convert::Marks, engine::ID, guard, host, host::Host, limits, limits::Stop,
    loader::Loaded, output,
};
use bytes::Bytes;
use mlua::{
    Function, Lua, LuaOptions, StdLib, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    ffi::{c_int, c_void},
    path::{Path, PathBuf},
    ptr,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Environment, Error, ErrorKind, NativeValue, Result};

/// So many coroutines are kept for further calls.
const IDLE: usize = 32;

/// The preludes, in the order in which they run.
const PRELUDES: [(&str, &str); 3] = [
    ("=[trine require]", include_str!("prelude/require.lua")),
    ("=[trine io]", include_str!("prelude/io.lua")),
    ("=[trine]", include_str!("prelude/trine.lua")),
];

/// One Lua state. Functions of one root share it; those of different roots never meet.
pub(crate) struct State {
    lua: Lua,
    main: *mut lua_State,
    /// What each file returned, by its path, as `require` sees it.
    files: Table,
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
        // SAFETY: this asks for the whole standard library. Guests are trusted code, as they are in Lua itself.
        let lua = unsafe { Lua::unsafe_new_with(StdLib::ALL, LuaOptions::new()) };
        let (main, files) = prepare(&lua, &host, root, environment)
            .map_err(|error| Error::internal(format!("Lua cannot start: {error}")))?;
        Ok(Rc::new(Self {
            lua,
            main,
            files,
            modules: RefCell::default(),
            idle: RefCell::default(),
            calls: Cell::new(0),
            spoiled: Cell::new(false),
            host,
        }))
    }

    pub(crate) fn lua(&self) -> &Lua {
        &self.lua
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
        .map_err(|error| Error::internal(error.to_string()))?;
        Ok(key)
    }

    /// A table as JSON, if it has such a form.
    pub(crate) fn json(&self, table: &Table) -> Option<String> {
        String::from_utf8(self.encode(table).ok()?.ok()?).ok()
    }

    /// Any value as JSON. The outer error is one of memory.
    fn encode(&self, value: impl mlua::IntoLua) -> mlua::Result<Result<Vec<u8>, String>> {
        let mut text = Vec::with_capacity(256);
        let mut encoded = Ok(());
        // SAFETY: `exec_raw` runs this in protected mode with the value on the stack. A memory error skips the frames
        // of the closure only, and what has a destructor is out here.
        unsafe {
            self.lua.exec_raw::<()>(value, |state| {
                encoded = convert::encode(state, -1, &self.host, &mut text);
            })
        }?;
        Ok(encoded.map(|()| text).map_err(|fault| fault.at("result")))
    }

    /// The value that the registry holds under a key.
    fn value(&self, key: c_int) -> mlua::Result<Value> {
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
        .map_err(|error| Error::new(ErrorKind::OutOfMemory, error.to_string()).poisoning())?;
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
    lua: &Lua,
    host: &Rc<Host>,
    root: &Path,
    environment: &Environment,
) -> mlua::Result<(*mut lua_State, Table)> {
    let mut main = ptr::null_mut();
    // SAFETY: outside of any callback the current state is the main one, which lives as long as `lua`.
    unsafe { lua.exec_raw::<()>((), |state| main = state)? };
    let functions = host::functions(lua, host)?;
    host.set_marks(marks(lua, host, &functions)?);
    functions.raw_set("null", Value::NULL)?;
    functions.raw_set("trace_in_environment", environment.trace_in_environment)?;
    for (name, function) in output::CLOSURES {
        functions.raw_set(name, closure(lua, host, function)?)?;
    }
    functions.raw_set("encode", closure(lua, host, convert::json_encode)?)?;
    functions.raw_set("decode", closure(lua, host, convert::json_decode)?)?;
    let globals = lua.globals();
    for (library, name, function) in guard::FUNCTIONS {
        // SAFETY: these are C functions written for this purpose.
        let function = unsafe { lua.create_c_function(function)? };
        globals.raw_get::<Table>(library)?.raw_set(name, function)?;
    }
    globals.raw_get::<Table>("os")?.raw_set("exit", closure(lua, host, host::os_exit)?)?;
    let package = globals.raw_get::<Table>("package")?;
    package.raw_set("path", search_path(root, &environment.layer_root))?;
    package.raw_set("cpath", "")?;
    let token = mlua::LightUserData(guard::wait_token());
    for (name, source) in PRELUDES {
        lua.load(source).set_name(name).call::<()>((&functions, token))?;
    }
    // SAFETY: `State` keeps the host beyond `lua`, and setting a warning function cannot fail.
    unsafe { ffi::lua_setwarnf(main, Some(output::warn), Rc::as_ptr(host).cast_mut().cast()) };
    lua.set_memory_limit(limits::memory(environment))?;
    Ok((main, functions.raw_get("files")?))
}

/// The metatables that say what a table is; those for guests go into the host's functions.
fn marks(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<Marks> {
    let array = lua.create_table()?;
    array.raw_set("__name", "array")?;
    let object = lua.create_table()?;
    object.raw_set("__name", "object")?;
    let context = lua.create_table()?;
    context.raw_set("__index", closure(lua, host, context::index)?)?;
    context.raw_set("__pairs", closure(lua, host, context::pairs)?)?;
    context.raw_set("__newindex", closure(lua, host, context::newindex)?)?;
    let methods = lua.create_table()?;
    methods.raw_set("get_remaining_time_in_millis", closure(lua, host, context::remaining)?)?;
    let filled = lua.create_table()?;
    filled.raw_set("__index", methods)?;
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
        filled_key: key(&filled)?,
    })
}

/// A C closure whose first upvalue is the host.
fn closure(lua: &Lua, host: &Rc<Host>, function: ffi::lua_CFunction) -> mlua::Result<Function> {
    let host: *const Host = Rc::as_ptr(host);
    // SAFETY: `exec_raw` runs this in protected mode with room for a value; `State` keeps the host beyond `lua`.
    unsafe {
        lua.exec_raw((), |state| {
            ffi::lua_pushlightuserdata(state, host.cast_mut().cast::<c_void>());
            ffi::lua_pushcclosure(state, function, 1);
        })
    }
}

fn search_path(root: &Path, layers: &Path) -> String {
    let (root, layers) = (root.display(), layers.display());
    format!(
        "{root}/?.lua;{root}/?/init.lua;{root}/lua/?.lua;{root}/lua/?/init.lua;\
         {layers}/lua/?.lua;{layers}/lua/?/init.lua"
    )
}

/// A value of one state, on its way to another function.
pub(crate) struct LuaValue {
    state: Rc<State>,
    key: c_int,
}

impl LuaValue {
    /// Takes over a key of the state's registry.
    pub(crate) fn new(state: Rc<State>, key: c_int) -> Self {
        Self { state, key }
    }

    pub(crate) fn belongs_to(&self, state: &Rc<State>) -> bool {
        Rc::ptr_eq(&self.state, state)
    }

    pub(crate) fn key(&self) -> c_int {
        self.key
    }
}

impl Drop for LuaValue {
    fn drop(&mut self) {
        self.state.forget(self.key);
    }
}

impl NativeValue for LuaValue {
    fn engine(&self) -> &'static str {
        ID
    }

    fn to_json(&self) -> Result<Bytes> {
        let value = self.state.value(self.key);
        match value.and_then(|value| self.state.encode(value)) {
            Ok(Ok(text)) => Ok(Bytes::from(text)),
            Ok(Err(fault)) => {
                let message = format!("Unable to marshal response: {fault}");
                Err(Error::new(ErrorKind::Marshal, message))
            }
            Err(error) => Err(Error::new(ErrorKind::OutOfMemory, error.to_string())),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
