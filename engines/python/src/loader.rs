//! The search for functions in modules: import through the prelude, lookup of names, and count of each one's arguments.

use crate::{
    debugger, error,
    interpreter::Interpreter,
    program::{self, Program},
    user_environment,
    web::Application,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyModule},
};
use trine_engine::{
    APPLICATION_NAMES, Error, ErrorKind, HANDLER_NAMES, Hook, Interface, Module, Result, Wanted,
    alternatives, unnamed_handler,
};

/// The function that an id stands for.
pub(crate) enum Function {
    Callable(Callable),
    Program(Program),
    Web(Application),
}

/// A callable and the way to call it.
pub(crate) struct Callable {
    pub(crate) object: Py<PyAny>,
    pub(crate) arguments: Arguments,
    /// Its hook; `None` for a handler.
    pub(crate) hook: Option<Hook>,
}

/// The arguments that a callable gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    None,
    Event,
    Context,
    EventAndContext,
}

/// The places of modules other than their own root.
pub(crate) struct Source<'a> {
    pub(crate) python: &'static Interpreter,
    pub(crate) generation: u64,
    pub(crate) layer_root: &'a str,
}

/// The functions found in a module.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) functions: Vec<(String, Function)>,
    pub(crate) others: Vec<String>,
}

/// Imports a module and finds the requested functions in it.
pub(crate) fn load(py: Python<'_>, source: &Source<'_>, module: &Module) -> Result<Loaded> {
    match &module.wanted {
        Wanted::Handler(name) => handler(py, source, module, Some(name)),
        Wanted::Unnamed => handler(py, source, module, None),
        Wanted::Hooks => hooks(py, source, module),
        Wanted::Program => {
            let (python, generation) = (source.python, source.generation);
            let programs = program::load(py, python, generation, module, source.layer_root)?;
            let functions = programs.into_iter();
            let functions =
                functions.map(|(hook, program)| (hook.to_owned(), Function::Program(program)));
            Ok(Loaded { functions: functions.collect(), others: Vec::new() })
        }
    }
}

/// Finds the handler. `name` is `None` where nobody has named it.
fn handler(
    py: Python<'_>,
    source: &Source<'_>,
    module: &Module,
    name: Option<&str>,
) -> Result<Loaded> {
    let top = module.name.split(['/', '.']).next().unwrap_or_default();
    if is_built_in(py, top).map_err(|e| error::internal(py, &e))? {
        return Err(Error::new(
            ErrorKind::BuiltInModuleConflict,
            format!("Cannot use built-in module {} as a handler module", module.name),
        ));
    }
    let loaded = import(py, source, module, "load")?;
    let named = name.filter(|name| !name.is_empty());
    let name = named.or_else(|| unnamed(&loaded, module.interface)).unwrap_or(HANDLER_NAMES[0]);
    let found = member(&loaded, name).map_err(|e| error::raised(py, &e, ""))?;
    let function = found.ok_or_else(|| {
        let names = function_names(&loaded);
        let what = alternatives(module, named, &names);
        let text = format!("Handler '{name}' missing on module '{}'{what}", module.name);
        Error::new(ErrorKind::HandlerNotFound, text)
    })?;
    if !function.is_callable() {
        let class = error::type_name(&function.get_type());
        let text = format!(
            "Handler '{name}' on module '{}' is not a function but of type {class}",
            module.name
        );
        return Err(Error::new(ErrorKind::HandlerNotFound, text));
    }
    let function = match Application::of(&function, module.interface)? {
        Some(application) => Function::Web(application),
        None => Function::Callable(Callable::new(&function, None)),
    };
    Ok(Loaded { functions: vec![(name.to_owned(), function)], others: Vec::new() })
}

