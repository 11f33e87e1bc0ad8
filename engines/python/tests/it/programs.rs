//! Programs of the earlier runtime, run in this process.

use crate::harness::{Case, text};
use std::fs;
use trine_engine::{ErrorKind, Exports, Form, Hook, Payload, Result, Wanted};

const HEAD: &str = "#!/usr/bin/env python3\nimport json, os, sys\n";

fn program(body: &str) -> (Case, Exports) {
    let case = Case::new(&[("app.py", "import sys\ndef handler(event): return sys.argv\n")]);
    let exports = write(&case, body);
    (case, exports)
}

fn write(case: &Case, body: &str) -> Exports {
    let path = case.folder.path().join("middleware");
    fs::write(&path, format!("{HEAD}{body}")).unwrap();
    case.load_file(&path, Wanted::Program).unwrap()
}

fn run(case: &Case, exports: &Exports, hook: Hook, input: &str) -> Result<String> {
    let function = exports.hook(hook).unwrap();
    case.run(function, Payload::json(input.to_owned()), Form::Native).map(text)
}

#[test]
fn a_program_reads_its_input_and_argument_and_prints_its_result() {
    let (case, exports) = program(
        "event = json.load(sys.stdin)
event['hook'] = sys.argv[1]
event['name'] = os.path.basename(sys.argv[0]) + ' ' + __name__ + ' ' + os.path.basename(__file__)
print('to the log', file=sys.stderr)
print(json.dumps(event))
",
    );
    assert_eq!(exports.functions.len(), 2);
    for hook in [Hook::Before, Hook::After] {
        assert_eq!(
            run(&case, &exports, hook, "{\"a\": 1}").unwrap(),
            format!(
                "{{\"a\": 1, \"hook\": \"{hook}\", \"name\": \"middleware __main__ middleware\"}}"
            )
        );
    }
    assert_eq!(case.log.text(), "to the log\nto the log\n");
    assert_eq!(case.call("handler", "1").unwrap(), "[\"/var/runtime/bootstrap.py\"]");
}

#[test]
fn all_ways_to_read_and_to_print_work() {
    for read in [
        "sys.stdin.read()",
        "sys.stdin.buffer.read().decode()",
        "''.join(sys.stdin)",
        "''.join(sys.stdin.readlines())",
        "input() + '\\n' + sys.stdin.readline() + next(sys.stdin)",
        "open(0).read()",
        "open('/dev/stdin', 'rb').read().decode()",
    ] {
        let (case, exports) = program(&format!("sys.stdout.write({read} + '\\n\\n')\n"));
        let read_back = run(&case, &exports, Hook::Before, "é\nb\nc").unwrap();
        assert_eq!(read_back, "é\nb\nc\n", "{read}");
    }
    let (case, exports) = program(
        "import io
sys.stdout.buffer.write(b'1')
sys.stdout = io.TextIOWrapper(sys.stdout.buffer)
sys.argv = ['gone']
sys.stdin = None
print('2', end='')
",
    );
    for _ in 0..2 {
        assert_eq!(run(&case, &exports, Hook::Before, "1").unwrap(), "12");
    }
    assert_eq!(case.call("handler", "1").unwrap(), "[\"/var/runtime/bootstrap.py\"]");
}

#[test]
fn each_call_has_a_fresh_module_and_sees_a_changed_file() {
    let (case, exports) = program("n = globals().get('n', 0) + 1\nprint(n)\n");
    for _ in 0..2 {
        assert_eq!(run(&case, &exports, Hook::Before, "1").unwrap(), "1");
    }
    write(&case, "print('something longer')\n");
    assert_eq!(run(&case, &exports, Hook::Before, "1").unwrap(), "something longer");
}

#[test]
fn the_exit_status_decides() {
    for (leave, status) in
        [("sys.exit()", 0), ("sys.exit(0)", 0), ("os._exit(0)", 0), ("sys.exit(3)", 3)]
    {
        let (case, exports) = program(&format!("print(1)\n{leave}\n"));
        let ended = run(&case, &exports, Hook::Before, "1");
        if status == 0 {
            assert_eq!(ended.unwrap(), "1");
            continue;
        }
        let error = ended.unwrap_err();
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::Exit, false));
        assert_eq!(error.message(), "the program ended with exit status 3");
        assert_eq!(error.frames()[0].line, 4);
    }
    let (case, exports) = program("sys.exit('no token')\n");
    let error = run(&case, &exports, Hook::Before, "1").unwrap_err();
    assert_eq!(error.message(), "the program ended with exit status 1");
    assert_eq!(case.log.text(), "no token\n");
}

#[test]
fn a_program_that_raises_fails_with_its_place_and_everything_is_restored() {
    let (case, exports) =
        program("import __main__\nassert __main__.json\nprint(1)\nraise KeyError('a')\n");
    let error = run(&case, &exports, Hook::After, "1").unwrap_err();
    assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "KeyError"));
    assert_eq!((error.frames().len(), error.frames()[0].line), (1, 6), "{error:#}");
    assert_eq!(case.call("handler", "1").unwrap(), "[\"/var/runtime/bootstrap.py\"]");
    assert_eq!(case.log.text(), "");
    let path = case.folder.path().join("broken");
    fs::write(&path, "def (\n").unwrap();
    let error = case.load_file(&path, Wanted::Program).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
}

#[test]
fn other_threads_see_none_of_it() {
    let (case, exports) = program("import time\ntime.sleep(0.3)\nprint(sys.argv[1])\n");
    let other = std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let source = "import sys\ndef handler(event):\n    print('mine')\n    return [sys.argv, len(sys.argv)]\n";
        let case = Case::new(&[("app.py", source)]);
        (case.call("handler", "1").unwrap(), case.log.text())
    });
    assert_eq!(run(&case, &exports, Hook::Before, "1").unwrap(), "before");
    assert_eq!(
        other.join().unwrap(),
        ("[[\"/var/runtime/bootstrap.py\"], 1]".into(), "mine\n".into())
    );
}

#[test]
fn a_program_that_never_ends_is_stopped() {
    let (case, exports) = program("while True: pass\n");
    let interrupter = case.instance.interrupter();
    let watchdog = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        interrupter.interrupt();
    });
    let error = run(&case, &exports, Hook::Before, "1").unwrap_err();
    watchdog.join().unwrap();
    assert_eq!((error.kind(), error.poisons()), (ErrorKind::Timeout, true));
    assert_eq!(case.call("handler", "1").unwrap(), "[\"/var/runtime/bootstrap.py\"]");
}
