//! What ends a pause other than the client's word.

use super::{attached, debugged, handler};
use crate::support::{Guest, run};
use trine_engine::{ErrorKind, FunctionId, debugged_time};

async fn guest() -> (Guest, FunctionId) {
    let text = "export const handler = (event) => {\n  debugger;\n  return event;\n};";
    let guest = debugged(&[("app.mjs", text)], false);
    let function = handler(&guest, "app.mjs").await;
    (guest, function)
}

#[test]
fn a_call_goes_on_when_its_client_vanishes_while_it_stands() {
    run(async {
        let (guest, function) = guest().await;
        let (client, ready) = attached(&guest, |mut client, ready| {
            ready.send(()).unwrap();
            client.paused();
        });
        ready.await.unwrap();
        assert_eq!(guest.call(function, "1").await.unwrap(), "1");
        client.join().unwrap();
        assert!(!debugged_time().is_zero());
    });
}

#[test]
fn an_interrupt_ends_a_call_that_stands() {
    run(async {
        let (guest, function) = guest().await;
        let interrupter = guest.instance.interrupter();
        let (client, ready) = attached(&guest, move |mut client, ready| {
            ready.send(()).unwrap();
            client.paused();
            interrupter.interrupt();
            client.event("Debugger.resumed");
            // Calls after it stop as ever.
            client.paused();
            client.resume();
        });
        ready.await.unwrap();
        let error = guest.call(function, "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
        assert_eq!(guest.call(function, "2").await.unwrap(), "2");
        client.join().unwrap();
    });
}

#[test]
fn a_client_is_let_go_when_its_isolate_ends() {
    run(async {
        let (guest, function) = guest().await;
        let (client, ready) = attached(&guest, |mut client, ready| {
            ready.send(()).unwrap();
            client.paused();
            client.resume();
            while client.message().is_some() {}
        });
        ready.await.unwrap();
        assert_eq!(guest.call(function, "1").await.unwrap(), "1");
        guest.instance.shutdown();
        client.join().unwrap();
    });
}
