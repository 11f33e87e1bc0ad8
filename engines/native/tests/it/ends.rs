//! Libraries that end the process: by a crash, or by `exit`. Each case is a process of its own.

use crate::support::{FREE, Guest, handler, invocation, run};
use std::{
    env,
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};
use trine_engine::{Form, Payload, Wanted};

/// The variable with the source of a case's library, and the one with what the process does afterwards.
const SOURCE: &str = "TRINE_TEST_SOURCE";
const AFTERWARDS: &str = "TRINE_TEST_AFTERWARDS";

/// The end of a process.
struct End {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

/// Loads and calls a library in a process of its own, and looks how that ends.
fn end_of(source: &str, afterwards: &str) -> End {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["ends::the_case", "--exact", "--ignored", "--nocapture"]);
    command.env(SOURCE, source).env(AFTERWARDS, afterwards).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    End { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn the_case() {
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a crash that is wanted leaves no core behind.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
    let guest = Guest::new(&env::var(SOURCE).unwrap());
    let afterwards = env::var(AFTERWARDS).unwrap();
    if afterwards == "hook" {
        run(async {
            let module = guest.0.module("app.so", Wanted::Hooks);
            let (_, hook) = guest.instance.load(&module).await.unwrap().functions[0];
            let input = Payload::json("1");
            guest.instance.call(hook, input, Form::Native, &invocation("id-1")).await.unwrap();
        });
        return;
    }
    if afterwards == "warn" {
        let interrupter = guest.instance.interrupter();
        thread::spawn(move || {
            loop {
                interrupter.warn();
                thread::sleep(Duration::from_millis(5));
            }
        });
    }
    assert_eq!(guest.handle("1").unwrap(), "1");
    match &*afterwards {
        "shutdown" => guest.instance.shutdown(),
        // SAFETY: the end that is wanted.
        "abort" => unsafe { libc::abort() },
        "exit" => std::process::exit(0),
        "overflow" => assert!(overflow(1) > 0),
        _ => {}
    }
}

/// Uses up the stack.
#[allow(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let filler = std::hint::black_box([depth; 100]);
    overflow(depth + 1) + filler[7]
}

const FINE: &str = "return give(\"1\", out, out_len, 0);";

/// Checks that a library crashes with a signal, and is told to have done so while it did something.
fn crashes(source: &str, afterwards: &str, (signal, name): (i32, &str), doing: &str) {
    let End { status, stderr, .. } = end_of(source, afterwards);
    assert_eq!(status.signal(), Some(signal), "{source}: {status}: {stderr}");
    let told = format!(
        "/app.so crashed ({name}) while it {doing}; compiled handlers share the process and cannot be caught\n"
    );
    let line = stderr.split_inclusive('\n').find(|line| line.ends_with(&told));
    let line = line.unwrap_or_else(|| panic!("{source}: {stderr}"));
    assert!(line.contains("error: /"), "{line}");
    assert_eq!(stderr.matches("crashed").count(), 1, "{stderr}");
}

const SEGV: (i32, &str) = (libc::SIGSEGV, "SIGSEGV");
const ABRT: (i32, &str) = (libc::SIGABRT, "SIGABRT");

#[test]
fn a_crash_is_told_with_its_signal_and_the_invocation() {
    let deep = "__attribute__((noinline)) static int deep(volatile int *at) { volatile int here[500]; here[0] = *at + 1; return deep(here) + here[0]; }\n";
    for (before, body, signal) in [
        ("", "*(volatile int *)8 = 1;", SEGV),
        ("", "abort();", ABRT),
        ("#include <signal.h>\n", "raise(SIGSEGV);", SEGV),
        ("", "char *volatile p = malloc(100); free(p); free(p);", ABRT),
        ("#include <signal.h>\n", "raise(SIGFPE);", (libc::SIGFPE, "SIGFPE")),
        ("", "__builtin_trap();", (libc::SIGILL, "SIGILL")),
        (
            "#include <sys/mman.h>\n",
            "FILE *f = tmpfile(); volatile char *p = mmap(0, 4096, PROT_READ, MAP_SHARED, fileno(f), 0); return *p;",
            (libc::SIGBUS, "SIGBUS"),
        ),
        (deep, "int first = 1; return deep(&first);", SEGV),
    ] {
        let source = format!("{before}{}", handler(body));
        crashes(&source, "", signal, "handled id-1");
    }
}

#[test]
fn a_crash_anywhere_in_a_library_is_told() {
    let crash = "*(volatile int *)8 = 1;";
    let fine = handler(FINE);
    let constructor =
        format!("__attribute__((constructor)) static void first(void) {{ {crash} }}\n{fine}");
    crashes(&constructor, "", SEGV, "was loaded");
    let init = format!(
        "int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
         (void)root, (void)facts, (void)facts_len, (void)out, (void)out_len; {crash} return 0; }}\n{fine}"
    );
    crashes(&init, "", SEGV, "prepared itself (trine_init)");
    let cleanup = format!("void trine_cleanup(void) {{ {crash} }}\n{fine}");
    crashes(&cleanup, "shutdown", SEGV, "cleaned up (trine_cleanup)");
    let free = fine.replace("free(out);", "(void)out; abort();");
    crashes(&free, "", ABRT, "handled id-1");
    let warn = format!(
        "#include <unistd.h>\nvoid trine_warn(const char *id) {{ (void)id; {crash} }}\n{}",
        handler("sleep(20); return 0;")
    );
    crashes(&warn, "warn", SEGV, "heard of the deadline of id-1");
    let hook =
        format!("int32_t trine_hook_before(PARAMETERS) {{ UNUSED; {crash} return 0; }}\n{FREE}");
    crashes(&hook, "hook", SEGV, "handled id-1");
}

