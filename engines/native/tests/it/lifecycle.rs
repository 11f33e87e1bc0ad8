//! The beginning and the end of a library.

use crate::support::{Guest, handler, invocation, run};
use std::{fs, thread, time::Duration};
use trine_engine::{Engine, ErrorKind};
use trine_native::NativeEngine;
use trine_testkit::guest;

/// A library that writes down what happens to it, in a file beside it.
fn noting(guest: &Guest, more: &str) -> String {
    let path = guest.folder.join("notes").display().to_string();
    format!(
        "static void note(const char *text) {{ FILE *f = fopen(\"{path}\", \"a\"); fputs(text, f); fclose(f); }}\n\
         int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
             (void)facts, (void)facts_len, (void)out, (void)out_len; note(\"init \"); \
             return strstr(root, \"task\") && memchr(facts, '{{', facts_len) ? 0 : give(\"no root\", out, out_len, 1); }}\n\
         void trine_cleanup(void) {{ note(\"cleanup \"); }}\n{more}{}",
        handler("note(\"call \"); return 0;")
    )
}

fn notes(guest: &Guest) -> String {
    fs::read_to_string(guest.folder.join("notes")).unwrap_or_default()
}

#[test]
fn a_library_is_prepared_once_and_cleans_up_after_its_last_instance() {
    let guest = Guest::empty();
    guest.compile("app.so", &noting(&guest, ""));
    run(async {
        let second = NativeEngine::new().start(&guest.environment).unwrap();
        let module = guest.handler("app.so", "handler");
        let function = second.load(&module).await.unwrap().functions[0].1;
        guest::call(&second, function, "1", &invocation("id-1")).await.unwrap();
        guest.answer("handler", "1").await.unwrap();
        guest.answer("handle", "1").await.unwrap();
        second.shutdown();
        second.shutdown();
        assert_eq!(notes(&guest), "init call call call ");
        let closed = guest::call(&second, function, "1", &invocation("id-2")).await.unwrap_err();
        assert_eq!(closed.kind(), ErrorKind::Internal);
        drop(second);
        guest.answer("handler", "1").await.unwrap();
        guest.instance.shutdown();
        assert_eq!(notes(&guest), "init call call call call cleanup ");
        let third = NativeEngine::new().start(&guest.environment).unwrap();
        third.load(&module).await.unwrap();
        drop(third);
        assert_eq!(notes(&guest), "init call call call call cleanup init cleanup ");
    });
}

#[test]
fn a_library_that_cannot_be_prepared_is_named_and_nothing_is_called() {
    let guest = Guest::new(&format!(
        "static int tries;\n\
         int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
             (void)root, (void)facts, (void)facts_len;\n\
             return tries++ ? 0 : give(\"{{\\\"errorType\\\":\\\"NoDatabase\\\",\\\"errorMessage\\\":\\\"refused\\\"}}\", out, out_len, 3); }}\n{}",
        handler("return 0;")
    ));
    let error = guest.fault();
    assert_eq!(error.name(), "NoDatabase");
    let expected =
        format!("trine_init of {} failed: refused", guest.folder.join("app.so").display());
    assert_eq!(error.message(), expected);
    assert_eq!(guest.handle("1").unwrap(), "null", "the second try succeeds");
}

/// Of constructors that do not end nothing can be told here: they hold the system's loader, and with it every thread that starts.
#[test]
fn whoever_waits_for_another_thread_that_prepares_a_library_can_be_interrupted() {
    let guest = Guest::empty();
    let (begun, go) = (guest.folder.join("begun"), guest.folder.join("go"));
    let source = format!(
        "#include <unistd.h>\n\
         int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
         (void)root, (void)facts, (void)facts_len, (void)out, (void)out_len;\n\
         fclose(fopen(\"{}\", \"w\")); for (int i = 0; i < 20000 && access(\"{}\", F_OK); i++) usleep(1000); return 0; }}\n{}",
        begun.display(),
        go.display(),
        handler("return give(\"1\", out, out_len, 0);")
    );
    guest.compile("app.so", &source);
    let (module, environment) = (guest.handler("app.so", "handler"), &guest.environment);
    thread::scope(|scope| {
        scope.spawn(|| {
            run(async {
                let first = NativeEngine::new().start(environment).unwrap();
                assert!(first.load(&module).await.is_ok());
            });
        });
        while !begun.exists() {
            thread::yield_now();
        }
        let interrupter = guest.instance.interrupter();
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(30));
            interrupter.interrupt();
        });
        let error = run(guest.instance.load(&module)).unwrap_err();
        fs::write(&go, "").unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    });
    assert_eq!(guest.handle("1").unwrap(), "1");
}

#[test]
fn an_interrupt_before_a_load_hits_nobody_and_one_after_its_start_does() {
    let guest = Guest::handling("return give(\"1\", out, out_len, 0);");
    let module = guest.handler("app.so", "handler");
    let load = guest.instance.load(&module);
    guest.instance.interrupter().interrupt();
    assert_eq!(run(load).unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(guest.handle("1").unwrap(), "1");
}

#[test]
fn facts_tell_the_function_and_its_variables() {
    let guest = Guest::within(|environment| {
        environment.variables = [("STAGE".to_owned(), "test".to_owned())].into();
    });
    guest.compile(
        "app.so",
        &format!(
            "static char *kept;\n\
             int32_t trine_init(const char *root, const uint8_t *facts, size_t facts_len, uint8_t **out, size_t *out_len) {{\n\
                 (void)root, (void)out, (void)out_len; kept = strndup((const char *)facts, facts_len); return 0; }}\n{}",
            handler("return give(kept, out, out_len, 0);")
        ),
    );
    let facts: serde_json::Value = serde_json::from_str(&guest.handle("1").unwrap()).unwrap();
    assert_eq!(facts["variables"], serde_json::json!({"STAGE": "test"}));
    assert_eq!(facts["taskRoot"], guest.folder.to_string_lossy().as_ref());
    assert_eq!((&facts["abi"], &facts["functionName"]), (&1.into(), &"shop".into()));
}
