//! The loader: finds, compiles and runs a module, and looks for the functions that are sought in it.

use crate::{
    call::Run,
    exports::{Loaded, callable, kind_of},
    limits::internal,
    trace::split_position,
    vm::Vm,
    web::{self, Application},
};
use mlua::{Function, Lua, Table, Value, ffi};
use std::{collections::BTreeMap, rc::Rc};
use trine_engine::{
    Error, ErrorKind, Frame, HANDLER_NAMES, Hook, Interface, Module, Result, Wanted, alternatives,
    unnamed_handler,
};

/// A function that was found.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) function: Value,
    /// The interface by which it is called, where it is a handler.
    pub(crate) interface: Interface,
}

/// Loads a module, unless its file has already run in this state.
pub(crate) async fn load(vm: &Rc<Vm>, module: &Module) -> Result<Rc<Loaded>> {
    if let Some(loaded) = vm.modules().borrow().get(&module.path) {
        return Ok(loaded.clone());
    }
    if module.wanted == Wanted::Hooks
        && let Some(folder) = module.path.parent()
    {
        vm.search_in(folder)?;
        if let Some(gate) = vm.host().gate() {
            gate.permits().add_code(folder);
        }
    }
    let loaded = Rc::new(run(vm, module).await?);
    vm.modules().borrow_mut().insert(module.path.clone(), loaded.clone());
    Ok(loaded)
}

async fn run(vm: &Rc<Vm>, module: &Module) -> Result<Loaded> {
    let path = module.path.to_string_lossy().into_owned();
    let known: Value = vm.files().raw_get(path.as_str()).map_err(|error| internal(&error))?;
    if !known.is_nil() {
        // Another module has required this file.
        return Ok(Loaded { value: known, globals: BTreeMap::new() });
    }
    let source = read(module)?;
    let function = compile(vm, module, &source)?;
    let before = globals(vm)?;
    let name = module.name.replace('/', ".");
    let key = vm.keep(function)?;
    let mut run = Run::new(vm, None, "")?;
    let coroutine = run.raw();
    let (name_key, path_key) = (vm.keep(name.as_str())?, vm.keep(path.as_str())?);
    // SAFETY: a new coroutine has room for three values; reading the registry does not allocate.
    unsafe {
        for key in [key, name_key, path_key] {
            ffi::lua_rawgeti(coroutine, ffi::LUA_REGISTRYINDEX, key.into());
        }
    }
    let finished = run.finish(2).await;
    [key, name_key, path_key].into_iter().for_each(|key| vm.forget(key));
    vm.host().output().flush();
    let value = match finished.map_err(|error| import_error(module, error))? {
        0 => Value::Nil,
        results => {
            // SAFETY: the coroutine has left this many results, of which the first one counts.
            unsafe { ffi::lua_pop(coroutine, results - 1) };
            vm.take(coroutine).map_err(|error| internal(&error))?
        }
    };
    run.done();
    register(vm, (module.wanted != Wanted::Hooks).then_some(name.as_str()), &path, &value)
        .map_err(|error| internal(&error))?;
    let mut globals = globals(vm)?;
    globals.retain(|name, value| before.get(name).is_none_or(|known| known != value));
    Ok(Loaded { value, globals })
}

/// Reads the source of a module, as `load` takes it.
pub(crate) fn read(module: &Module) -> Result<Vec<u8>> {
    let source = std::fs::read(&module.path).map_err(|error| {
        let path = module.path.display();
        let message = format!("Unable to import module '{}': {path}: {error}", module.name);
        Error::new(ErrorKind::ImportModule, message)
    })?;
    Ok(chunk(&source))
}

/// Compiles a source from [`read`].
pub(crate) fn compile(vm: &Vm, module: &Module, source: &[u8]) -> Result<Function> {
    compile_in(vm.lua(), module, source)
}

/// Does the same as [`compile`], in any Lua.
pub(crate) fn compile_in(lua: &Lua, module: &Module, source: &[u8]) -> Result<Function> {
    let path = module.path.to_string_lossy();
    let chunk = lua.load(source).set_name(format!("@{path}"));
    chunk.into_function().map_err(|error| syntax_error(module, &path, error))
}