#[test]
fn crashes_elsewhere_are_not_a_librarys() {
    let fine = handler(FINE);
    let End { status, stderr, .. } = end_of(&fine, "abort");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(!stderr.contains("crashed"), "{stderr}");
    // Rust's own handler still tells of a stack that has overflown.
    let End { status, stderr, .. } = end_of(&fine, "overflow");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(stderr.contains("has overflowed its stack"), "{stderr}");
    assert!(!stderr.contains("crashed"), "{stderr}");
    let forks = "#include <sys/wait.h>\n#include <unistd.h>\n";
    let child = handler(
        "int status; pid_t child = fork(); if (child == 0) abort(); waitpid(child, &status, 0);\n\
         return give(WIFSIGNALED(status) ? \"1\" : \"0\", out, out_len, 0);",
    );
    let End { status, stderr, .. } = end_of(&format!("{forks}{child}"), "");
    assert!(status.success() && !stderr.contains("crashed"), "{status}: {stderr}");
    // A signal from another process is none.
    let sent = handler(
        "pid_t here = getpid(); if (fork() == 0) { kill(here, SIGABRT); _exit(0); } sleep(20); return 0;",
    );
    let End { status, stderr, .. } = end_of(&format!("{forks}#include <signal.h>\n{sent}"), "");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{stderr}");
    assert!(!stderr.contains("crashed"), "{stderr}");
}

#[test]
fn an_exit_in_a_library_is_told_and_is_no_success() {
    for (code, status) in [("0", 1), ("3", 3), ("256", 1)] {
        let end = end_of(&handler(&format!("exit({code});")), "");
        assert_eq!(end.status.code(), Some(status), "{}", end.stderr);
        let told = format!("/app.so ended the process by exit({code}) while it handled id-1\n");
        assert!(end.stderr.contains(&told), "{}", end.stderr);
    }
    let init = format!(
        "int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
         (void)root, (void)facts, (void)facts_len, (void)out, (void)out_len; exit(0); }}\n{}",
        handler(FINE)
    );
    let end = end_of(&init, "");
    assert_eq!(end.status.code(), Some(1), "{}", end.stderr);
    assert!(
        end.stderr.contains("exit(0) while it prepared itself (trine_init)\n"),
        "{}",
        end.stderr
    );
}

#[test]
fn an_exit_in_a_thread_of_a_library_is_told_while_a_call_is_in_flight() {
    let source = format!(
        "#include <pthread.h>\n#include <unistd.h>\nstatic void *end(void *x) {{ (void)x; exit(0); }}\n{}",
        handler("pthread_t thread; pthread_create(&thread, 0, end, 0); sleep(20); return 0;")
    );
    let end = end_of(&source, "");
    assert_eq!(end.status.code(), Some(1), "{}", end.stderr);
    assert!(end.stderr.contains("error: exit(0) ended the process while /"), "{}", end.stderr);
    assert!(end.stderr.contains("/app.so handled id-1\n"), "{}", end.stderr);
}

#[test]
fn what_was_printed_before_an_exit_is_not_lost() {
    let end = end_of(&handler("printf(\"no database\"); exit(0);"), "");
    assert!(end.stdout.ends_with("no database"), "{}", end.stdout);
}

#[test]
fn ordinary_ends_are_told_by_nobody() {
    let end = end_of(&handler(FINE), "exit");
    assert!(end.status.success() && !end.stderr.contains("ended the process"), "{}", end.stderr);
    let child = "#include <sys/wait.h>\n#include <unistd.h>\n".to_owned()
        + &handler(
            "int status; pid_t child = fork(); if (child == 0) exit(0); waitpid(child, &status, 0);\n\
             return give(status == 0 ? \"1\" : \"0\", out, out_len, 0);",
        );
    let end = end_of(&child, "");
    assert!(end.status.success() && !end.stderr.contains("ended the process"), "{}", end.stderr);
}
