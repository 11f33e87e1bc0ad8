//! A debugger's session: messages between a WebSocket and an isolate.

use super::{
    http::Hearing,
    target::{Client, ENTRY, OURS, Target, resume},
};
use deno_runtime::deno_core::{
    InspectorMsg, InspectorMsgKind,
    futures::{FutureExt as _, StreamExt as _},
    serde::{self, Deserialize},
};
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, WebSocket, WebSocketError, WebSocketWrite,
};
use serde_json::{Value, json};
use std::{pin::pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc::{UnboundedSender, unbounded_channel},
};
use trine_engine::AttachedDebugger;

/// The status with which a connection is closed whose isolate has ended.
const GOING_AWAY: u16 = 1001;

/// A client's session, which ends when it is dropped.
pub(super) struct Session {
    target: Arc<Target>,
    client: Client,
    hearing: Option<Arc<Hearing>>,
    /// The breakpoint at the first statement of guests that waited.
    entry: Option<String>,
    _attached: AttachedDebugger,
}

/// The part of a command that is of interest here.
#[derive(Deserialize)]
#[serde(crate = "serde")]
struct Command {
    method: Option<String>,
}

/// The answer to a command that set a breakpoint.
#[derive(Deserialize)]
#[serde(crate = "serde")]
struct Set {
    result: Breakpoint,
}

#[derive(Deserialize)]
#[serde(crate = "serde", rename_all = "camelCase")]
struct Breakpoint {
    breakpoint_id: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.client.sender.close_channel();
        self.target.disconnect(self.client.number);
    }
}

impl Session {
    pub(super) fn new(target: Arc<Target>, client: Client, hearing: Option<Arc<Hearing>>) -> Self {
        Self { target, client, hearing, entry: None, _attached: AttachedDebugger::new() }
    }

    /// Passes messages until one of both sides is gone.
    pub(super) async fn run<S>(mut self, socket: WebSocket<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let hearing = self.hearing.clone();
        let mut let_go = pin!(async move {
            match hearing {
                Some(hearing) => hearing.let_go().await,
                None => std::future::pending().await,
            }
        });
        let (read, mut write) = socket.split(tokio::io::split);
        let (received, mut to_handle) = unbounded_channel();
        // It is never dropped halfway: a frame would be lost.
        let mut reading = pin!(read_all(FragmentCollectorRead::new(read), received));
        let mut is_read = false;
        loop {
            let sent = tokio::select! {
                message = self.client.receiver.next() => match message {
                    Some(message) => match self.outgoing(message) {
                        Some(text) => write.write_frame(text_frame(text)).await,
                        None => Ok(()),
                    },
                    // The isolate has ended.
                    None => {
                        let _ = write.write_frame(Frame::close(GOING_AWAY, b"going away")).await;
                        return;
                    }
                },
                received = to_handle.recv() => match received {
                    Some(Received::Command(text)) => self.incoming(text, &mut write).await,
                    Some(Received::Obligation(frame)) => write.write_frame(frame).await,
                    // The client is gone, and all that it sent before has been passed on.
                    None => return,
                },
                () = &mut let_go => {
                    // What has been said already still gets there.
                    while let Some(Some(message)) = self.client.receiver.next().now_or_never() {
                        if let Some(text) = self.outgoing(message)
                            && write.write_frame(text_frame(text)).await.is_err()
                        {
                            return;
                        }
                    }
                    let _ = write.write_frame(Frame::close(GOING_AWAY, b"going away")).await;
                    return;
                }
                () = &mut reading, if !is_read => {
                    is_read = true;
                    Ok(())
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// Handles a message of the client's.
    async fn incoming<S>(
        &mut self,
        text: String,
        write: &mut WebSocketWrite<S>,
    ) -> Result<(), WebSocketError>
    where
        S: AsyncWrite + Unpin,
    {
        let mut result = Ok(());
        let mut is_release = false;
        if ["runIfWaitingForDebugger", "NodeRuntime.enable"].iter().any(|name| text.contains(name))
            && let Ok(Command { method: Some(method) }) = serde_json::from_str(&text)
        {
            match &*method {
                "Runtime.runIfWaitingForDebugger" => is_release = true,
                "NodeRuntime.enable" if self.target.waits() => {
                    let waiting = r#"{"method":"NodeRuntime.waitingForDebugger"}"#.to_owned();
                    result = write.write_frame(text_frame(waiting)).await;
                }
                _ => {}
            }
        }
        self.send(text);
        if is_release && self.target.waits() {
            self.target.ask_release(self.client.number);
        }
        self.target.wake();
        if is_release && let Some(hearing) = &self.hearing {
            hearing.tell();
        }
        result
    }

    /// Returns the text for the client of what the isolate says.
    fn outgoing(&mut self, message: InspectorMsg) -> Option<String> {
        let mut text = message.content;
        match message.kind {
            InspectorMsgKind::Message(OURS) => return None,
            // Where the client has set a breakpoint there itself, there is no other.
            InspectorMsgKind::Message(ENTRY) => {
                let set = serde_json::from_str::<Set>(&text).ok();
                self.entry = set.map(|set| set.result.breakpoint_id);
                self.target.release(self.client.number);
                self.target.wake();
                return None;
            }
            _ => {}
        }
        if text.starts_with(r#"{"method":"Debugger.paused""#) {
            if self.target.is_stopping() {
                self.send(resume());
            }
            if self.target.breaks(self.client.number) {
                self.target.has_broken();
                if let Some(entry) = self.entry.take() {
                    self.command(
                        OURS,
                        "Debugger.removeBreakpoint",
                        &json!({"breakpointId": entry}),
                    );
                }
                // Node's word for it, by which clients know this stop from others.
                text = text.replacen(r#""reason":"other""#, r#""reason":"Break on start""#, 1);
            }
        }
        Some(text)
    }

    /// Sends a command in the client's name.
    fn command(&self, id: i32, method: &str, params: &Value) {
        self.send(json!({"id": id, "method": method, "params": params}).to_string());
    }

    fn send(&self, text: String) {
        // It fails where the isolate has ended, which the other channel tells as well.
        let _ = self.client.sender.unbounded_send(text);
    }
}

/// What a client has sent.
enum Received {
    Command(String),
    /// The answer that the protocol of sockets wants.
    Obligation(Frame<'static>),
}

/// Reads the client's messages until it is gone.
async fn read_all<S>(mut read: FragmentCollectorRead<S>, received: UnboundedSender<Received>)
where
    S: AsyncRead + Unpin,
{
    let mut reply = |frame: Frame<'static>| {
        let _ = received.send(Received::Obligation(frame));
        std::future::ready(Ok::<(), WebSocketError>(()))
    };
    while let Ok(frame) = read.read_frame(&mut reply).await {
        match frame.opcode {
            OpCode::Text => {
                let text = String::from_utf8_lossy(&frame.payload).into_owned();
                let _ = received.send(Received::Command(text));
            }
            OpCode::Close => return,
            _ => {}
        }
    }
}

fn text_frame(text: String) -> Frame<'static> {
    Frame::text(Payload::Owned(text.into_bytes()))
}
