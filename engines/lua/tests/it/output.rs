//! Tests of a guest's output.

use crate::support::{Guest, fault, handler, invocation, run};
use trine_engine::{Environment, Level, LogFormat, Stream};

async fn lines(body: &str, change: impl FnOnce(&mut Environment)) -> Vec<String> {
    let guest = Guest::within(&[("app.lua", &handler(body))], change);
    let function = guest.load("app", "handler").await.unwrap();
    guest.call_with(function, "0", &invocation("id-5")).await.unwrap();
    guest.log.lines()
}

fn json(environment: &mut Environment) {
    environment.log.format = LogFormat::Json;
}

#[test]
fn print_writes_one_line_as_it_is() {
    run(async {
        let body = "print('a', 1, nil, true) print() print(setmetatable({}, {__tostring = function() return 'spoken' end})) print('x\\0y')";
        assert_eq!(lines(body, |_| ()).await, ["a\t1\tnil\ttrue\n", "\n", "spoken\n", "x\0y\n"]);
    });
}

#[test]
fn in_json_format_each_line_is_an_object() {
    run(async {
        let lines =
            lines("print('a', 1) io.write('b\\nc\\n') trine.log('warn', {k = 1})", json).await;
        assert_eq!(lines.len(), 4);
        for (line, (level, message)) in lines.iter().zip([
            ("INFO", serde_json::json!("a\t1")),
            ("INFO", serde_json::json!("b")),
            ("INFO", serde_json::json!("c")),
            ("WARN", serde_json::json!({"k": 1})),
        ]) {
            assert!(line.ends_with("}\n"));
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["level"], level);
            assert_eq!(value["message"], message);
            assert_eq!(value["requestId"], "id-5");
            assert!(value["timestamp"].as_str().unwrap().ends_with('Z'));
        }
        let members = r#"Z","level":"WARN","requestId":"id-5","message":{"k":1}}"#;
        assert!(lines[3].trim_end().ends_with(members), "{}", lines[3]);
    });
}

#[test]
fn log_lines_carry_time_request_and_level() {
    run(async {
        let lines =
            lines("trine.log('error', 'two\\nlines') trine.log('Info', {a = 1})", |_| ()).await;
        let parts: Vec<&str> = lines[0].trim_end_matches('\n').split('\t').collect();
        assert_eq!(parts[1..], ["id-5", "ERROR", "two\rlines"]);
        assert!(parts[0].ends_with('Z'));
        assert!(lines[1].ends_with("\tid-5\tINFO\t{\"a\":1}\n"), "{lines:?}");
    });
}

#[test]
fn levels_below_the_wanted_one_are_dropped() {
    run(async {
        let setup = |environment: &mut Environment| environment.log.level = Some(Level::Warn);
        let body = "for _, l in ipairs {'trace', 'debug', 'info', 'warn', 'error', 'fatal'} do trine.log(l, l) end print('raw')";
        let lines = lines(body, setup).await;
        assert_eq!(lines.len(), 4, "{lines:?}");
        let error = fault("trine.log('loud', 'x')").await;
        assert!(error.message().contains("TRACE, DEBUG"), "{error}");
        assert_eq!(error.frames()[0].line, 1);
    });
}

#[test]
fn standard_output_and_error_reach_the_log() {
    run(async {
        let guest = Guest::new(&handler(
            "io.write('a', 1, '\\n') io.stdout:write('b'):write('c\\n'):flush() io.stderr:write('oops\\n') io.write('unfinished') \
             return {io.type(io.stdout), tostring(io.stdout), io.output() == io.stdout, io.stdout:setvbuf('no'), (io.stdout:seek()), (io.stdout:close()), (io.stdout:read()), (pcall(io.stdout.lines, io.stdout)), (pcall(io.write, {}))}",
        ));
        let answer = guest.handle("0").await;
        assert!(answer.is_err() || answer.unwrap().starts_with("[\"file\""));
        assert_eq!(guest.log.of(Stream::Stdout), ["a1\n", "bc\n", "unfinished\n"]);
        assert_eq!(guest.log.of(Stream::Stderr), ["oops\n"]);
    });
}

#[test]
fn files_work_as_ever() {
    run(async {
        let guest = Guest::new(&handler(
            "local path = os.tmpname() local before = io.output() io.output(path) io.write('to file') io.close() io.output(before) io.write('to log\\n') \
             local f = assert(io.open(path)) local text = f:read('a') local kind = io.type(f) f:close() os.remove(path) \
             return {text, kind, io.type(f), io.type(3) == nil}",
        ));
        assert_eq!(guest.handle("0").await.unwrap(), r#"["to file","file","closed file",true]"#);
        assert_eq!(guest.log.lines(), ["to log\n"]);
    });
}

#[test]
fn warnings_reach_the_log_once_they_are_on() {
    run(async {
        let guest = Guest::new(&handler(
            "warn('hidden') warn('@on') warn('look', ' out') warn('@off') warn('hidden')",
        ));
        guest.handle("0").await.unwrap();
        assert_eq!(guest.log.of(Stream::Stderr), ["Lua warning: look out\n"]);
    });
}

#[test]
fn output_of_top_level_code_has_no_request() {
    run(async {
        let source = "print('loading') function handler() end";
        let guest = Guest::within(&[("app.lua", source)], json);
        guest.load("app", "handler").await.unwrap();
        let line: serde_json::Value = serde_json::from_str(&guest.log.lines()[0]).unwrap();
        assert_eq!(line["message"], "loading");
        assert!(line.get("requestId").is_none());
    });
}
