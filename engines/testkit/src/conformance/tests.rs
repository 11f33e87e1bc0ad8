//! Tests of the runner, with the reference engine and cases in a temporary folder.

use super::plan::plan;
use crate::reference;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Error, ErrorKind, Exports, Form, FunctionId,
    Instance, Interrupter, Invocation, LocalFuture, Module, Payload, Result as EngineResult, Usage,
};

/// A folder that is removed when the value is dropped.
pub(crate) struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trine-testkit-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn case(&self, name: &str, case: &Value, source: Option<&str>) {
        let folder = self.path.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("case.json"), case.to_string()).unwrap();
        if let Some(source) = source {
            std::fs::write(folder.join("handler.shout"), source).unwrap();
        }
    }

    fn gaps(&self, gaps: &Value) {
        std::fs::write(self.path.join("known-gaps.json"), gaps.to_string()).unwrap();
    }

    fn results(&self) -> Vec<(String, Result<(), String>)> {
        self.results_with(Arc::new(reference::engine()))
    }

    fn results_with(&self, engine: Arc<dyn Engine>) -> Vec<(String, Result<(), String>)> {
        let planned = plan(&self.path, &[engine]);
        planned.into_iter().map(|trial| (trial.name, (trial.run)())).collect()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Returns the result of the one case `case` with this handler.
fn only(case: &Value, source: Option<&str>) -> Result<(), String> {
    let folder = TemporaryFolder::new();
    folder.case("c", case, source);
    let mut results = folder.results();
    assert_eq!(results.len(), 1, "{results:?}");
    results.remove(0).1
}

fn invoking(invocations: Value) -> Value {
    json!({"about": "a test", "invocations": invocations})
}

fn fails_with(result: Result<(), String>, part: &str) {
    let message = result.unwrap_err();
    assert!(message.contains(part), "{part:?} is not in:\n{message}");
}

/// The reference engine with different claims about itself.
struct Claiming<E> {
    info: EngineInfo,
    engine: E,
}

impl<E: Engine> Engine for Claiming<E> {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn start(&self, environment: &Environment) -> EngineResult<Rc<dyn Instance>> {
        self.engine.start(environment)
    }
}

fn claiming(capabilities: Capabilities) -> Arc<dyn Engine> {
    let engine = reference::engine();
    let info = engine.info().clone().with_capabilities(capabilities);
    Arc::new(Claiming { info, engine })
}

#[test]
fn a_case_passes_when_every_invocation_gives_what_is_expected() {
    let folder = TemporaryFolder::new();
    let case = invoking(json!([
        {"event": {"a": 1}, "expect": "HI {\"A\":1}"},
        {"event_text": "x", "content_type": "text/plain", "expect_raw": "\"HI X\""},
        {"event_base64": "eQ==", "expect_base64": "IkhJIFki"},
        {"event_repeat": {"prefix": "<", "unit": "ab", "count": 3, "suffix": ">", "suffix_count": 2},
         "expect": "HI <ABABAB>>"},
        {"hops": 2, "event": 1, "expect": "HI \"HI 1\""},
        {"expect": "HI NULL", "context": {"request_id": "r", "deadline_in_ms": null, "client_context": {"a": 1}}},
        {"event_base64": "/w==", "error": {"kind": "Unmarshal", "type": "Runtime.UnmarshalError", "message_contains": ["UTF-8"]}},
    ]));
    folder.case("mixed", &case, Some("HI"));
    let results = folder.results();
    assert_eq!(results, [("mixed::handler.shout".to_owned(), Ok(()))]);
}

#[test]
fn invocations_may_run_side_by_side() {
    let mut case =
        invoking(json!([{"event": 1, "expect": "HI 1"}, {"event": 2, "expect": "HI 2"}]));
    case["side_by_side"] = true.into();
    assert_eq!(only(&case, Some("HI")), Ok(()));
    case["invocations"][1]["expect"] = "HI 3".into();
    fails_with(only(&case, Some("HI")), "invocation 1: the result is not the expected one");
}

#[test]
fn wrong_expectations_fail_and_say_why() {
    let check = |step: Value| only(&invoking(json!([step])), Some("HI"));
    fails_with(check(json!({"event": 1, "expect": "HI 2"})), "$: expected \"HI 2\", got \"HI 1\"");
    fails_with(check(json!({"event": 1, "expect_raw": "HI 1"})), "differs at byte 0");
    fails_with(check(json!({"event": 1, "error": {}})), "a result came instead of an error");
    fails_with(check(json!({"event_base64": "/w==", "expect": 1})), "an error came instead");
    fails_with(
        check(json!({"event_base64": "/w==", "error": {"kind": "Guest"}})),
        "kind: expected \"Guest\", got \"Unmarshal\"",
    );
}

#[test]
fn loading_may_be_expected_to_fail() {
    let case = json!({"about": "a test", "load_error": {"kind": "UserCodeSyntax"}});
    assert_eq!(only(&case, Some("")), Ok(()));
    fails_with(only(&case, Some("HI")), "the handler loaded, which it should not");
    let case = invoking(json!([{"expect": 1}]));
    fails_with(only(&case, Some("")), "the handler did not load");
}

#[test]
fn the_log_is_looked_at() {
    let mut case = invoking(json!([{"event": 1, "expect": "HI 1"}]));
    case["log_lacks"] = json!(["noise"]);
    assert_eq!(only(&case, Some("HI")), Ok(()));
    case["log_contains"] = json!(["noise"]);
    fails_with(only(&case, Some("HI")), "the log does not contain \"noise\"");
}

#[test]
fn a_language_may_differ() {
    let mut case = invoking(json!([{"event": 1, "expect": 1}, {"event": 2, "expect": "HI 2"}]));
    case["by_language"] = json!({"shout": {"invocations": {"0": {"expect_raw": "\"HI 1\""}}}});
    assert_eq!(only(&case, Some("HI")), Ok(()));
    case["by_language"] = json!({"shout": {"invocations": [{"event": 3, "expect": "HI 3"}]}});
    assert_eq!(only(&case, Some("HI")), Ok(()));
    case["by_language"] = json!({"shout": {"invocations": null, "load_error": {}}});
    assert_eq!(only(&case, Some("")), Ok(()));
    case["by_language"] = json!({"shout": {"invocations": {"7": {"expect": 1}}}});
    fails_with(only(&case, Some("HI")), "by_language.shout: there is no invocation \"7\"");
}

#[test]
fn a_misspelt_or_contradictory_case_fails() {
    let check = |case: Value| only(&case, Some("HI"));
    fails_with(check(json!({"invocations": [{"expect": 1}]})), "what it is about");
    fails_with(
        check(json!({"about": "a", "invocation": []})),
        "either invocations or a load_error",
    );
    let mut case = invoking(json!([{"expect": 1}]));
    case["log_contain"] = json!([]);
    fails_with(check(case), "the case has no member \"log_contain\"");
    fails_with(check(invoking(json!([{"expects": 1}]))), "exactly one of expect,");
    fails_with(check(invoking(json!([{"expect": 1, "expect_raw": ""}]))), "exactly one of");
    fails_with(check(invoking(json!([{"event": 1, "event_text": "", "expect": 1}]))), "one event");
    fails_with(check(invoking(json!([{"expect": 1, "context": {"id": 1}}]))), "a context has no");
}

#[test]
fn a_known_gap_must_fail() {
    let folder = TemporaryFolder::new();
    folder.case("wrong", &invoking(json!([{"expect": "nothing"}])), Some("HI"));
    folder.case("right", &invoking(json!([{"expect": "HI NULL"}])), Some("HI"));
    folder.gaps(&json!([
        {"case": "wrong", "engine": "shout", "reason": "it shouts"},
        {"case": "right", "engine": "shout", "file": "handler.shout", "reason": "it did not shout"},
        {"case": "absent", "engine": "shout", "reason": "no such case"},
        {"case": "absent", "engine": "whisper", "reason": "an engine of another build"},
    ]));
    let mut results = folder.results();
    results.sort_by(|(a, _), (b, _)| a.cmp(b));
    let names: Vec<_> = results.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["known-gaps::2::absent::shout", "right::handler.shout", "wrong::handler.shout"]
    );
    let mut results = results.into_iter().map(|(_, result)| result);
    fails_with(results.next().unwrap(), "there is no such case");
    fails_with(results.next().unwrap(), "passes now: remove its entry");
    assert_eq!(results.next().unwrap(), Ok(()));
}

