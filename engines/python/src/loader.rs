//! Finds functions in modules: imports through the prelude, looks up names, and learns how many arguments each takes.

use crate::{error, interpreter::Interpreter};
use pyo3::{
    prelude::*,
    types::{PyDict, PyModule},
};
use trine_engine::{Error, ErrorKind, Hook, Module, Result, Seek};

/// Hooks whose only parameter, if they have one, is the context: there is no event for them.
const CONTEXT_ONLY: [&str; 3] = ["init", "timeout", "shutdown"];

/// Function names that an error message lists.
const LISTED: usize = 10;

/// A callable and how to call it.
pub(crate) struct Function {
    pub(crate) callable: Py<PyAny>,
    pub(crate) arguments: Arguments,
}

/// Which arguments a callable gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    None,
    Event,
    Context,
    EventAndContext,
}

/// Imports a module and finds what is sought in it.
pub(crate) fn load(
    py: Python<'_>,
    python: &Interpreter,
    module: &Module,
    layer_root: &str,
) -> Result<Vec<(String, Function)>> {
    let top = module.name.split(['/', '.']).next().unwrap_or_default();
    if is_built_in(py, top).map_err(|e| error::internal(py, &e))? {
        return Err(Error::new(
            ErrorKind::BuiltInModuleConflict,
            format!("Cannot use built-in module {} as a handler module", module.name),
        ));
    }
    let loaded = import(py, python, module, layer_root)
        .map_err(|e| error::import_failed(py, &e, &module.name))?;
    match &module.seek {
        Seek::Handler(name) => {
            let name = if name.is_empty() { "handler" } else { name };
            let found = loaded.getattr_opt(name).map_err(|e| error::raised(py, &e, ""))?;
            let function = found.ok_or_else(|| missing(&loaded, module, name))?;
            Ok(vec![(name.to_owned(), checked(&function, module, name, false)?)])
        }
        Seek::Program => {
            Err(Error::new(ErrorKind::Unsupported, "Python programs cannot be middleware"))
        }
        Seek::Hooks => {
            let mut found = Vec::new();
            for name in Hook::ALL.iter().map(|hook| hook.name()) {
                let function = loaded.getattr_opt(name).map_err(|e| error::raised(py, &e, ""))?;
                if let Some(function) = function.filter(|function| !function.is_none()) {
                    found.push((name.to_owned(), checked(&function, module, name, true)?));
                }
            }
            Ok(found)
        }
    }
}

fn is_built_in(py: Python<'_>, name: &str) -> PyResult<bool> {
    py.import("sys")?.getattr("builtin_module_names")?.contains(name)
}

fn import<'py>(
    py: Python<'py>,
    python: &Interpreter,
    module: &Module,
    layer_root: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let load = python.loader.bind(py).get_item("load")?.expect("the prelude defines it");
    load.call1((
        module.root.as_os_str().to_string_lossy(),
        &module.name,
        module.path.as_os_str().to_string_lossy(),
        layer_root,
    ))
}

fn checked(
    function: &Bound<'_, PyAny>,
    module: &Module,
    name: &str,
    is_hook: bool,
) -> Result<Function> {
    if !function.is_callable() {
        return Err(Error::new(
            ErrorKind::HandlerNotFound,
            format!(
                "Handler '{name}' on module '{}' is not a function but of type {}",
                module.name,
                error::type_name(&function.get_type())
            ),
        ));
    }
    let arguments = match positional(function, 0) {
        Some(0) => Arguments::None,
        Some(1) if is_hook && CONTEXT_ONLY.contains(&name) => Arguments::Context,
        Some(1) => Arguments::Event,
        _ => Arguments::EventAndContext,
    };
    Ok(Function { callable: function.clone().unbind(), arguments })
}

/// How many positional arguments a callable takes, as far as that can be known without `inspect`. `None` stands for
/// any number as well as for not known.
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
        // `*args` of a decorator that passes everything on: what it wraps decides.
        return match attribute("__wrapped__") {
            Some(wrapped) if count == 0 => positional(&wrapped, depth + 1),
            _ => None,
        };
    }
    if let (Some(inner), Some(args)) = (attribute("func"), attribute("args")) {
        // `functools.partial`: what it fills in is no longer open, nor anything behind a name that it sets.
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

fn missing(loaded: &Bound<'_, PyAny>, module: &Module, name: &str) -> Error {
    let mut text = format!("Handler '{name}' missing on module '{}'", module.name);
    let names = function_names(loaded);
    if !names.is_empty() {
        text.push_str("; it has: ");
        text.push_str(&names[..names.len().min(LISTED)].join(", "));
        if names.len() > LISTED {
            text.push_str(", …");
        }
        let nearest = names.iter().min_by_key(|other| distance(name, other));
        if let Some(nearest) = nearest.filter(|other| distance(name, other) <= 1 + name.len() / 3) {
            text.push_str(&format!("; did you mean '{nearest}'?"));
        }
    }
    Error::new(ErrorKind::HandlerNotFound, text)
}

/// The functions that a module defines itself, in their order.
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

/// How many letters have to change to get from one name to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}
