//! Snapshots beside isolates that have none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{env, fs, path::Path, process::Command};
use trine_v8::{FLAGS, SNAPSHOT_FLAGS, v8};

/// The variable that names the file into which a process of its own writes a snapshot: flags are a process's.
const MAKES: &str = "TRINE_V8_TEST_MAKES";

const SCRIPT: &str = "globalThis.greet = name => 'Hello, ' + name + '!'; class Shop { open() { return greet('you'); } }; greet('all')";

fn run(isolate: &mut v8::Isolate, script: &str) -> String {
    v8::scope!(let scope, isolate);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let source = v8::String::new(scope, script).unwrap();
    let value = v8::Script::compile(scope, source, None).and_then(|script| script.run(scope));
    value.unwrap().to_rust_string_lossy(scope)
}

fn make(file: &Path) {
    v8::V8::set_flags_from_string(FLAGS);
    v8::V8::set_flags_from_string(SNAPSHOT_FLAGS);
    trine_v8::start("");
    let mut isolate = v8::Isolate::snapshot_creator(None, None);
    {
        v8::scope!(let scope, &mut isolate);
        let context = v8::Context::new(scope, v8::ContextOptions::default());
        scope.set_default_context(context);
        let scope = &mut v8::ContextScope::new(scope, context);
        let source = v8::String::new(scope, SCRIPT).unwrap();
        v8::Script::compile(scope, source, None).unwrap().run(scope).unwrap();
    }
    let blob = isolate.create_blob(v8::FunctionCodeHandling::Keep).unwrap();
    fs::write(file, &*blob).unwrap();
}

#[test]
fn an_isolate_with_a_snapshot_starts_beside_one_without() {
    if let Some(file) = env::var_os(MAKES) {
        return make(Path::new(&file));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let made = Command::new(env::current_exe().unwrap()).env(MAKES, &file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let snapshot = fs::read(&file).unwrap();
    trine_v8::start("");
    let mut bare = v8::Isolate::new(v8::CreateParams::default());
    assert_eq!(run(&mut bare, "'a' + typeof greet"), "aundefined");
    let params = v8::CreateParams::default().snapshot_blob(v8::StartupData::from(snapshot));
    let mut other = v8::Isolate::new(params);
    assert_eq!(run(&mut other, "greet('you')"), "Hello, you!");
}