#[test]
fn a_language_without_a_handler_needs_a_reason() {
    let mut case = invoking(json!([{"expect": "HI NULL"}]));
    fails_with(only(&case, None), "no handler in Shout: add one of handler.shout");
    case["not_for"] = json!({"shout": "because"});
    let folder = TemporaryFolder::new();
    folder.case("c", &case, None);
    assert!(folder.results().is_empty());
    folder.case("c", &case, Some("HI"));
    assert!(folder.results().iter().any(|(name, result)| name == "c::shout" && result.is_err()));
}

#[test]
fn cases_concern_engines_with_the_capabilities_that_they_need() {
    let mut case = invoking(json!([{"expect": "HI NULL"}]));
    case["needs"] = json!(["async"]);
    let folder = TemporaryFolder::new();
    folder.case("c", &case, None);
    assert!(folder.results().is_empty());
    folder.case("c", &case, Some("HI"));
    let results = folder.results();
    fails_with(results[0].1.clone(), "which lacks \"async\"");
    case["needs"] = json!(["flying"]);
    case["not_for"] = json!({"shout": "cannot fly"});
    let folder = TemporaryFolder::new();
    folder.case("c", &case, None);
    fails_with(folder.results()[0].1.clone(), "\"flying\" is no capability: use async,");
}

