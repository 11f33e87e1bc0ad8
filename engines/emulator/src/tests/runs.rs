//! Long runs: events from a source, outcomes to an observer, numbers instead of lists.

use super::super::{Answer, Event, Observer, Source};
use super::*;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

/// Starts a runtime that echoes every event, on one connection.
async fn echo_runtime(emulator: &Emulator) -> JoinHandle<()> {
    let mut client = Client::new(emulator).await;
    tokio::spawn(async move {
        loop {
            let event = client.next().await;
            let body = String::from_utf8_lossy(&event.body).into_owned();
            client.respond(&event, &body).await;
        }
    })
}

fn numbers(count: u64) -> Source {
    Source::counted(count, |number| Event::from(json!(number)))
}

#[tokio::test]
async fn a_source_is_served_to_its_end_and_nothing_grows() {
    const COUNT: u64 = 20_000;
    let (seen, right) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (all, correct) = (Arc::clone(&seen), Arc::clone(&right));
    let observer = Observer::new(move |outcome| {
        let number = all.fetch_add(1, Ordering::Relaxed);
        correct.fetch_add(u64::from(outcome.json() == json!(number)), Ordering::Relaxed);
    });
    let emulator = start_with(|options| {
        options.source = Some(numbers(COUNT));
        options.observer = Some(observer);
        options.log_length = 10;
        options.records_length = 7;
        options.outcomes_length = 3;
    })
    .await;
    let runtime = echo_runtime(&emulator).await;
    assert!(emulator.wait_until_done(Duration::from_secs(60)).await);
    runtime.abort();
    emulator.assert_clean();
    assert_eq!(seen.load(Ordering::Relaxed), COUNT);
    assert_eq!(right.load(Ordering::Relaxed), COUNT);
    let counts = emulator.counts();
    assert_eq!((counts.attempts, counts.accepted, counts.handed_out), (COUNT, COUNT, COUNT));
    assert!(counts.all_answered_once());
    assert_eq!((emulator.log().len(), emulator.records().len()), (10, 7));
    let kept: Vec<Value> = emulator.outcomes().iter().map(Outcome::json).collect();
    assert_eq!(kept, [json!(COUNT - 3), json!(COUNT - 2), json!(COUNT - 1)]);
}

#[tokio::test]
async fn who_invokes_comes_before_the_source() {
    let emulator = start_with(|options| options.source = Some(numbers(2))).await;
    let waiting = invoke(&emulator, json!("mine"));
    short_wait().await;
    let runtime = echo_runtime(&emulator).await;
    assert_eq!(waiting.await.unwrap().json(), json!("mine"));
    assert!(emulator.wait_until_done(Duration::from_secs(10)).await);
    assert_eq!(emulator.counts().accepted, 3);
    assert_eq!(emulator.invoke(json!("later")).await.json(), json!("later"));
    runtime.abort();
    emulator.assert_clean();
}

#[tokio::test]
async fn an_empty_source_is_done_when_it_is_asked() {
    let emulator = start_with(|options| options.source = Some(Source::new(|| None))).await;
    assert!(!emulator.wait_until_done(Duration::from_millis(5)).await);
    let runtime = echo_runtime(&emulator).await;
    assert!(emulator.wait_until_done(Duration::from_secs(10)).await);
    runtime.abort();
}

#[tokio::test]
async fn several_pollers_share_a_source() {
    let emulator = start_with(|options| {
        options.concurrency = 2;
        options.source = Some(numbers(100));
    })
    .await;
    let runtimes = [echo_runtime(&emulator).await, echo_runtime(&emulator).await];
    assert!(emulator.wait_until_done(Duration::from_secs(10)).await);
    for runtime in runtimes {
        runtime.abort();
    }
    assert!(emulator.counts().all_answered_once());
    assert_eq!(emulator.counts().accepted, 100);
    emulator.assert_clean();
}

#[tokio::test]
async fn an_observer_learns_of_a_timeout_at_the_deadline() {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&ended);
    let emulator = start_with(|options| {
        options.timeout = Duration::from_millis(30);
        options.observer =
            Some(Observer::new(move |outcome| log.lock().unwrap().push(outcome.clone())));
    })
    .await;
    let waiting = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let outcome = waiting.await.unwrap();
    assert_eq!(outcome.json()["errorType"], "Sandbox.Timedout");
    assert_eq!(*ended.lock().unwrap(), std::slice::from_ref(&outcome));
    assert!(matches!(outcome.result, Answer::Timeout { .. }));
    assert_eq!(client.respond(&event, "1").await.status, 410);
    emulator.assert_clean();
    let counts = emulator.counts();
    assert_eq!((counts.timed_out, counts.accepted, counts.refused), (1, 0, 1));
}
