//! The interface of a handler: told by what a table has and by how the parameters of a function are named, unless
//! somebody has said it.

use crate::{
    exports::{Loaded, callable, kind_of},
    limits::internal,
};
use mlua::{Function, Lua, Table, Value, ffi};
use std::{ffi::CStr, ptr};
use trine_engine::{APPLICATION_NAMES, Error, ErrorKind, Interface, Module, Result};

/// The members by which a table is a web application, each with the interface of its function.
const MEMBERS: [(&str, Interface); 2] = [("run", Interface::Wsapi), ("fetch", Interface::Fetch)];

/// The parameters by which functions say what they are called with.
const ENVIRONMENT: &str = "wsapi_env";
const REQUEST: &str = "request";

/// A web application: its function, and the name and the interface by which that is called.
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) function: Value,
    pub(crate) interface: Interface,
}

/// Returns the web application that a module's export is; `None` where it is none, or is to be a handler of events.
///
/// # Errors
/// Where somebody has said an interface that the export has not, or Lua has not.
pub(crate) fn application(
    lua: &Lua,
    module: &Module,
    name: &str,
    value: &Value,
) -> Result<Option<Application>> {
    let made = |function: Value, interface| {
        Ok(Some(Application { name: name.to_owned(), function, interface }))
    };
    let Some(interface) = module.interface else {
        return match told(lua, name, value) {
            Some((interface, member)) => made(of(lua, value, member)?, interface),
            None => Ok(None),
        };
    };
    let Some(member) = member_of(interface)? else { return Ok(None) };
    match value {
        Value::Table(table) if function_in(table, member).is_some() => {
            made(of(lua, value, Some(member))?, interface)
        }
        value if callable(value) => made(value.clone(), interface),
        value => Err(Error::new(
            ErrorKind::HandlerNotFound,
            format!(
                "'{name}' of module '{}' is no {interface} application (it is {}): that is a function, or a table with the function '{member}'",
                module.name,
                kind_of(value)
            ),
        )),
    }
}

/// Returns the member by which a table is an application of an interface; `None` for handlers of events.
fn member_of(interface: Interface) -> Result<Option<&'static str>> {
    if interface == Interface::Event {
        return Ok(None);
    }
    let member = MEMBERS.into_iter().find(|(_, of)| *of == interface).map(|(member, _)| member);
    let Some(member) = member else {
        let message = format!(
            "Lua has no {interface} applications: the interface of a handler is event, fetch or wsapi"
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    };
    Ok(Some(member))
}

/// Returns the web application of a module whose handler nobody has named: an export with the name of one, or the module
/// itself.
///
/// # Errors
/// Where somebody has said an interface that Lua has not.
pub(crate) fn unnamed(lua: &Lua, module: &Module, loaded: &Loaded) -> Result<Option<Application>> {
    if let Some(interface) = module.interface
        && member_of(interface)?.is_none()
    {
        return Ok(None);
    }
    // What is none counts as little as what is not there.
    let found =
        |name: &str| application(lua, module, name, &loaded.lookup(name, false)).ok().flatten();
    if let Some(found) = APPLICATION_NAMES.into_iter().find_map(found) {
        return Ok(Some(found));
    }
    if let Ok(Some(found)) = itself(lua, module, &loaded.value) {
        return Ok(Some(found));
    }
    let mut members = MEMBERS.into_iter();
    Ok(members.find_map(|(name, interface)| {
        let is_said = module.interface.is_none_or(|said| said == interface);
        found(name).filter(|found| is_said && found.interface == interface)
    }))
}

/// Returns the web application that a module itself is, named by its function.
///
/// # Errors
/// As [`application`].
pub(crate) fn itself(lua: &Lua, module: &Module, value: &Value) -> Result<Option<Application>> {
    let found = application(lua, module, "", value)?;
    Ok(found.map(|found| {
        let member = MEMBERS.into_iter().find(|(_, interface)| *interface == found.interface);
        Application { name: member.map_or("", |(member, _)| member).to_owned(), ..found }
    }))
}

/// Tells the interface of a value, and the member in which its function is, if it is one.
fn told(lua: &Lua, name: &str, value: &Value) -> Option<(Interface, Option<&'static str>)> {
    match value {
        Value::Function(function) => {
            told_by_parameters(lua, name, function).map(|interface| (interface, None))
        }
        Value::Table(table) => {
            let found = MEMBERS.into_iter().filter_map(|(member, interface)| {
                let function = function_in(table, member)?;
                let told = match &function {
                    Value::Function(function) => told_by_parameters(lua, member, function),
                    _ => None,
                };
                Some((member, interface, told == Some(interface)))
            });
            let found: Vec<_> = found.collect();
            let said = found.iter().find(|(_, _, is_said)| *is_said);
            // `fetch` is for this alone, `run` may mean much. A table that is called as it is says so by its parameters.
            let found = said.or_else(|| found.last().filter(|_| !callable(value)));
            found.map(|(member, interface, _)| (*interface, Some(*member)))
        }
        _ => None,
    }
}

/// Tells the interface of a function of this name by its parameters.
fn told_by_parameters(lua: &Lua, name: &str, function: &Function) -> Option<Interface> {
    let named = parameters(lua, function);
    let mut named = named.iter().map(String::as_str).filter(|name| *name != "self");
    let is_fetch = name.rsplit('.').next() == Some("fetch");
    match (named.next()?, named.next()) {
        (ENVIRONMENT, _) => Some(Interface::Wsapi),
        (REQUEST, None) => Some(Interface::Fetch),
        (REQUEST, Some(_)) if is_fetch => Some(Interface::Fetch),
        _ => None,
    }
}

/// Returns the names of a function's parameters; none of one that is not written in Lua.
fn parameters(lua: &Lua, function: &Function) -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: `exec_raw` runs this in protected mode with the function on the stack, about which `lua_getlocal` asks
    // without an activation record: it pushes nothing and raises nothing. The names live as long as the function.
    let asked = unsafe {
        lua.exec_raw::<()>(function, |state| {
            let mut name = ffi::lua_getlocal(state, ptr::null(), 1);
            while !name.is_null() {
                names.push(CStr::from_ptr(name).to_string_lossy().into_owned());
                name = ffi::lua_getlocal(state, ptr::null(), names.len() as i32 + 1);
            }
        })
    };
    match asked {
        Ok(()) => names,
        Err(_) => Vec::new(),
    }
}

fn function_in(table: &Table, member: &str) -> Option<Value> {
    table.get::<Value>(member).ok().filter(callable)
}

/// Returns the function of an application; one that is a method of its table gets that as its first argument.
fn of(lua: &Lua, value: &Value, member: Option<&str>) -> Result<Value> {
    let (Value::Table(table), Some(member)) = (value, member) else { return Ok(value.clone()) };
    let function = function_in(table, member).unwrap_or(Value::Nil);
    let is_method = match &function {
        Value::Function(function) => {
            parameters(lua, function).first().is_some_and(|name| name == "self")
        }
        _ => false,
    };
    if !is_method {
        return Ok(function);
    }
    let bind = "local method, self = ... return function(...) return method(self, ...) end";
    let bind = lua.load(bind).set_name("=[trine web]");
    bind.call::<Value>((function, table)).map_err(|error| internal(&error))
}
