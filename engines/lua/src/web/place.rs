//! The place of an application, for errors that have none of their own: of what it has returned, and of what was called in its
//! place at its end (`return request:json()`), which has left its frame.

use crate::vm::Vm;
use mlua::Value;
use std::ffi::c_int;
use trine_engine::{Error, Frame};

/// Adds to an error without frames where the function begins that the registry holds under `key`.
pub(crate) fn placed(vm: &Vm, key: c_int, error: Error) -> Error {
    if !error.frames().is_empty() {
        return error;
    }
    let Ok(Value::Function(function)) = vm.value(key) else { return error };
    let info = function.info();
    let source = info.source.unwrap_or_default();
    let (Some(file), Some(line)) = (source.strip_prefix('@'), info.line_defined) else {
        return error;
    };
    let line = u32::try_from(line).unwrap_or(0);
    let frame = Frame { file: file.to_owned(), line, ..Frame::default() };
    error.with_frames([frame]).with_stack([format!("{file}:{line}: in function <{file}:{line}>")])
}
