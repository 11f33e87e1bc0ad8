//! Runtimes with functions in real languages.

use super::*;
use serde_json::{Value, json};
use std::{
    fs,
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};
use tempfile::TempDir;
use trine_engine::{ErrorKind, LogFormat, LogSink, Stream};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs on an executor that knows nothing of tokio, as a program's own may.
fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

const ECHO: &str = "
let calls = 0;
export const handler = async (event, context) => {
    await new Promise((done) => setTimeout(done, 5));
    if (event.fail) throw new TypeError('no anvil left');
    return { event, calls: ++calls, id: context.awsRequestId };
};
export const stream = awslambda.streamifyResponse(async (event, out) => {
    out.setContentType('text/plain');
    for (let n = 0; n < event.chunks; n++) out.write(`chunk ${n}\\n`);
    if (event.fail) throw new Error('half way');
    out.end();
});
export const spin = () => { for (;;); };
";

#[derive(serde::Deserialize, Debug, PartialEq)]
struct Echoed {
    event: Value,
    calls: u32,
    id: String,
}

#[test]
fn a_function_is_loaded_once_and_invoked_with_values() {
    let folder = folder(&[("app.mjs", ECHO)]);
    let runtime = Runtime::new(folder.path()).unwrap();
    run(async {
        let echo = runtime.load("app.handler").await.unwrap();
        for calls in 1..4 {
            let answer: Echoed = echo.invoke(&json!({ "n": calls })).await.unwrap();
            assert_eq!((answer.event, answer.calls), (json!({ "n": calls }), calls));
        }
        let call = Call::json("{}").with_request_id("id-7");
        let answer = echo.call(call).await.unwrap();
        assert_eq!(answer.content_type, "application/json");
        assert_eq!(answer.json::<Echoed>().unwrap().id, "id-7");
    });
}

#[test]
fn errors_have_the_names_and_places_of_the_users_code() {
    let folder = folder(&[("app.mjs", ECHO)]);
    let runtime = Runtime::new(folder.path()).unwrap();
    run(async {
        let echo = runtime.load("app.handler").await.unwrap();
        let error = echo.invoke::<Value>(&json!({ "fail": true })).await.unwrap_err();
        assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "TypeError"));
        assert_eq!((error.message(), error.frames()[0].line), ("no anvil left", 5));
        let error = echo.invoke::<u32>(&json!({})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Marshal);
        assert!(
            error.message().starts_with("the answer is not what its caller expects"),
            "{error}"
        );
        let error = runtime.load("ap.handler").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        assert!(error.message().contains("did you mean 'app.handler'?"), "{error}");
        let error = runtime.load("app.handlr").await.unwrap_err();
        assert!(error.to_string().contains("handler"), "{error}");
        assert_eq!(echo.invoke::<Echoed>(&json!({})).await.unwrap().calls, 2);
    });
    let error = Runtime::new(folder.path().join("gone")).unwrap_err();
    assert!(error.message().ends_with("gone is no folder"), "{error}");
}

