//! Packages with compiled extensions, vendored as users do it: numpy in the function's `package`.

use crate::support::{Folder, Lambda, Served, repository};
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
    let vendored = repository().join("tests/it/python-packages/package");
    assert!(
        vendored.join(".vendored").is_file(),
        "{} is not there: run `make setup`",
        vendored.display()
    );
    let folder = Folder::new(&[("app.py", SOURCE)]);
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
