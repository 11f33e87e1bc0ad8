//! WebSockets of ASGI applications.

use super::{App, get};
use crate::harness::{block_on, invocation};
use std::{future::poll_fn, rc::Rc, time::Duration};
use trine_engine::{
    Fields, FromSocket, Payload, Result, SocketAnswer, SocketClose, SocketMessage, SocketPeer,
    WebSocket, Written,
};

/// An application with this body.
fn app(body: &str) -> App {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    App::new(&format!(
        "import asyncio
async def accept(receive, send, **more):
    assert (await receive()) == {{'type': 'websocket.connect'}}
    await send({{'type': 'websocket.accept', **more}})
async def app(scope, receive, send):
    if scope['type'] == 'lifespan': raise ValueError('none')
{body}"
    ))
}

/// Runs an application for a WebSocket, and what its client does meanwhile.
fn with<T>(app: &App, client: impl AsyncFnOnce(SocketPeer) -> T) -> (Result<Payload>, T) {
    block_on(async {
        let (socket, peer) = WebSocket::pair();
        let mut request = get("/chat?a=1");
        request.headers.push("sec-websocket-protocol", "chat, superchat");
        let invocation = Rc::new(invocation());
        let call = app.call(request.with_socket(socket), &invocation);
        tokio::join!(call, client(peer))
    })
}

async fn answer(peer: &SocketPeer) -> SocketAnswer {
    poll_fn(|cx| peer.poll_answer(cx)).await
}

async fn outgoing(peer: &SocketPeer) -> FromSocket {
    poll_fn(|cx| peer.poll_outgoing(cx)).await
}

fn text(text: &str) -> SocketMessage {
    SocketMessage::Text(text.to_owned())
}

fn close(code: u16, reason: &str) -> SocketClose {
    SocketClose { code, reason: reason.to_owned() }
}

#[test]
fn messages_go_both_ways() {
    let app = app(
        "await accept(receive, send, subprotocol='chat', headers=[(b'x-a', b'b')])
while True:
    message = await receive()
    if message['type'] == 'websocket.disconnect': return print(message)
    if 'text' in message: await send({'type': 'websocket.send', 'text': message['text'].upper(), 'bytes': None})
    else: await send({'type': 'websocket.send', 'bytes': message['bytes'] * 2})",
    );
    let (result, ()) = with(&app, async |peer| {
        let headers = Fields::from_iter([("x-a", "b")]);
        let accepted = SocketAnswer::Accept { subprotocol: Some("chat".into()), headers };
        assert_eq!(answer(&peer).await, accepted);
        peer.deliver(text("é"));
        peer.deliver(SocketMessage::Binary("ab".into()));
        assert_eq!(outgoing(&peer).await, FromSocket::Message(text("É")));
        let doubled = FromSocket::Message(SocketMessage::Binary("abab".into()));
        assert_eq!(outgoing(&peer).await, doubled);
        peer.close(close(4001, "bye"));
    });
    assert!(matches!(result.unwrap(), Payload::Nothing));
    assert_eq!(
        app.case.log.text(),
        "{'type': 'websocket.disconnect', 'code': 4001, 'reason': 'bye'}\n"
    );
}

#[test]
fn the_scope_says_what_was_asked_for() {
    let app = app(
        "print({k: v for k, v in scope.items() if k != 'headers'})\nawait accept(receive, send)",
    );
    with(&app, async |peer| {
        answer(&peer).await;
        assert_eq!(outgoing(&peer).await, FromSocket::Close(close(1000, "")));
    })
    .0
    .unwrap();
    assert_eq!(
        app.case.log.text(),
        "{'type': 'websocket', 'asgi': {'version': '3.0', 'spec_version': '2.4'}, 'http_version': '1.1', \
         'server': ('example.test', 8080), 'client': ('10.0.0.7', 5123), 'scheme': 'ws', 'root_path': '', \
         'path': '/chat', 'raw_path': b'/chat', 'query_string': b'a=1', 'subprotocols': ['chat', 'superchat'], \
         'extensions': {'websocket.http.response': {}}, 'state': {}}\n"
    );
}

