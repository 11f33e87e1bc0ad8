//! The end: nothing that was asked is lost, and no process stays.

use super::{LUA, develops, generations, saying, says, shows, three};
use crate::support::{Connection, eventually};
use std::{path::Path, thread, time::Duration};

fn is_running(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

#[test]
fn a_signal_ends_all_and_what_was_asked_is_answered() {
    for signal in ["TERM", "INT"] {
        let folder = three("one");
        folder.write(
            "py.py",
            "import time\ndef handler(event, context):\n    print('has begun', flush=True)\n    time.sleep(0.6)\n    return 'done'\n",
        );
        let served = develops(&folder, &[]);
        says(&served, "/lua", "one");
        let those = generations(&served);
        let mut asked = Connection::open(served.address);
        asked.send("GET", "/py", &[], b"");
        shows(&served, "has begun");
        served.process.signal(signal);
        assert_eq!(asked.receive("GET").text(), "done");
        assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
        assert!(!those.iter().any(|id| is_running(*id)));
    }
}

#[test]
fn a_second_signal_waits_for_nothing() {
    let folder = three("one");
    folder.write("py.py", "import time\ndef handler(event, context):\n    print('has begun', flush=True)\n    time.sleep(60)\n");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    let those = generations(&served);
    let mut asked = Connection::open(served.address);
    asked.send("GET", "/py", &[], b"");
    shows(&served, "has begun");
    served.process.signal("TERM");
    shows(&served, "asked to stop");
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
    eventually("the server is gone", || (!those.iter().any(|id| is_running(*id))).then_some(()));
}

#[test]
fn servers_do_not_outlive_whoever_has_started_them() {
    let folder = three("one");
    let served = develops(&folder, &[]);
    says(&served, "/lua", "one");
    folder.write("lua.lua", saying(LUA, "two"));
    says(&served, "/lua", "two");
    let those = generations(&served);
    assert!(!those.is_empty());
    served.process.signal("KILL");
    served.process.wait();
    eventually("the server is gone", || (!those.iter().any(|id| is_running(*id))).then_some(()));
    assert!(!Path::new(&format!("/proc/{}", served.process.id)).exists());
}

#[test]
fn a_stream_that_never_ends_does_not_keep_the_new_code_from_being_served() {
    let folder = three("one");
    let stream = "import time\ndef handler(event, context):\n    while True:\n        yield 'x'\n        time.sleep(0.02)\n";
    folder.write("py.py", stream);
    let served = develops(&folder, &["--grace", "1s"]);
    let mut asked = Connection::open(served.address);
    asked.send("GET", "/py", &[], b"");
    thread::sleep(Duration::from_millis(200));
    for word in ["two", "three", "four", "five", "six", "seven", "eight"] {
        folder.write("lua.lua", saying(LUA, word));
        says(&served, "/lua", word);
    }
    eventually("the old ones end", || (generations(&served).len() <= 1).then_some(()));
}
