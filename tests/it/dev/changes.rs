//! What counts as a change, and when it is served.

use super::{JAVASCRIPT, LUA, PYTHON, develops, fails, reloads, saying, says, shows, three};
use crate::support::{Connection, Folder, Served, eventually, trine};
use std::{fs, thread, time::Duration};

#[test]
fn a_save_is_served_in_every_language() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    for path in ["/js", "/py", "/lua"] {
        says(&served, path, "one");
    }
    folder.write("js.cjs", saying(JAVASCRIPT, "two"));
    says(&served, "/js", "two");
    folder.write("py.py", saying(PYTHON, "two"));
    says(&served, "/py", "two");
    folder.write("lua.lua", saying(LUA, "two"));
    says(&served, "/lua", "two");
    shows(&served, "lua.lua changed");
}

#[test]
fn what_functions_are_made_of_counts_whatever_it_is() {
    let folder = Folder::new(&[
        (
            "js.mjs",
            "import { word } from './lib/word.mjs'; import data from './data.json' with { type: 'json' };\n\
          export const handler = async () => word + data.n;",
        ),
        ("lib/word.mjs", "export const word = 'one';"),
        ("data.json", r#"{"n":1}"#),
        (
            "py.py",
            "import helper.words\ndef handler(event, context):\n    return helper.words.WORD\n",
        ),
        ("helper/__init__.py", ""),
        ("helper/words.py", "WORD = 'one'\n"),
        ("packed.cjs", "exports.handler = async () => require('left')();"),
        ("node_modules/left/package.json", r#"{"main":"a.js"}"#),
        ("node_modules/left/a.js", "module.exports = () => 'a';"),
        ("node_modules/left/b.js", "module.exports = () => 'b';"),
        ("middlewares/tag.lua", "return { after = function(result) return result .. '!' end }"),
    ]);
    let served = develops(&folder, &["--middlewares", "tag"]);
    says(&served, "/js", "one1!");
    says(&served, "/py", "one!");
    says(&served, "/packed", "a!");
    folder.write("lib/word.mjs", "export const word = 'two';");
    says(&served, "/js", "two1!");
    folder.write("data.json", r#"{"n":2}"#);
    says(&served, "/js", "two2!");
    folder.write("helper/words.py", "WORD = 'two'\n");
    says(&served, "/py", "two!");
    folder.write("node_modules/left/package.json", r#"{"main":"b.js"}"#);
    says(&served, "/packed", "b!");
    folder.write(
        "middlewares/tag.lua",
        "return { after = function(result) return result .. '?' end }",
    );
    says(&served, "/py", "two?");
    folder.write("trine.toml", "[[route]]\npath = \"/else\"\nfunction = \"py\"\n");
    says(&served, "/else", "two?");
    fails(&served, "/gone", 404, "no function is served");
}

#[test]
fn functions_come_and_go_with_their_files() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    fails(&served, "/new", 404, "no function is served at /new");
    folder.write("new.lua", saying(LUA, "new"));
    says(&served, "/new", "new");
    fs::remove_file(folder.task().join("new.lua")).unwrap();
    fails(&served, "/new", 404, "no function is served at /new");
    folder.write("deep/er/index.py", saying(PYTHON, "deep"));
    eventually("a folder that was not there is served", || {
        let paths = ["/deep/er/index", "/deep/er"];
        paths.iter().any(|path| served.get(path).text() == "deep").then_some(())
    });
    fs::rename(folder.task().join("deep"), folder.task().join("moved")).unwrap();
    eventually("a folder that was moved is served", || {
        let paths = ["/moved/er/index", "/moved/er"];
        paths.iter().any(|path| served.get(path).text() == "deep").then_some(())
    });
    says(&served, "/lua", "one");
}

#[test]
fn editors_write_elsewhere_and_rename() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    for (at, word) in ["two", "three", "four"].into_iter().enumerate() {
        // As vim, as many others, and as those that keep what was there.
        let (own, other) = (folder.task().join("py.py"), folder.task().join(".py.py.swp-new"));
        if at == 2 {
            fs::rename(&own, folder.task().join("py.py~")).unwrap();
        }
        fs::write(&other, saying(PYTHON, word)).unwrap();
        fs::rename(&other, &own).unwrap();
        says(&served, "/py", word);
    }
}

#[test]
fn half_a_save_is_followed_by_the_other_half() {
    use std::io::Write as _;
    let folder = three("one");
    let served = develops(&folder, &[]);
    let whole = saying(PYTHON, "two");
    let (begin, end) = whole.split_at(30);
    let mut file = fs::File::create(folder.task().join("py.py")).unwrap();
    file.write_all(begin.as_bytes()).unwrap();
    file.flush().unwrap();
    // The half may be served as what it is: a file with an error in it.
    thread::sleep(Duration::from_millis(300));
    file.write_all(end.as_bytes()).unwrap();
    drop(file);
    says(&served, "/py", "two");
}

#[test]
fn what_lies_beside_functions_does_not_count() {
    let folder = three("one");
    folder.write("data/notes.db", "one");
    folder.write("kept.json", "{}");
    let served =
        develops(&folder, &["--ignore", "kept.json", "--ignore", "out/", "--watch", "data"]);
    says(&served, "/py", "one");
    for name in [
        "log.txt",
        "image.png",
        ".git/index",
        "__pycache__/py.cpython-311.pyc",
        "kept.json",
        "out/x.py",
    ] {
        folder.write(name, "noise");
    }
    thread::sleep(Duration::from_millis(400));
    assert_eq!(reloads(&served), 0, "{:?}", served.process);
    folder.write("data/notes.db", "two");
    shows(&served, "data/notes.db changed");
}

#[test]
fn nothing_of_the_old_code_answers_after_the_new_in_any_worker() {
    let folder = three("0");
    let served = develops(&folder, &["--workers", "4"]);
    says(&served, "/lua", "0");
    for round in 1..6 {
        let mut kept: Vec<Connection> = (0..8).map(|_| Connection::open(served.address)).collect();
        for connection in &mut kept {
            assert_eq!(connection.exchange("GET", "/lua", &[], b"").status, 200);
        }
        folder.write("lua.lua", saying(LUA, &round.to_string()));
        says(&served, "/lua", &round.to_string());
        for _ in 0..40 {
            assert_eq!(served.get("/lua").text(), round.to_string());
        }
        // Connections of the one before are closed.
        for connection in &mut kept {
            assert!(connection.is_closed());
        }
    }
}

#[test]
fn what_was_asked_before_is_answered_by_the_old_code() {
    let folder = three("one");
    let slow = "import time\ndef handler(event, context):\n    \
        print('has begun', flush=True)\n    time.sleep(1)\n    return 'one'\n";
    folder.write("py.py", slow);
    let served = develops(&folder, &[]);
    let mut asked = Connection::open(served.address);
    asked.send("GET", "/py", &[], b"");
    shows(&served, "has begun");
    folder.write("py.py", saying(PYTHON, "two"));
    says(&served, "/py", "two");
    assert_eq!(asked.receive("GET").text(), "one");
}

#[test]
fn thousands_of_saves_end_with_the_last_one() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    for number in 0..3000 {
        folder.write("lua.lua", saying(LUA, &number.to_string()));
        folder.write(&format!("many/f{}.lua", number % 50), saying(LUA, "x"));
    }
    folder.write("lua.lua", saying(LUA, "last"));
    says(&served, "/lua", "last");
    // It does not begin anew for each of them.
    assert!(reloads(&served) < 1500, "{}", reloads(&served));
    eventually("the old ones end", || (super::generations(&served).len() <= 1).then_some(()));
}

#[test]
fn a_folder_that_goes_is_served_when_it_is_back() {
    let folder = three("one");
    folder.write("site/a.lua", saying(LUA, "one"));
    let served = develops(&folder, &["site"]);
    says(&served, "/a", "one");
    fs::rename(folder.task().join("site"), folder.task().join("elsewhere")).unwrap();
    shows(&served, "site is gone; it is served again when it is back");
    fails(&served, "/a", 500, "site");
    folder.write("site/a.lua", saying(LUA, "two"));
    says(&served, "/a", "two");
    folder.write("site/a.lua", saying(LUA, "three"));
    says(&served, "/a", "three");
}

#[test]
fn a_folder_without_functions_waits_for_one() {
    let folder = Folder::new(&[("site/readme.md", "nothing yet")]);
    let command = trine(&folder, &["serve", "--reload", "--port", "0", "site"]);
    let process = crate::support::Process::start(command);
    eventually("it says what is missing", || process.stderr().contains("site").then_some(()));
    assert!(process.status().is_none(), "{process:?}");
}

#[test]
fn serve_reloads_too_and_a_lone_file_is_enough() {
    let folder = Folder::new(&[("app.py", &saying(PYTHON, "one")), ("other.lua", LUA)]);
    let served = Served::of(trine(&folder, &["serve", "--reload", "--port", "0", "app.py"]));
    says(&served, "/", "one");
    folder.write("app.py", saying(PYTHON, "two"));
    says(&served, "/", "two");
    let polled =
        Served::of(trine(&folder, &["serve", "--reload", "--poll", "--port", "0", "app.py"]));
    says(&polled, "/", "two");
    // The time of a change has a second for its least part on some systems.
    thread::sleep(Duration::from_millis(1100));
    folder.write("app.py", saying(PYTHON, "three"));
    says(&polled, "/", "three");
    says(&served, "/", "three");
}

#[test]
fn links_are_followed_and_circles_are_not() {
    use std::os::unix::fs::symlink;
    let folder = three("one");
    folder.write("../elsewhere/linked.py", "WORD = 'one'\n");
    folder.write(
        "py.py",
        "from vendor.linked import WORD\ndef handler(event, context):\n    return WORD\n",
    );
    symlink(folder.task().join("../elsewhere"), folder.task().join("vendor")).unwrap();
    symlink(folder.task(), folder.task().join("round")).unwrap();
    let served = develops(&folder, &[]);
    says(&served, "/py", "one");
    folder.write("../elsewhere/linked.py", "WORD = 'two'\n");
    says(&served, "/py", "two");
}

#[test]
fn two_servers_share_a_folder_but_no_port() {
    let folder = three("one");
    let (one, other) = (develops(&folder, &[]), develops(&folder, &[]));
    folder.write("lua.lua", saying(LUA, "two"));
    says(&one, "/lua", "two");
    says(&other, "/lua", "two");
    let port = one.address.port().to_string();
    let finished = crate::support::run(trine(&folder, &["dev", "--port", &port]));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("is in use"), "{finished:?}");
}

#[test]
fn functions_that_change_their_own_files_are_told_of_and_slowed_down() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    let writes = "import time\nopen(__file__.replace('py.py', 'stamp.py'), 'w').write('X = %r' % time.time())\n";
    folder.write("py.py", format!("{writes}{}", saying(PYTHON, "two")));
    shows(
        &served,
        "stamp.py changed again and again: leave out what functions write with --ignore",
    );
    let before = reloads(&served);
    thread::sleep(Duration::from_millis(2500));
    assert!(reloads(&served) < before + 8, "{:?}", served.process);
    folder.write("py.py", saying(PYTHON, "three"));
    says(&served, "/py", "three");
}

#[test]
fn a_working_directory_that_is_made_anew_is_served_again() {
    let folder = three("one");
    folder.write("site/a.lua", saying(LUA, "one"));
    let mut command = trine(&folder, &["dev", "--port", "0"]);
    command.current_dir(folder.task().join("site"));
    let served = Served::of(command);
    says(&served, "/a", "one");
    fs::rename(folder.task().join("site"), folder.task().join("elsewhere")).unwrap();
    shows(&served, "is gone; it is served again when it is back");
    folder.write("site/a.lua", saying(LUA, "two"));
    says(&served, "/a", "two");
}
