//! What CPython tells hooks, and what each of it needs.

use super::{addresses, demand, opening};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyByteArray, PyBytes, PyInt, PyString, PyTuple},
};
use std::{
    ffi::OsStr,
    fs,
    net::{IpAddr, ToSocketAddrs},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use trine_engine::{Access, Permits, Refusal};

/// The modules of Python's library that reach the memory of the process, or files of which CPython tells nobody, and the
/// access that they need all of.
const FAR_REACHING: [(&str, Access); 4] = [
    ("_ctypes", Access::Ffi),
    ("_dbm", Access::Write),
    ("_gdbm", Access::Write),
    ("readline", Access::Write),
];

/// SQLite's number of the limit of databases that are attached.
const ATTACHED: i32 = 7;

/// The kinds of sockets that this knows addresses of: `AF_UNIX`, `AF_INET`, `AF_INET6`; a descriptor's own.
const FAMILIES: [i64; 4] = [-1, 1, 2, 10];

/// The addresses of the classes of paths that Python's library has.
static PATHS: OnceLock<Vec<usize>> = OnceLock::new();

/// Notes these classes, before there is a hook. They live as long as the interpreter.
pub(super) fn know_paths(py: Python<'_>) -> PyResult<()> {
    let mut paths = Vec::new();
    for (module, name) in
        [("pathlib", "PosixPath"), ("pathlib", "PurePosixPath"), ("os", "DirEntry")]
    {
        paths.push(py.import(module)?.getattr(name)?.into_ptr() as usize);
    }
    let _ = PATHS.set(paths);
    Ok(())
}

/// Whether an event is one of those that need anything.
pub(super) fn matters(event: &str) -> bool {
    let (family, name) = event.split_once('.').unwrap_or((event, ""));
    match family {
        "open" | "import" | "socket" | "ctypes" | "sqlite3" => true,
        "subprocess" | "pty" => true,
        "signal" => name == "pthread_kill",
        "sys" => name == "remote_exec",
        "os" => true,
        _ => false,
    }
}

/// Asks for what an event needs.
pub(super) fn ask(event: &str, arguments: &Bound<'_, PyAny>) -> PyResult<()> {
    let arguments = Arguments(arguments.cast::<PyTuple>().map_err(PyErr::from)?);
    let py = arguments.0.py();
    let all = |access| demand(py, move |permits| permits.all(access));
    match event {
        "open" => open(&arguments),
        "import" => import(&arguments),
        "os.listdir" | "os.scandir" | "os.chdir" | "os.listxattr" | "os.getxattr" => {
            arguments.path(0, None)?.ask(py, Permits::read)
        }
        "os.mkdir" | "os.remove" | "os.rmdir" => {
            let folder = arguments.number(if event == "os.mkdir" { 2 } else { 1 });
            arguments.path(0, folder)?.ask(py, Permits::write_entry)
        }
        "os.truncate" | "os.setxattr" | "os.removexattr" | "os.chflags" => {
            arguments.path(0, None)?.ask(py, Permits::write)
        }
        "os.chmod" | "os.lchmod" => arguments.path(0, arguments.number(2))?.ask(py, Permits::write),
        "os.chown" | "os.lchown" | "os.utime" => {
            arguments.path(0, arguments.number(3))?.ask(py, Permits::write)
        }
        "os.rename" => {
            for (at, folder) in [(0, 2), (1, 3)] {
                let path = arguments.path(at, arguments.number(folder))?;
                path.ask(py, Permits::write_entry)?;
                path.ask(py, Permits::read_entry)?;
            }
            Ok(())
        }
        "os.link" => {
            let from = arguments.path(0, arguments.number(2))?;
            from.ask(py, Permits::read)?;
            from.ask(py, Permits::write)?;
            arguments.path(1, arguments.number(3))?.ask(py, Permits::write_entry)
        }
        // What a link leads to is looked at when it is followed, but not by everybody.
        "os.symlink" => all(Access::Read).and_then(|()| all(Access::Write)),
        "os.putenv" | "os.unsetenv" => {
            let name = arguments.bytes(0).unwrap_or_default();
            let name = String::from_utf8_lossy(&name).into_owned();
            demand(py, |permits| match super::sees_variable(permits, &name) {
                true => Ok(()),
                false => permits.variable(&name),
            })
        }
        "os.system" => demand(py, |permits| permits.run(b"/bin/sh", None)),
        "os.exec" | "os.posix_spawn" => run(&arguments, 2),
        "subprocess.Popen" => run(&arguments, 3),
        "os.fork" | "os.forkpty" | "pty.spawn" | "sys.remote_exec" => all(Access::Run),
        "os.kill" | "os.killpg" | "signal.pthread_kill" => kill(event, &arguments),
        "socket.__new__" => socket(&arguments),
        "socket.connect" | "socket.bind" | "socket.sendto" | "socket.sendmsg" => {
            address(&arguments, 1)
        }
        "socket.getnameinfo" => address(&arguments, 0),
        "socket.getaddrinfo" => host(&arguments, 0, arguments.port(1)),
        "socket.gethostbyname" | "socket.gethostbyaddr" => host(&arguments, 0, None),
        "sqlite3.connect" => database(&arguments),
        "sqlite3.connect/handle" => attach_nothing(&arguments),
        "sqlite3.enable_load_extension" => match arguments.number(1) {
            Some(0) => Ok(()),
            _ => all(Access::Ffi),
        },
        "sqlite3.load_extension" => {
            arguments.path(1, None)?.ask(py, |permits, path| permits.load(Some(path)))
        }
        "ctypes.dlopen"
        | "ctypes.dlsym"
        | "ctypes.dlsym/handle"
        | "ctypes.call_function"
        | "ctypes.cdata"
        | "ctypes.string_at"
        | "ctypes.wstring_at"
        | "ctypes.PyObj_FromPtr" => all(Access::Ffi),
        _ => Ok(()),
    }
}

/// The arguments of an event.
struct Arguments<'a, 'py>(&'a Bound<'py, PyTuple>);

/// A file that an event is about.
enum Target {
    Path(PathBuf),
    /// One that is open, by its descriptor: whoever has opened it has asked.
    Open,
}

impl Target {
    fn ask(
        &self,
        py: Python<'_>,
        asks: impl Fn(&Permits, &Path) -> Result<(), Refusal>,
    ) -> PyResult<()> {
        match self {
            Self::Path(path) => demand(py, |permits| asks(permits, path)),
            Self::Open => Ok(()),
        }
    }
}

impl<'py> Arguments<'_, 'py> {
    fn get(&self, at: usize) -> Option<Bound<'py, PyAny>> {
        self.0.get_item(at).ok().filter(|argument| !argument.is_none())
    }

    fn number(&self, at: usize) -> Option<i64> {
        self.get(at)?.extract().ok()
    }

    fn port(&self, at: usize) -> Option<u16> {
        let port = self.get(at)?;
        port.extract().ok().or_else(|| addresses::text(&port)?.parse().ok())
    }

    /// Returns a text or bytes, as the system gets them.
    fn bytes(&self, at: usize) -> Option<Vec<u8>> {
        bytes(&self.get(at)?)
    }

    /// Returns the path that an argument names, as seen from a folder that is open, if that has a number.
    fn path(&self, at: usize, folder: Option<i64>) -> PyResult<Target> {
        let Some(given) = self.get(at) else { return Ok(Target::Path(PathBuf::from("."))) };
        if given.is_instance_of::<PyInt>() {
            return Ok(Target::Open);
        }
        let path = match bytes(&given) {
            Some(path) => path,
            None => bytes_of_path(&given)?,
        };
        let path = PathBuf::from(OsStr::from_bytes(&path));
        Ok(Target::Path(match folder.filter(|folder| *folder >= 0) {
            Some(folder) if path.is_relative() => {
                let folder = fs::read_link(format!("/proc/self/fd/{folder}"))?;
                folder.join(path)
            }
            _ => path,
        }))
    }
}

