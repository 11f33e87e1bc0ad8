//! What a guest may do, where that is narrowed: those of Lua's functions that reach out of the state ask first.
//!
//! Lua's own functions are called by their addresses, which no Lua value holds: `debug` finds none that does not ask.

use crate::{find, host::Host};
use mlua::{
    Lua, Table,
    ffi::{self, lua_State},
};
use std::{
    cell::OnceCell,
    ffi::{CStr, OsStr, c_char, c_int},
    mem::ManuallyDrop,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use trine_engine::{Access, Environment, Permits, Refusal};

/// The shell that `os.execute` and `io.popen` run.
const SHELL: &[u8] = b"/bin/sh";
/// The folder of temporary files.
const TEMPORARY: &str = "/tmp/lua";
/// The number of the error that the system gives who lacks a permission: `EACCES`.
const DENIED: ffi::lua_Integer = 13;
/// The variable that the runtime itself sets for each call.
const TRACE: &[u8] = b"_X_AMZN_TRACE_ID";

/// What the guests of one state may do, and the functions that ask.
pub(crate) struct Gate {
    permits: Arc<Permits>,
    /// Lua's own functions, in the order of [`GUARDED`].
    originals: OnceCell<[ffi::lua_CFunction; COUNT]>,
}

/// The answer of a function to a guest whose permits do not suffice.
#[derive(Clone, Copy)]
enum Answer {
    /// nil, a message that begins with the path, and a number, as of a file that cannot be opened.
    Fails,
    /// The same without a path.
    Refuses,
    /// nil and a message.
    Lacks,
    /// nil, a message and `open`, as of a library that cannot be loaded.
    Unloaded,
    /// An error.
    Raises,
    /// nil.
    Nothing,
}

/// A function of Lua's library, and what it asks for.
struct Guarded {
    library: &'static str,
    name: &'static str,
    asks: fn(&Permits, Arguments<'_>) -> Result<(), Refusal>,
    answer: Answer,
    stand_in: ffi::lua_CFunction,
}

/// Number of the functions that ask.
const COUNT: usize = 14;

macro_rules! guarded {
    ($($at:literal $library:literal $name:literal $asks:expr, $answer:ident;)*) => {
        [$(Guarded {
            library: $library,
            name: $name,
            asks: $asks,
            answer: Answer::$answer,
            stand_in: ask::<$at>,
        }),*]
    };
}

static GUARDED: [Guarded; COUNT] = guarded! {
    0 "io" "open" open, Fails;
    1 "io" "popen" |permits, _| permits.run(SHELL, None), Refuses;
    2 "io" "lines" read, Raises;
    3 "io" "input" read, Raises;
    4 "io" "output" write, Raises;
    5 "io" "tmpfile" |permits, _| permits.write(Path::new(TEMPORARY)), Refuses;
    6 "os" "remove" remove, Fails;
    7 "os" "rename" rename, Fails;
    8 "os" "tmpname" |permits, _| permits.write(Path::new(TEMPORARY)), Raises;
    9 "os" "execute" |permits, _| permits.run(SHELL, None), Refuses;
    10 "os" "getenv" variable, Nothing;
    11 "_G" "loadfile" read, Lacks;
    12 "_G" "dofile" read, Raises;
    13 "package" "loadlib" library, Unloaded;
};

/// The arguments of a function, as far as they are texts. They stay where they are until it returns.
#[derive(Clone, Copy)]
struct Arguments<'a>([Option<&'a [u8]>; 2]);

impl<'a> Arguments<'a> {
    /// Returns an argument as the path that the system sees, which ends at a zero byte.
    fn path(self, at: usize) -> Option<&'a Path> {
        let text = self.0[at]?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Some(Path::new(OsStr::from_bytes(&text[..end])))
    }
}

fn open(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    let Some(path) = arguments.path(0) else { return Ok(()) };
    let mode = arguments.0[1].unwrap_or(b"r");
    let (reads, writes) = match mode.first() {
        Some(b'r') => (true, mode.contains(&b'+')),
        _ => (mode.contains(&b'+'), true),
    };
    if reads {
        permits.read(path)?;
    }
    if writes { permits.write(path) } else { Ok(()) }
}

fn read(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    arguments.path(0).map_or(Ok(()), |path| permits.read(path))
}

fn write(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    arguments.path(0).map_or(Ok(()), |path| permits.write(path))
}

fn remove(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    arguments.path(0).map_or(Ok(()), |path| permits.write_entry(path))
}

/// What moves can be read where it was, and will be where it goes.
fn rename(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    for path in [arguments.path(0), arguments.path(1)].into_iter().flatten() {
        permits.write_entry(path)?;
        permits.read_entry(path)?;
    }
    Ok(())
}

fn variable(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    match arguments.0[0] {
        Some(name) if name != TRACE => permits.variable(&String::from_utf8_lossy(name)),
        _ => Ok(()),
    }
}

fn library(permits: &Permits, arguments: Arguments<'_>) -> Result<(), Refusal> {
    arguments.path(0).map_or(Ok(()), |path| permits.load(Some(path)))
}

impl Gate {
    /// Makes the gate of a state, where what its guests may do is narrowed.
    pub(crate) fn of(environment: &Environment, root: &Path) -> Option<Self> {
        let permits = environment.permits(root)?.with_code(find::folders_of_user());
        Some(Self { permits: Arc::new(permits), originals: OnceCell::new() })
    }

    pub(crate) fn permits(&self) -> &Arc<Permits> {
        &self.permits
    }