#[test]
fn streams_are_read_while_they_are_made_and_collected_where_nobody_asks() {
    let folder = folder(&[("app.mjs", ECHO)]);
    let runtime = Runtime::new(folder.path()).unwrap();
    run(async {
        let stream = runtime.load("app.stream").await.unwrap();
        let answer = stream.call(Call::json(r#"{"chunks":3}"#)).await.unwrap();
        assert_eq!(answer.content_type, "text/plain");
        assert_eq!(answer.body, "chunk 0\nchunk 1\nchunk 2\n");
        let mut read = stream.stream(Call::json(r#"{"chunks":1,"fail":true}"#)).await.unwrap();
        assert_eq!(read.chunk().await.unwrap().unwrap(), "chunk 0\n");
        let error = read.chunk().await.unwrap().unwrap_err();
        assert_eq!(error.message(), "half way");
        assert!(read.chunk().await.is_none());
        let whole = runtime.load("app.handler").await.unwrap();
        let answer = whole.stream(Call::json("{}")).await.unwrap().collect().await.unwrap();
        assert_eq!(answer.json::<Echoed>().unwrap().calls, 1);
    });
}

#[test]
fn a_limit_stops_what_runs_and_the_next_call_is_served() {
    let folder = folder(&[("app.mjs", ECHO)]);
    let builder = Runtime::builder(folder.path()).timeout(Duration::from_millis(300));
    let runtime = builder.build().unwrap();
    run(async {
        let spin = runtime.load("app.spin").await.unwrap();
        let error = spin.invoke::<Value>(&()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.message().contains("timed out after 0.30 seconds"), "{error}");
        let echo = runtime.load("app.handler").await.unwrap();
        let call = Call::json("{}").with_timeout(Duration::from_secs(60));
        assert_eq!(echo.call(call).await.unwrap().json::<Echoed>().unwrap().calls, 1);
    });
}

#[test]
fn invocations_of_one_function_wait_side_by_side() {
    let text = "
let waiting = 0, open;
const all = new Promise((done) => { open = done; });
export const handler = async () => {
    const more = setInterval(() => {}, 1000); // There is always something that may still happen.
    if (++waiting === 5) open();
    await all;
    clearInterval(more);
    return waiting;
};
";
    let folder = folder(&[("app.mjs", text)]);
    let runtime = Runtime::new(folder.path()).unwrap();
    run(async {
        let handler = runtime.load("app.handler").await.unwrap();
        let calls = (0..5).map(|_| handler.invoke::<u32>(&()));
        for answer in futures::future::join_all(calls).await {
            assert_eq!(answer.unwrap(), 5);
        }
    });
}

/// A sink that keeps what it is given.
struct Kept(Arc<Mutex<String>>);

impl LogSink for Kept {
    fn write(&self, _stream: Stream, line: &[u8]) {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(line));
    }
}

#[test]
fn hooks_run_around_functions_of_other_languages_and_at_the_end() {
    let folder = folder(&[
        (
            "app.py",
            "def handler(event, context):\n    print('in Python')\n    return event + ['py']\n",
        ),
        (
            "middlewares/mark.lua",
            "return {
                before = function(event) event[#event + 1] = 'before' return event end,
                after = function(answer) answer[#answer + 1] = 'after' return answer end,
                shutdown = function() print('the end') end,
            }",
        ),
    ]);
    let log = Arc::default();
    let builder = Runtime::builder(folder.path()).middlewares("mark");
    let runtime = builder.log(LogFormat::Text, Kept(Arc::clone(&log))).build().unwrap();
    run(async {
        let handler = runtime.load("app.handler").await.unwrap();
        let answer: Vec<String> = handler.invoke(&["first"]).await.unwrap();
        assert_eq!(answer, ["first", "before", "py", "after"]);
        runtime.shutdown().await;
        let error = handler.invoke::<Value>(&()).await.unwrap_err();
        assert_eq!(error.message(), "the runtime has ended");
    });
    let log = log.lock().unwrap();
    assert!(log.contains("in Python") && log.contains("the end"), "{log}");
}

#[test]
fn it_is_used_from_any_thread_and_ends_with_its_last_handle() {
    let files = [
        ("app.lua", "return { handler = function(n) return n + 1 end, }"),
        (
            "middlewares/bye.lua",
            "return { before = function() end, shutdown = function() print('bye') end }",
        ),
    ];
    let folder = folder(&files);
    let (sender, receiver) = mpsc::channel();
    struct Told(Mutex<mpsc::Sender<String>>);
    impl LogSink for Told {
        fn write(&self, _stream: Stream, line: &[u8]) {
            let _ = self.0.lock().unwrap().send(String::from_utf8_lossy(line).into_owned());
        }
    }
    let builder = Runtime::builder(folder.path()).middlewares("bye");
    let builder = builder.log(LogFormat::Text, Told(Mutex::new(sender)));
    let runtime = builder.build().unwrap();
    let handler = run(runtime.load("app.lua")).unwrap();
    drop(runtime);
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let handler = handler.clone();
            thread::spawn(move || run(handler.invoke::<u32>(&n)).unwrap())
        })
        .collect();
    let answers: Vec<u32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(answers, [1, 2, 3, 4]);
    drop(handler);
    assert!(receiver.recv_timeout(Duration::from_secs(60)).unwrap().contains("bye"));
}