fn bytes(given: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Some(bytes.as_bytes().to_vec());
    }
    if let Ok(bytes) = given.cast::<PyByteArray>() {
        return Some(bytes.to_vec());
    }
    let text = given.cast::<PyString>().ok()?;
    match text.to_str() {
        Ok(text) => Some(text.as_bytes().to_vec()),
        // Bytes that are no UTF-8 stand for themselves.
        Err(_) => {
            let encoded = text.call_method1("encode", ("utf-8", "surrogateescape")).ok()?;
            Some(encoded.cast::<PyBytes>().ok()?.as_bytes().to_vec())
        }
    }
}

/// Returns the path of an object that stands for one. What has a class of a guest's could name another one each time it is
/// asked.
fn bytes_of_path(given: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let class = given.get_type();
    let path = match PATHS.get().is_some_and(|paths| paths.contains(&(class.as_ptr() as usize))) {
        true => bytes(&given.call_method0("__fspath__")?),
        false => None,
    };
    path.ok_or_else(|| {
        let name = class.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "a path has to be a text, bytes or a path of pathlib where permissions are narrowed, not {name}: use os.fspath()"
        ))
    })
}

fn open(arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let py = arguments.0.py();
    let flags = arguments.number(2).unwrap_or(0);
    let is_plain = arguments.get(1).is_none();
    let folder = if is_plain { opening::take_folder() } else { Some(-1) };
    let path = match (arguments.path(0, folder.map(i64::from))?, folder) {
        // The folder is not known.
        (Target::Path(path), None) if path.is_relative() => {
            return demand(py, |permits| permits.all(Access::Read));
        }
        (path, _) => path,
    };
    let access = flags & i64::from(libc::O_ACCMODE);
    let changes = libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    if access != i64::from(libc::O_WRONLY) {
        path.ask(py, Permits::read)?;
    }
    if access != i64::from(libc::O_RDONLY) || flags & i64::from(changes) != 0 {
        path.ask(py, Permits::write)?;
    }
    Ok(())
}

