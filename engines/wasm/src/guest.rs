//! A guest: an instance of a module, with its memory, whose functions are called.

use crate::{
    error,
    form::{ALLOC, FREE, INITIALIZE, MEMORY, START},
    host::Running,
    isolate::Entered,
    program::Loaded,
    wasi::Wasi,
};
use bytes::Bytes;
use std::{collections::HashMap, rc::Rc};
use trine_engine::{Error, ErrorKind, Invocation, Result};
use trine_v8::v8;

/// The reason why a guest's code ended before it returned.
enum Ended {
    /// An exit, an interrupt, or a limit: nothing that the guest could catch.
    Terminated,
    /// A trap or an exception, or something that is missing.
    Failed(Error),
}

/// The call that guests run for.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'o> {
    /// The number of interrupts when it began.
    pub(crate) epoch: u64,
    /// `None` while a module is loaded.
    pub(crate) invocation: Option<&'o Rc<Invocation>>,
}

/// A reactor that has been started.
pub(crate) struct Reactor {
    running: Running,
    exports: v8::Global<v8::Object>,
    alloc: v8::Global<v8::Function>,
    free: Option<v8::Global<v8::Function>>,
    handlers: HashMap<String, v8::Global<v8::Function>>,
}

/// Runs a command with an event as its input; returns what it printed.
///
/// # Errors
/// What it threw; [`ErrorKind::Exit`] for a status other than 0.
pub(crate) fn command(
    isolate: &mut Entered<'_>,
    loaded: &Loaded,
    input: Bytes,
    occasion: Occasion<'_>,
) -> Result<Bytes> {
    let wasi = Wasi::command(loaded.program.clone(), input);
    let running = Running { wasi, memory: None };
    let (result, mut running) = run(isolate, loaded, running, occasion, |scope, constructor| {
        let exports = instantiate(scope, loaded, constructor)?;
        let start = function(scope, &exports, START)?;
        call(scope, loaded, &start, &[]).map(drop)
    });
    discard(isolate, &running);
    if running.wasi.printed_too_much {
        let most = loaded.program.most_printed >> 20;
        let message = format!("the function printed more than {most} MB");
        return Err(Error::new(ErrorKind::OutOfMemory, message));
    }
    match result {
        Err(error) if error.kind() != ErrorKind::Exit || running.wasi.exit != Some(0) => Err(error),
        _ => Ok(running.wasi.take_printed()),
    }
}

impl Reactor {
    /// Starts a reactor: makes its instance and calls its `_initialize`.
    ///
    /// # Errors
    /// What it threw.
    pub(crate) fn start(
        isolate: &mut Entered<'_>,
        loaded: &Loaded,
        occasion: Occasion<'_>,
    ) -> Result<Self> {
        let wasi = Wasi::reactor(loaded.program.clone());
        let running = Running { wasi, memory: None };
        let (result, running) = run(isolate, loaded, running, occasion, |scope, constructor| {
            let exports = instantiate(scope, loaded, constructor)?;
            if loaded.has_initialize {
                let initialize = function(scope, &exports, INITIALIZE)?;
                call(scope, loaded, &initialize, &[])?;
            }
            let alloc = function(scope, &exports, ALLOC)?;
            let free = match loaded.has_free {
                true => Some(function(scope, &exports, FREE)?),
                false => None,
            };
            Ok((exports, alloc, free))
        });
        match result {
            Ok((exports, alloc, free)) => {
                Ok(Self { running, exports, alloc, free, handlers: HashMap::new() })
            }
            Err(error) => {
                discard(isolate, &running);
                Err(error)
            }
        }
    }

    /// Calls a function with an event; returns its result, and the reactor if it can be called again.
    pub(crate) fn call(
        self,
        isolate: &mut Entered<'_>,
        loaded: &Loaded,
        name: &str,
        input: &Bytes,
        occasion: Occasion<'_>,
    ) -> (Result<Bytes>, Option<Self>) {
        let Self { running, exports, alloc, free, mut handlers } = self;
        let (result, running) = run(isolate, loaded, running, occasion, |scope, _| {
            if !handlers.contains_key(name) {
                handlers.insert(name.to_owned(), function(scope, &exports, name)?);
            }
            let handler = &handlers[name];
            let length =
                i32::try_from(input.len()).map_err(|_| Ended::Failed(too_large(input.len())))?;
            let pointer = match length {
                0 => 0,
                length => call(scope, loaded, &alloc, &[length])? as i32,
            };
            if length > 0 {
                put(scope, pointer, input)?;
            }
            let result = call(scope, loaded, handler, &[pointer, length])?;
            let (pointer, length) = ((result >> 32) as i32, result as i32);
            let answer = take(scope, name, pointer, length)?;
            if let Some(free) = &free
                && length != 0
            {
                call(scope, loaded, free, &[pointer, length])?;
            }
            Ok(answer)
        });
        match result {
            Ok(answer) => (Ok(answer), Some(Self { running, exports, alloc, free, handlers })),
            Err(error) => {
                discard(isolate, &running);
                (Err(error), None)
            }
        }
    }

