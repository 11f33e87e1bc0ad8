//! Whether a server is ready: `/.trine/ready`.

use crate::support::{Folder, Served};

#[test]
fn a_server_is_ready_if_any_of_its_functions_can_be_loaded() {
    let folder =
        Folder::new(&[("bad.lua", "return function("), ("good.lua", "return function() end")]);
    let served = Served::start(&folder, &[".", "--workers", "1"]);
    assert_eq!(served.get("/.trine/ready").text(), "ready");
    let served = Served::start(&folder, &["bad.lua", "--workers", "1"]);
    let reply = served.get("/.trine/ready");
    assert_eq!((reply.status, reply.text()), (503, "no function can be loaded"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(served.get("/.trine/health").text(), "ok");
    // Mended, and asked for.
    folder.write("bad.lua", "return function() return 1 end");
    assert_eq!(served.get("/").text(), "1");
    assert_eq!(served.get("/.trine/ready").text(), "ready");
}

#[test]
fn what_fails_only_when_it_is_loaded_shows_with_eager() {
    let sources = [
        ("app.mjs", "throw new Error('no database');\nexport const handler = () => 1;\n"),
        ("app.py", "raise ValueError('no database')\ndef handler(event, context):\n    return 1\n"),
        ("app.lua", "error('no database')\nreturn function() return 1 end\n"),
    ];
    for (file, source) in sources {
        let folder = Folder::new(&[(file, source)]);
        let served = Served::start(&folder, &[file, "--workers", "1", "--eager"]);
        assert_eq!(served.get("/.trine/ready").text(), "no function can be loaded", "{file}");
        let served = Served::start(&folder, &[file, "--workers", "1"]);
        assert_eq!(served.get("/.trine/ready").text(), "ready", "{file}");
    }
}
