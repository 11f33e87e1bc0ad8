//! Values of one state, on their way to other functions.

use crate::{
    ID,
    convert::{self, Parser, Strictness},
    host::{Host, ValueMaker},
    vm::Vm,
};
use bytes::Bytes;
use mlua::ffi;
use std::{any::Any, ffi::c_int, ptr, rc::Rc};
use trine_engine::{Error, ErrorKind, NativeValue, Payload, Result};

/// A value of one state, kept by its registry.
pub(crate) struct LuaValue {
    vm: Rc<Vm>,
    key: c_int,
}

impl LuaValue {
    /// Takes over a key of the state's registry.
    pub(crate) fn new(vm: Rc<Vm>, key: c_int) -> Self {
        Self { vm, key }
    }

    /// Makes a value one of `vm`, if it has a form there.
    pub(crate) fn adopt(vm: &Rc<Vm>, value: Payload) -> Result<Payload> {
        let text = match value.whole() {
            Payload::Json(text) => text,
            Payload::Native(value) => match value.as_any().downcast_ref::<Self>() {
                Some(own) if own.belongs_to(vm) => return Ok(Payload::Native(value)),
                _ => value.to_json()?,
            },
            other => return Ok(other),
        };
        let mut parser = Parser::new(&text);
        let mut done = Ok(());
        let mut key = ffi::LUA_REFNIL;
        // SAFETY: `exec_raw` runs this in protected mode with room for values. A memory error skips the frames of the
        // closure only, and what has a destructor is out here.
        unsafe {
            vm.lua().exec_raw::<()>((), |raw| {
                done = convert::read(raw, &mut parser, vm.host().forms());
                if done.is_ok() {
                    key = ffi::luaL_ref(raw, ffi::LUA_REGISTRYINDEX);
                }
                ffi::lua_settop(raw, 0);
            })
        }
        .map_err(|error| vm.error(&error))?;
        match done {
            Ok(()) => Ok(Payload::Native(Rc::new(Self::new(vm.clone(), key)))),
            Err(fault) => {
                if let Some(end) = fault.end() {
                    return Err(end.into_error());
                }
                let message = format!("Unable to unmarshal input: {}", fault.text(&parser));
                Err(Error::new(ErrorKind::Unmarshal, message))
            }
        }
    }

    pub(crate) fn belongs_to(&self, vm: &Rc<Vm>) -> bool {
        Rc::ptr_eq(&self.vm, vm)
    }

    pub(crate) fn is_of(&self, host: &Host) -> bool {
        ptr::eq(self.vm.host(), host)
    }

    pub(crate) fn key(&self) -> c_int {
        self.key
    }

    fn write(&self, strictness: Strictness, root: &str) -> Result<Bytes, Error> {
        let value = self.vm.value(self.key);
        match value.and_then(|value| self.vm.write(value, strictness)) {
            Ok(Ok(text)) => Ok(Bytes::from(text)),
            Ok(Err(fault)) => Err(fault.into_error(root)),
            Err(error) => Err(self.vm.error(&error)),
        }
    }
}

impl ValueMaker for Vm {
    fn make_value(self: Rc<Self>, key: c_int) -> Rc<dyn NativeValue> {
        Rc::new(LuaValue::new(self, key))
    }
}

impl Drop for LuaValue {
    fn drop(&mut self) {
        self.vm.forget(self.key);
    }
}

impl NativeValue for LuaValue {
    fn engine(&self) -> &'static str {
        ID
    }

    fn to_json(&self) -> Result<Bytes> {
        self.write(Strictness::Ordinary, "result").map_err(|error| {
            if error.kind() != ErrorKind::Marshal {
                return error;
            }
            let message = format!("Unable to marshal response: {}", error.message());
            error.with_message(message)
        })
    }

    fn to_plain_json(&self) -> Result<Bytes> {
        self.write(Strictness::Plain, "value")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