#[test]
fn an_application_ends_it_with_code_and_reason() {
    let app = app("await accept(receive, send)
await send({'type': 'websocket.close', 'code': 4000, 'reason': 'enough'})
print(await receive())
try: await send({'type': 'websocket.send', 'text': 'more'})
except RuntimeError as error: print(error)");
    with(&app, async |peer| {
        answer(&peer).await;
        assert_eq!(outgoing(&peer).await, FromSocket::Close(close(4000, "enough")));
    })
    .0
    .unwrap();
    assert_eq!(
        app.case.log.text(),
        "{'type': 'websocket.disconnect', 'code': 4000, 'reason': 'enough'}\n\
         Unexpected ASGI message 'websocket.send', after sending 'websocket.close' or response already completed.\n"
    );
}

#[test]
fn a_client_can_be_refused() {
    let app = app(
        "await receive()\nawait send({'type': 'websocket.close'})\nprint((await receive())['type'])",
    );
    let (result, ()) = with(&app, async |peer| {
        let SocketAnswer::Refuse(refusal) = answer(&peer).await else { panic!("accepted") };
        assert_eq!((refusal.head.status, refusal.body.len()), (403, 0));
    });
    result.unwrap();
    assert_eq!(app.case.log.text(), "websocket.disconnect\n");
    let app = self::app(
        "await receive()
await send({'type': 'websocket.http.response.start', 'status': 401, 'headers': [(b'x-a', b'b')]})
await send({'type': 'websocket.http.response.body', 'body': b'no', 'more_body': True})
await send({'type': 'websocket.http.response.body', 'body': b'pe'})",
    );
    let (result, ()) = with(&app, async |peer| {
        let SocketAnswer::Refuse(refusal) = answer(&peer).await else { panic!("accepted") };
        assert_eq!((refusal.head.status, &*refusal.body), (401, &b"nope"[..]));
        assert_eq!(refusal.head.headers.get("x-a"), Some(&b"b"[..]));
    });
    result.unwrap();
}

#[test]
fn misuse_raises_in_the_application() {
    let accepted = "await accept(receive, send)\n";
    for (misuse, message) in [
        (
            "await receive()\nawait send({'type': 'websocket.send', 'text': 'a'})",
            "RuntimeError: Expected ASGI message 'websocket.accept', 'websocket.close' or 'websocket.http.response.start', but got 'websocket.send'.",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.accept'}})"),
            "RuntimeError: Expected ASGI message 'websocket.send' or 'websocket.close', but got 'websocket.accept'.",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.send'}})"),
            "TypeError: 'websocket.send' must have 'text' or 'bytes'",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.send', 'text': b'a'}})"),
            "TypeError: 'text' of an ASGI message must be str, not bytes",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.send', 'bytes': 'a'}})"),
            "TypeError: 'bytes' of an ASGI message must be bytes, not str",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.close', 'code': 1005}})"),
            "RuntimeError: 1005 is no code with which a WebSocket can be ended",
        ),
        (
            &format!("{accepted}await send({{'type': 'websocket.close', 'reason': 'x' * 124}})"),
            "RuntimeError: the reason of a WebSocket's end may have 123 bytes",
        ),
        ("pass", "Runtime.NoResponse: ASGI callable returned without sending handshake."),
    ] {
        let app = app(misuse);
        let (result, answered) = with(&app, async |peer| match answer(&peer).await {
            SocketAnswer::Refuse(refusal) => refusal.head.status,
            SocketAnswer::Accept { .. } => match outgoing(&peer).await {
                FromSocket::Close(close) => close.code,
                other => panic!("{other:?}"),
            },
        });
        let error = result.unwrap_err();
        assert_eq!(format!("{}: {}", error.name(), error.message()), message, "{misuse}");
        assert_eq!(
            answered,
            if misuse.starts_with("await accept") { 1011 } else { 500 },
            "{misuse}"
        );
    }
}

#[test]
fn a_client_that_goes_is_a_disconnect_and_an_oserror() {
    let app = app("await accept(receive, send)
print(await receive())
try: await send({'type': 'websocket.send', 'text': 'a'})
except OSError as error: print(error)
await send({'type': 'websocket.send', 'text': 'a'})");
    let (result, ()) = with(&app, async |peer| {
        answer(&peer).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(peer);
    });
    result.unwrap();
    assert_eq!(
        app.case.log.text(),
        "{'type': 'websocket.disconnect', 'code': 1006, 'reason': ''}\nthe client is gone: the WebSocket has ended\n"
    );
}

#[test]
fn slow_sides_slow_each_other_down() {
    let app = app("await accept(receive, send)
for n in range(100): await send({'type': 'websocket.send', 'bytes': b'x' * 40000})
print('sent')
await asyncio.sleep(0.01)
for n in range(100): assert len((await receive())['text']) == 40000");
    let (result, ()) = with(&app, async |peer| {
        answer(&peer).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(app.case.log.text(), "");
        for _ in 0..100 {
            assert!(matches!(outgoing(&peer).await, FromSocket::Message(_)));
        }
        for _ in 0..100 {
            if peer.deliver(text(&"y".repeat(40_000))) == Written::Full {
                peer.room().await;
            }
        }
        assert_eq!(outgoing(&peer).await, FromSocket::Close(close(1000, "")));
    });
    result.unwrap();
}
