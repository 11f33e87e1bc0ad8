//! Commands: a program for each event.

use crate::support::{Guest, command, run};
use std::{fs, rc::Rc};
use trine_engine::{ErrorKind, Invocation, Stream, Wanted};

#[test]
fn the_event_is_standard_input_and_standard_output_the_answer() {
    run(async {
        let guest = Guest::new(&command("(call $copy)"));
        let event =
            format!("{{\"long\": \"{}\", \"n\": 12345678901234567890.10}}", "x".repeat(10_000));
        assert_eq!(guest.answer(&event).await.unwrap(), (event, "application/json"));
        assert_eq!(guest.answer("Hello").await.unwrap().1, "text/plain; charset=utf-8");
    });
}

#[test]
fn what_is_printed_goes_out_as_it_is() {
    run(async {
        let guest =
            Guest::new(&command("(call $print (i32.const 1) (i32.const 4096) (i32.const 9))"));
        assert_eq!(guest.answer("{}").await.unwrap(), ("{\"a\": 1}\n".into(), "application/json"));
        let guest =
            Guest::new(&command("(call $print (i32.const 1) (i32.const 4200) (i32.const 6))"));
        assert_eq!(
            guest.answer("{}").await.unwrap(),
            ("Hello\n".into(), "text/plain; charset=utf-8")
        );
        let guest = Guest::new(&command(""));
        assert_eq!(guest.answer("{}").await.unwrap(), ("null".into(), "application/json"));
    });
}

#[test]
fn a_status_of_0_is_an_end_like_any_other_and_another_one_an_error() {
    run(async {
        let print = "(call $print (i32.const 1) (i32.const 4096) (i32.const 9))";
        let ends = |status| {
            command(&format!("{print} (call $exit (i32.const {status})) (call $copy) unreachable"))
        };
        let guest = Guest::new(&ends(0));
        assert_eq!(guest.handle("1").await.unwrap(), "{\"a\": 1}\n");
        let guest = Guest::new(&ends(3));
        for _ in 0..2 {
            let error = guest.handle("1").await.unwrap_err();
            assert_eq!((error.kind(), error.poisons()), (ErrorKind::Exit, false));
            assert!(error.message().ends_with("app.wasm has ended with exit status 3"), "{error}");
        }
    });
}

#[test]
fn an_exit_cannot_be_caught() {
    run(async {
        let body = "(block $caught (try_table (catch_all $caught) (call $exit (i32.const 5))))
            (loop $again (call $copy) (br $again))";
        let guest = Guest::new(&command(body));
        let error = guest.handle("1").await.unwrap_err();
        assert!(error.message().ends_with("exit status 5"), "{error}");
    });
}

#[test]
fn every_call_has_an_instance_of_its_own() {
    run(async {
        let body = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store8 (i32.const 4096) (i32.add (i32.const 48) (global.get $calls)))
            (call $print (i32.const 1) (i32.const 4096) (i32.const 1))";
        let guest = Guest::new(&command(body));
        for _ in 0..3 {
            assert_eq!(guest.handle("{}").await.unwrap(), "1");
        }
        assert_eq!(guest.instance.usage().calls, 3);
    });
}

#[test]
fn standard_error_is_logged_line_by_line() {
    run(async {
        let text = command("(call $print (i32.const 2) (i32.const 4300) (i32.const 10))");
        let guest = Guest::new(&text);
        guest.handle("{}").await.unwrap();
        assert_eq!(guest.log.of(Stream::Stderr), ["one\n", "two\n", "th\n"]);
        let guest = Guest::with_json_log(&text);
        guest.handle("{}").await.unwrap();
        let lines = guest.log.lines();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[0].contains(r#""level":"INFO","requestId":"id-1","message":"one"}"#),
            "{lines:?}"
        );
    });
}

#[test]
fn the_environment_is_the_processes_with_the_invocation() {
    run(async {
        let body = "(drop (call $sizes (i32.const 16) (i32.const 20)))
            (drop (call $environ (i32.const 8192) (i32.const 65536)))
            (call $print (i32.const 1) (i32.const 65536) (i32.load (i32.const 20)))";
        let guest = Guest::within(&command(body), |environment| {
            environment.variables = [("STAGE".to_owned(), "test".to_owned())].into();
        });
        let function = guest.load("handler").await.unwrap();
        let invocation =
            Invocation { deadline_ms: Some(77), ..trine_testkit::guest::invocation("id-1") };
        let text = guest.0.call(function, "{}", &Rc::new(invocation)).await.unwrap();
        let variables: Vec<&str> = text.split('\0').collect();
        for expected in
            ["STAGE=test", "LAMBDA_RUNTIME_AWS_REQUEST_ID=id-1", "LAMBDA_RUNTIME_DEADLINE_MS=77"]
        {
            assert!(variables.contains(&expected), "{variables:?}");
        }
        let path = format!("PATH={}", std::env::var("PATH").unwrap());
        assert!(variables.contains(&&*path), "{variables:?}");
    });
}

#[test]
fn a_command_answers_to_the_usual_names() {
    run(async {
        let guest = Guest::new(&command(""));
        for name in ["handler", "lambda_handler", "_start", "main", ""] {
            assert!(guest.load(name).await.is_ok(), "{name}");
        }
        let error = guest.load("get").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert!(
            error.message().contains("'get' missing on module 'app'; it is a command"),
            "{error}"
        );
        let exports = guest.exports(Wanted::Unnamed).await.unwrap();
        assert_eq!(exports.functions[0].0, "_start");
    });
}

#[test]
fn the_memory_of_ended_programs_is_given_back() {
    run(async {
        // Each call touches sixteen megabytes.
        let text = command("(memory.fill (i32.const 0) (i32.const 1) (i32.const 16000000))")
            .replace("\"memory\") 4", "\"memory\") 256");
        let guest = Guest::new(&text);
        let function = guest.load("handler").await.unwrap();
        for _ in 0..100 {
            guest.call(function, "{}").await.unwrap();
        }
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 800_000, "{kilobytes} kB are resident, of 1.6 GB that were touched");
    });
}

#[test]
fn a_program_that_prints_too_much_is_told() {
    run(async {
        let body = "(local $left i32) (local.set $left (i32.const 40)) (loop $again
            (call $print (i32.const 1) (i32.const 0) (i32.const 262144))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))";
        let guest = Guest::limited(&command(body), 4);
        let error = guest.handle("{}").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.message(), "the function printed more than 4 MB");
    });
}
