//! Native code that functions bring along: Python's extension modules, Node's addons, and whose symbols they find.

use crate::support::{Folder, Served, binary, repository, run, trine};
use serde_json::json;
use std::{os::unix::fs::symlink, process::Command};

/// Whether the binary may export a symbol. Any other would replace a library's own: libuv's
/// functions did so to uvloop's, with a crash.
fn is_for_everybody(symbol: &str) -> bool {
    symbol.starts_with("napi_")
        || symbol.starts_with("node_api_")
        // A libpython that is part of the binary and that extension modules use.
        || symbol.starts_with("Py")
        || symbol.starts_with("_Py")
        // Symbols that every linker defines.
        || ["_init", "_fini", "_IO_stdin_used", "__bss_start", "_edata", "_end"].contains(&symbol)
}

#[test]
fn the_binary_exports_node_api_and_nothing_that_a_library_might_bring_itself() {
    let listing = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(binary())
        .output()
        .unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let symbols: Vec<&str> =
        listing.lines().filter_map(|line| line.split([' ', '@']).next()).collect();
    assert!(symbols.contains(&"napi_create_function"), "{listing}");
    let others: Vec<_> = symbols.iter().filter(|symbol| !is_for_everybody(symbol)).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// An addon that calls functions of libuv, as those for sockets, serial ports and databases do.
const ADDON: &str = "\
typedef void *value;
int napi_create_double(value, double, value *);
int uv_mutex_init(void *);
void uv_mutex_lock(void *);
void uv_mutex_unlock(void *);
unsigned long uv_hrtime(void);
value napi_register_module_v1(value env, value exports) {
  static long mutex[32];
  value time;
  uv_mutex_init(mutex);
  uv_mutex_lock(mutex);
  uv_mutex_unlock(mutex);
  napi_create_double(env, (double)uv_hrtime(), &time);
  return time;
}
";

/// A library with a libuv of its own, a function of which it calls as its users would.
const OWN: &str = "\
unsigned long uv_hrtime(void) { return 7; }
unsigned long ask(void) { return uv_hrtime(); }
";

/// An addon that needs a symbol that nobody has.
const LOST: &str = "\
void uv_nobody_has_this(void);
void *napi_register_module_v1(void *env, void *exports) {
  if (exports == 0) uv_nobody_has_this();
  return exports;
}
";

/// Compiles C into a shared library in the task root.
fn library(folder: &Folder, name: &str, source: &str) {
    folder.write("library.c", source);
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-o", &folder.file(name), &folder.file("library.c")])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
}

#[test]
fn an_addon_finds_libuv_and_no_other_library_does() {
    let folder = Folder::new(&[
        ("addon.cjs", "exports.handler = async () => require('./addon.node') > 0;\n"),
        (
            "own.py",
            "import ctypes\n\
             def handler(event):\n\
             \x20   library = ctypes.CDLL(event['queryStringParameters']['path'])\n\
             \x20   return library.ask()\n",
        ),
    ]);
    library(&folder, "addon.node", ADDON);
    library(&folder, "first.so", OWN);
    library(&folder, "second.so", OWN);
    let served = Served::start(&folder, &["--workers", "1"]);
    let own = |name: &str| served.get(&format!("/own?path={}", folder.file(name))).json();
    assert_eq!(own("first.so"), json!(7), "{:?}", served.process);
    assert_eq!(served.get("/addon").json(), json!(true), "{:?}", served.process);
    // One that was there before the addon, and one that comes after it.
    assert_eq!(own("first.so"), json!(7));
    assert_eq!(own("second.so"), json!(7));
}

#[test]
fn an_addon_that_needs_what_nobody_has_is_an_error_and_not_the_end_of_the_process() {
    let source = "\
exports.handler = async () => {
  try { require('./lost.node'); } catch (error) { return error.message; }
};
";
    let folder = Folder::new(&[("app.cjs", source)]);
    library(&folder, "lost.node", LOST);
    let finished = run(trine(&folder, &["invoke", "app.handler"]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("undefined symbol: uv_nobody_has_this"), "{finished:?}");
}

/// Makes a folder with these packages next to the handler, as they are when unpacked into it.
fn beside_packages(source: &str, packages: &[&str]) -> Folder {
    let vendored = repository().join("tests/it/python-packages/package");
    let folder = Folder::new(&[("app.py", source)]);
    for package in packages {
        let from = vendored.join(package);
        assert!(from.exists(), "{} is not there: run `make setup`", from.display());
        symlink(from, folder.task().join(package)).unwrap();
    }
    folder
}

#[test]
fn uvloop_runs_with_the_libuv_that_it_brings() {
    let source = "\
import asyncio, uvloop

async def talk():
    async def shout(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()
    server = await asyncio.start_server(shout, '127.0.0.1', 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b'hello\\n')
    line = await reader.readline()
    writer.close()
    server.close()
    await asyncio.sleep(0.01)
    return [line.decode(), type(asyncio.get_running_loop()).__module__]

def handler(event):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(talk())
";
    let folder = beside_packages(source, &["uvloop"]);
    let finished = run(trine(&folder, &["invoke", "app.handler", "--json"]));
    assert_eq!(finished.stdout, "[\"HELLO\\n\", \"uvloop\"]\n", "{finished:?}");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn a_pool_of_processes_that_a_library_keeps_ends_with_the_command() {
    let source = "\
from joblib import Parallel, delayed

def handler(event):
    return Parallel(n_jobs=2)(delayed(pow)(n, 2) for n in range(4))
";
    let folder = beside_packages(source, &["joblib", "cloudpickle"]);
    let finished = run(trine(&folder, &["invoke", "app.handler", "--json"]));
    assert_eq!(finished.stdout, "[0, 1, 4, 9]\n", "{finished:?}");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}
