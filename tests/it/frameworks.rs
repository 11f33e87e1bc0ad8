//! Frameworks from npm and PyPI as people serve them: side by side, from one folder, by one server.

use crate::support::{Connection, Folder, Reply, Served, repository};
use serde_json::json;
use std::{os::unix::fs::symlink, path::Path, sync::Barrier, thread};

const FRAMEWORKS: [&str; 6] = ["express", "hono", "fastify", "middy", "fastapi", "flask"];
/// Requests in flight when the server is told to end.
const CLIENTS: usize = 200;

/// Makes a folder with a function for each framework, their packages next to them.
fn site() -> Folder {
    let here = repository().join("tests/it/frameworks");
    for installed in ["node_modules/.vendored", "package/.vendored"] {
        let file = here.join(installed);
        assert!(file.is_file(), "{} is not there: run `make setup`", file.display());
    }
    let folder = Folder::new(&[]);
    for framework in FRAMEWORKS {
        let source = here.join("site").join(framework);
        let name = ["handler.js", "handler.mjs", "handler.py"]
            .into_iter()
            .find(|name| source.join(name).is_file())
            .unwrap();
        let text = std::fs::read(source.join(name)).unwrap();
        folder.write(&format!("{framework}/{name}"), text);
        let packages =
            if Path::new(name).extension().unwrap() == "py" { "package" } else { "node_modules" };
        symlink(here.join(packages), folder.task().join(framework).join(packages)).unwrap();
    }
    folder
}

fn path(framework: &str, id: usize) -> String {
    format!("/{framework}/pets/{id}?colour=dark%20red")
}

#[track_caller]
fn check(framework: &str, id: usize, reply: &Reply) {
    assert_eq!(reply.status, 200, "{framework} {id}: {reply:?}");
    let expected = json!({"framework": framework, "id": id.to_string(), "colour": "dark red"});
    assert_eq!(reply.json(), expected);
}

#[test]
fn six_frameworks_answer_side_by_side_and_lose_nothing_when_the_server_ends() {
    let folder = site();
    let served = Served::start(&folder, &["--workers", "2", "--grace", "60"]);
    let json = [("content-type", "application/json")];
    for framework in FRAMEWORKS {
        check(framework, 1, &served.get(&path(framework, 1)));
        let body = format!("{{\"name\":\"{framework}-cat\"}}");
        let reply = served.request("POST", &format!("/{framework}/pets"), &json, body.as_bytes());
        assert_eq!(reply.status, 201, "{framework}: {reply:?}");
        assert_eq!(
            reply.json(),
            json!({"framework": framework, "added": format!("{framework}-cat")})
        );
        let cookie = format!("last={framework}-cat;");
        let cookies = reply.all("set-cookie");
        assert!(cookies.len() == 1 && cookies[0].starts_with(&cookie), "{framework}: {reply:?}");
    }
    let sent = Barrier::new(CLIENTS + 1);
    thread::scope(|scope| {
        for id in 0..CLIENTS {
            let (served, sent) = (&served, &sent);
            scope.spawn(move || {
                let framework = FRAMEWORKS[id % FRAMEWORKS.len()];
                let mut connection = Connection::open(served.address);
                for round in 0..3 {
                    let id = 10 * id + round;
                    check(
                        framework,
                        id,
                        &connection.exchange("GET", &path(framework, id), &[], b""),
                    );
                }
                connection.send("GET", &path(framework, id), &[], b"");
                sent.wait();
                check(framework, id, &connection.receive("GET"));
            });
        }
        sent.wait();
        served.process.signal("TERM");
    });
    assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
}