/// Extension modules are code that lies where code lies, or native code that has to be allowed.
fn import(arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let py = arguments.0.py();
    let module = arguments.get(0).and_then(|name| addresses::text(&name)).unwrap_or_default();
    let file = arguments.bytes(1).map(|path| PathBuf::from(OsStr::from_bytes(&path)));
    let stem = |file: &PathBuf| {
        let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let stem = file.as_ref().map(stem).unwrap_or_default();
    let far = FAR_REACHING.iter().find(|(name, _)| *name == module || *name == stem);
    if let Some((name, access)) = far {
        return super::import(py, name, *access);
    }
    let Some(file) = file else { return Ok(()) };
    demand(py, |permits| match permits.is_code(&file) {
        true => Ok(()),
        false => permits.load(Some(&file)),
    })
}

/// A program, and the environment that it gets, which has the list of folders in which it is looked for.
fn run(arguments: &Arguments<'_, '_>, environment: usize) -> PyResult<()> {
    let py = arguments.0.py();
    let Some(given) = arguments.get(0) else { return Ok(()) };
    let program = match bytes(&given) {
        Some(program) => program,
        // A descriptor, which may be of anything.
        None if given.is_instance_of::<PyInt>() => {
            return demand(py, |permits| permits.all(Access::Run));
        }
        None => bytes_of_path(&given)?,
    };
    let environment = arguments.get(environment);
    let variable = |name: &str| {
        let environment = environment.as_ref()?;
        let found = environment.get_item(name).or_else(|_| environment.get_item(name.as_bytes()));
        bytes(&found.ok()?)
    };
    let folders = variable("PATH").or_else(|| {
        let seen = py.import("os").and_then(|os| os.getattr("environ")).ok()?;
        bytes(&seen.get_item("PATH").ok()?)
    });
    let loads = ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"].into_iter().any(|name| {
        variable(name)
            .is_some_and(|given| std::env::var_os(name).is_none_or(|own| own.as_bytes() != given))
    });
    demand(py, |permits| {
        if loads {
            permits.all(Access::Run)?;
        }
        permits.run(&program, folders.as_deref())
    })
}

