//! Debuggers, profiles and pictures of the heap, as clients of the protocol see them.

mod attaching;
mod breakpoints;
mod client;
mod profiles;
mod source_map;
mod stopping;
mod waiting;

use crate::support::Guest;
use client::Client;
use std::{
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;
use trine_engine::{DebugListener, FunctionId, Wanted};

/// Returns an address on which nobody listens.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Makes a guest of these files that debuggers can attach to.
fn debugged(files: &[(&str, &str)], waits: bool) -> Guest {
    Guest::listening(files, DebugListener { address: free_address(), waits })
}

/// Returns the URL that a guest's log tells.
fn announced(guest: &Guest) -> String {
    let text = guest.log.text();
    let place = text.split("Debugger listening on ").nth(1).unwrap();
    place.lines().next().unwrap().to_owned()
}

/// Returns the URL of one of a guest's files.
fn url(guest: &Guest, file: &str) -> String {
    format!("file://{}", guest.folder.join(file).display())
}

async fn handler(guest: &Guest, file: &str) -> FunctionId {
    let wanted = Wanted::Handler("handler".to_owned());
    guest.load(file, wanted).await.unwrap().functions[0].1
}

/// Runs a client on a thread of its own. The receiver hears when it says that it is ready.
fn client<T: Send + 'static>(
    act: impl FnOnce(oneshot::Sender<()>) -> T + Send + 'static,
) -> (JoinHandle<T>, oneshot::Receiver<()>) {
    let (ready, hears) = oneshot::channel();
    (thread::spawn(move || act(ready)), hears)
}

/// Attaches a client to a guest on a thread of its own, with its debugger enabled.
fn attached<T: Send + 'static>(
    guest: &Guest,
    act: impl FnOnce(Client, oneshot::Sender<()>) -> T + Send + 'static,
) -> (JoinHandle<T>, oneshot::Receiver<()>) {
    let place = announced(guest);
    client(move |ready| {
        let mut client = Client::connect(&place);
        client.ask("Runtime.enable", "{}");
        client.ask("Debugger.enable", "{}");
        act(client, ready)
    })
}
