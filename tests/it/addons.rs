//! Native addons that cannot be loaded are reported, and end nothing.

use crate::support::{Finished, Folder, run, trine};
use serde_json::{Value, json};
use std::process::Command;

/// An addon that calls a function of V8's C++ interface when it is initialised.
const FOR_V8: &str = r#"
extern void *_ZN2v87Isolate10GetCurrentEv(void);
void *napi_register_module_v1(void *env, void *exports) {
  _ZN2v87Isolate10GetCurrentEv();
  return exports;
}
"#;

/// An addon that needs just Node-API.
const FOR_NODE_API: &str = r#"
extern int napi_create_int32(void *, int, void **);
extern int napi_set_named_property(void *, void *, const char *, void *);
void *napi_register_module_v1(void *env, void *exports) {
  void *value;
  napi_create_int32(env, 42, &value);
  napi_set_named_property(env, exports, "answer", value);
  return exports;
}
"#;

/// An addon that registers itself as addons did before there was Node-API.
const OLD: &str = r#"
extern void node_module_register(void *);
__attribute__((constructor)) static void start(void) { node_module_register(0); }
"#;

const HANDLER: &str = r#"
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
export const handler = (path) => {
  try {
    return require(path);
  } catch (error) {
    return { code: error.code, message: error.message };
  }
};
"#;

fn compile(folder: &Folder, path: &str, source: &str) {
    folder.write(path, "");
    folder.write("addon.c", source);
    let flags = ["-shared", "-fPIC", "-o"];
    let mut compiler = Command::new("cc");
    compiler.args(flags).arg(folder.file(path)).arg(folder.file("addon.c"));
    assert!(compiler.status().expect("a C compiler is installed").success());
}

fn load(folder: &Folder, handler: &str, path: &str) -> Finished {
    let event = Value::from(path).to_string();
    run(trine(folder, &["invoke", handler, "--event", &event]))
}

#[test]
fn an_addon_for_v8s_own_interface_is_an_error_that_says_what_to_use() {
    let (_, commonjs) = HANDLER.split_once("(import.meta.url);").unwrap();
    let commonjs = commonjs.replace("export const handler =", "exports.handler =");
    let folder = Folder::new(&[("app.mjs", HANDLER), ("app.cjs", &commonjs)]);
    let known = "node_modules/better-sqlite3/build/Release/better_sqlite3.node";
    let other = "node_modules/@some/other/other.node";
    for (path, source, advice) in [
        (known, FOR_V8, "use node:sqlite instead"),
        (known, OLD, "use node:sqlite instead"),
        (other, FOR_V8, "Node-API"),
    ] {
        compile(&folder, path, source);
        for handler in ["app.mjs", "app.cjs"] {
            let finished = load(&folder, handler, &format!("./{path}"));
            assert_eq!(finished.code, Some(0), "{finished:?}");
            let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
            assert_eq!(answer["code"], "ERR_DLOPEN_FAILED", "{answer}");
            let message = answer["message"].as_str().unwrap();
            let name = if path == known { "better-sqlite3 (" } else { "@some/other (" };
            assert!(message.starts_with(name) && message.contains(advice), "{message}");
        }
    }
}

#[test]
fn an_addon_for_node_api_is_loaded() {
    let folder = Folder::new(&[("app.mjs", HANDLER)]);
    compile(&folder, "addon.node", FOR_NODE_API);
    let finished = load(&folder, "app.mjs", "./addon.node");
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(answer, json!({"answer": 42}), "{finished:?}");
}

#[test]
fn what_is_no_addon_is_an_error_with_a_code() {
    let folder = Folder::new(&[("app.mjs", HANDLER), ("no.node", "no")]);
    let finished = load(&folder, "app.mjs", "./no.node");
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(answer["code"], "ERR_DLOPEN_FAILED", "{finished:?}");
}
