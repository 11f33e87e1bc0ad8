//! The rebuilt designs answer as Trine does, with and without hooks, by the rules of the Runtime API.

use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Child, Command},
    time::Duration,
};
use trine_emulator::{Emulator, EmulatorOptions};

const LIMIT: Duration = Duration::from_secs(30);
const HOOKS: [&str; 3] = ["hook1", "hook2", "hook3"];

/// A running core.
struct Core {
    emulator: Emulator,
    child: Child,
}

/// Returns the core's command with its arguments and Lambda's environment, except for the Runtime API.
fn command(arguments: &[&str], handler: &str, hooks: usize) -> Command {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    let language = if arguments.contains(&"python") { "python" } else { "js" };
    let mut command = Command::new(env!("CARGO_BIN_EXE_trine-baseline"));
    command.args(arguments).args((arguments.len() > 1).then(|| benches.join("baselines")));
    command.env("LAMBDA_TASK_ROOT", benches.join("handlers").join(language));
    command.env("_HANDLER", handler).env("BASELINE_HOOKS", HOOKS[..hooks].join(","));
    command
}

impl Core {
    fn start(arguments: &[&str], hooks: usize) -> Self {
        let options =
            EmulatorOptions { timeout: LIMIT, init_timeout: LIMIT, ..EmulatorOptions::default() };
        let emulator = Emulator::spawn_thread(options).expect("the loopback has a free port");
        let mut command = command(arguments, "echo.handler", hooks);
        let child = command.envs(emulator.environment()).spawn().expect("the core is built");
        Self { emulator, child }
    }

    #[track_caller]
    fn invoke(&self, event: &Value) -> Value {
        let outcome = self.emulator.invoke_blocking(event.clone());
        assert!(outcome.is_response(), "{outcome:?}");
        outcome.json()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // It may already have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks that events come back, through no hook and through three.
#[track_caller]
fn assert_echoes(arguments: &[&str]) {
    let event = json!({"id": 7, "tags": ["ä", "\n"], "none": null, "half": 0.5});
    let large = json!({"text": "x".repeat(300_000)});
    let core = Core::start(arguments, 0);
    for event in [&event, &large, &event] {
        assert_eq!(core.invoke(event), *event);
    }
    core.emulator.assert_clean();

    let hooked = Core::start(arguments, HOOKS.len());
    let mut counted = event.clone();
    counted["hooks"] = json!(HOOKS.len());
    assert_eq!(hooked.invoke(&event), counted);
    hooked.emulator.assert_clean();
}

#[test]
fn the_floor_echoes() {
    let core = Core::start(&["floor"], 0);
    for id in 0..3 {
        assert_eq!(core.invoke(&json!({"id": id})), json!({"id": id}));
    }
    core.emulator.assert_clean();
}

#[test]
fn a_node_runtime_behind_pipes_echoes() {
    assert_echoes(&["pipes", "node"]);
}

#[test]
fn a_python_runtime_behind_pipes_echoes() {
    assert_echoes(&["pipes", "python"]);
}

#[test]
fn a_node_server_echoes() {
    assert_echoes(&["http", "node"]);
}

#[test]
fn a_python_server_echoes() {
    assert_echoes(&["http", "python"]);
}

#[test]
fn a_node_process_per_call_echoes() {
    assert_echoes(&["process", "node"]);
}

#[test]
fn a_python_process_per_call_echoes() {
    assert_echoes(&["process", "python"]);
}

#[test]
fn a_handler_that_is_not_there_ends_the_core_with_a_reason() {
    let output = command(&["pipes", "node"], "nothing.handler", 0).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("there is no function at"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_handler_that_cannot_be_loaded_ends_the_core_with_a_reason() {
    let task = tempfile::tempdir().unwrap();
    std::fs::write(task.path().join("broken.py"), "raise ValueError('no')").unwrap();
    let mut command = command(&["pipes", "python"], "broken.handler", 0);
    let output = command.env("LAMBDA_TASK_ROOT", task.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("ValueError: no"), "{text}");
    assert!(text.contains("the language runtime did not start"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
