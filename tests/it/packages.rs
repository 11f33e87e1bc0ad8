//! Packages from PyPI, vendored as users do it, in the function's folder `package`: numpy, with compiled extensions,
//! and FastAPI behind Mangum.

use crate::support::{Connection, Folder, Lambda, Served, repository, run, trine};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

const SOURCE: &str = "\
import numpy as np

def handler(event, context):
    matrix = np.array([[4.0, 7.0], [2.0, 6.0]])
    return {
        'dot': float(np.dot([1.5, 2.0], [4.0, -1.0])),
        'inverse': np.linalg.inv(matrix).round(12).tolist(),
        'mean': float(np.arange(1_000_000, dtype=np.float64).mean()),
        'from': np.__file__,
    }
";

/// Makes a function that computes with numpy.
fn folder() -> Folder {
    with_packages("python-packages", SOURCE)
}

/// Makes a function with the packages that a folder next to this file has vendored.
fn with_packages(name: &str, source: &str) -> Folder {
    let vendored = repository().join("tests/it").join(name).join("package");
    assert!(
        vendored.join(".vendored").is_file(),
        "{} is not there: run `make setup`",
        vendored.display()
    );
    let folder = Folder::new(&[("app.py", source)]);
    symlink(vendored, folder.task().join("package")).unwrap();
    folder
}

#[track_caller]
fn check(answer: &Value) {
    assert_eq!(answer["dot"], json!(4.0), "{answer}");
    assert_eq!(answer["inverse"], json!([[0.6, -0.7], [-0.2, 0.4]]), "{answer}");
    assert_eq!(answer["mean"], json!(499_999.5), "{answer}");
    assert!(answer["from"].as_str().unwrap().contains("/package/numpy/"), "{answer}");
}

#[test]
fn numpy_computes_in_a_lambda_function() {
    let folder = folder();
    let lambda = Lambda::start(&folder, "app.handler");
    for _ in 0..3 {
        check(&lambda.invoke(json!({})));
    }
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

#[test]
fn numpy_computes_on_every_thread_of_a_server() {
    let folder = folder();
    let served = Served::start(&folder, &["app.py", "--workers", "2", "--eager"]);
    for _ in 0..10 {
        check(&served.get("/").json());
    }
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
}

/// An application that uses the event loop during import, and a dependency that keeps a value while others run.
const APPLICATION: &str = "\
import anyio, asyncio
from fastapi import Depends, FastAPI
from mangum import Mangum

app = FastAPI()
gate, lock = asyncio.Semaphore(2), anyio.Lock()
started = []

@app.on_event('startup')
async def start():
    started.append(asyncio.get_running_loop())

async def doubled(n: int):
    async with gate:
        await asyncio.sleep(0.001)
    yield 2 * n

@app.get('/{path:path}')
async def twice(n: int, value: int = Depends(doubled)):
    async with lock:
        await anyio.sleep(0.001)
    slow = await anyio.to_thread.run_sync(lambda: value)
    here = asyncio.get_running_loop()
    return [n, slow, bool(started) and all(loop is here for loop in started)]

handler = Mangum(app, lifespan='LIFESPAN')
";

#[test]
fn fastapi_behind_mangum_answers_on_every_connection() {
    for (lifespan, others) in [("auto", false), ("auto", true), ("off", true)] {
        let source = APPLICATION.replace("LIFESPAN", lifespan);
        let folder = with_packages("frameworks", &source);
        if others {
            folder.write("other.mjs", "export const handler = () => 'other';");
        }
        let argument = if others { "." } else { "app.py" };
        let served = Served::start(&folder, &[argument, "--workers", "2"]);
        let mut connections: Vec<_> = (0..12).map(|_| Connection::open(served.address)).collect();
        for turn in 0..2 {
            for (number, connection) in connections.iter_mut().enumerate() {
                connection.send("GET", &format!("/app?n={number}"), &[], b"");
            }
            for (number, connection) in connections.iter_mut().enumerate() {
                let reply = connection.receive("GET");
                assert_eq!(reply.status, 200, "{turn} {number}: {reply:?}\n{:?}", served.process);
                assert_eq!(reply.json(), json!([number, 2 * number, lifespan == "auto"]));
            }
        }
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0));
    }
}

/// A function that computes on joblib's processes and threads, which know its module and find its packages.
const PARALLEL: &str = "\
import os, threading
from joblib import Parallel, delayed

def square(n):
    return [n * n, os.getpid(), threading.get_ident()]

def handler(event, context):
    own, answers = os.getpid(), {}
    for backend in ['loky', 'multiprocessing', 'threading']:
        told = Parallel(n_jobs=2, backend=backend)(delayed(square)(n) for n in range(6))
        in_children = own not in {process for _, process, _ in told}
        answers[backend] = [[n for n, _, _ in told], in_children]
    return answers
";

#[track_caller]
fn check_parallel(answer: &Value) {
    let squares = json!([0, 1, 4, 9, 16, 25]);
    for (backend, in_children) in [("loky", true), ("multiprocessing", true), ("threading", false)]
    {
        assert_eq!(answer[backend], json!([squares, in_children]), "{answer}");
    }
}