#[test]
fn a_declared_capability_needs_a_case() {
    let engine =
        || claiming(Capabilities { async_handlers: true, interrupt: true, ..Default::default() });
    let mut case = invoking(json!([{"expect": "HI NULL"}]));
    case["needs"] = json!(["async"]);
    let folder = TemporaryFolder::new();
    folder.case("c", &case, Some("HI"));
    let results = folder.results_with(engine());
    let find = |name: &str| results.iter().find(|(found, _)| found == name).unwrap().1.clone();
    assert_eq!(find("c::handler.shout"), Ok(()));
    assert_eq!(find("capabilities::shout::async"), Ok(()));
    fails_with(find("capabilities::shout::interrupt"), "Shout declares \"interrupt\"");
    folder.gaps(&json!([{"case": "c", "engine": "shout", "reason": "r"}]));
    let results = folder.results_with(engine());
    let proof = results.iter().find(|(name, _)| name == "capabilities::shout::async").unwrap();
    assert!(proof.1.is_err());
}

#[test]
fn an_engine_that_claims_native_values_must_give_them() {
    let engine = claiming(Capabilities { native_values: true, ..Default::default() });
    let mut case = invoking(json!([{"event": 1, "hops": 2, "expect": "HI \"HI 1\""}]));
    case["needs"] = json!(["native-values"]);
    let folder = TemporaryFolder::new();
    folder.case("c", &case, Some("HI"));
    fails_with(folder.results_with(engine)[0].1.clone(), "asked for Native, got Json");
}

/// An engine whose handlers wait until they are interrupted, or panic on the event `"panic"`.
struct Waiting {
    info: EngineInfo,
}

#[derive(Default)]
struct WaitingInstance {
    stopped: Arc<AtomicBool>,
}

impl Engine for Waiting {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn start(&self, _environment: &Environment) -> EngineResult<Rc<dyn Instance>> {
        Ok(Rc::new(WaitingInstance::default()))
    }
}

impl Instance for WaitingInstance {
    fn load<'a>(&'a self, _module: &'a Module) -> LocalFuture<'a, EngineResult<Exports>> {
        Box::pin(async { Ok(Exports::handler("handler", FunctionId(0))) })
    }

    fn call<'a>(
        &'a self,
        _function: FunctionId,
        input: Payload,
        _form: Form,
        _invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, EngineResult<Payload>> {
        Box::pin(async move {
            assert_ne!(input.into_bytes()?.0, "\"panic\"", "asked to panic");
            while !self.stopped.swap(false, Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Err(Error::new(ErrorKind::Timeout, "stopped"))
        })
    }

    fn interrupter(&self) -> Interrupter {
        let stopped = Arc::clone(&self.stopped);
        Interrupter::new(move || stopped.store(true, Ordering::Relaxed))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn shutdown(&self) {}
}

#[test]
fn a_call_is_interrupted_when_the_case_says_so() {
    let info = reference::engine().info().clone();
    let folder = TemporaryFolder::new();
    let step = json!({"event": 1, "interrupt_in_ms": 20, "error": {"kind": "Timeout"}});
    folder.case("stop", &invoking(json!([step, step])), Some("HI"));
    let results = folder.results_with(Arc::new(Waiting { info }));
    assert_eq!(results, [("stop::handler.shout".to_owned(), Ok(()))]);
}

#[test]
fn a_panic_of_the_engine_is_a_failure_of_its_case() {
    let info = reference::engine().info().clone();
    let folder = TemporaryFolder::new();
    folder.case("panic", &invoking(json!([{"event": "panic", "expect": 1}])), Some("HI"));
    let results = folder.results_with(Arc::new(Waiting { info }));
    fails_with(results[0].1.clone(), "the engine panicked: ");
}

#[test]
fn a_folder_without_cases_fails() {
    let folder = TemporaryFolder::new();
    fails_with(folder.results()[0].1.clone(), "holds no cases");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    fails_with(folder.results()[0].1.clone(), "cannot read case.json");
}

#[test]
fn trials_run_under_the_test_harness() {
    let folder = TemporaryFolder::new();
    folder.case("right", &invoking(json!([{"expect": "HI NULL"}])), Some("HI"));
    let trials = super::trials(folder.path(), vec![Arc::new(reference::engine())]);
    assert_eq!(trials[0].name(), "right::handler.shout");
    let arguments = libtest_mimic::Arguments { quiet: true, ..Default::default() };
    let conclusion = libtest_mimic::run(&arguments, trials);
    assert_eq!((conclusion.num_passed, conclusion.num_failed), (1, 0));
}
