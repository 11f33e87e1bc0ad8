//! Programs of the earlier runtime: a `node` shebang, standard input, an argument, and printed output.

use crate::support::{Guest, invocation, run, text};
use trine_engine::{ErrorKind, Exports, Form, Hook, Payload, Result, Wanted};

struct Program {
    guest: Guest,
    exports: Exports,
}

impl Program {
    async fn new(source: &str) -> Self {
        let files = [
            ("mw", source),
            ("dep.js", "exports.loaded = (exports.loaded ?? 0) + 1; exports.mod = module;"),
            (
                "app.mjs",
                "export const handler = (event) => { if (event === 1) setInterval(() => {}, 1000); return 'handled'; };",
            ),
        ];
        let guest = Guest::with(&files, None);
        let exports = guest.load("mw", Wanted::Program).await.unwrap();
        Self { guest, exports }
    }

    async fn run(&self, hook: Hook, input: &str) -> Result<String> {
        let function = self.exports.hook(hook).unwrap();
        let (cx, input) = (invocation(), Payload::json(input.to_owned()));
        self.guest.instance.call(function, input, Form::Native, &cx).await.map(text)
    }

    async fn before(&self, input: &str) -> String {
        self.run(Hook::Before, input).await.unwrap()
    }
}

#[test]
fn the_example_of_the_earlier_runtime_runs_unchanged() {
    run(async {
        let program = Program::new(
            "#!/usr/bin/env node
const fs = require('fs');
const hook = process.argv[2];
const input = JSON.parse(fs.readFileSync(0));
if (hook === 'before') {
  input.seenBy = (input.seenBy || []).concat('middleware');
  console.log(JSON.stringify(input));
} else if (hook === 'after') {
  console.error('after', typeof input);
  console.log(JSON.stringify({ wrapped: input }));
}
",
        )
        .await;
        assert_eq!(program.before("{\"a\":1}").await, "{\"a\":1,\"seenBy\":[\"middleware\"]}");
        assert_eq!(program.run(Hook::After, "\"x\"").await.unwrap(), "{\"wrapped\":\"x\"}");
        let log = program.guest.log.text();
        assert!(log.contains("id-1\tERROR\tafter string") && !log.contains("wrapped"), "{log}");
    });
}

#[test]
fn standard_input_can_be_read_in_every_way() {
    run(async {
        for read in [
            "console.log(require('node:fs').readFileSync(0, 'utf8'));",
            "console.log(fs.readFileSync('/dev/stdin').toString());",
            "console.log(fs.readFileSync('/dev/stdin', { encoding: 'utf8' }));",
            "fs.readFile(0, 'utf8', (error, data) => console.log(data));",
            "fs.promises.readFile('/dev/stdin', 'utf8').then(console.log);",
            "const b = Buffer.alloc(100); let n, all = ''; while ((n = fs.readSync(0, b, 0, 3)) > 0) all += b.toString('utf8', 0, n); console.log(all);",
            "let all = ''; process.stdin.setEncoding('utf8'); process.stdin.on('data', (c) => all += c).on('end', () => console.log(all));",
            "(async () => { let all = ''; for await (const c of process.stdin) all += c; process.stdout.write(all); })();",
            "process.stdin.pipe(process.stdout);",
            "const rl = require('readline').createInterface({ input: process.stdin }); rl.on('line', (line) => console.log(line));",
            "setTimeout(() => { fs.writeSync(1, fs.readFileSync(0)); }, 2);",
            "process.stdout.write(Buffer.from(fs.readFileSync(0)));",
        ] {
            let program =
                Program::new(&format!("#!/usr/bin/env node\nconst fs = require('fs');\n{read}\n"))
                    .await;
            for _ in 0..2 {
                assert_eq!(program.before("{\"a\":\"é\"}").await, "{\"a\":\"é\"}", "{read}");
            }
        }
    });
}

#[test]
fn each_call_has_a_fresh_scope_and_its_dependencies_stay() {
    run(async {
        let program = Program::new(
            "#!/usr/local/bin/node
let calls = 0; calls += 1; exports.calls = calls;
const dep = require('./dep');
console.log(JSON.stringify([calls, dep.loaded, require.main === module, process.argv.length, __filename === process.argv[1]]));",
        )
        .await;
        for _ in 0..3 {
            assert_eq!(program.before("1").await, "[1,1,true,3,true]");
        }
    });
}

#[test]
fn one_trailing_newline_is_cut() {
    run(async {
        let program =
            Program::new("#!/usr/bin/env node\nconsole.log('1\\n\\n'); console.log()").await;
        assert_eq!(program.before("1").await, "1\n\n\n");
    });
}

