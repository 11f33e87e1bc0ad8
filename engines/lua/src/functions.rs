//! The start of a Lua state: everything that is registered in it, from here and from the preludes.

mod json;
mod writing;

use crate::{
    ID, bulk, context,
    convert::{Forms, Marks, StateView},
    exchange, exits, find, guard, headers,
    host::Host,
    limits::{Stop, Watch},
    memory::Heap,
    pattern,
    permits::Gate,
    snapshot::Snapshot,
    stream,
    vm::Vm,
    waits,
    web::{self, Keys},
};
use mlua::{
    Function, Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    ffi::{c_int, c_void},
    path::Path,
    ptr,
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Environment, Error, Result};

/// The preludes, in the order in which they run.
const PRELUDES: [(&str, &str); 6] = [
    ("=[trine require]", include_str!("prelude/require.lua")),
    ("=[trine io]", include_str!("prelude/io.lua")),
    ("=[trine]", include_str!("prelude/trine.lua")),
    ("=[trine stream]", include_str!("prelude/stream.lua")),
    ("=[trine web]", include_str!("prelude/web.lua")),
    ("=[trine snapshot]", include_str!("prelude/snapshot.lua")),
];

/// The prelude of states whose guests may not do everything.
const PERMITS: (&str, &str) = ("=[trine permits]", include_str!("prelude/permits.lua"));

/// Starts a state that looks for modules in `root`.
pub(crate) fn start(root: &Path, environment: &Environment, stop: Arc<Stop>) -> Result<Rc<Vm>> {
    let environment = &environment.of_place(ID, root);
    let host = Rc::new(Host::new(environment, root, stop));
    let started = Heap::new().and_then(|lua| {
        let (main, functions) = prepare(&lua, &host, root, environment)?;
        let files = functions.raw_get("files")?;
        let snapshot = Snapshot {
            before: key(&lua, functions.raw_get::<Function>("before_snapshot")?)?,
            restored: key(&lua, functions.raw_get::<Function>("after_restore")?)?,
        };
        Ok((lua, main, files, snapshot))
    });
    let (lua, main, files, snapshot) =
        started.map_err(|error| Error::internal(format!("Lua cannot start: {error}")))?;
    Ok(Vm::new(lua, main, files, snapshot, host))
}

impl StateView for Host {
    fn forms(&self) -> &Forms {
        self.forms()
    }

    fn watch(&self) -> &Watch {
        self.watch()
    }

    unsafe fn fill_context(&self, state: *mut lua_State, table: c_int) {
        // SAFETY: as the caller vouches.
        unsafe { context::fill(state, table, self) };
    }

    unsafe fn push_members(&self, state: *mut lua_State, table: c_int) {
        // SAFETY: as the caller vouches.
        unsafe { exchange::push_members(state, table, self) };
    }
}

/// Sets up a fresh Lua: marks, the host's functions, preludes, search paths.
fn prepare(
    lua: &Heap,
    host: &Rc<Host>,
    root: &Path,
    environment: &Environment,
) -> mlua::Result<(*mut lua_State, Table)> {
    let mut main = ptr::null_mut();
    // SAFETY: outside any callback the current state is the main one, which lives as long as `lua`.
    unsafe { lua.exec_raw::<()>((), |state| main = state)? };
    let functions = waits::functions(lua, host.waits())?;
    let marks = marks(lua, host, &functions)?;
    host.forms().prepare(lua, marks)?;
    functions.raw_set("null", Value::NULL)?;
    functions.raw_set("trace_in_environment", environment.trace_in_environment)?;
    if !environment.variables.is_empty() {
        let variables = lua.create_table()?;
        for (name, value) in environment.variables.iter() {
            let permits = host.gate().map(Gate::permits);
            if permits.is_none_or(|permits| permits.sees_variable(name)) {
                variables.raw_set(name.as_str(), value.as_str())?;
            }
        }
        functions.raw_set("variables", variables)?;
    }
    if let Some(gate) = host.gate() {
        gate.install(lua, |function| closure(lua, host, function))?;
        functions.raw_set("unset", gate.unset())?;
    }
    for (name, function) in writing::CLOSURES {
        functions.raw_set(name, closure(lua, host, function)?)?;
    }
    functions.raw_set("state_keys", closure(lua, host, exchange::keys)?)?;
    functions.raw_set("encode", closure(lua, host, json::encode)?)?;
    functions.raw_set("decode", closure(lua, host, json::decode)?)?;
    functions.raw_set("root", root.to_string_lossy().as_ref())?;
    for (name, function) in stream::CLOSURES.into_iter().chain(web::CLOSURES) {
        functions.raw_set(name, closure(lua, host, function)?)?;
    }
    let globals = lua.globals();
    let plain = guard::FUNCTIONS.into_iter().chain(pattern::FUNCTIONS).chain(bulk::FUNCTIONS);
    for (library, name, function) in plain {
        // SAFETY: these are C functions written for this purpose.
        let function = unsafe { lua.create_c_function(function)? };
        globals.raw_get::<Table>(library)?.raw_set(name, function)?;
    }
    globals.raw_get::<Table>("os")?.raw_set("exit", closure(lua, host, exits::os_exit)?)?;
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
    if host.gate().is_some() {
        let (name, source) = PERMITS;
        lua.load(source).set_name(name).call::<()>(())?;
    }
    // SAFETY: `Vm` keeps the host beyond `lua`, and setting a warning function cannot fail.
    unsafe { ffi::lua_setwarnf(main, Some(writing::warn), Rc::as_ptr(host).cast_mut().cast()) };
    host.streaming().set_driver(key(lua, &functions.raw_get::<Function>("stream")?)?);
    let key_of = |name: &str| key(lua, functions.raw_get::<Value>(name)?);
    host.web().set_keys(Keys {
        environment: key_of("web_environment")?,
        input: key_of("web_input")?,
        error: key_of("web_error")?,
        request: key_of("web_request")?,
        headers: key_of("web_headers")?,
        driver: key_of("web_stream")?,
    });
    lua.limit(host.watch().memory());
    Ok((main, functions))
}

