//! The variables that functions see while they are developed, and what pages of other origins may do.

use super::{develops, fails, says};
use crate::support::{Folder, Served, trine};

const SHOW: &str = "import os\ndef handler(event, context):\n    \
    return ','.join(os.environ.get(name, '-') for name in ('A', 'B', 'C', 'D'))\n";

#[test]
fn flags_go_before_the_environment_and_that_before_files() {
    let folder = Folder::new(&[
        ("app.py", SHOW),
        (".env", "A=usual\nB=usual\nC=usual\nD=\"us ual\"\n"),
        ("dev.env", "A=file\nB=file\nC=file\n"),
    ]);
    let mut command =
        trine(&folder, &["dev", "--port", "0", "--env", "A=flag", "--env-file", "dev.env"]);
    command.env("A", "environment").env("B", "environment");
    let served = Served::of(command);
    says(&served, "/app", "flag,environment,file,us ual");
    folder.write("dev.env", "C=changed\n");
    says(&served, "/app", "flag,environment,changed,us ual");
    folder.write(".env", "D=changed\n");
    says(&served, "/app", "flag,environment,changed,changed");
    std::fs::remove_file(folder.task().join(".env")).unwrap();
    says(&served, "/app", "flag,environment,changed,-");
    std::fs::remove_file(folder.task().join("dev.env")).unwrap();
    fails(&served, "/app", 500, "dev.env: No such file");
}

#[test]
fn flags_that_make_no_sense_are_told() {
    let folder = Folder::new(&[("app.py", SHOW)]);
    for (arguments, why) in [
        (&["dev", "--env", "A"][..], "such as STAGE=dev"),
        (&["dev", "--env-file", "gone.env"], "gone.env: No such file"),
        (&["dev", "--watch", "gone"], "there is no such file or folder"),
        (&["dev", "--ignore", "{a"], "is no pattern"),
        (&["dev", "--generation", "x"], "for servers that --reload starts"),
        (&["serve", "--env", "A=1"], "--env is of use with --reload, or with trine dev"),
        (&["serve", "--poll"], "--poll is of use with --reload"),
        (&["dev", "--sub-runtime"], "leave out --sub-runtime"),
        (&["dev", "--listen", "unix:s.sock"], "it is no port"),
        (&["dev", "gone"], "gone"),
    ] {
        let finished = crate::support::run(trine(&folder, arguments));
        assert!(matches!(finished.code, Some(1 | 2)), "{arguments:?} {finished:?}");
        assert!(finished.stderr.contains(why), "{arguments:?} {finished:?}");
        assert_eq!(finished.stderr.matches("error:").count(), 1, "{finished:?}");
    }
}

#[test]
fn pages_of_other_origins_call_functions_where_that_is_asked_for() {
    let folder = Folder::new(&[("app.py", SHOW)]);
    let served = develops(&folder, &["--cors"]);
    let asks = [
        ("origin", "https://page.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-one, content-type"),
    ];
    let allowed = served.request("OPTIONS", "/app", &asks, b"");
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://page.example"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("x-one, content-type"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("PUT"));
    let reply = served.request("GET", "/app", &[("origin", "https://page.example")], b"");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://page.example"));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(served.get("/app").header("access-control-allow-origin"), None);
    // Its own paths are nobody else's.
    let own = served.request("GET", "/.trine/health", &[("origin", "https://page.example")], b"");
    assert_eq!(own.header("access-control-allow-origin"), None);
    let plain = develops(&folder, &[]);
    let reply = plain.request("GET", "/app", &[("origin", "https://page.example")], b"");
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn requests_are_told_with_function_and_time() {
    let folder = Folder::new(&[("app.py", SHOW)]);
    let served = develops(&folder, &[]);
    says(&served, "/app", "-,-,-,-");
    super::shows(&served, "GET /app 200 app ");
    let lazy =
        Served::of(trine(&folder, &["serve", "--reload", "--log-requests", "--port", "0", "."]));
    says(&lazy, "/app", "-,-,-,-");
    super::shows(&lazy, "ms, cold");
}
