//! The look at a library before it is loaded, and the words for one that cannot be.

use crate::{
    elf::{self, Elf},
    names::{self, FREE},
};
use trine_engine::{
    Error, ErrorKind, HANDLER_NAMES, Module, Presence, Result, Wanted, alternatives, nearest,
};

/// Whether a library can have what is sought. Libraries that were not made for this are told to have no handler, whatever
/// they were compiled for: an extension module of Python's beside a function is nobody's mistake.
pub(crate) fn check(module: &Module) -> Result<Presence> {
    let elf = elf::read(&module.path).map_err(|why| unloadable(module, &why))?;
    let Some(symbols) = &elf.exports else {
        fits(module, &elf)?;
        return Ok(Presence::Possible);
    };
    if module.wanted == Wanted::Program {
        return Err(no_program(module));
    }
    let is_there = match module.wanted {
        // Of libraries beside middlewares, only those that have any are some.
        Wanted::Hooks => symbols.iter().any(|symbol| symbol.starts_with(names::HOOK)),
        _ => has_what_is_wanted(module, symbols),
    };
    if !is_there {
        return Ok(Presence::Absent { others: names::handlers(symbols) });
    }
    fits(module, &elf)?;
    Ok(Presence::Possible)
}

/// Reads a library that is about to be loaded, and checks that it is for this machine and has what is needed.
pub(crate) fn read(module: &Module) -> Result<Elf> {
    let elf = elf::read(&module.path).map_err(|why| unloadable(module, &why))?;
    fits(module, &elf)?;
    let Some(symbols) = &elf.exports else { return Ok(elf) };
    if !has_what_is_wanted(module, symbols) {
        return Err(missing(module, symbols));
    }
    if !symbols.iter().any(|symbol| symbol == FREE) {
        return Err(no_free(module));
    }
    Ok(elf)
}

/// Whether a library has the handler that is wanted. Of hooks, none is needed.
fn has_what_is_wanted(module: &Module, symbols: &[String]) -> bool {
    let has = |symbol: &str| symbols.iter().any(|known| known == symbol);
    module.wanted == Wanted::Hooks || names::choose(&module.wanted, &has).is_some()
}

fn fits(module: &Module, elf: &Elf) -> Result<()> {
    let own = elf::own_machine();
    if elf.machine != own {
        let why = format!(
            "is for {}, and this process for {own}: compile it for the machine that it runs on",
            elf.machine
        );
        return Err(unloadable(module, &why));
    }
    Ok(())
}

/// Makes the error of a file that cannot be loaded.
pub(crate) fn unloadable(module: &Module, why: &str) -> Error {
    let message =
        format!("Unable to import module '{}': {} {why}", module.name, module.path.display());
    Error::new(ErrorKind::ImportModule, message)
}

/// Makes the error of a library without the function that is wanted.
pub(crate) fn missing(module: &Module, symbols: &[String]) -> Error {
    let wanted = match &module.wanted {
        Wanted::Handler(name) if !name.is_empty() => Some(name.as_str()),
        _ => None,
    };
    let name = wanted.unwrap_or(HANDLER_NAMES[0]);
    let symbol = names::expected_symbol(name);
    let mut message = format!(
        "Handler '{name}' missing on module '{}': {} exports no '{symbol}'",
        module.name,
        module.path.display()
    );
    let handlers = names::handlers(symbols);
    message.push_str(&match handlers.is_empty() {
        false => alternatives(module, wanted, &handlers),
        true => made_for(&symbol, symbols),
    });
    Error::new(ErrorKind::HandlerNotFound, message)
}

/// Says what a library without handlers seems to be.
fn made_for(symbol: &str, symbols: &[String]) -> String {
    let has = |start: &str| symbols.iter().any(|name| name.starts_with(start));
    let mangled = symbols
        .iter()
        .find(|name| (name.starts_with("_Z") || name.starts_with("_R")) && name.contains(symbol));
    if let Some(mangled) = mangled {
        return format!(
            ", but '{mangled}': declare it extern \"C\", as trine_handler.h does (in Rust, use trine_handler::handler!)"
        );
    }
    if has("PyInit_") {
        return "; it is an extension module of Python's: its handler is found by the module's name, without '.so'".to_owned();
    }
    if has("luaopen_") {
        return "; it is a C module of Lua's".to_owned();
    }
    if let Some(near) = nearest(symbol, symbols) {
        return format!("; did you mean '{near}'?");
    }
    match symbols.len() {
        0 => "; it exports nothing: the function may be static, or hidden by -fvisibility=hidden"
            .to_owned(),
        count => format!("; none of its {count} symbols is like it"),
    }
}

/// Makes the error of a library that has a handler and cannot take back what it gives.
pub(crate) fn no_free(module: &Module) -> Error {
    unloadable(
        module,
        &format!("exports no '{FREE}', by which its answers are given back: see trine_handler.h"),
    )
}

/// Makes the error of a library that is to be run like a program.
pub(crate) fn no_program(module: &Module) -> Error {
    let message = format!("{} is a library and cannot be run as a program", module.path.display());
    Error::new(ErrorKind::Unsupported, message)
}

/// Returns what to do about a message of the system's loader; empty where nobody knows.
pub(crate) fn advice(loader_says: &str) -> &'static str {
    let says = |text: &str| loader_says.contains(text);
    if says("cannot open shared object file") {
        return "; ship that library in a folder of LD_LIBRARY_PATH, or beside this one and link with \
                -Wl,-rpath,'$ORIGIN'";
    }
    if says("version `GLIBC") || says("version `CXXABI") || says("version `GCC") {
        return "; compile it on a system that is no newer than the one that it runs on";
    }
    if says("undefined symbol") {
        return "; link it with the library that has this symbol, as in -lm";
    }
    if says("cannot allocate memory in static TLS block") {
        return "; compile it without -ftls-model=initial-exec";
    }
    if says("position-independent executable") {
        return "; link it with -shared";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: Wanted, symbols: &[&str]) -> String {
        let module = Module::new("/task", "/task/app.so", "app", wanted);
        let symbols: Vec<String> = symbols.iter().map(|name| (*name).to_owned()).collect();
        let message = missing(&module, &symbols).message().to_owned();
        let (_, rest) = message.split_once("/task/app.so ").unwrap();
        rest.to_owned()
    }

    #[test]
    fn a_missing_function_is_told_with_what_there_is() {
        let named = |name: &str| Wanted::Handler(name.to_owned());
        assert_eq!(
            told(named("gett"), &["trine_handle_get", "trine_free"]),
            "exports no 'trine_handle_gett'; it has: get; did you mean 'get'?"
        );
        assert_eq!(
            told(Wanted::Unnamed, &["trine_handle_get", "trine_handle_post"]),
            "exports no 'trine_handle'; say which function it is: app.so:get, app.so:post"
        );
        assert_eq!(
            told(Wanted::Unnamed, &["trine_handel", "add"]),
            "exports no 'trine_handle'; did you mean 'trine_handel'?"
        );
        assert!(
            told(Wanted::Unnamed, &["_Z12trine_handlePKhm"]).contains("declare it extern \"C\"")
        );
        assert!(told(Wanted::Unnamed, &["PyInit_app"]).contains("extension module of Python's"));
        assert!(told(Wanted::Unnamed, &[]).contains("exports nothing"));
        assert!(told(Wanted::Unnamed, &["add"]).ends_with("none of its 1 symbols is like it"));
    }
}
