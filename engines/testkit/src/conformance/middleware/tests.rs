//! Tests of the runner, with invented languages and a runner that reports what it was given.

use super::{super::tests::TemporaryFolder, *};
use serde_json::{Value, json};
use std::cell::Cell;
use trine_engine::{Error, ErrorKind, Frame};

fn language(id: &'static str, extensions: &'static [&'static str]) -> EngineInfo {
    EngineInfo::new(id, id, id).with_extensions(extensions)
}

fn languages() -> Vec<EngineInfo> {
    vec![language("alpha", &["a", "aa"]), language("beta", &["b"]), language("gamma", &["c"])]
}

/// A runner that answers every event with what it was given to run.
struct Telling;

struct Told {
    answer: Value,
    served: Cell<u64>,
    environment: Environment,
}

impl Runner for Telling {
    fn prepare<'a>(&'a self, setup: &'a Setup) -> LocalFuture<'a, EngineResult<Rc<dyn Subject>>> {
        Box::pin(async move {
            let mut files = Vec::new();
            list(&setup.root, &setup.root, &mut files);
            files.sort();
            if files.contains(&"fails.txt".to_owned()) {
                return Err(Error::new(ErrorKind::HandlerNotFound, "told to fail"));
            }
            assert!(setup.handler.is_file(), "{setup:?}");
            assert_eq!(setup.environment.layer_root, setup.root.join("opt"));
            let answer = json!({
                "files": files,
                "middlewares": setup.middlewares,
                "order": format!("{:?}", setup.order),
                "isolation": format!("{:?}", setup.isolation),
                "export": setup.export,
            });
            let environment = setup.environment.clone();
            Ok(Rc::new(Told { answer, served: Cell::new(0), environment }) as Rc<dyn Subject>)
        })
    }
}

impl Subject for Told {
    fn invoke<'a>(
        &'a self,
        event: Payload,
        _invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, EngineResult<Payload>> {
        Box::pin(async move {
            let event = Value::try_from(event)?;
            self.served.set(self.served.get() + 1);
            match event.as_str() {
                Some("count") => Ok(Payload::from(&json!(self.served.get()))),
                Some("fail") => {
                    let file = "/t/middlewares/m.b".to_owned();
                    let frame = Frame { file, line: 7, ..Frame::default() };
                    Err(Error::guest("Middleware.m", "Error: no").with_frames([frame]))
                }
                _ => Ok(Payload::from(&self.answer)),
            }
        })
    }

    fn finish(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {
            let text = format!("finished after {}\n", self.served.get());
            let sink = &self.environment.log.sink;
            sink.write(trine_engine::Stream::Stdout, text.as_bytes());
        })
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

/// Makes a folder with one case `c` of these files.
fn folder_of(case: &Value, files: &[&str]) -> TemporaryFolder {
    let folder = TemporaryFolder::new();
    let root = folder.path().join("c");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("case.json"), case.to_string()).unwrap();
    for file in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    folder
}

fn run_all(folder: &TemporaryFolder) -> Vec<(String, Result<(), String>)> {
    let runner: Arc<dyn Runner> = Arc::new(Telling);
    let planned = plan::plan(folder.path(), &languages(), &runner);
    planned.into_iter().map(|trial| (trial.name, (trial.run)())).collect()
}

fn results(case: &Value, files: &[&str]) -> Vec<(String, Result<(), String>)> {
    run_all(&folder_of(case, files))
}

/// Returns the names of a case's trials, all of which must pass.
#[track_caller]
fn names(case: &Value, files: &[&str]) -> Vec<String> {
    let results = results(case, files);
    for (name, result) in &results {
        assert_eq!(*result, Ok(()), "{name}");
    }
    results.into_iter().map(|(name, _)| name.replace("c::", "")).collect()
}

#[track_caller]
fn fails(case: &Value, files: &[&str], part: &str) {
    let results = results(case, files);
    let told = results.iter().any(|(_, result)| result.as_ref().is_err_and(|e| e.contains(part)));
    assert!(told, "{part:?} is not in {results:?}");
}

/// Makes a case with these middlewares and one invocation that may return anything.
fn case(middlewares: Value) -> Value {
    json!({
        "about": "a test",
        "middlewares": middlewares,
        "invocations": [{"event": "count", "expect": 1}],
    })
}

const NINE: [&str; 6] = [
    "handler.a",
    "handler.b",
    "handler.c",
    "middlewares/m.a",
    "middlewares/m.b",
    "middlewares/m/index.c",
];

#[test]
fn one_middleware_is_run_for_every_pair_of_languages() {
    assert_eq!(
        names(&case(json!(["m"])), &NINE),
        [
            "alpha-around-alpha",
            "beta-around-alpha",
            "gamma-around-alpha",
            "alpha-around-beta",
            "beta-around-beta",
            "gamma-around-beta",
            "alpha-around-gamma",
            "beta-around-gamma",
            "gamma-around-gamma",
        ]
    );
}

#[test]
fn a_chain_is_run_with_every_language_at_every_place_and_all_in_one() {
    let mut files = vec!["handler.a", "handler.b", "handler.c"];
    let hooks: Vec<String> = ["m", "n", "o"]
        .iter()
        .flat_map(|name| ["a", "b", "c"].map(|extension| format!("middlewares/{name}.{extension}")))
        .collect();
    files.extend(hooks.iter().map(String::as_str));
    let names = names(&case(json!(["m", "n", "o"])), &files);
    assert_eq!(names.len(), 12);
    assert_eq!(
        names[..4],
        [
            "alpha-beta-gamma-around-alpha",
            "beta-gamma-alpha-around-alpha",
            "gamma-alpha-beta-around-alpha",
            "alpha-around-alpha",
        ]
    );
}

#[test]
fn pairs_may_be_of_one_language_or_of_two() {
    let mut same = case(json!(["m"]));
    same["pairs"] = "same".into();
    let expected = ["alpha-around-alpha", "beta-around-beta", "gamma-around-gamma"];
    assert_eq!(names(&same, &NINE), expected);
    let mut different = case(json!(["m"]));
    different["pairs"] = "different".into();
    assert_eq!(names(&different, &NINE).len(), 6);
    different["pairs"] = "some".into();
    fails(&different, &NINE, "none of all, same, different");
}

#[test]
fn several_files_of_a_language_are_told_apart_by_extension() {
    let mut files = NINE.to_vec();
    files.extend(["handler.aa", "middlewares/m.aa"]);
    let names = names(&case(json!(["m"])), &files);
    assert_eq!(names.len(), 16);
    assert!(names.contains(&"aa-around-a".to_owned()), "{names:?}");
    assert!(names.contains(&"beta-around-aa".to_owned()), "{names:?}");
}

#[test]
fn a_task_root_holds_the_files_of_its_combination_and_those_of_nobody() {
    let files = [
        "handler.a",
        "handler.b",
        "middlewares/m.a",
        "middlewares/m/index.b",
        "middlewares/fixed.b",
        "middlewares/helper.txt",
        "data/x.a",
        "opt/middlewares/layer.b",
    ];
    let mut case = case(json!(["m", "fixed.b", "plain-{language}"]));
    case["not_for"] = json!({"gamma": "none"});
    case["no_hooks"] = json!({"gamma": "none"});
    case["order"] = "listed".into();
    case["isolation"] = "fresh".into();
    case["handler"] = "main".into();
    let answer = |files: Value, language: &str| {
        json!([{"event": 1, "expect": {
            "files": files,
            "middlewares": ["m", "fixed.b", format!("plain-{language}")],
            "order": "Listed",
            "isolation": "Fresh",
            "export": "main",
        }}])
    };
    let common = ["data/x.a"];
    let own = |handler: &str, hook: &str| {
        let mut files = common.to_vec();
        let own = [
            handler,
            "middlewares/fixed.b",
            "middlewares/helper.txt",
            hook,
            "opt/middlewares/layer.b",
        ];
        files.extend(own);
        files.sort_unstable();
        json!(files)
    };
    case["by_language"] = json!({
        "alpha-around-alpha": {"invocations": answer(own("handler.a", "middlewares/m.a"), "alpha")},
        "beta-around-alpha":
            {"invocations": answer(own("handler.a", "middlewares/m/index.b"), "alpha")},
        "*-around-beta": {"invocations": answer(own("handler.b", "middlewares/m/index.b"), "beta")},
        "alpha-around-beta": {"invocations": answer(own("handler.b", "middlewares/m.a"), "beta")},
    });
    assert_eq!(names(&case, &files).len(), 4);
}

#[test]
fn differences_go_from_the_general_to_the_special() {
    let expect = |number: u64| json!({"invocations": {"0": {"expect": number}}});
    let mut case = case(json!(["m"]));
    case["by_language"] = json!({
        "same": expect(9), "alpha-around-*": expect(8), "alpha-around-alpha": expect(1),
        "*-around-beta": expect(7), "beta-around-*": expect(1), "gamma-around-beta": expect(1),
        "alpha-around-beta": expect(1), "alpha-around-gamma": expect(1),
        "gamma-around-gamma": expect(1),
    });
    assert_eq!(names(&case, &NINE).len(), 9);
    case["by_language"] = json!({"beta": expect(1)});
    fails(&case, &NINE, "by_language.beta: differences of pairs stand under");
}

#[test]
fn an_unknown_middleware_is_handed_on_and_loading_may_fail() {
    let mut files = NINE.to_vec();
    files.push("fails.txt");
    let case = json!({
        "about": "a test", "middlewares": ["nobody"],
        "load_error": {"kind": "HandlerNotFound", "message": "told to fail"}
    });
    assert_eq!(names(&case, &files), ["alpha", "beta", "gamma"]);
    fails(&case, &NINE, "the function loaded, which it should not");
    fails(&self::case(json!(["m"])), &files, "the function did not load");
}

#[test]
fn an_error_is_looked_up_by_the_extension_of_its_own_file() {
    let mut case = case(json!(["m"]));
    let error = json!({"type": "Middleware.m", "file": "m", "line": {"b": 7, "a": 1}});
    case["invocations"] = json!([{"event": "fail", "error": error}]);
    assert_eq!(names(&case, &NINE).len(), 9);
}

#[test]
fn the_end_is_part_of_the_log() {
    let mut case = case(json!(["m"]));
    case["invocations"] = json!([{"event": "count", "expect": 1}, {"event": "count", "expect": 2}]);
    case["log_contains"] = json!(["finished after 2"]);
    names(&case, &NINE);
    case["side_by_side"] = true.into();
    names(&case, &NINE);
    case["log_contains"] = json!(["finished after 3"]);
    fails(&case, &NINE, "the log does not contain");
}

#[test]
fn what_is_missing_or_misspelt_is_a_failing_trial() {
    fails(&case(json!([])), &NINE, "must list its \"middlewares\"");
    fails(&case(json!(["m"])), &NINE[..5], "no middlewares/m in gamma: add one of middlewares/m.c");
    fails(&case(json!(["m"])), &NINE[1..], "no handler in alpha");
    let mut wrong = case(json!(["m"]));
    wrong["no_hooks"] = json!({"beta": "because"});
    fails(&wrong, &NINE, "names beta, and yet there is a middlewares/m in it");
    let mut wrong = case(json!(["m"]));
    wrong["order"] = "random".into();
    fails(&wrong, &NINE, "neither onion nor listed");
    let mut wrong = case(json!(["m"]));
    wrong["orders"] = "onion".into();
    fails(&wrong, &NINE, "has no member \"orders\"");
    let mut wrong = case(json!(["m"]));
    wrong["invocations"] = json!([{"event": 1, "hops": 2, "expect": 1}]);
    fails(&wrong, &NINE, "hops and interrupt_in_ms");
    let mut wrong = case(json!(["m"]));
    wrong["invocations"] = json!([{"event": "count", "expect": 2}]);
    fails(&wrong, &NINE, "invocation 0: the result is not the expected one");
}

#[test]
fn a_case_for_languages_that_this_build_has_not_is_left_out() {
    let mut case = case(json!(["m.d"]));
    case["engines"] = json!(["alpha", "delta"]);
    assert!(names(&case, &NINE).is_empty());
    case["engines"] = json!(["alpha", "beta"]);
    assert_eq!(names(&case, &NINE).len(), 3);
    let only = self::case(json!(["n"]));
    let mut files = NINE.to_vec();
    files.push("middlewares/n.d");
    fails(&only, &files, "no middlewares/n in alpha");
    let mut reasons = self::case(json!(["n"]));
    reasons["no_hooks"] = json!({"alpha": "none", "beta": "none", "gamma": "none"});
    assert!(names(&reasons, &files).is_empty());
}

#[test]
fn a_known_gap_must_fail_and_names_its_pair() {
    let mut case = case(json!(["m"]));
    case["invocations"] = json!([{"event": "count", "expect": 2}]);
    case["by_language"] = json!({"*-around-alpha": {"invocations": {"0": {"expect": 1}}}});
    let folder = folder_of(&case, &NINE);
    let gaps = json!([
        {"case": "c", "pair": "alpha-around-alpha", "reason": "it was wrong"},
        {"case": "c", "pair": "alpha-around-beta", "reason": "it is wrong"},
        {"case": "c", "pair": "alpha-around-delta", "reason": "no such pair"},
    ]);
    std::fs::write(folder.path().join("known-gaps.json"), gaps.to_string()).unwrap();
    let results = run_all(&folder);
    let result = |name: &str| results.iter().find(|(found, _)| found == name).unwrap().1.clone();
    assert_eq!(result("c::beta-around-alpha"), Ok(()));
    assert!(result("c::alpha-around-alpha").unwrap_err().contains("passes now"));
    assert_eq!(result("c::alpha-around-beta"), Ok(()));
    assert!(result("c::beta-around-beta").is_err());
    assert!(result("known-gaps::2::c").unwrap_err().contains("no such pair"));
}

#[test]
fn trials_run_under_the_test_harness() {
    let engines: Vec<Arc<dyn Engine>> = vec![Arc::new(crate::reference::engine())];
    let files = ["handler.shout", "middlewares/m.shout"];
    let folder = folder_of(&case(json!(["m"])), &files);
    let runner: Arc<dyn Runner> = Arc::new(Telling);
    let trials = trials(folder.path(), &engines, &runner);
    assert_eq!(trials[0].name(), "middleware::c::shout-around-shout");
    let arguments = libtest_mimic::Arguments { quiet: true, ..Default::default() };
    let conclusion = libtest_mimic::run(&arguments, trials);
    assert_eq!((conclusion.num_passed, conclusion.num_failed), (1, 0));
}
