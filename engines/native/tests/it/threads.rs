//! Calls from several threads, and warnings that come while one of them runs.

use crate::support::{FREE, Guest, handler, invocation, run};
use std::{thread, time::Duration};
use trine_engine::{Engine, ErrorKind, Module};
use trine_native::NativeEngine;
use trine_testkit::guest;

/// A handler that answers with the number of calls that it has seen at a time.
const BUSY: &str = "int now = __sync_add_and_fetch(&running, 1);\n\
     for (int i = 0; i < 40; i++) { if (running > now) now = running; usleep(1000); }\n\
     __sync_sub_and_fetch(&running, 1);\n\
     char text[20]; sprintf(text, \"%d\", now); return give(text, out, out_len, 0);";

/// Returns the most calls at a time that any of these threads has seen.
fn most_at_a_time(
    module: &Module,
    environment: &trine_engine::Environment,
    threads: usize,
) -> usize {
    thread::scope(|scope| {
        let call = || {
            run(async {
                let instance = NativeEngine::new().start(environment).unwrap();
                let function = instance.load(module).await.unwrap().functions[0].1;
                let answer = guest::call(&instance, function, "1", &invocation("id-1")).await;
                answer.unwrap().parse::<usize>().unwrap()
            })
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(call)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    })
}

fn busy(threads: &str) -> Guest {
    let says = match threads {
        "" => String::new(),
        number => format!("uint32_t trine_threads(void) {{ return {number}; }}\n"),
    };
    let body = handler(BUSY);
    Guest::new(&format!("#include <unistd.h>\nstatic volatile int running;\n{says}{body}"))
}

#[test]
fn calls_come_one_at_a_time_unless_the_library_takes_more() {
    for (threads, most) in [("", 1), ("0", 1), ("1", 1), ("2", 2)] {
        let guest = busy(threads);
        let module = guest.handler("app.so", "handler");
        let seen = most_at_a_time(&module, &guest.environment, 4);
        assert!(seen <= most, "{threads:?}: {seen}");
        let holds = run(async {
            let function = guest.load("app.so", "handler").await.unwrap();
            guest.instance.holds_thread(function)
        });
        assert_eq!(holds, most > 1, "{threads:?}");
    }
}

#[test]
fn calls_of_a_library_that_takes_any_number_meet() {
    // Each call waits until the other one has come; with one at a time, the first one would give up.
    let guest = Guest::new(&format!(
        "#include <unistd.h>\nstatic volatile int come;\nuint32_t trine_threads(void) {{ return TRINE_ANY_NUMBER; }}\n{}",
        handler(
            "__sync_add_and_fetch(&come, 1);\n\
             for (int i = 0; i < 20000 && come < 2; i++) usleep(1000);\n\
             return give(come >= 2 ? \"2\" : \"1\", out, out_len, 0);"
        )
    ));
    let module = guest.handler("app.so", "handler");
    assert_eq!(most_at_a_time(&module, &guest.environment, 2), 2);
}

#[test]
fn a_library_hears_that_the_time_is_nearly_up() {
    let guest = Guest::new(&format!(
        "#include <unistd.h>\nstatic volatile int warned, begun;\n\
         void trine_warn(const char *id) {{ warned = strcmp(id, \"id-1\") == 0 ? 1 : 2; }}\n\
         TRINE_HANDLER(quick) {{ UNUSED; return 0; }}\n\
         int32_t trine_handle(PARAMETERS) {{ UNUSED; begun = 1;\n\
             for (int i = 0; i < 20000 && !warned; i++) usleep(1000);\n\
             return give(warned == 1 ? \"{{\\\"errorType\\\":\\\"Function.Timeout\\\",\\\"errorMessage\\\":\\\"gave up\\\"}}\" \
                                     : \"not warned\", out, out_len, 1); }}\n{FREE}"
    ));
    let interrupter = guest.instance.interrupter();
    // What does not run hears nothing.
    interrupter.warn();
    interrupter.interrupt();
    assert_eq!(run(guest.answer("quick", "1")).unwrap(), "null");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let warner = thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            interrupter.warn();
            thread::sleep(Duration::from_millis(5));
        }
    });
    let error = guest.fault();
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    warner.join().unwrap();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Timeout, "gave up"));
}
