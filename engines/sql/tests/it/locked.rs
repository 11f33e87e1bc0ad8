//! Attached databases that somebody else has locked, and interrupts while a file is loaded.

use crate::support::{Guest, invocation, run, set};
use std::{
    ffi::CString,
    path::{Path, PathBuf},
    ptr, thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trine_engine::{Error, ErrorKind, Interrupter, Invocation};

/// The time after which something counts as hanging.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection that another program could have.
struct Other(*mut libsqlite3_sys::sqlite3);

// SAFETY: SQLite is built for several threads, and one at a time has the connection.
unsafe impl Send for Other {}

impl Other {
    fn open(path: &Path) -> Self {
        let mut raw = ptr::null_mut();
        let name = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the name ends in NUL.
        assert_eq!(unsafe { libsqlite3_sys::sqlite3_open(name.as_ptr(), &raw mut raw) }, 0);
        Self(raw)
    }

    fn run(&self, text: &str) {
        let text = CString::new(text).unwrap();
        let (raw, null) = (self.0, ptr::null_mut());
        // SAFETY: the connection is open and the text ends in NUL.
        let code = unsafe {
            libsqlite3_sys::sqlite3_exec(raw, text.as_ptr(), None, null, ptr::null_mut())
        };
        assert_eq!(code, 0);
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // SAFETY: it is open, and closed once.
        unsafe { libsqlite3_sys::sqlite3_close(self.0) };
    }
}

/// A guest with two databases, `shop.db` and `free.db`.
fn guest(source: &str) -> Guest {
    let guest = Guest::within(&[("app.sql", source)], |environment| {
        set(environment, &[("TRINE_SQL_ATTACH", "shop=shop.db,free=free.db")]);
    });
    for name in ["shop.db", "free.db"] {
        let other = Other::open(&guest.folder.join(name));
        other.run("CREATE TABLE items (name); INSERT INTO items VALUES ('nut'), ('bolt')");
    }
    guest
}

fn shop(guest: &Guest) -> PathBuf {
    guest.folder.join("shop.db")
}

/// Locks a database.
fn lock(guest: &Guest) -> Other {
    let other = Other::open(&shop(guest));
    other.run("BEGIN EXCLUSIVE");
    other
}

fn within(milliseconds: u64) -> Invocation {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    Invocation { deadline_ms: Some(now + milliseconds), ..Invocation::json("id-1") }
}

fn interrupt_once(interrupter: Interrupter) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        interrupter.interrupt();
    })
}

/// One that keeps its statements, and one that opens a database in each call.
const SOURCES: [&str; 2] = [
    "SELECT count(*) AS n FROM shop.items",
    "CREATE TEMP TABLE t AS SELECT * FROM shop.items; SELECT count(*) AS n FROM t",
];

#[test]
fn a_lock_is_waited_for() {
    for source in SOURCES {
        run(async {
            let guest = guest(source);
            let function = guest.load("app").await.unwrap();
            for deadline in [None, Some(30_000)] {
                let other = lock(&guest);
                let release = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(150));
                    drop(other);
                });
                let invocation = deadline.map_or_else(|| Invocation::json("id-1"), within).into();
                let answer = guest.0.call(function, "{}", &invocation).await;
                assert_eq!(answer.unwrap(), r#"{"n":2}"#, "{source}");
                release.join().unwrap();
            }
        });
    }
}

#[test]
fn a_lock_that_stays_is_told_with_the_file_before_the_deadline() {
    for source in SOURCES {
        run(async {
            let guest = guest(source);
            let function = guest.load("app").await.unwrap();
            let other = lock(&guest);
            let invocation = within(500).into();
            let error = guest.0.call(function, "{}", &invocation).await.unwrap_err();
            let start = format!(
                "failed to execute query: database is locked: another process holds {}; waited ",
                shop(&guest).display()
            );
            assert!(error.message().starts_with(&start), "{source}: {error}");
            assert!(format!("{error:?}").contains("SQLITE_BUSY"), "{error:?}");
            drop(other);
            assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"n":2}"#);
        });
    }
}

#[test]
fn a_wait_for_a_lock_is_interrupted_and_told_of() {
    for source in SOURCES {
        run(async {
            let guest = guest(source);
            let function = guest.load("app").await.unwrap();
            let _other = lock(&guest);
            let interrupting = interrupt_once(guest.instance.interrupter());
            let error = guest.call(function, "{}").await.unwrap_err();
            interrupting.join().unwrap();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{source}: {error}");
            let told = format!("{error:?}");
            assert!(told.contains("waited for a lock of") && told.contains("shop.db"), "{told}");
        });
    }
}

#[test]
fn a_lock_is_waited_for_when_a_file_is_loaded() {
    run(async {
        let guest = guest(SOURCES[0]);
        let other = lock(&guest);
        let interrupting = interrupt_once(guest.instance.interrupter());
        let error = guest.load("app").await.unwrap_err();
        interrupting.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        let error: Error = guest.load("app").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        let start = format!(
            "TRINE_SQL_ATTACH: cannot attach 'shop', {}: database is locked: another process holds it; waited 5.",
            shop(&guest).display()
        );
        assert!(error.message().starts_with(&start), "{error}");
        let release = thread::spawn(move || {
            thread::sleep(Duration::from_millis(150));
            drop(other);
        });
        assert_eq!(guest.handle("{}").await.unwrap(), r#"{"n":2}"#);
        release.join().unwrap();
    });
}

#[test]
fn a_rehearsal_that_takes_long_is_interrupted() {
    let count = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 40000) SELECT max(n) AS m FROM c";
    let mut source = String::new();
    for number in 0..2000 {
        source += &format!("CREATE TABLE t{number} AS {count};\n");
    }
    source += "SELECT 1 AS one";
    run(async {
        let guest = Guest::new(&source);
        guest.folder.write("fine.sql", "CREATE TABLE t (a); SELECT 1 AS one");
        let began = Instant::now();
        let interrupting = interrupt_once(guest.instance.interrupter());
        let error = guest.load("app").await.unwrap_err();
        interrupting.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(error.message(), Error::STOPPED);
        assert!(began.elapsed() < LIMIT);
        let fine = guest.load("fine").await.unwrap();
        assert_eq!(guest.call(fine, "{}").await.unwrap(), r#"{"one":1}"#);
    });
}

#[test]
fn an_interrupt_hits_the_load_or_the_call_that_has_begun_and_none_later() {
    run(async {
        let guest = Guest::new("CREATE TABLE t (a); SELECT 1 AS one");
        let module = guest.module("app");
        let load = guest.instance.load(&module);
        guest.instance.interrupter().interrupt();
        assert_eq!(load.await.unwrap_err().kind(), ErrorKind::Timeout);
        let function = guest.load("app").await.unwrap();
        let invocation = invocation("id-1");
        let input = trine_engine::Payload::json("{}");
        let call = guest.instance.call(function, input, trine_engine::Form::Json, &invocation);
        guest.instance.interrupter().interrupt();
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(guest.call(function, "{}").await.unwrap(), r#"{"one":1}"#);
    });
}
