//! The context that functions get: a plain table whose members are filled in when the first of them is requested,
//! because most handlers use none. There is one per invocation, whichever of its functions runs.

use crate::{
    contexts::Slot,
    convert::{self, Parser, text_at},
    host::Host,
};
use mlua::ffi::{self, lua_State};
use std::{
    ffi::c_int,
    ptr,
    rc::{Rc, Weak},
    time::{SystemTime, UNIX_EPOCH},
};
use trine_engine::{Error, ErrorKind, Invocation, UNLIMITED_MS};

/// Pushes the context of an invocation: the one that its functions had before, or a new one.
///
/// # Errors
/// [`ErrorKind::ContextUnmarshal`] when the client context or the identity is not JSON. Only these are read at once.
///
/// # Safety
/// `state` runs in protected mode with room for ten values and belongs to `host`.
pub(crate) unsafe fn push(
    state: *mut lua_State,
    host: &Host,
    invocation: &Rc<Invocation>,
) -> Result<(), Error> {
    // SAFETY: as the caller vouches. Nothing is borrowed while values are made, which may raise.
    unsafe {
        if let Some(key) = host.contexts().key_of(invocation) {
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into());
            return Ok(());
        }
        ffi::lua_createtable(state, 0, 0);
        let table = ffi::lua_gettop(state);
        if invocation.client_context.is_some() || invocation.identity.is_some() {
            with_methods(state, table, host);
            fill_from(state, table, host, invocation)?;
        } else {
            ffi::lua_rawgeti(
                state,
                ffi::LUA_REGISTRYINDEX,
                host.forms().marks().context_key.into(),
            );
            ffi::lua_setmetatable(state, table);
        }
        ffi::lua_pushvalue(state, table);
        let slot = match host.contexts().take_over() {
            Some(slot) => {
                // These keys exist, so nothing is allocated.
                ffi::lua_rawseti(state, ffi::LUA_REGISTRYINDEX, slot.context_key.into());
                if !slot.state.is_null() {
                    // Not nil: `luaL_ref` could give away a key that holds nil.
                    ffi::lua_pushboolean(state, 0);
                    ffi::lua_rawseti(state, ffi::LUA_REGISTRYINDEX, slot.state_key.into());
                }
                slot
            }
            None => Slot {
                invocation: Weak::new(),
                context: ptr::null(),
                context_key: ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX),
                state: ptr::null(),
                state_key: ffi::LUA_NOREF,
            },
        };
        let context = ffi::lua_topointer(state, table);
        let invocation = Rc::downgrade(invocation);
        let slot = Slot { invocation, context, state: ptr::null(), ..slot };
        host.contexts().add(slot);
    }
    Ok(())
}

/// Pushes the `state` of the context at `table`: nil once its invocation is over.
///
/// # Safety
/// As for [`push`]; `table` is absolute.
unsafe fn push_state(state: *mut lua_State, host: &Host, table: c_int) {
    // SAFETY: as the caller vouches. Nothing is borrowed while values are made, which may raise.
    unsafe {
        let address = ffi::lua_topointer(state, table);
        let Some((known, key)) = host.contexts().state_of(address) else {
            return ffi::lua_pushnil(state);
        };
        if !known.is_null() {
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into());
            return;
        }
        ffi::lua_createtable(state, 0, 0);
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, host.forms().marks().state_key.into());
        ffi::lua_setmetatable(state, -2);
        ffi::lua_pushvalue(state, -1);
        let key = if key == ffi::LUA_NOREF {
            ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX)
        } else {
            ffi::lua_rawseti(state, ffi::LUA_REGISTRYINDEX, key.into());
            key
        };
        host.contexts().set_state(address, ffi::lua_topointer(state, -1), key);
    }
}

/// Fills in an unfilled context. One that has outlived its invocation stays empty.
///
/// # Safety
/// `state` runs in protected mode and belongs to `host`; `table` is the absolute index of an unfilled context.
pub(crate) unsafe fn fill(state: *mut lua_State, table: c_int, host: &Host) {
    // SAFETY: as the caller vouches. The invocation is kept alive by a call, and nothing here can end one.
    unsafe {
        ffi::luaL_checkstack(state, 10, ptr::null());
        with_methods(state, table, host);
        if let Some(invocation) = host.contexts().of_context(ffi::lua_topointer(state, table)) {
            // `push` has filled in those whose JSON may be wrong.
            let _ = fill_from(state, table, host, &*invocation);
        }
    }
}

