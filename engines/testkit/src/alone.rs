//! Tests of what is true of a whole process, each in a process of its own.

use std::{
    env,
    process::{Command, Output},
};

/// Variable that is set, in the process that runs a body, to the name of its test.
const VARIABLE: &str = "TRINE_TEST_ALONE";

/// Runs the body of a test in a process of its own: the test's binary again, with just this test, which then gets here
/// once more. `test` is its full name, `process::little_is_imported`; `environment` is added to the process's own.
///
/// Returns what the process printed; `None` in the process itself, where the body has run.
///
/// # Panics
/// When the process fails, with all that it printed.
pub fn run(test: &str, environment: &[(&str, &str)], body: impl FnOnce()) -> Option<String> {
    if runs(test) {
        body();
        return None;
    }
    let output = output(test, environment);
    let [printed, complained] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let text = printed + &complained;
    assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}", output.status);
    Some(text)
}

/// Whether this process is the one that runs the body of this test.
pub fn runs(test: &str) -> bool {
    env::var(VARIABLE).is_ok_and(|alone| alone == test)
}

/// Runs the body of a test in a process of its own, whatever comes of it. As [`run`], but for the process that runs it.
///
/// # Panics
/// When the system starts no process.
pub fn output(test: &str, environment: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().expect("a test has a binary"))
        .args(["--exact", "--nocapture", test])
        .envs(environment.iter().copied())
        .env(VARIABLE, test)
        .output()
        .expect("a test's binary can be run")
}
