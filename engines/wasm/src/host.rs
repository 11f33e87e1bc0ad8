//! The functions that a guest imports: V8 calls one function of ours for all of them, which finds the guest that runs, its
//! memory, and the function of WASI.

use crate::{
    loader::Imported,
    wasi::{Call, Wasi, memory::Memory, table::FUNCTIONS},
};
use std::{cell::RefCell, slice};
use trine_v8::v8;

/// The guest that runs.
pub(crate) struct Running {
    pub(crate) wasi: Wasi,
    /// Its memory; `None` until its instance has been made.
    pub(crate) memory: Option<v8::Global<v8::WasmMemoryObject>>,
}

impl Running {
    /// Gives `work` the guest's memory as it is now, empty where there is none.
    pub(crate) fn with_memory<T>(
        &self,
        scope: &mut v8::PinScope<'_, '_>,
        work: impl FnOnce(&mut [u8]) -> T,
    ) -> T {
        let memory = self.memory.as_ref().map(|memory| v8::Local::new(scope, memory));
        with_bytes(memory, work)
    }
}

/// What V8's calls find the running guest by: at most one runs in an isolate.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) running: RefCell<Option<Running>>,
}

/// Makes the object whose members a module imports.
pub(crate) fn imports<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    imported: &Imported,
) -> Option<v8::Local<'s, v8::Object>> {
    let module = v8::Object::new(scope);
    for at in &imported.functions {
        let number = v8::Integer::new_from_unsigned(scope, *at as u32);
        let function = v8::Function::builder(call).data(number.into()).build(scope)?;
        let key = v8::String::new(scope, FUNCTIONS[*at].name)?;
        module.set(scope, key.into(), function.into())?;
    }
    let imports = v8::Object::new(scope);
    let key = v8::String::new(scope, crate::wasi::table::MODULE)?;
    imports.set(scope, key.into(), module.into())?;
    Some(imports)
}

/// Runs a function of WASI, as V8 calls it.
fn call(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_>,
) {
    let Some(host) = scope.get_slot::<std::rc::Rc<Host>>().cloned() else { return };
    let number = arguments.data().uint32_value(scope).unwrap_or(u32::MAX);
    let Some(function) = FUNCTIONS.get(number as usize) else { return };
    let mut values = [0; 9];
    for (at, (kind, value)) in function.parameters.bytes().zip(&mut values).enumerate() {
        let given = arguments.get(at as i32);
        *value = match kind {
            b'I' => v8::Local::<v8::BigInt>::try_from(given).map_or(0, |given| given.u64_value().0),
            _ => given.int32_value(scope).unwrap_or(0) as u32 as u64,
        };
    }
    let mut running = host.running.borrow_mut();
    let Some(Running { wasi, memory }) = &mut *running else { return };
    let memory = memory.as_ref().map(|memory| v8::Local::new(scope, memory));
    let error = with_bytes(memory, |bytes| {
        let memory = Memory::new(bytes);
        Call { wasi, memory, arguments: values }.run(function)
    });
    if wasi.exit.is_some() {
        drop(running);
        // The exception takes it out of what it does now, the termination out of whatever catches exceptions.
        let nothing = v8::undefined(scope);
        scope.throw_exception(nothing.into());
        scope.terminate_execution();
        return;
    }
    result.set_uint32(error.into());
}

/// Gives `work` the bytes of a memory as it is now, none where there is no memory. `work` must not run code of the guest.
fn with_bytes<T>(
    memory: Option<v8::Local<'_, v8::WasmMemoryObject>>,
    work: impl FnOnce(&mut [u8]) -> T,
) -> T {
    let buffer = memory.as_ref().map(|memory| memory.buffer());
    let data = buffer.and_then(|buffer| Some((buffer.data()?, buffer.byte_length())));
    let Some((data, length)) = data else { return work(&mut []) };
    // SAFETY: V8 says where the buffer begins and how long it is. Only the guest's code could move it, by growing the memory,
    // or change it; that does not run, for both callers give functions that know nothing of V8. No other thread has it, as
    // memories that are shared are refused, and one guest runs at a time, so that nobody else has these bytes.
    work(unsafe { slice::from_raw_parts_mut(data.as_ptr().cast::<u8>(), length) })
}