/// Returns a member of a module, or of one of its members: `api.app`.
fn member<'py>(loaded: &Bound<'py, PyAny>, path: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Some(found) = loaded.getattr_opt(path)? {
        return Ok(Some(found));
    }
    let mut at = loaded.clone();
    for name in path.split('.') {
        match at.getattr_opt(name)? {
            Some(found) => at = found,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Finds the handler of a module where nobody has named it: a handler, else a web application. Where it is said to be a
/// web application, those come first.
fn unnamed(loaded: &Bound<'_, PyAny>, interface: Option<Interface>) -> Option<&'static str> {
    let found = |name: &str| {
        let found = loaded.getattr_opt(name).ok().flatten();
        found.filter(|found| found.is_callable())
    };
    let handler = unnamed_handler(|name| found(name).is_some());
    let application = |is: fn(&Bound<'_, PyAny>) -> bool| {
        APPLICATION_NAMES.into_iter().find(|name| found(name).is_some_and(|found| is(&found)))
    };
    match interface {
        Some(Interface::Event) => handler,
        Some(_) => application(|_| true).or(handler),
        None => handler.or_else(|| application(Application::is)),
    }
}

fn hooks(py: Python<'_>, source: &Source<'_>, module: &Module) -> Result<Loaded> {
    let loaded = import(py, source, module, "load_file")?;
    let mut found = Loaded::default();
    for hook in Hook::ALL {
        let function = loaded.getattr_opt(hook.name()).map_err(|e| error::raised(py, &e, ""))?;
        let Some(function) = function.filter(|function| !function.is_none()) else { continue };
        if !function.is_callable() {
            let class = error::type_name(&function.get_type());
            let text = format!(
                "{hook} is not a function but of type {class} in the middleware '{}' ({})",
                module.name,
                module.path.display()
            );
            return Err(Error::new(ErrorKind::HandlerNotFound, text));
        }
        let callable = Callable::new(&function, Some(hook));
        found.functions.push((hook.name().to_owned(), Function::Callable(callable)));
    }
    let others = function_names(&loaded).into_iter();
    found.others = others.filter(|name| Hook::named(name).is_none()).collect();
    Ok(found)
}

impl Callable {
    pub(crate) fn new(function: &Bound<'_, PyAny>, hook: Option<Hook>) -> Self {
        let takes_context_alone = hook.is_some_and(|hook| !hook.takes_value());
        let arguments = match positional(function, 0) {
            Some(0) => Arguments::None,
            // A `wrap` hook gets the handler where others get the value.
            _ if hook == Some(Hook::Wrap) => Arguments::Event,
            _ if takes_context_alone => Arguments::Context,
            Some(1) => Arguments::Event,
            _ => Arguments::EventAndContext,
        };
        Self { object: function.clone().unbind(), arguments, hook }
    }
}

fn is_built_in(py: Python<'_>, name: &str) -> PyResult<bool> {
    py.import("sys")?.getattr("builtin_module_names")?.contains(name)
}

fn import<'py>(
    py: Python<'py>,
    source: &Source<'_>,
    module: &Module,
    way: &str,
) -> Result<Bound<'py, PyAny>> {
    let load = source.python.loader.bind(py).get_item(way);
    let imported = load.and_then(|load| {
        load.expect("the prelude defines it").call1((
            source.generation,
            module.root.to_string_lossy(),
            &module.name,
            module.path.to_string_lossy(),
            source.layer_root,
            module.by_path,
        ))
    });
    imported.map_err(|raised| {
        debugger::raised(py, &raised);
        let error = error::import_failed(py, &raised, &module.name);
        // What is missing may lie where this version of Python does not look.
        let hint = (error.kind() == ErrorKind::ImportModule)
            .then(|| user_environment::mismatch(&module.root))
            .flatten();
        match hint {
            Some(hint) => error.with_context("hint", hint),
            None => error,
        }
    })
}

/// Counts the positional arguments that a callable takes, as far as that can be known without `inspect`. `None` stands
/// for any number as well as for an unknown one.
fn positional(function: &Bound<'_, PyAny>, depth: usize) -> Option<usize> {
    const VARIADIC: u32 = 0x04;
    if depth > 8 {
        return None;
    }
    let attribute = |name: &str| function.getattr_opt(name).ok().flatten();
    if let Some(code) = attribute("__code__") {
        let flags: u32 = code.getattr("co_flags").ok()?.extract().ok()?;
        let count: usize = code.getattr("co_argcount").ok()?.extract().ok()?;
        let bound = usize::from(attribute("__self__").is_some());
        if flags & VARIADIC == 0 {
            return Some(count.saturating_sub(bound));
        }
        // `*args` of a decorator that passes everything on: the wrapped function decides.
        return match attribute("__wrapped__") {
            Some(wrapped) if count == 0 => positional(&wrapped, depth + 1),
            _ => None,
        };
    }
    if let (Some(inner), Some(args)) = (attribute("func"), attribute("args")) {
        // `functools.partial`: arguments that it fills in are no longer open, nor any after a name that it sets.
        let mut open = positional(&inner, depth + 1)?.checked_sub(args.len().ok()?)?;
        let names = inner.getattr_opt("__code__").ok()??.getattr("co_varnames").ok()?;
        if let Some(keywords) = attribute("keywords")
            && let Ok(keywords) = keywords.cast::<PyDict>()
        {
            let filled = args.len().ok()?;
            for (at, name) in names.try_iter().ok()?.flatten().skip(filled).enumerate() {
                if keywords.contains(&name).ok()? {
                    open = open.min(at);
                }
            }
        }
        return Some(open);
    }
    if function.is_instance_of::<pyo3::types::PyType>() {
        return None;
    }
    let call = attribute("__call__")?;
    // The `__call__` of a built-in function is a wrapper whose own `__call__` is another one, and so on.
    call.getattr_opt("__code__").ok()??;
    positional(&call, depth + 1)
}

/// Whether a call returns a coroutine or an asynchronous generator, as far as that can be known without one: an `async
/// def`, bound or filled in by `functools.partial`, or an object whose `__call__` is one.
pub(crate) fn is_asynchronous(function: &Bound<'_, PyAny>, depth: usize) -> bool {
    const ASYNCHRONOUS: u32 = 0x80 | 0x200;
    if depth > 8 {
        return false;
    }
    let attribute = |name: &str| function.getattr_opt(name).ok().flatten();
    if attribute("_is_coroutine_mark").is_some() {
        return true;
    }
    if let Some(code) = attribute("__code__") {
        let flags = code.getattr("co_flags").and_then(|flags| flags.extract::<u32>());
        return flags.is_ok_and(|flags| flags & ASYNCHRONOUS != 0);
    }
    if let (Some(inner), Some(_)) = (attribute("func"), attribute("args")) {
        return is_asynchronous(&inner, depth + 1);
    }
    let call = attribute("__call__").filter(|call| call.getattr("__code__").is_ok());
    call.is_some_and(|call| is_asynchronous(&call, depth + 1))
}

/// Lists the functions that a module defines itself, in their order.
fn function_names(loaded: &Bound<'_, PyAny>) -> Vec<String> {
    let Ok(module) = loaded.cast::<PyModule>() else { return Vec::new() };
    let own = loaded.getattr("__name__").ok();
    let mut names = Vec::new();
    for (name, value) in module.dict() {
        let name = name.to_string();
        let defined_here = match (value.getattr_opt("__module__"), &own) {
            (Ok(Some(home)), Some(own)) => home.eq(own).unwrap_or(false),
            _ => false,
        };
        if defined_here && value.is_callable() && !name.starts_with('_') {
            names.push(name);
        }
    }
    names
}
