//! Calls in flight in one isolate, of which one settles what another one waits for.

use crate::support::{Guest, LIMIT, run};
use std::{rc::Rc, time::Duration};
use tokio::{
    task::{LocalSet, spawn_local},
    time::{sleep, timeout},
};

/// Calls that wait keep the event loop busy with a timer that does not matter.
const SOURCE: &str = "
const waits = [];
export const handler = (event) => {
  if (event === 'wait') {
    return new Promise((resolve) => { waits.push(resolve); setTimeout(resolve, 3_600_000); });
  }
  const settle = () => waits.splice(0).forEach((resolve) => resolve('settled'));
  if (event === 'now') settle();
  if (event === 'microtask') Promise.resolve().then(settle);
  if (event === 'async') return Promise.resolve().then(settle).then(() => 'done');
  if (event === 'timer') return new Promise((done) => setTimeout(() => { settle(); setTimeout(done, 1, 'done'); }, 1));
  return 'done';
};";

#[test]
fn a_call_is_woken_when_another_one_settles_its_promise() {
    for event in ["now", "microtask", "async", "timer"] {
        let guest = Rc::new(Guest::new(SOURCE));
        run(LocalSet::new().run_until(async move {
            let handler = guest.handler().await;
            // Each in a task of its own, as invocations are: a task that is not woken does not look.
            let waiting = guest.clone();
            let waits = spawn_local(async move { waiting.call(handler, "\"wait\"").await });
            sleep(Duration::from_millis(5)).await;
            let settles = format!("\"{event}\"");
            assert_eq!(guest.call(handler, &settles).await.unwrap(), "\"done\"", "{event}");
            let settled = timeout(LIMIT, waits).await.expect("it is woken").unwrap();
            assert_eq!(settled.unwrap(), "\"settled\"", "{event}");
        }));
    }
}
