//! The errors made of exceptions.

use crate::harness::{Case, expression};
use trine_engine::{Error, ErrorKind};

fn raises(body: &str) -> Error {
    let source = format!("import sys, asyncio\ndef handler(event):\n{body}\n");
    Case::new(&[("app.py", &source)]).fails("1")
}

#[test]
fn an_exception_keeps_class_text_and_place() {
    let source = "def inner(n):\n    raise ValueError(f'bad {n}')\n\ndef handler(event):\n    inner(event)\n";
    let case = Case::new(&[("app.py", source)]);
    let error = case.fails("7");
    assert_eq!(
        (error.kind(), error.name(), error.message()),
        (ErrorKind::Guest, "ValueError", "bad 7")
    );
    let file = case.folder.path().join("app.py").display().to_string();
    assert_eq!(
        error.stack(),
        [
            format!("  File \"{file}\", line 5, in handler\n    inner(event)\n"),
            format!("  File \"{file}\", line 2, in inner\n    raise ValueError(f'bad {{n}}')\n"),
        ]
    );
    assert_eq!(error.frames()[0].to_string(), format!("{file}:2 in inner"));
}

#[test]
fn an_async_handlers_stack_shows_none_of_our_frames() {
    let source = "import asyncio\nasync def handler(event):\n    await asyncio.sleep(event)\n    raise KeyError('k')\n";
    for event in ["0", "0.01"] {
        let error = Case::new(&[("app.py", source)]).fails(event);
        assert_eq!((error.name(), error.message()), ("KeyError", "'k'"));
        assert_eq!(error.stack().len(), 1, "{error:#}");
        assert!(!format!("{error:#}").contains("<trine>"), "{error:#}");
    }
}

#[test]
fn causes_and_notes_are_kept() {
    let body = "    try:\n        1 / 0\n    except ZeroDivisionError as e:\n        error = RuntimeError('outer')\n        error.add_note('look here')\n        raise error from e";
    let error = raises(body);
    assert_eq!(error.context(), [("note", "look here".to_owned())]);
    let cause = error.cause().unwrap();
    assert_eq!((cause.name(), cause.message()), ("ZeroDivisionError", "division by zero"));
    let implicit =
        raises("    try:\n        1 / 0\n    except ZeroDivisionError:\n        {}['a']");
    assert_eq!(implicit.cause().unwrap().name(), "ZeroDivisionError");
    let hidden = raises(
        "    try:\n        1 / 0\n    except ZeroDivisionError:\n        raise KeyError from None",
    );
    assert!(hidden.cause().is_none());
    let looped = raises(
        "    a = KeyError('a')\n    b = KeyError('b')\n    a.__cause__ = b\n    b.__cause__ = a\n    raise a",
    );
    assert_eq!(looped.message(), "'a'");
}

#[test]
fn an_exception_that_cannot_be_printed_still_has_a_class() {
    let body =
        "    class Odd(Exception):\n        def __str__(self): raise TypeError\n    raise Odd";
    let error = raises(body);
    assert_eq!((error.name(), error.message()), ("Odd", "<unprintable Odd object>"));
}

#[test]
fn leaving_the_process_ends_the_invocation_in_the_platforms_words() {
    for (body, text) in [
        ("    sys.exit()", "RequestId: id-1 Error: Runtime exited without providing a reason"),
        ("    sys.exit(0)", "RequestId: id-1 Error: Runtime exited without providing a reason"),
        ("    exit(3)", "RequestId: id-1 Error: Runtime exited with error: exit status 3"),
        ("    sys.exit('why')", "RequestId: id-1 Error: Runtime exited with error: exit status 1"),
        (
            "    raise SystemExit(-1)",
            "RequestId: id-1 Error: Runtime exited with error: exit status 255",
        ),
    ] {
        let error = raises(body);
        assert_eq!(
            (error.kind(), error.name(), error.message()),
            (ErrorKind::Exit, "Runtime.ExitError", text)
        );
        assert!(!error.stack().is_empty());
    }
}

#[test]
fn leaving_from_a_coroutine_a_task_or_a_callback_is_the_same() {
    for body in [
        "async def handler(event): sys.exit(2)",
        "async def handler(event):\n    await asyncio.sleep(0.01)\n    sys.exit(2)",
        "async def leave(): sys.exit(2)\nasync def handler(event): await asyncio.create_task(leave())",
        "async def handler(event):\n    asyncio.get_running_loop().call_soon(sys.exit, 2)\n    await asyncio.sleep(1)",
    ] {
        let case = Case::new(&[("app.py", &format!("import asyncio, sys\n{body}\n"))]);
        let error = case.fails("1");
        assert_eq!(error.kind(), ErrorKind::Exit, "{error:#}");
        assert!(error.message().ends_with("exit status 2"), "{error:#}");
    }
}

#[test]
fn other_base_exceptions_are_the_guests() {
    assert_eq!(raises("    raise KeyboardInterrupt").name(), "KeyboardInterrupt");
    assert_eq!(raises("    raise GeneratorExit('g')").name(), "GeneratorExit");
    assert_eq!(raises("    raise asyncio.CancelledError").name(), "CancelledError");
    assert_eq!(raises("    raise MemoryError").name(), "MemoryError");
}

#[test]
fn endless_recursion_fails_with_a_short_stack() {
    let source = "def f(): f()\ndef handler(event): f()\n";
    let error = Case::new(&[("app.py", source)]).fails("1");
    assert_eq!(error.name(), "RecursionError");
    assert!(error.stack().len() < 10, "{}", error.stack().len());
    assert!(error.stack().last().unwrap().contains("Previous line repeated"), "{error:#}");
}

#[test]
fn after_an_error_the_next_call_works() {
    let case = Case::new(&[("app.py", "def handler(event): return 1 // event\n")]);
    assert_eq!(case.fails("0").name(), "ZeroDivisionError");
    assert_eq!(case.call("handler", "1").unwrap(), "1");
}

#[test]
fn code_without_a_file_has_frames_without_source_lines() {
    let error = raises("    exec('1 / 0')");
    assert_eq!(error.stack()[1], "  File \"<string>\", line 1, in <module>\n");
    assert!(expression("", "1").is_ok());
}
