//! The driver, run on what this crate contains: a short measurement, a missing peer, an interruption.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};
use trine_benches::{
    contestant::{Contestants, Places},
    install::run as install,
    plan::{Part, Plan},
    record::{Missing, Record},
    run::run as measure,
};

/// Returns a run that knows no peers and writes its record into the folder.
fn run(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trine-bench"));
    command.arg("run").args(arguments).arg("--out").arg(folder.join("record.json"));
    command.env("TRINE_BENCH_PEERS", folder.join("peers"));
    command
}

#[test]
fn the_floor_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--only", "floor", "--suites", "warm", "--rounds", "1"];
    let output = run(folder.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record = Record::read(&folder.path().join("record.json")).unwrap();
    assert_eq!(record.missing, []);
    assert_eq!(record.entrants.len(), 1);
    assert!(record.command.starts_with("trine-bench run --only floor --suites warm"));
    for case in ["100 B", "1 KB", "64 KB", "1 MB"] {
        for metric in ["rate", "p50", "p99"] {
            let figure = record.figure("warm", "floor", case, metric).unwrap();
            assert!(figure.rounds.len() == 1 && figure.rounds[0] > 0.0, "{figure:?}");
        }
    }
    assert_eq!(record.figures.len(), 12);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("warm: rate, 1/s  100 B"), "{table}");
}

/// The user's environment says where registries are and which certificates are to be trusted.
#[tokio::test]
async fn installers_see_the_users_environment() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places {
        benches: folder.path().to_owned(),
        peers: folder.path().join("installed"),
        target: folder.path().join("target"),
        tree: folder.path().join("tree"),
    };
    for kind in ["lambda", "http", "web"] {
        let scripts = folder.path().join("peers").join(kind);
        fs::create_dir_all(&scripts).unwrap();
        let script = "mkdir -p \"$1\" && echo \"$CARGO_MANIFEST_DIR\" >> \"$1/seen\"\n";
        fs::write(scripts.join("install.sh"), script).unwrap();
    }
    install(&places).await.unwrap();
    let seen = fs::read_to_string(places.peers.join("seen")).unwrap();
    assert_eq!(seen, format!("{0}\n{0}\n{0}\n", env!("CARGO_MANIFEST_DIR")));
}

#[test]
fn who_is_not_installed_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--only", "ric-node,nginx-lua", "--suites", "warm,http", "--rounds", "1"];
    let output = run(folder.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record = Record::read(&folder.path().join("record.json")).unwrap();
    assert!(record.figures.is_empty() && record.entrants.is_empty());
    let missing: Vec<&str> = record.missing.iter().map(|missing| &*missing.id).collect();
    assert_eq!(missing, ["ric-node", "nginx-lua"]);
    for missing in &record.missing {
        let reason = &missing.reason;
        assert!(reason.ends_with("is not installed: run `trine-bench install`"), "{reason}");
    }
}

#[test]
fn an_interruption_ends_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--only", "floor", "--suites", "warm", "--rounds", "1000"];
    let mut driver = run(folder.path(), &arguments)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stderr.take().unwrap()).lines();
    let is_under_way = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("round 1 ");
    assert!(lines.any(|line| is_under_way(&line)));
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", driver.id())).unwrap();
    let child = Path::new("/proc").join(children.trim());
    assert!(child.join("stat").exists(), "{children:?}");
    let kill = Command::new("kill").args(["-INT", &driver.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(driver.wait().unwrap().code(), Some(130));
    assert!(!child.exists());
    assert!(!folder.path().join("record.json").exists());
}

#[test]
fn an_unknown_contestant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--only", "nobody"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("error: --only: there is no contestant nobody; there are "),
        "{error}"
    );
}

/// A process that answers a number of events, each with what an expression makes of its `body`, and ends.
const SHORT_LIVED: &str = "\
import http.client, os, sys
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
for _ in range(int(sys.argv[1])):
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    event = api.getresponse()
    id, body = event.headers['lambda-runtime-aws-request-id'], event.read()
    api.request('POST', f'/2018-06-01/runtime/invocation/{id}/response', eval(sys.argv[2]))
    api.getresponse().read()
sys.exit('no more')
";

#[tokio::test]
async fn whoever_fails_is_missing_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("short_lived.py");
    fs::write(&script, SHORT_LIVED).unwrap();
    let lambda = |id: &str, command: &str| {
        format!(
            "[[lambda]]\nid = \"{id}\"\nname = \"{id}\"\ngroup = \"peer\"\nlanguage = \"js\"\n\
             command = {command}\ntask = \"{{target}}\"\nhandler = \"a.b\"\nsuites = [\"warm\"]\n"
        )
    };
    let python = |count: u32, answer: &str| {
        format!("[\"python3\", \"{}\", \"{count}\", \"{answer}\"]", script.display())
    };
    let server = "[[http]]\nid = \"server\"\nname = \"server\"\ngroup = \"peer\"\nlanguage = \"js\"\n\
                  peer = \"absent\"\ncommand = [\"true\"]\ntask = \"{target}\"\npath = \"/\"\n";
    let text = [
        lambda("none", "[\"{target}/nothing\"]"),
        lambda("early", "[\"sh\", \"-c\", \"echo oops >&2; exit 3\"]"),
        lambda("wrong", &python(1000, "b'{}'")),
        lambda("mortal", &python(5, "body")),
        server.to_owned(),
    ]
    .concat();
    let contestants = folder.path().join("contestants");
    fs::create_dir(&contestants).unwrap();
    fs::write(contestants.join("1.toml"), text).unwrap();
    let plan = Plan {
        parts: [Part::Warm, Part::Http].into(),
        only: [].into(),
        rounds: 1,
        contestants: Contestants::read(&contestants).unwrap(),
        places: Places {
            benches: folder.path().join("benches"),
            peers: folder.path().join("peers"),
            target: folder.path().to_owned(),
            tree: folder.path().join("tree"),
        },
    };
    let record = measure(&plan, "a test".to_owned()).await.unwrap();
    assert!(record.figures.is_empty() && record.entrants.is_empty());
    let reasons: Vec<(&str, &str)> =
        record.missing.iter().map(|Missing { id, reason, .. }| (&**id, &**reason)).collect();
    let expected = [
        ("none", "cannot start {target}/nothing in {target}: No such file or directory"),
        ("early", "ended (exit status: 3) before it asked for its first event; it wrote: oops"),
        ("wrong", "answered {}, not {\"id\":7"),
        ("mortal", "ended (exit status: 1) before it answered "),
        ("server", "absent is not installed"),
    ];
    assert_eq!(reasons.len(), expected.len());
    for ((id, reason), (expected_id, beginning)) in reasons.into_iter().zip(expected) {
        assert_eq!(id, expected_id);
        assert!(reason.starts_with(beginning), "{id}: {reason}");
        assert_eq!(reason.ends_with("it wrote: no more"), id == "mortal", "{reason}");
    }
}
