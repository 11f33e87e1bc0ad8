//! The variables that a frame sees: its locals, what its function has taken from outside, and globals.

use crate::frames::{self, GuestFrame};
use mlua::{
    Function, Lua, MultiValue, Table, Value, WeakLua,
    ffi::{self, lua_State},
};
use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int},
    mem, ptr,
    rc::Rc,
};

/// A frame of a guest that stands, and what it sees. Once the guest goes on it sees nothing.
#[derive(Clone)]
pub(super) struct Scope {
    /// Not kept alive, because Lua itself owns what is made of this.
    lua: WeakLua,
    frame: GuestFrame,
    /// Whether the guest stands.
    stands: Rc<Cell<bool>>,
}

impl Scope {
    pub(super) fn new(lua: &Lua, frame: GuestFrame, stands: Rc<Cell<bool>>) -> Self {
        Self { lua: lua.weak(), frame, stands }
    }

    /// Returns the Lua that the frame belongs to, where it can be looked at.
    fn lua(&self) -> Option<Lua> {
        self.lua.try_upgrade().filter(|_| self.stands.get())
    }

    /// Runs what finds the frame and may leave a value on top of its coroutine's stack, which is returned. `value` is on
    /// top there before, if it is given.
    fn within(
        &self,
        value: Option<Value>,
        find: impl FnOnce(*mut lua_State, &ffi::lua_Debug) -> bool,
    ) -> Option<Value> {
        let lua = self.lua()?;
        let (frame, mut found) = (&self.frame, false);
        let arguments = MultiValue::from_iter(value);
        let given = arguments.len() as c_int;
        // SAFETY: while the guest stands its coroutines are live and still. There is room for three values, on either stack;
        // nothing between may raise, and what was given is gone afterwards, or cleared away with what is not returned.
        let value = unsafe {
            lua.exec_raw::<Value>(arguments, |own| {
                let mut info: ffi::lua_Debug = mem::zeroed();
                if ffi::lua_checkstack(frame.state, 3) == 0 || !frames::locate(frame, &mut info) {
                    ffi::lua_settop(own, 0);
                    return;
                }
                ffi::lua_xmove(own, frame.state, given);
                found = find(frame.state, &info);
                if found {
                    ffi::lua_xmove(frame.state, own, 1);
                } else {
                    ffi::lua_settop(own, 0);
                }
            })
        };
        value.ok().filter(|_| found)
    }

    /// Returns a local by its number: its name, and its value.
    fn local(&self, number: c_int) -> Option<(String, Value)> {
        let mut name: *const c_char = ptr::null();
        let value = self.within(None, |state, info| {
            // SAFETY: the frame is live; there is room for a value, which is pushed where there is a name.
            unsafe { name = ffi::lua_getlocal(state, info, number) };
            !name.is_null()
        })?;
        // SAFETY: the name lives as long as the frame's function.
        Some((unsafe { frames::text(name) }, value))
    }

    /// Returns the locals that can be seen, those that the function was given more of last.
    pub(super) fn locals(&self) -> Vec<(String, Value)> {
        let mut locals: Vec<(String, Value)> = Vec::new();
        for (name, value) in (1..).map_while(|number| self.local(number)) {
            // Those of loops, and values without a name.
            if name.starts_with('(') {
                continue;
            }
            // The later one hides the earlier one.
            locals.retain(|(known, _)| *known != name);
            locals.push((name, value));
        }
        let more = self.varargs().into_iter().enumerate();
        locals.extend(more.map(|(index, value)| (format!("...[{}]", index + 1), value)));
        locals
    }

    /// Returns what the function was given beyond its parameters.
    pub(super) fn varargs(&self) -> Vec<Value> {
        (1..).map_while(|number| self.local(-number)).map(|(_, value)| value).collect()
    }

    fn number_of_local(&self, name: &str) -> Option<c_int> {
        let all = (1..).map_while(|number| Some((number, self.local(number)?.0)));
        all.filter(|(_, known)| known == name).last().map(|(number, _)| number)
    }