    /// Returns the size of its memory, in bytes.
    pub(crate) fn size(&self, isolate: &mut Entered<'_>) -> u64 {
        size(isolate, &self.running)
    }
}

/// Runs code of a guest: `work` does so, with the constructor of instances at hand. Returns what came of it, and the
/// guest's side of the system.
fn run<T>(
    isolate: &mut Entered<'_>,
    loaded: &Loaded,
    mut running: Running,
    occasion: Occasion<'_>,
    work: impl for<'s, 'i> FnOnce(
        &mut v8::PinScope<'s, 'i>,
        &v8::Global<v8::Function>,
    ) -> Result<T, Ended>,
) -> (Result<T>, Running) {
    let Occasion { epoch, invocation } = occasion;
    (running.wasi.epoch, running.wasi.invocation) = (epoch, invocation.cloned());
    if loaded.program.stop.epoch() != epoch {
        return (Err(stopped()), running);
    }
    let (context, constructor) = (isolate.context.clone(), isolate.constructor.clone());
    let (host, heap) = (isolate.host.clone(), isolate.heap.clone());
    loaded.program.output.run(invocation);
    let replaced = host.running.replace(Some(running));
    debug_assert!(replaced.is_none(), "one guest runs at a time");
    let result = {
        v8::scope_with_context!(let scope, isolate.v8(), &context);
        work(scope, &constructor)
    };
    let running = host.running.take();
    loaded.program.output.flush();
    loaded.program.output.run(None);
    let mut running = running.expect("nobody but this function takes what it has put there");
    running.wasi.invocation = None;
    // What was cut short by an interrupt may have come to an end of its own, with a wrong result.
    let was_stopped = loaded.program.stop.epoch() != epoch;
    let result = match (result, running.wasi.exit) {
        (Err(_), _) if heap.as_ref().is_some_and(|heap| heap.is_crossed()) => {
            Err(heap.map_or_else(stopped, |heap| heap.error()))
        }
        _ if was_stopped => Err(stopped()),
        (Ok(value), _) => Ok(value),
        (Err(_), Some(status)) => {
            let message = format!("{} has ended with exit status {status}", loaded.path.display());
            Err(Error::new(ErrorKind::Exit, message))
        }
        (Err(Ended::Failed(error)), None) => Err(error),
        (Err(Ended::Terminated), None) => {
            Err(Error::internal("V8 has stopped the guest without a reason"))
        }
    };
    let result = result.map_err(|error| match (error.kind(), loaded.limit) {
        (ErrorKind::Guest, Some(limit)) => {
            let of = size(isolate, &running) as f64 / f64::from(1 << 20);
            error.with_context("memory", format!("{of:.1} of {} MB", limit >> 20))
        }
        _ => error,
    });
    (result, running)
}

/// Returns the error of a call that was interrupted. Its guest is gone, but others go on.
pub(crate) fn stopped() -> Error {
    Error::new(ErrorKind::Timeout, Error::STOPPED)
}

fn too_large(length: usize) -> Error {
    Error::new(
        ErrorKind::OutOfMemory,
        format!("an event of {length} bytes fits into no memory of WebAssembly"),
    )
}

/// Makes an instance of a module; returns its exports. The guest that runs gets its memory.
fn instantiate(
    scope: &mut v8::PinScope<'_, '_>,
    loaded: &Loaded,
    constructor: &v8::Global<v8::Function>,
) -> Result<v8::Global<v8::Object>, Ended> {
    v8::tc_scope!(let scope, scope);
    let module = v8::Local::new(scope, &loaded.module);
    let imports = v8::Local::new(scope, &loaded.imports);
    let constructor = v8::Local::new(scope, constructor);
    let Some(instance) = constructor.new_instance(scope, &[module.into(), imports.into()]) else {
        let thrown = scope.exception();
        return Err(match thrown {
            Some(thrown) if !scope.has_terminated() => Ended::Failed(error::thrown(
                scope,
                thrown,
                &loaded.path,
                loaded.moved,
                loaded.limit,
            )),
            _ => Ended::Terminated,
        });
    };
    let exports = member(scope, instance, "exports");
    let exports = exports.and_then(|exports| v8::Local::<v8::Object>::try_from(exports).ok());
    let Some(exports) = exports else { return Err(Ended::Terminated) };
    let memory = member(scope, exports, MEMORY);
    let memory = memory.and_then(|memory| v8::Local::<v8::WasmMemoryObject>::try_from(memory).ok());
    let memory = memory.map(|memory| v8::Global::new(scope, memory));
    if let Some(host) = scope.get_slot::<Rc<crate::host::Host>>()
        && let Some(running) = &mut *host.running.borrow_mut()
    {
        running.memory = memory;
    }
    Ok(v8::Global::new(scope, exports))
}

