//! Scripts at work, and at fault.

use super::engine;
use std::{
    fs,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trine_engine::{
    Engine, Environment, Error, ErrorKind, Form, Invocation, LogSettings, Module, Payload, Wanted,
};

fn run(source: &str, event: &str, ms: Option<u64>) -> Result<String, Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sh");
    fs::write(&path, source).unwrap();
    let environment = Environment::new("/opt", LogSettings::default());
    let module = Module::new(dir.path(), path, "app", Wanted::Handler("handler".into()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let invocation = Rc::new(Invocation {
        request_id: "id-1".into(),
        deadline_ms: ms.map(|ms| now + ms),
        ..Default::default()
    });
    futures::executor::block_on(async {
        let instance = engine().start(&environment).unwrap();
        let exports = instance.load(&module).await?;
        let id = exports.functions[0].1;
        let event = Payload::json(event.to_owned());
        let answer = instance.call(id, event, Form::Json, &invocation).await?;
        Ok(String::from_utf8_lossy(&answer.into_bytes()?.0).into_owned())
    })
}

#[test]
fn a_script_reads_its_event_and_prints_its_answer() {
    assert_eq!(
        run("cat; printf ' %s %s' \"$EVENT\" \"$TRINE_REQUEST_ID\"", "{}", None).unwrap(),
        "{} {} id-1"
    );
    let large = "x".repeat(3 << 20);
    assert_eq!(
        run("cat; printf %s \"${EVENT-unset}\"", &large, None).unwrap(),
        large.clone() + "unset"
    );
    assert_eq!(run("echo no reader", &large, None).unwrap(), "no reader\n");
}

#[test]
fn a_function_of_the_exports_name_is_called() {
    assert_eq!(
        run("echo top\nhandler() { echo called; cat; }\n", "1", None).unwrap(),
        "top\ncalled\n1"
    );
    assert_eq!(run("handlers() { echo wrong; }\necho top\n", "1", None).unwrap(), "top\n");
    let error = run("handler() {\n  echo oops >&2\n  exit 7\n}\n", "1", None).unwrap_err();
    assert_eq!(error.message(), "exit status 7: oops");
}

#[test]
fn failures_tell_status_last_line_and_place() {
    let error = run("echo first >&2\necho last >&2\necho >&2\nexit 3", "1", None).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Guest, "exit status 3: last"));
    assert_eq!(run("exit 1", "1", None).unwrap_err().message(), "exit status 1");
    assert_eq!(run("kill -9 $$", "1", None).unwrap_err().message(), "signal 9");
    let error = run("set -u\n\necho $nothing", "1", None).unwrap_err();
    assert_eq!(error.frames()[0].line, 3, "{error}");
    let error = run("echo\nif true; then\nfi", "1", None).unwrap_err();
    assert_eq!((error.kind(), error.frames()[0].line), (ErrorKind::UserCodeSyntax, 3), "{error}");
}

#[test]
fn what_runs_too_long_or_prints_without_end_is_stopped() {
    let began = Instant::now();
    for source in ["while :; do :; done", "sleep 1000", "trap '' TERM INT; sleep 1000; sleep 1000"]
    {
        assert_eq!(run(source, "1", Some(300)).unwrap_err().kind(), ErrorKind::Timeout, "{source}");
    }
    assert_eq!(run("yes", "1", None).unwrap_err().kind(), ErrorKind::ResponseTooLarge);
    let error = run("head -c 6300000 /dev/zero", "1", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_is_left_in_the_background_ends_with_its_invocation() {
    let began = Instant::now();
    let pids = run(
        "sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; wait' & sleep 0.2; echo $!",
        "1",
        None,
    )
    .unwrap();
    let pids: Vec<&str> = pids.lines().collect();
    assert_eq!(pids.len(), 3);
    let lives = |pid: &&str| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
    };
    while pids.iter().any(lives) {
        assert!(began.elapsed() < Duration::from_secs(20), "{pids:?} live on");
        std::thread::sleep(Duration::from_millis(5));
    }
    // What has left the group holds nobody up.
    assert_eq!(run("setsid sleep 5 & echo done", "1", None).unwrap(), "done\n");
    assert!(began.elapsed() < Duration::from_secs(20));
}