/// Lets `require` find the module by its file, and by its name if it has one. A middleware has none: a module of the
/// function may have the same name.
fn register(vm: &Vm, name: Option<&str>, path: &str, value: &Value) -> mlua::Result<()> {
    let known = if value.is_nil() { Value::Boolean(true) } else { value.clone() };
    vm.files().raw_set(path, &known)?;
    let Some(name) = name else { return Ok(()) };
    let loaded: Table = vm.lua().globals().raw_get::<Table>("package")?.raw_get("loaded")?;
    if loaded.raw_get::<Value>(name)?.is_nil() {
        loaded.raw_set(name, known)?;
    }
    Ok(())
}

/// Prepares a source for `load`: removes a byte order mark, and makes a first line that begins with `#` a comment.
fn chunk(source: &[u8]) -> Vec<u8> {
    let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
    if source.starts_with(b"#") { [b"--", source].concat() } else { source.to_vec() }
}

/// Returns the global variables whose names are strings.
fn globals(vm: &Vm) -> Result<BTreeMap<String, Value>> {
    let mut globals = BTreeMap::new();
    for pair in vm.lua().globals().pairs::<Value, Value>() {
        if let (Value::String(name), value) = pair.map_err(|error| internal(&error))? {
            globals.insert(name.to_string_lossy(), value);
        }
    }
    Ok(globals)
}

/// Makes the error of a file that does not parse. Lua's message begins with the place, shortened to sixty characters.
fn syntax_error(module: &Module, path: &str, error: mlua::Error) -> Error {
    let mlua::Error::SyntaxError { message, .. } = error else { return internal(&error) };
    let (line, reason) = split_position(&message);
    Error::new(
        ErrorKind::UserCodeSyntax,
        format!("Syntax error in module '{}': {reason}", module.name),
    )
    .with_frames([Frame { file: path.to_owned(), line, ..Frame::default() }])
    .with_stack([format!("{path}:{line}: {reason}")])
}

/// Makes the error of what top-level code raised. What `require` did not find or could not compile has its own kind.
fn import_error(module: &Module, error: Error) -> Error {
    let message = error.message();
    let replaced = if message.starts_with("module '") && message.contains("' not found:") {
        let message = format!("Unable to import module '{}': {message}", module.name);
        Error::new(ErrorKind::ImportModule, message)
    } else if let Some((file, reason)) = broken_file(message) {
        let (line, reason) = split_position(reason);
        let message = format!("Syntax error in module '{}': {file}:{line}: {reason}", module.name);
        let frame = Frame { file: file.to_owned(), line, ..Frame::default() };
        let frames = std::iter::once(frame).chain(error.frames().iter().cloned());
        return Error::new(ErrorKind::UserCodeSyntax, message)
            .with_frames(frames.collect::<Vec<_>>())
            .with_stack(error.stack().to_vec());
    } else {
        return error;
    };
    replaced.with_frames(error.frames().to_vec()).with_stack(error.stack().to_vec())
}

/// Returns file and reason of `error loading module 'x' from file 'y':\n\treason`.
fn broken_file(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("error loading module '")?;
    let (_, rest) = rest.split_once("' from file '")?;
    rest.split_once("':\n\t")
}

