//! Lua's virtual machine: one state, the heap of one root folder, with its modules, its coroutines and its host.

use crate::{
    convert::{self, Fault, Strictness},
    exports::Loaded,
    host::Host,
    limits,
    memory::Heap,
    snapshot::Snapshot,
};
use mlua::{
    Function, Lua, Table, Value,
    ffi::{self, lua_State},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    ffi::c_int,
    path::{Path, PathBuf},
    ptr,
    rc::{Rc, Weak},
};
use trine_engine::{Error, Result};

/// Maximum number of idle coroutines, kept for further calls.
const IDLE: usize = 32;

/// The prelude that runs programs.
const PROGRAM: (&str, &str) = ("=[trine program]", include_str!("prelude/program.lua"));

/// One Lua state. Functions of one root share it; those of different roots never meet.
pub(crate) struct Vm {
    lua: Heap,
    main: *mut lua_State,
    /// The values that files returned, by path, as `require` sees them.
    files: Table,
    /// The functions that are called around a snapshot of the process.
    snapshot: Snapshot,
    /// The function that runs programs, made when the first one is loaded.
    program: OnceCell<Function>,
    modules: RefCell<HashMap<PathBuf, Rc<Loaded>>>,
    idle: RefCell<Vec<Coroutine>>,
    calls: Cell<i64>,
    spoiled: Cell<bool>,
    /// The host, in last place because finalizers that run when `lua` is closed may still need it.
    host: Rc<Host>,
}

/// A coroutine, kept alive by the registry.
pub(crate) struct Coroutine {
    pub(crate) raw: *mut lua_State,
    key: c_int,
}

impl Vm {
    /// Makes a state of what has been prepared: its main coroutine, the files that have run, its functions, its host.
    pub(crate) fn new(
        lua: Heap,
        main: *mut lua_State,
        files: Table,
        snapshot: Snapshot,
        host: Rc<Host>,
    ) -> Rc<Self> {
        let vm = Rc::new(Self {
            lua,
            main,
            files,
            snapshot,
            program: OnceCell::new(),
            modules: RefCell::default(),
            idle: RefCell::default(),
            calls: Cell::new(0),
            spoiled: Cell::new(false),
            host,
        });
        let maker: Weak<Self> = Rc::downgrade(&vm);
        vm.host.set_maker(maker);
        vm
    }

    pub(crate) fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Returns the size of the heap, in bytes.
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

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the function that runs programs, as [`crate::program`] calls it.
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

    /// Returns a number for a call, different from that of any other in this state.
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

    /// Makes an error of ours from one of Lua's.
    pub(crate) fn error(&self, error: &mlua::Error) -> Error {
        limits::internal(error)
    }

    /// Makes `require` look in `folder`, too, after all other places.
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

    /// Writes a table as JSON, if it has such a form.
    pub(crate) fn json(&self, table: &Table) -> Option<String> {
        String::from_utf8(self.write(table, Strictness::Ordinary).ok()?.ok()?).ok()
    }

    /// Writes any value as JSON. The outer error is about memory.
    pub(crate) fn write(
        &self,
        value: impl mlua::IntoLua,
        strictness: Strictness,
    ) -> mlua::Result<Result<Vec<u8>, Box<Fault>>> {
        let mut text = Vec::with_capacity(256);
        let mut written = Ok(());
        // SAFETY: `exec_raw` runs this in protected mode with the value on the stack. A memory error skips the frames
        // of the closure only, and what has a destructor is out here.
        unsafe {
            self.lua.exec_raw::<()>(value, |state| {
                written = convert::write(state, -1, &*self.host, strictness, &mut text);
            })
        }?;
        Ok(written.map(|()| text))
    }

    /// Returns the value that the registry holds under a key.
    pub(crate) fn value(&self, key: c_int) -> mlua::Result<Value> {
        // SAFETY: `exec_raw` runs this in protected mode with room for a value.
        unsafe {
            self.lua.exec_raw((), |state| {
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into());
            })
        }
    }

    /// Copies the topmost value of a coroutine's stack.
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

    /// Returns a coroutine with an empty stack.
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

    /// Gives back a key from [`Vm::keep`].
    pub(crate) fn forget(&self, key: c_int) {
        // SAFETY: `main` lives as long as `lua`. Giving back a key writes into slots that exist: it allocates nothing.
        unsafe { ffi::luaL_unref(self.main, ffi::LUA_REGISTRYINDEX, key) };
    }
}
