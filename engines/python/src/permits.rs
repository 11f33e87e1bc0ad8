//! What guests may do, where that is narrowed: a hook to which CPython tells what is about to happen (`sys.audit`), and
//! which a guest cannot take away. It is there once any root is narrowed, and costs nothing before.
//!
//! Whose code runs, the scope says that is in the thread's context. Code without one is that of the root whose functions
//! the thread is in, else nobody's: then it may do what everybody may.

mod addresses;
mod events;
mod opening;
mod programs;

use crate::{interpreter, user_environment};
use pyo3::{
    exceptions::{PyImportError, PyPermissionError},
    ffi,
    prelude::*,
};
use std::{
    cell::RefCell,
    env,
    ffi::{CStr, c_char, c_int, c_void},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use trine_engine::{Access, Environment, Permits, Refusal};
use trine_process::trace;

pub(crate) use programs::guard as guard_programs;

/// The number of the error that the system gives who lacks a permission.
const DENIED: i32 = libc::EACCES;

/// Files beside its library that Python reads: time zones, types of files.
const DATA: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/mime.types"];

type Hook = unsafe extern "C" fn(*const c_char, *mut ffi::PyObject, *mut c_void) -> c_int;

unsafe extern "C" {
    /// Part of CPython's stable interface, which the bindings lack.
    fn PySys_AddAuditHook(hook: Hook, data: *mut c_void) -> c_int;
}

/// A scope's permits; `None` where it may do everything.
type Own = Option<Arc<Permits>>;

/// The scopes by the addresses of their objects, which live as long as they are here.
static SCOPES: Mutex<Vec<(usize, Own)>> = Mutex::new(Vec::new());

thread_local! {
    /// The permits of the roots whose functions this thread is in, the innermost last.
    static INSIDE: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

/// Those whose permits count for what happens.
enum Whose {
    One(Own),
    /// Nobody knows: all that are narrowed.
    Everybodys(Vec<Arc<Permits>>),
}

/// Returns the permits of a root's functions; `None` where they may do everything.
pub(crate) fn of_root(py: Python<'_>, environment: &Environment, root: &Path) -> PyResult<Own> {
    let Some(permits) = environment.permits(root) else { return Ok(None) };
    let own = user_environment::packages(root);
    let code = library(py)?.iter().cloned().chain(own);
    Ok(Some(Arc::new(permits.with_code(code))))
}

/// Whether a variable of the environment is there for functions with these permits.
pub(crate) fn sees_variable(permits: &Permits, name: &str) -> bool {
    name == trace::NAME || permits.sees_variable(name)
}

/// Notes the permits of a scope; the first one that is narrowed makes the process have the hook.
pub(crate) fn note(py: Python<'_>, scope: &Bound<'_, PyAny>, permits: Own) -> PyResult<()> {
    let is_narrowed = permits.is_some();
    scopes().push((address(scope), permits));
    if is_narrowed { install(py) } else { Ok(()) }
}

/// Forgets a scope that ends.
pub(crate) fn forget(scope: &Bound<'_, PyAny>) {
    scopes().retain(|(known, _)| *known != address(scope));
}

fn address(object: &Bound<'_, PyAny>) -> usize {
    object.as_ptr() as usize
}

fn scopes() -> MutexGuard<'static, Vec<(usize, Own)>> {
    SCOPES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stay of a thread in functions of a root.
pub(crate) struct Inside;

impl Inside {
    pub(crate) fn begin(permits: Own) -> Self {
        INSIDE.with_borrow_mut(|inside| inside.push(permits));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // While the thread ends, its locals may be gone.
        let _ = INSIDE.try_with(|inside| inside.borrow_mut().pop());
    }
}

/// Returns the folders of Python's library and of installed packages, as they were before any function was narrowed.
fn library(py: Python<'_>) -> PyResult<&'static [PathBuf]> {
    static LIBRARY: OnceLock<Vec<PathBuf>> = OnceLock::new();
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let sys = py.import("sys")?;
    let mut folders: Vec<PathBuf> = DATA.map(PathBuf::from).into();
    let version = interpreter::minor_version();
    let mut prefixes = Vec::new();
    for name in ["prefix", "exec_prefix", "base_prefix", "base_exec_prefix"] {
        prefixes.push(PathBuf::from(sys.getattr(name)?.extract::<String>()?));
    }
    prefixes.extend(env::var_os("VIRTUAL_ENV").map(PathBuf::from));
    prefixes.extend(env::var_os("HOME").map(|home| PathBuf::from(home).join(".local")));
    for prefix in prefixes {
        for below in ["lib", "lib64", "local/lib"] {
            folders.push(prefix.join(below).join(&version));
        }
        folders.push(prefix.join("lib/python3/dist-packages"));
    }
    for entry in sys.getattr("path")?.try_iter()? {
        let entry = PathBuf::from(entry?.extract::<String>().unwrap_or_default());
        if entry.is_absolute() && entry.parent().is_some() {
            folders.push(entry);
        }
    }
    Ok(LIBRARY.get_or_init(|| folders))
}

/// Adds the hook, once.
fn install(py: Python<'_>) -> PyResult<()> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let mut failed = Ok(());
    INSTALLED.get_or_init(|| {
        failed = addresses::follow(py)
            .and_then(|()| opening::follow(py))
            .and_then(|()| events::know_paths(py));
        // SAFETY: the interpreter runs and the thread is attached; the function is valid for good and takes no data.
        unsafe { PySys_AddAuditHook(hook, std::ptr::null_mut()) == 0 }
    });
    failed
}

/// Called by CPython for whatever it tells hooks. Anything but 0 is an exception.
unsafe extern "C" fn hook(
    event: *const c_char,
    arguments: *mut ffi::PyObject,
    _data: *mut c_void,
) -> c_int {
    // SAFETY: the name of an event is terminated, and lives during the call.
    let event = unsafe { CStr::from_ptr(event) };
    let Ok(event) = event.to_str() else { return 0 };
    if !events::matters(event) {
        return 0;
    }
    // SAFETY: CPython calls hooks with the thread attached.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the arguments are a tuple that the caller keeps alive during the call.
    let arguments = unsafe { Bound::from_borrowed_ptr(py, arguments) };
    match events::ask(event, &arguments) {
        Ok(()) => 0,
        Err(raised) => {
            raised.restore(py);
            -1
        }
    }
}

/// Returns whose permits count now.
fn whose(py: Python<'_>) -> PyResult<Whose> {
    let variable = interpreter::scope(py)?;
    let mut value = std::ptr::null_mut();
    // SAFETY: a context variable that is alive; the result is owned, or null where there is none.
    let found = unsafe {
        let status = ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value);
        if status != 0 {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr_or_opt(py, value)
    };
    let scopes = scopes();
    let of_scope = found.and_then(|scope| {
        let address = address(&scope);
        scopes.iter().find(|(known, _)| *known == address).map(|(_, own)| own.clone())
    });
    let inside = || INSIDE.try_with(|inside| inside.borrow().last().cloned()).ok().flatten();
    Ok(match of_scope.or_else(inside) {
        Some(own) => Whose::One(own),
        None => Whose::Everybodys(scopes.iter().filter_map(|(_, own)| own.clone()).collect()),
    })
}

/// Asks those whose permits count now.
fn demand(py: Python<'_>, asks: impl Fn(&Permits) -> Result<(), Refusal>) -> PyResult<()> {
    let asked = match whose(py)? {
        Whose::One(None) => Ok(()),
        Whose::One(Some(permits)) => asks(&permits),
        Whose::Everybodys(all) => all.iter().try_for_each(|permits| asks(permits)),
    };
    asked.map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &Refusal) -> PyErr {
    PyPermissionError::new_err((DENIED, refusal.to_string()))
}

/// Asks for a module that needs all of a kind of access. The error is one that packages expect which can do without it.
fn import(py: Python<'_>, module: &str, access: Access) -> PyResult<()> {
    let asked = demand(py, |permits| permits.all(access));
    asked.map_err(|refused| {
        let reason =
            refused.value(py).getattr("strerror").and_then(|text| text.extract::<String>());
        PyImportError::new_err(format!("{module}: {}", reason.unwrap_or_default()))
    })
}