/// Finds the functions that are sought in a module, by [`Wanted`]'s rules.
pub(crate) fn find(lua: &Lua, loaded: &Loaded, module: &Module) -> Result<Vec<Found>> {
    match &module.wanted {
        Wanted::Handler(name) if name.is_empty() && matches!(loaded.value, Value::Table(_)) => {
            match web::itself(lua, module, &loaded.value)? {
                Some(found) => Ok(vec![found.into()]),
                None => Ok(vec![named(lua, loaded, module, name)?]),
            }
        }
        Wanted::Handler(name) => Ok(vec![named(lua, loaded, module, name)?]),
        Wanted::Unnamed => {
            let usual = HANDLER_NAMES[0];
            let is_function = |name: &str| callable(&loaded.lookup(name, name == usual));
            let handler = unnamed_handler(is_function);
            if handler.is_none()
                && let Some(found) = web::unnamed(lua, module, loaded)?
            {
                return Ok(vec![found.into()]);
            }
            let name = handler.unwrap_or(usual);
            match loaded.lookup(name, name == usual) {
                Value::Nil => Err(missing(loaded, module, None)),
                value => Ok(vec![handler_of(lua, module, name, value)?]),
            }
        }
        Wanted::Hooks => {
            let mut found = Vec::new();
            for hook in Hook::ALL {
                let mut value = loaded.lookup(hook.name(), false);
                if value.is_nil() && hook == Hook::Wrap && callable(&loaded.value) {
                    value = loaded.value.clone();
                }
                // `trine.null` means the same as nil.
                if !value.is_nil() && !value.is_null() {
                    found.push(checked_hook(module, hook, value)?);
                }
            }
            Ok(found)
        }
        Wanted::Program => Err(Error::internal("a program is no module")),
    }
}

/// Finds the handler that somebody has named.
fn named(lua: &Lua, loaded: &Loaded, module: &Module, name: &str) -> Result<Found> {
    match loaded.lookup(name, true) {
        Value::Nil => Err(missing(loaded, module, Some(name))),
        value => handler_of(lua, module, name, value),
    }
}

/// Makes a handler of a value, or the web application that it is.
fn handler_of(lua: &Lua, module: &Module, name: &str, value: Value) -> Result<Found> {
    match web::application(lua, module, name, &value)? {
        Some(found) => Ok(found.into()),
        None => checked(module, name, value),
    }
}

impl From<Application> for Found {
    fn from(found: Application) -> Self {
        Self { name: found.name, function: found.function, interface: found.interface }
    }
}

/// Returns the names of the functions that a middleware has besides its hooks.
pub(crate) fn others(loaded: &Loaded) -> Vec<String> {
    let mut names = loaded.functions();
    names.retain(|name| Hook::named(name).is_none());
    names
}

fn checked(module: &Module, name: &str, value: Value) -> Result<Found> {
    if callable(&value) {
        return Ok(Found { name: name.to_owned(), function: value, interface: Interface::Event });
    }
    let kind = kind_of(&value);
    Err(Error::new(
        ErrorKind::HandlerNotFound,
        format!("'{name}' of module '{}' is not a function (it is {kind})", module.name),
    ))
}

fn checked_hook(module: &Module, hook: Hook, value: Value) -> Result<Found> {
    if callable(&value) {
        let name = hook.name().to_owned();
        return Ok(Found { name, function: value, interface: Interface::Event });
    }
    Err(Error::new(
        ErrorKind::HandlerNotFound,
        format!(
            "{hook} is not a function but {} in {}: a middleware's hooks are functions; leave it out \
             or call it something else",
            kind_of(&value),
            module.path.display()
        ),
    ))
}

/// Makes the error of a missing function. `wanted` is `None` when no handler was named.
fn missing(loaded: &Loaded, module: &Module, wanted: Option<&str>) -> Error {
    let name = wanted.unwrap_or(HANDLER_NAMES[0]);
    let mut names = loaded.functions();
    if name.contains('.') {
        names.extend(loaded.inner_functions());
    }
    let mut message = format!("Handler '{name}' missing on module '{}'", module.name);
    message.push_str(&alternatives(module, wanted, &names));
    if names.is_empty() {
        message.push_str(": return a table with one, or define a global");
    }
    Error::new(ErrorKind::HandlerNotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_after_a_path_with_colons() {
        assert_eq!(split_position("C:/x.lua:3: unexpected"), (3, "unexpected"));
        assert_eq!(
            split_position("...tail/app.lua:12: '=' expected: here"),
            (12, "'=' expected: here")
        );
        assert_eq!(split_position("no place"), (0, "no place"));
    }

    #[test]
    fn a_first_line_for_the_shell_is_no_code() {
        assert_eq!(chunk(b"#!/usr/bin/lua\nreturn 1"), b"--#!/usr/bin/lua\nreturn 1");
        assert_eq!(chunk(b"\xEF\xBB\xBFreturn 1"), b"return 1");
    }
}