/// Gives a filled context its metatable, which has its functions, so that its members are all data.
unsafe fn with_methods(state: *mut lua_State, table: c_int, host: &Host) {
    // SAFETY: the callers have made room.
    unsafe {
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, host.forms().marks().filled_key.into());
        ffi::lua_setmetatable(state, table);
    }
}

unsafe fn fill_from(
    state: *mut lua_State,
    table: c_int,
    host: &Host,
    invocation: &Invocation,
) -> Result<(), Error> {
    if let Some(conventions) = &invocation.conventions {
        // SAFETY: as the caller vouches.
        return unsafe { fill_plain(state, table, host, &conventions.context) };
    }
    let function = host.function();
    let name = invocation.function_name.as_deref().or(function.name.as_deref());
    let texts = [
        ("aws_request_id", Some(invocation.request_id.as_str())),
        ("invoked_function_arn", invocation.invoked_function_arn.as_deref()),
        ("function_name", name),
        ("function_version", function.version.as_deref()),
        ("memory_limit_in_mb", function.memory_mb.as_deref()),
        ("log_group_name", function.log_group.as_deref()),
        ("log_stream_name", function.log_stream.as_deref()),
        ("tenant_id", invocation.tenant_id.as_deref()),
        ("trace_id", invocation.trace_id.as_deref()),
    ];
    // SAFETY: the callers have made room; `table` is an absolute index of a table.
    unsafe {
        for (name, text) in texts {
            if let Some(text) = text {
                push_text(state, name);
                push_text(state, text);
                ffi::lua_rawset(state, table);
            }
        }
        push_text(state, "deadline_ms");
        let deadline = invocation.deadline_ms.unwrap_or_else(|| now_ms() + UNLIMITED_MS);
        ffi::lua_pushinteger(state, integer(deadline));
        ffi::lua_rawset(state, table);
        if let Some(w3c) = &invocation.w3c {
            push_text(state, "w3c");
            ffi::lua_createtable(state, 0, w3c.len() as c_int);
            for (key, value) in w3c {
                push_text(state, key);
                push_text(state, value);
                ffi::lua_rawset(state, -3);
            }
            ffi::lua_rawset(state, table);
        }
        if let Some(text) = &invocation.client_context {
            push_json(state, table, host, "client_context", "Client Context", text)?;
        }
        if let Some(text) = &invocation.identity {
            push_json(state, table, host, "identity", "Cognito Identity", text)?;
            add_snake_case(state, table);
        }
    }
    Ok(())
}

/// Fills in the context of a platform whose handlers get plain data: the members of this JSON object.
unsafe fn fill_plain(
    state: *mut lua_State,
    table: c_int,
    host: &Host,
    context: &str,
) -> Result<(), Error> {
    // SAFETY: the callers have made room. The members are taken from a table that was made here, and the key of
    // `lua_next` is the one that it has returned.
    unsafe {
        read_json(state, host, "Context", context)?;
        if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, -2) != 0 {
                ffi::lua_pushvalue(state, -2);
                ffi::lua_insert(state, -2);
                ffi::lua_rawset(state, table);
            }
        }
        ffi::lua_pop(state, 1);
    }
    Ok(())
}

unsafe fn push_text(state: *mut lua_State, text: &str) {
    // SAFETY: the callers have made room.
    unsafe { ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len()) };
}

unsafe fn push_json(
    state: *mut lua_State,
    table: c_int,
    host: &Host,
    name: &str,
    title: &str,
    text: &str,
) -> Result<(), Error> {
    // SAFETY: the callers have made room.
    unsafe {
        push_text(state, name);
        read_json(state, host, title, text)?;
        ffi::lua_rawset(state, table);
    }
    Ok(())
}

/// Pushes the value of JSON text, which messages call `title`.
unsafe fn read_json(
    state: *mut lua_State,
    host: &Host,
    title: &str,
    text: &str,
) -> Result<(), Error> {
    let mut parser = std::mem::ManuallyDrop::new(Parser::new(text.as_bytes()));
    // SAFETY: the callers have made room. The parser is dropped here unless a memory error skips this frame.
    unsafe {
        let fault =
            convert::read(state, &mut parser, host.forms()).err().map(|fault| fault.text(&parser));
        std::mem::ManuallyDrop::drop(&mut parser);
        if let Some(fault) = fault {
            let message = format!("Unable to parse {title} JSON: {fault}");
            return Err(Error::new(ErrorKind::ContextUnmarshal, message));
        }
    }
    Ok(())
}