#[test]
fn the_exit_status_decides_and_the_instance_goes_on() {
    run(async {
        for (end, status) in [
            ("process.exit(3);", Some(3)),
            ("process.exitCode = 4;", Some(4)),
            ("process.exitCode = 5; process.exit();", Some(5)),
            ("Promise.resolve().then(() => process.exit(6));", Some(6)),
            ("setTimeout(() => process.exit(7), 1); setInterval(() => {}, 1000);", Some(7)),
            ("process.exit();", None),
            ("try { process.exit(0); } finally { console.log('more'); }", None),
            ("setTimeout(() => { process.exit(0); }, 1); setInterval(() => {}, 1000);", None),
        ] {
            let source = format!("#!/usr/bin/env node\nconsole.log('[1]');\n{end}\n");
            let program = Program::new(&source).await;
            for _ in 0..2 {
                match (program.run(Hook::Before, "1").await, status) {
                    (Ok(output), None) => assert_eq!(output, "[1]", "{end}"),
                    (Err(error), Some(status)) => {
                        assert_eq!(error.kind(), ErrorKind::Exit, "{end}");
                        assert_eq!(
                            error.message(),
                            format!("the program ended with exit status {status}")
                        );
                        assert!(!error.poisons(), "{end}");
                    }
                    (other, _) => panic!("{end}: {other:?}"),
                }
            }
            assert_eq!(program.guest.handle("0").await.unwrap(), "\"handled\"", "{end}");
            assert_ne!(program.guest.instance.usage().calls, 0);
        }
    });
}

#[test]
fn what_a_program_throws_is_its_error() {
    run(async {
        let program = Program::new(
            "#!/usr/bin/env node\n\nfunction f() { throw new TypeError('no'); }\nf();",
        )
        .await;
        let error = program.run(Hook::Before, "1").await.unwrap_err();
        assert_eq!((error.name(), error.message()), ("TypeError", "no"));
        assert!(error.frames()[0].file.ends_with("/mw"));
        assert_eq!(error.frames()[0].line, 3);
        let program = Program::new(
            "#!/usr/bin/env node\nsetTimeout(() => { throw new TypeError('late'); }, 1);",
        )
        .await;
        let error = program.run(Hook::Before, "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UncaughtException);
        let guest = Guest::with(&[("mw", "#!/usr/bin/env node\n\nlet = = 1;")], None);
        let error = guest.load("mw", Wanted::Program).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UserCodeSyntax, "{error:#}");
        assert_eq!(
            (error.frames()[0].line, error.frames()[0].file.ends_with("/mw")),
            (3, true),
            "{error:#}"
        );
    });
}

#[test]
fn what_a_handler_leaves_in_the_event_loop_does_not_hold_programs_up() {
    run(async {
        let program =
            Program::new("#!/usr/bin/env node\nsetTimeout(() => console.log('[1]'), 2);").await;
        assert_eq!(program.guest.handle("1").await.unwrap(), "\"handled\"");
        assert_eq!(program.before("1").await, "[1]");
    });
}

#[test]
fn programs_of_several_invocations_interleave() {
    run(async {
        let program = Program::new(
            "#!/usr/bin/env node
const n = JSON.parse(require('fs').readFileSync(0));
setTimeout(() => { console.log(JSON.stringify([n, process.argv[2]])); process.exitCode = n === 3 ? 1 : 0; }, 10 - n);",
        )
        .await;
        let (a, b, c) =
            (program.before("1"), program.run(Hook::After, "2"), program.run(Hook::Before, "3"));
        let (a, b, c) = join(a, b, c).await;
        assert_eq!((a.as_str(), b.unwrap().as_str()), ("[1,\"before\"]", "[2,\"after\"]"));
        assert_eq!(c.unwrap_err().kind(), ErrorKind::Exit);
    });
}

async fn join<A, B, C>(
    a: impl Future<Output = A>,
    b: impl Future<Output = B>,
    c: impl Future<Output = C>,
) -> (A, B, C) {
    let (mut a, mut b, mut c) = (Box::pin(a), Box::pin(b), Box::pin(c));
    let (mut x, mut y, mut z) = (None, None, None);
    std::future::poll_fn(|task| {
        use std::task::Poll::{Pending, Ready};
        if x.is_none()
            && let Ready(value) = a.as_mut().poll(task)
        {
            x = Some(value);
        }
        if y.is_none()
            && let Ready(value) = b.as_mut().poll(task)
        {
            y = Some(value);
        }
        if z.is_none()
            && let Ready(value) = c.as_mut().poll(task)
        {
            z = Some(value);
        }
        if x.is_some() && y.is_some() && z.is_some() { Ready(()) } else { Pending }
    })
    .await;
    (x.unwrap(), y.unwrap(), z.unwrap())
}