/// Signals to children are part of running programs; those to the process itself and to others are not.
fn kill(event: &str, arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let target = arguments.number(0).unwrap_or(0);
    let is_foreign = event == "os.kill" && target > 1 && target != i64::from(std::process::id());
    demand(arguments.0.py(), |permits| match is_foreign && permits.runs_any() {
        true => Ok(()),
        false => permits.all(Access::Run),
    })
}

fn socket(arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let family = arguments.number(1).unwrap_or(-1);
    let kind = arguments.number(2).unwrap_or(0) & 0xf;
    let is_raw = kind == i64::from(libc::SOCK_RAW);
    if FAMILIES.contains(&family) && !is_raw {
        return Ok(());
    }
    demand(arguments.0.py(), |permits| permits.all(Access::Net))
}

/// Asks for the address of a socket.
fn address(arguments: &Arguments<'_, '_>, at: usize) -> PyResult<()> {
    let py = arguments.0.py();
    let Some(given) = arguments.get(at) else { return Ok(()) };
    if let Some(path) = bytes(&given) {
        let is_file = path.first().is_some_and(|first| *first != 0);
        let path = PathBuf::from(OsStr::from_bytes(&path));
        return demand(py, |permits| permits.socket(is_file.then_some(path.as_path())));
    }
    match given.cast::<PyTuple>() {
        Ok(pair) => {
            let pair = Arguments(pair);
            host(&pair, 0, pair.port(1))
        }
        Err(_) => demand(py, |permits| permits.all(Access::Net)),
    }
}

/// Asks for a host by its name or address.
fn host(arguments: &Arguments<'_, '_>, at: usize, port: Option<u16>) -> PyResult<()> {
    let py = arguments.0.py();
    let Some(given) = arguments.get(at) else { return Ok(()) };
    let name = match addresses::text(&given).as_deref() {
        Some("") => "0.0.0.0".to_owned(),
        Some("<broadcast>") => "255.255.255.255".to_owned(),
        Some(name) => name.to_owned(),
        None => return demand(py, |permits| permits.all(Access::Net)),
    };
    let literal = name.split('%').next().unwrap_or_default();
    if let Ok(address) = literal.parse::<IpAddr>() {
        let names = addresses::names_of(address);
        return demand(py, |permits| permits.address(address, port, &names));
    }
    demand(py, |permits| {
        permits.host(&name, port)?;
        if !permits.denies_addresses() {
            return Ok(());
        }
        // What cannot be found, nobody connects to.
        let found = (name.as_str(), port.unwrap_or(0)).to_socket_addrs();
        found.into_iter().flatten().try_for_each(|found| permits.not_denied(found.ip(), port))
    })
}

/// Keeps a connection from attaching databases, unless all files may be written: SQL names them.
fn attach_nothing(arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let Some(connection) = arguments.get(0) else { return Ok(()) };
    if demand(arguments.0.py(), |permits| permits.all(Access::Write)).is_ok() {
        return Ok(());
    }
    connection.call_method1("setlimit", (ATTACHED, 0)).map(drop)
}

/// SQLite opens its files itself.
fn database(arguments: &Arguments<'_, '_>) -> PyResult<()> {
    let py = arguments.0.py();
    let path = match arguments.path(0, None)? {
        Target::Path(path) => path,
        Target::Open => return Ok(()),
    };
    let text = path.as_os_str().as_bytes();
    if text.is_empty() || text == b":memory:" {
        return Ok(());
    }
    let path = match text.strip_prefix(b"file:") {
        // A URI, whose parameters can name another place of files.
        Some(_) => {
            return demand(py, |permits| {
                permits.all(Access::Read)?;
                permits.all(Access::Write)
            });
        }
        None => path,
    };
    demand(py, |permits| {
        permits.read(&path)?;
        permits.write(&path)
    })
}