/// Adds to the identity the names by which Python's context knows its members, beside those of the JSON.
unsafe fn add_snake_case(state: *mut lua_State, table: c_int) {
    // SAFETY: the callers have made room; every index is checked to be a table before it is used as one.
    unsafe {
        push_text(state, "identity");
        if ffi::lua_rawget(state, table) == ffi::LUA_TTABLE {
            for (from, to) in [
                ("cognitoIdentityId", "cognito_identity_id"),
                ("cognitoIdentityPoolId", "cognito_identity_pool_id"),
            ] {
                push_text(state, to);
                push_text(state, from);
                ffi::lua_rawget(state, -3);
                ffi::lua_rawset(state, -3);
            }
        }
        ffi::lua_pop(state, 1);
    }
}

/// Returns the milliseconds since the epoch.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

/// Returns a number as Lua can hold it.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Implements `context.get_remaining_time_in_millis()` of the running call: 0 when the time is up, [`UNLIMITED_MS`]
/// when there is no limit.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state.
pub(crate) unsafe extern "C-unwind" fn remaining(state: *mut lua_State) -> c_int {
    // SAFETY: upvalue 1 is the host; a C function has room for a result.
    unsafe {
        let left = Host::of(state)
            .output()
            .deadline()
            .map_or(UNLIMITED_MS, |deadline| deadline.saturating_sub(now_ms()));
        ffi::lua_pushinteger(state, integer(left));
    }
    1
}

/// Implements `__index` of an unfilled context: fills it in, then looks again, except for what every context has.
///
/// # Safety
/// To be called by Lua as a C closure whose upvalues are the [`Host`] of its state and the contexts' functions.
pub(crate) unsafe extern "C-unwind" fn index(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table and the key.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        if !push_own(state, 2, Host::of(state)) {
            fill_checked(state);
            ffi::lua_rawget(state, 1);
        }
    }
    1
}

/// Implements `__index` of a filled context.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn filled_index(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table and the key.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        if !push_own(state, 2, Host::of(state)) {
            ffi::lua_pushnil(state);
        }
    }
    1
}

/// Implements `__newindex` of an unfilled context: fills it in first, so that what the guest sets is kept.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn newindex(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table, the key and the value; `lua_settable` checks the key.
    unsafe {
        fill_checked(state);
        ffi::lua_settop(state, 3);
        ffi::lua_settable(state, 1);
    }
    0
}

/// Implements `__pairs` of an unfilled context: fills it in and returns what `pairs` returns for a plain table.
///
/// # Safety
/// As for [`index`].
pub(crate) unsafe extern "C-unwind" fn pairs(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with the table.
    unsafe {
        fill_checked(state);
        ffi::lua_getglobal(state, c"next".as_ptr());
        ffi::lua_pushvalue(state, 1);
        ffi::lua_pushnil(state);
    }
    3
}

/// Fills in the first argument if it is an unfilled context: a guest may call a metamethod with anything.
unsafe fn fill_checked(state: *mut lua_State) {
    // SAFETY: the stack holds the arguments; upvalue 1 is the host.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let host = Host::of(state);
        if ffi::lua_getmetatable(state, 1) != 0 {
            let mark = ffi::lua_topointer(state, -1);
            ffi::lua_pop(state, 1);
            if mark == host.forms().marks().context {
                fill(state, 1, host);
            }
        }
    }
}

/// Pushes the function or table that a context has under the key at `index`, if it is one of its own: `context.state`,
/// or what the closure's second upvalue has.
///
/// # Safety
/// `state` runs a C closure of `host` whose second upvalue is the table of a context's functions; the context is at 1.
unsafe fn push_own(state: *mut lua_State, index: c_int, host: &Host) -> bool {
    // SAFETY: as the caller vouches.
    unsafe {
        let Some(name) = text_at(state, index) else { return false };
        if name == "state" {
            push_state(state, host, 1);
            return true;
        }
        ffi::lua_pushvalue(state, index);
        if ffi::lua_rawget(state, ffi::lua_upvalueindex(2)) == ffi::LUA_TNIL {
            ffi::lua_pop(state, 1);
            return false;
        }
    }
    true
}
