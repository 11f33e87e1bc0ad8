//! Which interface a handler has, where somebody says it.

use super::APPLICATIONS;
use crate::support::{Folder, Served, run, trine};

/// Nothing tells that these are applications.
const HIDDEN: [(&str, &str, &str); 3] = [
    (
        "asgi",
        "main.py",
        "async def _app(*args):\n    scope, receive, send = args\n    if scope['type'] == 'lifespan': raise ValueError\n    \
         await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n    \
         await send({'type': 'http.response.body', 'body': b'asgi'})\nhandler = lambda *a: _app(*a)\n",
    ),
    ("node", "main.mjs", "export const handler = (...all) => all[1].end('node');\n"),
    (
        "fetch",
        "main.lua",
        "return { handler = function(...) return { status = 200, body = 'fetch' } end }\n",
    ),
];

#[test]
fn an_interface_is_set_by_a_variable_or_in_trine_toml() {
    for (interface, file, source) in HIDDEN {
        let folder = Folder::new(&[(file, source)]);
        let mut command = trine(&folder, &["serve", "--port", "0", file]);
        command.env("TRINE_INTERFACE", interface);
        let served = Served::of(command);
        let reply = served.get("/");
        assert_eq!((reply.status, reply.text()), (200, interface), "{:?}", served.process);
        folder.write(
            "trine.toml",
            format!("[[function]]\nname = \"main\"\ninterface = \"{interface}\"\n"),
        );
        let served = Served::start(&folder, &[]);
        assert_eq!(served.get("/main").text(), interface);
    }
}

#[test]
fn an_interface_of_another_language_is_refused_and_so_is_none_at_all() {
    let folder = APPLICATIONS[0].folder();
    for (interface, part) in [("node", "is none of Python's"), ("agsi", "did you mean 'asgi'?")] {
        let mut command = trine(&folder, &["serve", "--port", "0", "main:app"]);
        command.env("TRINE_INTERFACE", interface);
        let finished = run(command);
        assert_ne!(finished.code, Some(0));
        assert!(finished.stderr.contains(part), "{}", finished.stderr);
    }
    folder.write("trine.toml", "[[function]]\nname = \"main\"\ninterface = \"fetch\"\n");
    let finished = run(trine(&folder, &["serve", "--port", "0"]));
    assert!(finished.stderr.contains("trine.toml:3"), "{}", finished.stderr);
}

#[test]
fn each_interface_can_be_named_as_well() {
    for application in APPLICATIONS {
        let folder = application.folder();
        let mut command = trine(&folder, &["serve", "--port", "0", application.named]);
        command.env("TRINE_INTERFACE", application.interface);
        let reply = Served::of(command).get("/");
        assert_eq!((reply.status, reply.header("x-kind")), (201, Some(application.kind)));
    }
}