    /// Puts functions that ask in the place of Lua's own; `closure` makes one.
    pub(crate) fn install(
        &self,
        lua: &Lua,
        closure: impl Fn(ffi::lua_CFunction) -> mlua::Result<mlua::Function>,
    ) -> mlua::Result<()> {
        let globals = lua.globals();
        let mut originals: [ffi::lua_CFunction; COUNT] = [missing; COUNT];
        for (at, guarded) in GUARDED.iter().enumerate() {
            let library = globals.raw_get::<Table>(guarded.library)?;
            let own = library.raw_get::<mlua::Function>(guarded.name)?;
            // SAFETY: `exec_raw` runs this in protected mode with the function on the stack; reading it allocates nothing.
            unsafe {
                lua.exec_raw::<()>(own, |state| {
                    if let Some(function) = ffi::lua_tocfunction(state, -1) {
                        originals[at] = function;
                    }
                    ffi::lua_settop(state, 0);
                })?;
            }
            library.raw_set(guarded.name, closure(guarded.stand_in)?)?;
        }
        let _ = self.originals.set(originals);
        Ok(())
    }

    /// Returns the beginning of a shell's command that takes away the variables that guests do not see.
    pub(crate) fn unset(&self) -> Option<String> {
        if self.permits.has_all(Access::Env) {
            return None;
        }
        let is_plain = |name: &str| {
            name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
                && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        let hidden = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let hidden: Vec<String> =
            hidden.filter(|name| is_plain(name) && !self.permits.sees_variable(name)).collect();
        (!hidden.is_empty()).then(|| format!("unset -v {}; ", hidden.join(" ")))
    }
}

/// Stands where Lua has no function of a name.
unsafe extern "C-unwind" fn missing(_state: *mut lua_State) -> c_int {
    0
}

/// Asks for what a function of Lua's needs, and calls it.
///
/// # Safety
/// To be called by Lua as a C closure whose first upvalue is the [`Host`] of its state, which has a gate.
unsafe extern "C-unwind" fn ask<const AT: usize>(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its arguments on the stack; what has a destructor is dropped, or kept from being dropped,
    // before anything may raise.
    unsafe {
        let texts = Arguments([text(state, 1), text(state, 2)]);
        let Some(gate) = Host::of(state).gate() else { return 0 };
        let guarded = &GUARDED[AT];
        let Err(refusal) = (guarded.asks)(&gate.permits, texts) else {
            let original =
                gate.originals.get().map_or(missing as ffi::lua_CFunction, |all| all[AT]);
            return original(state);
        };
        let message = {
            let path = texts.0[0].filter(|_| matches!(guarded.answer, Answer::Fails));
            let text = match path {
                // As Lua does, the path in front.
                Some(path) => format!("{}: {refusal}", String::from_utf8_lossy(path)),
                None => refusal.to_string(),
            };
            drop(refusal);
            ManuallyDrop::new(text)
        };
        answer(state, guarded.answer, message)
    }
}

/// Returns an argument that is a text, or a number, which Lua takes for its digits.
///
/// # Safety
/// Called by a function that Lua calls. The text stays until that returns.
unsafe fn text<'a>(state: *mut lua_State, at: c_int) -> Option<&'a [u8]> {
    // SAFETY: as the caller vouches; a number is made a text where it lies.
    unsafe {
        if !matches!(ffi::lua_type(state, at), ffi::LUA_TSTRING | ffi::LUA_TNUMBER) {
            return None;
        }
        let mut length = 0;
        let text = ffi::lua_tolstring(state, at, &raw mut length);
        Some(std::slice::from_raw_parts(text.cast::<u8>(), length))
    }
}

/// Gives a guest the answer of a function whose permits do not suffice.
///
/// # Safety
/// As for [`ask`].
unsafe fn answer(
    state: *mut lua_State,
    answer: Answer,
    mut message: ManuallyDrop<String>,
) -> c_int {
    const OPEN: &CStr = c"open";
    // SAFETY: the message is dropped before anything else may raise; where memory does not suffice for it, it is left behind.
    unsafe {
        if matches!(answer, Answer::Nothing) {
            ManuallyDrop::drop(&mut message);
            ffi::lua_pushnil(state);
            return 1;
        }
        ffi::lua_settop(state, 0);
        if matches!(answer, Answer::Raises) {
            // The place of the caller in front.
            ffi::luaL_where(state, 1);
        } else {
            ffi::lua_pushnil(state);
        }
        ffi::lua_pushlstring(state, message.as_ptr().cast::<c_char>(), message.len());
        ManuallyDrop::drop(&mut message);
        match answer {
            Answer::Raises => {
                ffi::lua_concat(state, 2);
                ffi::lua_error(state)
            }
            Answer::Fails | Answer::Refuses => {
                ffi::lua_pushinteger(state, DENIED);
                3
            }
            Answer::Unloaded => {
                ffi::lua_pushstring(state, OPEN.as_ptr());
                3
            }
            Answer::Lacks | Answer::Nothing => 2,
        }
    }
}

/// Returns the folders that templates such as `/usr/share/lua/?.lua` lead to.
pub(crate) fn folders(templates: &str) -> Vec<PathBuf> {
    let folder = |template: &str| template.split('?').next().unwrap_or_default().to_owned();
    templates
        .split(';')
        .map(folder)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_lead_to_folders() {
        assert_eq!(folders("/a/?.lua;/b/?/init.lua;;?.lua"), [PathBuf::from("/a/"), "/b/".into()]);
    }
}