/// Makes the metatables that mark tables; those for guests go into the host's functions.
fn marks(lua: &Lua, host: &Rc<Host>, functions: &Table) -> mlua::Result<Marks> {
    let array = lua.create_table()?;
    array.raw_set("__name", "array")?;
    let object = lua.create_table()?;
    object.raw_set("__name", "object")?;
    let methods = lua.create_table()?;
    methods.raw_set("get_remaining_time_in_millis", closure(lua, host, context::remaining)?)?;
    methods.raw_set("reply", closure(lua, host, exchange::reply)?)?;
    methods.raw_set("buffer_response", closure(lua, host, exchange::buffer_response)?)?;
    let context = lua.create_table()?;
    context.raw_set("__index", closure_with(lua, host, context::index, &methods)?)?;
    context.raw_set("__pairs", closure(lua, host, context::pairs)?)?;
    context.raw_set("__newindex", closure(lua, host, context::newindex)?)?;
    let filled = lua.create_table()?;
    filled.raw_set("__index", closure_with(lua, host, context::filled_index, &methods)?)?;
    let headers = lua.create_table()?;
    headers.raw_set("__index", closure(lua, host, headers::index)?)?;
    let state = lua.create_table()?;
    state.raw_set("__index", closure(lua, host, exchange::index)?)?;
    state.raw_set("__newindex", closure(lua, host, exchange::newindex)?)?;
    state.raw_set("__name", "context.state")?;
    // The rest of these is written in Lua.
    let response = lua.create_table()?;
    let error = lua.create_table()?;
    let deadline = lua.create_table()?;
    functions.raw_set("state", &state)?;
    functions.raw_set("error", &error)?;
    functions.raw_set("deadline_exceeded", &deadline)?;
    functions.raw_set("array", &array)?;
    functions.raw_set("object", &object)?;
    functions.raw_set("response", &response)?;
    functions.raw_set("context", &methods)?;
    let key = |table: &Table| key(lua, table);
    key(&object)?;
    key(&response)?;
    host.watch().set_warning(deadline.to_pointer(), key(&deadline)?);
    Ok(Marks {
        array: array.to_pointer(),
        array_key: key(&array)?,
        object: object.to_pointer(),
        context: context.to_pointer(),
        context_key: key(&context)?,
        filled: filled.to_pointer(),
        filled_key: key(&filled)?,
        headers: headers.to_pointer(),
        headers_key: key(&headers)?,
        state: state.to_pointer(),
        state_key: key(&state)?,
        response: response.to_pointer(),
        error: error.to_pointer(),
        error_key: key(&error)?,
    })
}

/// Keeps a value and returns its key in the registry.
fn key(lua: &Lua, value: impl mlua::IntoLua) -> mlua::Result<c_int> {
    let mut key = ffi::LUA_REFNIL;
    // SAFETY: `exec_raw` runs this in protected mode with the value on the stack; `luaL_ref` takes it.
    unsafe {
        lua.exec_raw::<()>(value, |state| {
            key = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
        })
    }
    .map(|()| key)
}

/// Makes a C closure whose first upvalue is the host.
fn closure(lua: &Lua, host: &Rc<Host>, function: ffi::lua_CFunction) -> mlua::Result<Function> {
    closure_with(lua, host, function, Value::Nil)
}

/// Does the same with a second upvalue.
fn closure_with(
    lua: &Lua,
    host: &Rc<Host>,
    function: ffi::lua_CFunction,
    second: impl mlua::IntoLuaMulti,
) -> mlua::Result<Function> {
    let host: *const Host = Rc::as_ptr(host);
    // SAFETY: `exec_raw` runs this in protected mode with room for two values; `Vm` keeps the host beyond `lua`.
    unsafe {
        lua.exec_raw(second, |state| {
            ffi::lua_pushlightuserdata(state, host.cast_mut().cast::<c_void>());
            ffi::lua_insert(state, 1);
            ffi::lua_pushcclosure(state, function, 2);
        })
    }
}
