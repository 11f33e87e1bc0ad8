//! Lifespans of ASGI applications.

use super::App;
use crate::harness::block_on;
use trine_engine::{Error, Wanted};

/// Source of an application whose lifespan has these two parts.
fn source(start: &str, end: &str) -> String {
    let indented =
        |text: &str| -> String { text.lines().map(|line| format!("        {line}\n")).collect() };
    format!(
        "import asyncio, sys
async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        assert (await receive()) == {{'type': 'lifespan.startup'}}
{}        assert (await receive()) == {{'type': 'lifespan.shutdown'}}
{}        return
    await send({{'type': 'http.response.start', 'status': 200, 'headers': []}})
    await send({{'type': 'http.response.body', 'body': repr(scope['state']).encode()}})
",
        indented(start),
        indented(end)
    )
}

const COMPLETE: &str = "await send({'type': 'lifespan.startup.complete'})";
const ENDED: &str = "print('ended')\nawait send({'type': 'lifespan.shutdown.complete'})";

fn loads(start: &str, end: &str) -> Result<App, Error> {
    App::loaded(&source(start, end), Wanted::Handler("app".to_owned()), None)
}

#[test]
fn an_application_starts_when_it_is_loaded_and_ends_with_its_instance() {
    let start = "scope['state']['n'] = [1]\nawait asyncio.sleep(0.01)\nprint('started')\n";
    let app = loads(&format!("{start}{COMPLETE}"), ENDED).unwrap();
    assert_eq!(app.case.log.text(), "started\n");
    assert_eq!(app.get("/").body(), "{'n': [1]}");
    block_on(app.case.instance.settle(false));
    assert_eq!(app.case.log.text(), "started\nended\n");
    app.case.instance.shutdown();
    assert_eq!(app.case.log.text(), "started\nended\n");
}

#[test]
fn an_application_ends_also_where_nobody_waits_for_it() {
    let app = loads(COMPLETE, &format!("await asyncio.sleep(0.05)\n{ENDED}")).unwrap();
    app.case.instance.shutdown();
    assert_eq!(app.case.log.text(), "ended\n");
    let app = loads(COMPLETE, "await asyncio.sleep(1000)").unwrap();
    app.case.instance.shutdown();
}

#[test]
fn an_application_is_started_once_for_an_instance() {
    let app = loads(&format!("print('started')\n{COMPLETE}"), ENDED).unwrap();
    app.case.load("app", "app").unwrap();
    assert_eq!(app.case.log.text(), "started\n");
}

#[test]
fn the_state_of_a_request_is_a_copy() {
    let app = App::new(
        "async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        scope['state']['list'] = []
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        return
    scope['state']['own'] = scope['path']
    scope['state']['list'].append(1)
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': repr(scope['state']).encode()})
",
    );
    app.get("/a");
    assert_eq!(app.get("/b").body(), "{'list': [1, 1], 'own': '/b'}");
}

#[test]
fn what_a_lifespan_has_begun_goes_on_during_requests() {
    let app = App::new(
        "import asyncio
ticks = []
async def tick():
    while True:
        ticks.append(1)
        await asyncio.sleep(0.005)
async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        await receive()
        task = asyncio.create_task(tick())
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        task.cancel()
        await send({'type': 'lifespan.shutdown.complete'})
        return
    before = len(ticks)
    await asyncio.sleep(0.05)
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': repr(len(ticks) > before).encode()})
",
    );
    assert_eq!(app.get("/").body(), "True");
    block_on(app.case.instance.settle(false));
}

#[test]
fn a_start_that_fails_is_an_error_of_the_load() {
    let failed = "await send({'type': 'lifespan.startup.failed', 'message': 'no database'})";
    let error = loads(failed, "").err().unwrap();
    assert_eq!((error.name(), error.message()), ("LifespanFailed", "no database"));
    let error = loads(&format!("{failed}\nraise KeyError('dsn')"), "").err().unwrap();
    assert_eq!((error.name(), error.message(), error.frames()[0].line), ("KeyError", "'dsn'", 6));
    let error = loads(&format!("{COMPLETE}\nraise KeyError('late')"), "").err().unwrap();
    assert_eq!((error.name(), error.frames()[0].line), ("KeyError", 6));
    let error = loads(&format!("{failed}\nawait asyncio.sleep(1000)"), "");
    assert_eq!(error.err().unwrap().message(), "no database");
}

#[test]
fn an_application_without_a_lifespan_serves_all_the_same() {
    for refusal in [
        "assert scope['type'] == 'http'",
        "raise SystemError",
        "await receive(); await send({'type': 'http.response.start'})",
        "return",
        "await receive(); raise KeyError('told')",
    ] {
        let app = App::new(&format!(
            "async def app(scope, receive, send):
    if scope['type'] == 'lifespan': {refusal}
    await send({{'type': 'http.response.start', 'status': 200, 'headers': []}})
    await send({{'type': 'http.response.body', 'body': b'fine'}})
"
        ));
        let told = app.case.log.text();
        assert_eq!(told.contains("KeyError: 'told'"), refusal.contains("told"), "{told}");
        assert_eq!(app.get("/").body(), "fine", "{refusal}");
        block_on(app.case.instance.settle(false));
    }
}

#[test]
fn an_end_that_fails_is_told_in_the_log() {
    for (end, told) in [
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("await send({'type': 'lifespan.shutdown.failed', 'message': 'stuck'})", "lifespan: stuck"),
    ] {
        let app = loads(COMPLETE, end).unwrap();
        block_on(app.case.instance.settle(false));
        assert!(app.case.log.text().contains(told), "{}", app.case.log.text());
    }
}

#[test]
fn a_start_that_never_ends_is_stopped() {
    let case = crate::harness::Case::new(&[(
        "app.py",
        &source("print('begun')\nawait asyncio.sleep(1000)", ""),
    )]);
    let watchdog = super::interrupt_once_begun(&case);
    let error = case.load("app", "app").unwrap_err();
    watchdog.join().unwrap();
    assert_eq!(error.kind(), trine_engine::ErrorKind::Timeout);
}

#[test]
fn what_a_lifespan_has_begun_goes_on_between_requests_where_somebody_runs_it() {
    let start = "
async def tick():
    for n in range(3):
        await asyncio.sleep(0.002)
        print('tick', n)
    await asyncio.to_thread(print, 'from a thread')
    print('done')
scope['state']['task'] = asyncio.create_task(tick())";
    let app = loads(&format!("{start}\n{COMPLETE}"), ENDED).unwrap();
    block_on(async {
        let background = app.case.instance.background().expect("it has a lifespan");
        assert!(app.case.instance.background().is_none());
        let background = tokio::task::spawn_local(background);
        let limit = std::time::Instant::now() + crate::harness::LIMIT;
        while !app.case.log.text().contains("done") {
            assert!(std::time::Instant::now() < limit);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert!(app.send(super::get("/")).await.body().contains("finished"));
        app.case.instance.settle(false).await;
        app.case.instance.shutdown();
        tokio::time::timeout(crate::harness::LIMIT, background).await.unwrap().unwrap();
    });
    assert!(app.case.log.text().ends_with("ended\n"), "{}", app.case.log.text());
}