    /// Sets a local. False where there is none of that name.
    pub(super) fn set_local(&self, name: &str, value: &Value) -> bool {
        let Some(number) = self.number_of_local(name) else { return false };
        let mut is_set = false;
        self.within(Some(value.clone()), |state, info| {
            // SAFETY: the frame is live; the value on top is taken off.
            unsafe { is_set = !ffi::lua_setlocal(state, info, number).is_null() };
            false
        });
        is_set
    }

    /// Returns the frame's function.
    fn function(&self) -> Option<Function> {
        let function = self.within(None, |state, info| {
            // SAFETY: `lua_Debug` is plain data. The frame is live; there is room for its function.
            unsafe {
                let mut info: ffi::lua_Debug = ptr::read(info);
                ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut info) != 0
            }
        });
        function.and_then(|function| function.as_function().cloned())
    }

    /// Returns what the function has taken from outside, by name.
    pub(super) fn upvalues(&self) -> Vec<(String, Value)> {
        let Some(function) = self.function() else { return Vec::new() };
        let all = (1..=c_int::from(u8::MAX)).map_while(|number| self.upvalue(&function, number));
        all.filter(|(name, _)| !name.is_empty() && !name.starts_with('(')).collect()
    }

    fn upvalue(&self, function: &Function, number: c_int) -> Option<(String, Value)> {
        let (lua, mut name): (_, *const c_char) = (self.lua()?, ptr::null());
        // SAFETY: the function is on the stack, which has room for a value; it is pushed where there is a name.
        let value = unsafe {
            lua.exec_raw::<Value>(function, |own| {
                name = ffi::lua_getupvalue(own, 1, number);
                ffi::lua_remove(own, 1);
            })
        };
        if name.is_null() {
            return None;
        }
        // SAFETY: the name lives as long as the function.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        value.ok().map(|value| (name, value))
    }

    /// Sets what the function has taken from outside. False where there is nothing of that name.
    pub(super) fn set_upvalue(&self, name: &str, value: &Value) -> bool {
        let (Some(lua), Some(function)) = (self.lua(), self.function()) else { return false };
        let mut all = (1..).map_while(|number| Some((number, self.upvalue(&function, number)?.0)));
        let Some((number, _)) = all.find(|(_, known)| known == name) else { return false };
        // SAFETY: function and value are on the stack; the value is taken off.
        let set = unsafe {
            lua.exec_raw::<()>((function, value), |own| {
                ffi::lua_setupvalue(own, 1, number);
                ffi::lua_settop(own, 0);
            })
        };
        set.is_ok()
    }

    /// Returns the table of globals.
    pub(super) fn globals(&self, lua: &Lua) -> Table {
        let own = self.find("_ENV").and_then(|value| value.as_table().cloned());
        own.unwrap_or_else(|| lua.globals())
    }

    /// Returns what the frame sees under a name, globals apart.
    fn find(&self, name: &str) -> Option<Value> {
        let locals = self.number_of_local(name).and_then(|number| self.local(number));
        let found = locals.map(|(_, value)| value);
        found.or_else(|| {
            self.upvalues().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
        })
    }

    /// Makes the globals of code that is to see what the frame sees.
    pub(super) fn environment(&self, lua: &Lua) -> mlua::Result<Table> {
        let meta = lua.create_table()?;
        let (globals, scope) = (self.globals(lua), self.clone());
        meta.raw_set(
            "__index",
            lua.create_function(move |_, (_, name): (Value, Value)| {
                match name.as_string().and_then(|text| scope.find(&text.to_string_lossy())) {
                    Some(value) => Ok(value),
                    None => globals.get(name),
                }
            })?,
        )?;
        let (globals, scope) = (self.globals(lua), self.clone());
        meta.raw_set(
            "__newindex",
            lua.create_function(move |_, (_, name, value): (Value, Value, Value)| {
                if let Some(text) = name.as_string() {
                    let text = text.to_string_lossy();
                    if scope.set_local(&text, &value) || scope.set_upvalue(&text, &value) {
                        return Ok(());
                    }
                }
                globals.set(name, value)
            })?,
        )?;
        let environment = lua.create_table()?;
        environment.set_metatable(Some(meta))?;
        Ok(environment)
    }
}