fn member<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'_, v8::Object>,
    name: &str,
) -> Option<v8::Local<'s, v8::Value>> {
    let key = v8::String::new(scope, name)?;
    object.get(scope, key.into())
}

/// Returns an exported function.
fn function(
    scope: &mut v8::PinScope<'_, '_>,
    exports: &v8::Global<v8::Object>,
    name: &str,
) -> Result<v8::Global<v8::Function>, Ended> {
    let exports = v8::Local::new(scope, exports);
    let function = member(scope, exports, name);
    let function = function.and_then(|function| v8::Local::<v8::Function>::try_from(function).ok());
    match function {
        Some(function) => Ok(v8::Global::new(scope, function)),
        None => Err(Ended::Failed(Error::internal(format!("'{name}' is no function any more")))),
    }
}

/// Calls a function of a guest; returns its result, 0 for none.
fn call(
    scope: &mut v8::PinScope<'_, '_>,
    loaded: &Loaded,
    function: &v8::Global<v8::Function>,
    arguments: &[i32],
) -> Result<i64, Ended> {
    v8::tc_scope!(let scope, scope);
    let function = v8::Local::new(scope, function);
    let nothing: v8::Local<'_, v8::Value> = v8::undefined(scope).into();
    let mut values = [nothing; 2];
    for (value, argument) in values.iter_mut().zip(arguments) {
        *value = v8::Integer::new(scope, *argument).into();
    }
    match function.call(scope, nothing, &values[..arguments.len().min(2)]) {
        Some(result) => Ok(match v8::Local::<v8::BigInt>::try_from(result) {
            Ok(result) => result.i64_value().0,
            Err(_) => result.int32_value(scope).unwrap_or(0).into(),
        }),
        None => {
            let thrown = scope.exception();
            Err(match thrown {
                Some(thrown) if !scope.has_terminated() => {
                    let (path, limit) = (&loaded.path, loaded.limit);
                    Ended::Failed(error::thrown(scope, thrown, path, loaded.moved, limit))
                }
                _ => Ended::Terminated,
            })
        }
    }
}

/// Copies an event to where a guest has made room for it.
fn put(scope: &mut v8::PinScope<'_, '_>, pointer: i32, bytes: &[u8]) -> Result<(), Ended> {
    let wrong = |size: u64| {
        let (pointer, length) = (pointer as u32, bytes.len());
        let message = match pointer {
            0 => format!("alloc({length}) has returned 0: there is no room for the event"),
            _ => format!("alloc({length}) has returned {pointer}, but the memory ends at {size}"),
        };
        let kind = if pointer == 0 { ErrorKind::OutOfMemory } else { ErrorKind::Guest };
        let error = Error::new(kind, message);
        Ended::Failed(if pointer == 0 { error } else { error.with_name("RuntimeError") })
    };
    with_memory(scope, |memory| {
        let (start, size) = (pointer as u32 as usize, memory.len() as u64);
        let place = start.checked_add(bytes.len()).and_then(|end| memory.get_mut(start..end));
        match place.filter(|_| pointer != 0) {
            Some(place) => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(wrong(size)),
        }
    })
}

/// Copies a result from where a guest has put it.
fn take(
    scope: &mut v8::PinScope<'_, '_>,
    name: &str,
    pointer: i32,
    length: i32,
) -> Result<Bytes, Ended> {
    with_memory(scope, |memory| {
        let (start, length) = (pointer as u32 as usize, length as u32 as usize);
        let place = start.checked_add(length).and_then(|end| memory.get(start..end));
        place.map(Bytes::copy_from_slice).ok_or_else(|| {
            let message = format!(
                "{name} has returned {length} bytes at {start}, but the memory ends at {}: its result is the pointer, \
                 moved left by 32, and the length",
                memory.len()
            );
            Ended::Failed(Error::guest("RuntimeError", message))
        })
    })
}

/// Gives `work` the memory of the guest that runs.
fn with_memory<T>(
    scope: &mut v8::PinScope<'_, '_>,
    work: impl FnOnce(&mut [u8]) -> Result<T, Ended>,
) -> Result<T, Ended> {
    let host = scope.get_slot::<Rc<crate::host::Host>>().cloned();
    let running = host.as_ref().map(|host| host.running.borrow());
    match running.as_ref().and_then(|running| running.as_ref()) {
        Some(running) => running.with_memory(scope, work),
        None => Err(Ended::Terminated),
    }
}

fn size(isolate: &mut Entered<'_>, running: &Running) -> u64 {
    let context = isolate.context.clone();
    v8::scope_with_context!(let scope, isolate.v8(), &context);
    running.with_memory(scope, |memory| memory.len() as u64)
}

/// Lets V8 know that nobody uses a guest's memory any more.
fn discard(isolate: &mut Entered<'_>, running: &Running) {
    let size = size(isolate, running);
    isolate.discard(size);
}
