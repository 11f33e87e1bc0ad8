//! Handlers in Go, by the package that is made for them, and Go's runtime beside handlers of signals that were there before.

use crate::support::{Guest, has, invocation, run, succeed};
use std::{
    ffi::c_int,
    fs,
    path::Path,
    process::Command,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use trine_engine::{Error, ErrorKind, Invocation};
use trine_process::signal::{self, Thread};

const SOURCE: &str = r#"package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"trine"
)

type event struct {
	Kind string
}

func order(kind string) string {
	if kind == "panic" {
		panic("no anvil")
	}
	return kind
}

var last context.Context

func init() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
	trine.Handle(func(ctx context.Context, event event) (map[string]string, error) {
		known, _ := trine.FromContext(ctx)
		switch event.Kind {
		case "error":
			return nil, trine.Error{Type: "OutOfStock", Message: "no anvil"}
		case "plain":
			return nil, errors.New("plain")
		case "wait":
			last = ctx
			<-ctx.Done()
			return nil, ctx.Err()
		case "wait longer":
			inner, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-inner.Done()
			return nil, inner.Err()
		case "last":
			last = ctx
		case "of last":
			return nil, last.Err()
		case "busy":
			// Where there is one thread for goroutines, a loop without calls gives way to a signal alone.
			runtime.GOMAXPROCS(1)
			var done int32
			go func() { atomic.StoreInt32(&done, 1) }()
			for i := 0; i < 1<<36 && atomic.LoadInt32(&done) == 0; i++ {
			}
			if done == 0 {
				return nil, errors.New("nobody else got a turn")
			}
		}
		return map[string]string{"id": known.AwsRequestID, "kind": order(event.Kind)}, nil
	})
}

func main() {}
"#;

const HTTP: &str = r#"package main

import (
	"fmt"
	"io"
	"net/http"
	"trine"
)

func init() {
	trine.HandleFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		w.Header().Set("X-Seen", r.Header.Get("X-Name"))
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, r.URL.Query().Get("q"), body)
	})
}

func main() {}
"#;

static HEARD: AtomicUsize = AtomicUsize::new(0);
static HEARD_LATE: AtomicUsize = AtomicUsize::new(0);

extern "C" fn hear(_signal: c_int) {
    HEARD.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn hear_late(_signal: c_int) {
    HEARD_LATE.fetch_add(1, Ordering::SeqCst);
}

fn build(guest: &Guest, source: &str) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let folder = guest.folder.join("src");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("main.go"), source).unwrap();
    let module = format!(
        "module app\n\ngo 1.19\n\nrequire trine v0.0.0\n\nreplace trine => {}\n",
        package.display()
    );
    fs::write(folder.join("go.mod"), module).unwrap();
    let mut command = Command::new("go");
    command.args(["build", "-buildmode=c-shared", "-o"]).arg(guest.folder.join("app.so"));
    succeed(command.current_dir(&folder).env("GOFLAGS", "-mod=mod").env("GOPROXY", "off"));
}

