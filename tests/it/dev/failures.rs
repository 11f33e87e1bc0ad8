//! What does not load is not served from what did, and is told until it is mended.

use super::{JAVASCRIPT, LUA, PYTHON, develops, fails, generations, saying, says, shows, three};
use crate::support::eventually;

#[test]
fn an_error_is_what_answers_until_it_is_mended() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    for (name, path, source, broken, told) in [
        ("js.cjs", "/js", JAVASCRIPT, "exports.handler = async () => {", "js.cjs"),
        ("py.py", "/py", PYTHON, "def handler(event, context)\n    pass\n", "py.py"),
        ("lua.lua", "/lua", LUA, "return function(event) retrun 1 end", "lua.lua"),
        (
            "js.cjs",
            "/js",
            JAVASCRIPT,
            "require('nowhere'); exports.handler = async () => 1;",
            "nowhere",
        ),
        ("py.py", "/py", PYTHON, "import nowhere\ndef handler(event, context): pass\n", "nowhere"),
        ("lua.lua", "/lua", LUA, "require 'nowhere' return function() end", "nowhere"),
    ] {
        says(&served, path, "one");
        folder.write(name, broken);
        fails(&served, path, 500, told);
        shows(&served, told);
        // The others go on.
        let other = if path == "/lua" { "/py" } else { "/lua" };
        says(&served, other, "one");
        folder.write(name, saying(source, "one"));
        says(&served, path, "one");
    }
}

#[test]
fn a_file_that_has_lost_its_function_is_no_function() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/py", "one");
    folder.write("py.py", "def other(event, context):\n    pass\n");
    fails(&served, "/py", 404, "no function is served at /py");
    folder.write("py.py", saying(PYTHON, "two"));
    says(&served, "/py", "two");
}

#[test]
fn a_file_of_routes_with_an_error_is_told_to_whoever_asks() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/py", "one");
    folder.write("trine.toml", "[[route]\n");
    fails(&served, "/py", 500, "trine.toml:1");
    shows(&served, "trine.toml:1");
    fails(&served, "/anything", 500, "trine.toml:1");
    folder.write("trine.toml", "");
    says(&served, "/py", "one");
}

#[test]
fn a_function_that_ends_the_process_is_no_reason_to_stop() {
    let folder = three("one");
    folder.write("py.py", "import ctypes\ndef handler(event, context):\n    ctypes.string_at(1)\n");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    let first = generations(&served);
    assert_eq!(first.len(), 1);
    // So that it has served for some time.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let mut asked = crate::support::Connection::open(served.address);
    asked.send("GET", "/py", &[], b"");
    shows(&served, "the server has ended by itself (signal: 11 (SIGSEGV)");
    says(&served, "/lua", "one");
    eventually("another process answers", || (generations(&served) != first).then_some(()));
}

#[test]
fn a_file_that_ends_the_process_when_it_is_loaded_is_told_and_not_tried_again_and_again() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    folder.write(
        "py.py",
        "import ctypes\nctypes.string_at(1)\ndef handler(event, context):\n    pass\n",
    );
    fails(&served, "/lua", 500, "signal: 11");
    fails(&served, "/lua", 500, "started again when a file changes");
    let those = generations(&served);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(generations(&served), those);
    folder.write("py.py", saying(PYTHON, "two"));
    says(&served, "/py", "two");
}

#[test]
fn code_that_never_ends_when_it_is_loaded_is_left_for_what_is_saved_next() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    folder.write("lua.lua", "while true do end");
    std::thread::sleep(std::time::Duration::from_millis(300));
    folder.write("lua.lua", saying(LUA, "two"));
    says(&served, "/lua", "two");
    folder.write("py.py", "while True:\n    pass\n");
    std::thread::sleep(std::time::Duration::from_millis(300));
    folder.write("py.py", saying(PYTHON, "three"));
    says(&served, "/py", "three");
}

#[test]
fn a_client_that_tries_again_does_not_take_the_server_down_for_good() {
    let folder = three("one");
    folder.write("py.py", "import ctypes\ndef handler(event, context):\n    ctypes.string_at(1)\n");
    let served = develops(&folder, &[]);
    for _ in 0..3 {
        says(&served, "/lua", "one");
        let mut asked = crate::support::Connection::open(served.address);
        asked.send("GET", "/py", &[], b"");
        assert!(asked.is_closed());
    }
    says(&served, "/lua", "one");
}

#[test]
fn code_that_loads_for_ever_is_told() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    folder.write("js.cjs", "while (true) {}; exports.handler = async () => 1;");
    shows(&served, "functions have been loading for 2 s, and requests wait");
    folder.write("js.cjs", saying(JAVASCRIPT, "two"));
    says(&served, "/js", "two");
}
