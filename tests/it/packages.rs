//! Packages from PyPI, vendored as users do it, in the function's `package`: numpy, with compiled extensions, and FastAPI
//! behind Mangum.

use crate::support::{Connection, Folder, Lambda, Served, repository};
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

/// A function that computes with numpy.
fn folder() -> Folder {
    with_packages("python-packages", SOURCE)
}

/// A function with the packages that a folder beside this file has vendored.
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

/// An application with what belongs to the event loop at its import, and a dependency that keeps a value while others run.
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