#[test]
fn a_handler_in_go_answers_fails_and_panics_and_leaves_signals_to_those_who_had_them() {
    if !has("go", "version") {
        return;
    }
    for number in [signal::URGENT, libc::SIGUSR2] {
        // SAFETY: the handler counts, which may be done at any moment.
        unsafe { signal::handle(number, hear) };
    }
    let guest = Guest::empty();
    build(&guest, SOURCE);
    let of = |kind: &str| guest.handle(&format!(r#"{{"Kind": "{kind}"}}"#));
    assert_eq!(of("x").unwrap(), r#"{"id":"id-1","kind":"x"}"#);
    assert_eq!(of("busy").unwrap(), r#"{"id":"id-1","kind":"busy"}"#);
    let failed = of("error").unwrap_err();
    assert_eq!((failed.name(), failed.message()), ("OutOfStock", "no anvil"));
    assert_eq!(of("plain").unwrap_err().name(), "errorString");
    let panicked = of("panic").unwrap_err();
    assert_eq!((panicked.name(), panicked.message()), ("Panic", "no anvil"));
    let frame = &panicked.frames()[0];
    assert!(frame.file.ends_with("main.go") && frame.line == 21, "{frame}");
    let odd = guest.handle("[1").unwrap_err();
    assert_eq!((odd.kind(), odd.name()), (ErrorKind::Guest, "Runtime.UnmarshalError"));
    contexts_end_as_at_their_deadline(&guest);
    for number in [signal::URGENT, libc::SIGUSR2] {
        let before = HEARD.load(Ordering::SeqCst);
        // SAFETY: this is the current thread.
        unsafe { Thread::current().send(number) };
        assert!(HEARD.load(Ordering::SeqCst) > before, "signal {number}");
    }
    // Who comes after Go does not take its signals away either.
    // SAFETY: as above.
    unsafe { signal::handle(signal::URGENT, hear_late) };
    // SAFETY: this is the current thread.
    unsafe { Thread::current().send(signal::URGENT) };
    assert_eq!(HEARD_LATE.load(Ordering::SeqCst), 1);
    assert_eq!(of("busy").unwrap(), r#"{"id":"id-1","kind":"busy"}"#);
    assert!(HEARD_LATE.load(Ordering::SeqCst) > 1, "Go's own signals pass by");
}

/// What waits for its context hears that the time is up, whether it is warned or the time comes. Afterwards it is cancelled.
fn contexts_end_as_at_their_deadline(guest: &Guest) {
    let exceeded = |error: Error| {
        assert_eq!(error.name(), "deadlineExceededError");
        assert_eq!(error.message(), "context deadline exceeded");
    };
    let of = |kind: &str, invocation: &Rc<Invocation>| {
        run(async {
            let function = guest.load("app.so", "handler").await.unwrap();
            guest.0.call(function, &format!(r#"{{"Kind": "{kind}"}}"#), invocation).await
        })
    };
    let interrupter = guest.instance.interrupter();
    let is_over = Arc::new(AtomicBool::new(false));
    let until = is_over.clone();
    let warner = thread::spawn(move || {
        while !until.load(Ordering::SeqCst) {
            interrupter.warn();
            thread::sleep(Duration::from_millis(5));
        }
    });
    for kind in ["wait", "wait longer"] {
        exceeded(of(kind, &invocation("id-1")).unwrap_err());
    }
    exceeded(of("of last", &invocation("id-1")).unwrap_err());
    is_over.store(true, Ordering::SeqCst);
    warner.join().unwrap();
    for kind in ["wait", "wait longer"] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let deadline_ms = Some(now.as_millis() as u64 + 30);
        exceeded(
            of(kind, &Invocation { deadline_ms, ..Invocation::json("id-2") }.into()).unwrap_err(),
        );
    }
    assert!(of("last", &invocation("id-1")).is_ok());
    assert_eq!(of("of last", &invocation("id-1")).unwrap_err().message(), "context canceled");
}

/// In a process of its own: a process has one Go runtime.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn requests_in_go() {
    let guest = Guest::empty();
    build(&guest, HTTP);
    let answer = guest.handle(
        r#"{"rawPath": "/a%20b", "rawQueryString": "q=1", "headers": {"x-name": "n"}, "body": "aGk=",
            "isBase64Encoded": true, "requestContext": {"http": {"method": "PUT"}}}"#,
    );
    assert_eq!(
        answer.unwrap(),
        r#"{"statusCode":201,"headers":{"x-seen":"n"},"cookies":["a=1"],"body":"PUT /a b 1 hi"}"#
    );
}

#[test]
fn a_handler_of_requests_in_go_answers_events_of_api_gateway() {
    if !has("go", "version") {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    succeed(command.args(["go::requests_in_go", "--exact", "--ignored"]));
}