#[test]
fn joblib_computes_in_processes_that_find_what_its_function_finds() {
    let folder = with_packages("python-packages", PARALLEL);
    // In a package the module has another name; its packages are next to it.
    folder.write("pkg/__init__.py", "");
    folder.write("pkg/part.py", PARALLEL);
    symlink(folder.task().join("package"), folder.task().join("pkg/package")).unwrap();
    let elsewhere = Folder::new(&[]);
    for (file, beside) in
        [("app.py", true), ("app.handler", true), ("app.py", false), ("pkg/part.py", false)]
    {
        let (start, file) = match beside {
            true => (&folder, file.to_owned()),
            false => (&elsewhere, folder.file(file)),
        };
        let finished = run(trine(start, &["invoke", "--json", &file]));
        assert_eq!(finished.code, Some(0), "{file} {finished:?}");
        check_parallel(&serde_json::from_str(&finished.stdout).unwrap());
    }
}

#[test]
fn joblib_computes_in_a_server_and_on_lambda() {
    let folder = with_packages("python-packages", PARALLEL);
    let lambda = Lambda::start(&folder, "app.handler");
    for _ in 0..2 {
        check_parallel(&lambda.invoke(json!({})));
    }
    // Next to another function, and alone.
    folder.write("other.py", "def handler(event, context):\n    return 'other'\n");
    folder.write("sub/app.py", "def handler(event, context):\n    return 'sub'\n");
    for (argument, path) in [(".", "/app"), ("app.py", "/")] {
        let served = Served::start(&folder, &[argument, "--workers", "1"]);
        for _ in 0..2 {
            let reply = served.get(path);
            assert_eq!(reply.status, 200, "{reply:?}\n{:?}", served.process);
            check_parallel(&reply.json());
        }
        if argument == "." {
            assert_eq!(served.get("/sub").text(), "sub");
        }
    }
}

/// A function whose event loops are uvloop's.
const UVLOOP: &str = "\
import asyncio, uvloop
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
async def main():
    child = await asyncio.create_subprocess_exec('/bin/echo', 'child', stdout=asyncio.subprocess.PIPE)
    return [type(asyncio.get_running_loop()).__module__, (await child.communicate())[0].decode()]
";

/// A function that does not know about uvloop.
const PLAIN: &str = "\
import asyncio
at_import = asyncio.get_event_loop()
async def main():
    child = await asyncio.create_subprocess_exec('/bin/echo', 'child', stdout=asyncio.subprocess.PIPE)
    loop = asyncio.get_running_loop()
    return [loop is at_import, type(asyncio.get_event_loop_policy()).__module__, (await child.communicate())[0].decode()]
";

#[test]
fn uvloop_is_the_affair_of_the_function_that_installs_it() {
    let waits = "async def handler(event, context):\n    return await main()\n";
    let runs = "def handler(event, context):\n    return asyncio.run(main())\n";
    let folder = with_packages("python-packages", "");
    for (name, source) in [
        ("installs/app.py", format!("{UVLOOP}{runs}")),
        (
            "waits/app.py",
            format!("{UVLOOP}{waits}").replace(
                "asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())",
                "uvloop.install()",
            ),
        ),
        ("plain/app.py", format!("{PLAIN}{waits}")),
        ("runs/app.py", format!("{PLAIN}{runs}")),
    ] {
        folder.write(name, source);
        let package = folder.task().join(name).with_file_name("package");
        symlink(folder.task().join("package"), package).unwrap();
    }
    std::fs::remove_file(folder.task().join("app.py")).unwrap();
    let served = Served::start(&folder, &[".", "--workers", "2"]);
    for _ in 0..2 {
        for (path, told) in [
            ("/installs", json!(["uvloop", "child\n"])),
            ("/waits", json!(["trine.loop", "child\n"])),
            ("/plain", json!([true, "asyncio.unix_events", "child\n"])),
            ("/runs", json!([false, "asyncio.unix_events", "child\n"])),
        ] {
            let reply = served.get(path);
            assert_eq!(reply.status, 200, "{path} {reply:?}\n{:?}", served.process);
            assert_eq!(reply.json(), told, "{path}");
        }
    }
}

#[test]
fn processes_that_multiprocessing_spawns_find_packages_without_an_init_file_too() {
    let source = "\
from . import work
import multiprocessing
def handler(event, context):
    with multiprocessing.get_context('spawn').Pool(2) as pool:
        return pool.map(work.square, range(4))
";
    let folder = Folder::new(&[
        ("squares/app.py", source),
        ("squares/work.py", "def square(x): return x * x\n"),
    ]);
    let finished = run(trine(&folder, &["invoke", "squares/app.py", "--json", "--timeout", "50s"]));
    assert_eq!(
        (finished.code, finished.stdout.trim()),
        (Some(0), "[0, 1, 4, 9]"),
        "{}",
        finished.stderr
    );
}
