//! Telling whether what a module exports is a web application, and of which kind, by what it has and by the names of its
//! parameters.

use pyo3::{
    prelude::*,
    types::{PyDict, PyType},
};

/// Depth to which partial applications and decorators are looked through.
const DEPTH: usize = 8;

/// The way in which a callable wants to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// With an event.
    Event,
    /// With scope, receive and send.
    Asgi,
    /// With a scope; what that returns with receive and send, as in ASGI 2.
    DoubleAsgi,
    /// With an environment and the function that starts a response.
    Wsgi,
}

/// The parameters of a callable, as far as they are known.
struct Parameters {
    /// The names of those that can be given by position.
    names: Vec<String>,
    /// The number of those that must be given.
    required: usize,
    is_coroutine: bool,
}

/// Tells how a callable wants to be called.
pub(crate) fn tell(object: &Bound<'_, PyAny>) -> Told {
    if let Ok(class) = object.cast::<PyType>() {
        return tell_class(class);
    }
    let parameters = parameters(object, 0).or_else(|| by_signature(object));
    let Some(parameters) = parameters else { return by_members(object) };
    let names: Vec<&str> = parameters.names.iter().map(|name| bare(name)).collect();
    match names[..] {
        ["scope", "receive", "send", ..] if parameters.required <= 3 => Told::Asgi,
        [environ, start, ..] if parameters.required <= 2 && is_wsgi(environ, start) => Told::Wsgi,
        [_, _, _] if parameters.is_coroutine && parameters.required == 3 => Told::Asgi,
        [] => by_members(object),
        _ => Told::Event,
    }
}

/// Tells it of a class, whose call makes an object: an application of ASGI 2, or one whose objects can be awaited.
fn tell_class(class: &Bound<'_, PyType>) -> Told {
    let own = |name: &str| {
        let found = class.getattr_opt(name).ok().flatten()?;
        parameters(&found, 0)
    };
    let names = |parameters: &Parameters| -> Vec<String> {
        parameters.names.iter().skip(1).map(|name| bare(name).to_owned()).collect()
    };
    let (made, called) = (own("__init__"), own("__call__"));
    if let Some(made) = &made
        && names(made) == ["scope", "receive", "send"]
        && class.hasattr("__await__").unwrap_or(false)
    {
        return Told::Asgi;
    }
    if let (Some(made), Some(called)) = (&made, &called)
        && made.names.len() == 2
        && called.is_coroutine
        && names(called) == ["receive", "send"]
    {
        return Told::DoubleAsgi;
    }
    if made.is_some_and(
        |made| matches!(&names(&made)[..], [environ, start] if is_wsgi(environ, start)),
    ) && class.hasattr("__iter__").unwrap_or(false)
    {
        return Told::Wsgi;
    }
    Told::Event
}

fn by_members(object: &Bound<'_, PyAny>) -> Told {
    let wsgi = object.getattr_opt("wsgi_app").ok().flatten();
    if wsgi.is_some_and(|wsgi| wsgi.is_callable()) { Told::Wsgi } else { Told::Event }
}

/// Whether a function takes a scope alone, as applications of ASGI 2 do, and perhaps handlers.
pub(crate) fn takes_scope_alone(object: &Bound<'_, PyAny>) -> bool {
    parameters(object, 0).is_some_and(|parameters| {
        !parameters.is_coroutine
            && parameters.names.len() == 1
            && bare(&parameters.names[0]) == "scope"
    })
}

fn is_wsgi(environ: &str, start: &str) -> bool {
    matches!(start, "start_response" | "start_resp")
        || (matches!(environ, "environ" | "env" | "wsgi_environ") && start.contains("start"))
}

/// A name without the underscores that say that it is not used.
fn bare(name: &str) -> &str {
    name.trim_start_matches('_')
}

/// Returns the parameters of a callable that has a code object, or of what it passes everything on to.
fn parameters(function: &Bound<'_, PyAny>, depth: usize) -> Option<Parameters> {
    const VARIADIC: u32 = 0x04;
    const COROUTINE: u32 = 0x80;
    if depth > DEPTH {
        return None;
    }
    let attribute = |name: &str| function.getattr_opt(name).ok().flatten();
    if let Some(code) = attribute("__code__") {
        let number = |name: &str| code.getattr(name).ok()?.extract::<usize>().ok();
        let flags = number("co_flags")? as u32;
        let count = number("co_argcount")?;
        let bound = usize::from(attribute("__self__").is_some());
        if flags & VARIADIC != 0 && count <= bound {
            return attribute("__wrapped__").and_then(|wrapped| parameters(&wrapped, depth + 1));
        }
        let names: Vec<String> = code.getattr("co_varnames").ok()?.extract().ok()?;
        let defaults = attribute("__defaults__").and_then(|defaults| defaults.len().ok());
        let names: Vec<_> = names.into_iter().take(count).skip(bound).collect();
        let required = names.len().saturating_sub(defaults.unwrap_or(0));
        let marked = attribute("_is_coroutine_mark").is_some();
        return Some(Parameters {
            names,
            required,
            is_coroutine: marked || flags & COROUTINE != 0,
        });
    }
    if let (Some(inner), Some(args)) = (attribute("func"), attribute("args")) {
        let mut open = parameters(&inner, depth + 1)?;
        let filled = args.len().ok()?.min(open.names.len());
        open.names.drain(..filled);
        open.required = open.required.saturating_sub(filled);
        if let Some(keywords) = attribute("keywords")
            && let Ok(keywords) = keywords.cast::<PyDict>()
        {
            // What stands behind a name that is filled in can only be given by name.
            let first = open.names.iter().position(|name| keywords.contains(name).unwrap_or(false));
            open.names.truncate(first.unwrap_or(open.names.len()));
            open.required = open.required.min(open.names.len());
        }
        return Some(open);
    }
    if function.is_instance_of::<PyType>() {
        return None;
    }
    let call = attribute("__call__")?;
    // The `__call__` of a built-in function is a wrapper whose own `__call__` is another one, and so on.
    if call.getattr_opt("__code__").ok()?.is_none() && attribute("__self__").is_some() {
        return None;
    }
    call.getattr_opt("__code__").ok()??;
    parameters(&call, depth + 1)
}

/// Returns the parameters of compiled code, where it tells them.
fn by_signature(function: &Bound<'_, PyAny>) -> Option<Parameters> {
    let py = function.py();
    let inspect = py.import("inspect").ok()?;
    let signature = inspect.call_method1("signature", (function,)).ok()?;
    let parameters = signature.getattr("parameters").ok()?.call_method0("values").ok()?;
    let empty = inspect.getattr("Parameter").ok()?.getattr("empty").ok()?;
    let (mut names, mut required) = (Vec::new(), 0);
    for parameter in parameters.try_iter().ok()? {
        let parameter = parameter.ok()?;
        // 0 and 1: those that can be given by position.
        if parameter.getattr("kind").ok()?.extract::<u32>().ok()? > 1 {
            continue;
        }
        names.push(parameter.getattr("name").ok()?.extract().ok()?);
        required += usize::from(parameter.getattr("default").ok()?.is(&empty));
    }
    let is_coroutine = |object: &Bound<'_, PyAny>| {
        let told = inspect.call_method1("iscoroutinefunction", (object,));
        told.is_ok_and(|told| told.is_truthy().unwrap_or(false))
    };
    let call = function.getattr_opt("__call__").ok().flatten();
    let is_coroutine = is_coroutine(function) || call.is_some_and(|call| is_coroutine(&call));
    Some(Parameters { names, required, is_coroutine })
}
