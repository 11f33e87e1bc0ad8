//! Connections that leave HTTP: WebSockets of applications that take whole messages (ASGI), and any protocol whose bytes an
//! application reads and writes itself (Node's `upgrade`).

use super::{
    error::refusal,
    response::{self, Reply},
    service::Service,
    web::reply_with,
    wire::Hold,
};
use bytes::Bytes;
use fastwebsockets::{
    CloseCode, FragmentCollectorRead, Frame, OpCode, Payload as Content, WebSocketError,
    WebSocketWrite,
    upgrade::{UpgradeFut, upgrade},
};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Version, header, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{Mutex, watch},
    time,
};
use trine_engine::{
    Error, ErrorKind, Fields, FromSocket, Invocation, Level, Payload, ResponseStream, Result,
    SocketAnswer, SocketClose, SocketMessage, SocketPeer, StreamReader, WebRequest, WebSocket,
    Written,
};

/// The largest message that a client may send, in bytes.
const LARGEST_MESSAGE: usize = 16 << 20;
/// The time after which a connection on which nothing has come is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// The time for the answer to a close.
const CLOSE_TIME: Duration = Duration::from_secs(10);
/// The largest read from a connection that an application reads itself.
const READ_SIZE: usize = 64 * 1024;

/// The call of a function, which goes on whoever waits for it.
type Call = Pin<Box<dyn Future<Output = Result<Payload>>>>;

/// The writer's side of a WebSocket.
type Writer = Rc<Mutex<WebSocketWrite<WriteHalf<TokioIo<Upgraded>>>>>;

/// Whether a request that asks for another protocol asks for a WebSocket.
pub(super) fn asks_for_socket(parts: &Parts) -> bool {
    let protocol = parts.headers.get(header::UPGRADE).map(HeaderValue::as_bytes);
    parts.method == Method::GET
        && protocol.is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"))
}

/// Whether a request asks for another protocol.
pub(super) fn asks_for_upgrade(parts: &Parts) -> bool {
    let says = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        text.split(',').any(|part| part.trim().eq_ignore_ascii_case("upgrade"))
    };
    parts.version == Version::HTTP_11
        && parts.headers.contains_key(header::UPGRADE)
        && parts.headers.get_all(header::CONNECTION).iter().any(says)
}

impl Service {
    /// Answers a request that asks for a WebSocket: `request` is what the application gets beside it, `call` runs it.
    pub(super) async fn answer_socket(
        &self,
        hold: &Hold,
        parts: Parts,
        index: usize,
        invocation: &Rc<Invocation>,
        request: WebRequest,
        call: impl FnOnce(Payload) -> Call,
    ) -> Reply {
        let method = parts.method.clone();
        let (handshake, upgraded) = match upgrade(&mut Request::from_parts(parts, ())) {
            Ok(agreed) => agreed,
            Err(e) => {
                let message = format!("the request asks for a WebSocket and is wrong: {e}");
                return refusal(&method, StatusCode::BAD_REQUEST, &message);
            }
        };
        let (socket, peer) = WebSocket::pair();
        let mut call = call(Payload::Request(Arc::new(request.with_socket(socket))));
        let mut ended = None;
        let answer = poll_fn(|cx| {
            if let Poll::Ready(answer) = peer.poll_answer(cx) {
                return Poll::Ready(Some(answer));
            }
            let Poll::Ready(result) = call.as_mut().poll(cx) else { return Poll::Pending };
            ended = Some(result);
            // It may have answered at last.
            Poll::Ready(match peer.poll_answer(cx) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            })
        });
        let answer = answer.await;
        let id = invocation.request_id.clone();
        let is_accepted = matches!(answer, Some(SocketAnswer::Accept { .. }));
        let reply = match answer {
            Some(SocketAnswer::Accept { subprotocol, headers }) => {
                accepted(handshake.headers(), subprotocol.as_deref(), &headers)
            }
            Some(SocketAnswer::Refuse(response)) => reply_with(response)
                .unwrap_or_else(|wrong| self.malformed(&method, index, &wrong, &id)),
            None => {
                let error = ended.take().and_then(Result::err).unwrap_or_else(|| {
                    Error::guest(
                        "Runtime.NoResponse",
                        "the application has ended without an answer to the request for a WebSocket",
                    )
                });
                self.note_failure(index, &id, &error);
                return self
                    .application_failure(&method, index, &error, true, &id)
                    .unwrap_or_else(|wrong| self.malformed(&method, index, &wrong, &id));
            }
        };
        let (log, shared) = (self.log.clone(), self.shared.clone());
        let name = self.site.functions()[index].name.clone();
        let stopped = self.stopped.clone();
        if is_accepted {
            hold.leave_http();
        }
        tokio::task::spawn_local(async move {
            let rest = async {
                let result = match ended {
                    Some(result) => result,
                    None => call.await,
                };
                result.err()
            };
            let failed = match is_accepted {
                true => converse(upgraded, peer, rest, stopped).await,
                false => rest.await,
            };
            if let Some(error) = failed {
                shared.count_failure(index, error.kind());
                log.failure(&name, &id, &error);
            }
        });
        reply
    }

    /// Lets an application have a connection to itself from the answer on with which it has agreed to that.
    pub(super) fn hand_over(
        &self,
        hold: &Hold,
        upgrades: Option<OnUpgrade>,
        incoming: ResponseStream,
        outgoing: StreamReader,
    ) {
        hold.leave_http();
        let log = self.log.clone();
        tokio::task::spawn_local(async move {
            let upgraded = match upgrades {
                Some(upgrades) => upgrades.await.map_err(|e| e.to_string()),
                None => Err("its protocol has no upgrades".to_owned()),
            };
            match upgraded {
                Ok(upgraded) => pass_bytes(TokioIo::new(upgraded), incoming, outgoing).await,
                Err(e) => {
                    let message =
                        format!("a connection could not be handed to the application: {e}");
                    log.line(Level::Warn, &message, &[]);
                }
            }
        });
    }
}

/// Makes the response that accepts a WebSocket.
fn accepted(handshake: &http::HeaderMap, subprotocol: Option<&str>, headers: &Fields) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let all = reply.headers_mut();
    all.extend(handshake.clone());
    if let Some(Ok(name)) = subprotocol.map(HeaderValue::from_str) {
        all.insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    for (name, value) in headers.iter() {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        if !response::OF_THE_CONNECTION.contains(&name.as_str()) {
            all.append(name, value);
        }
    }
    reply
}

/// Passes messages both ways until either side has ended, and the application has. Returns what it has failed with.
async fn converse(
    upgraded: UpgradeFut,
    peer: SocketPeer,
    rest: impl Future<Output = Option<Error>>,
    mut stopped: watch::Receiver<bool>,
) -> Option<Error> {
    let mut rest = std::pin::pin!(rest);
    let Ok(mut socket) = upgraded.await else {
        drop(peer);
        return rest.await;
    };
    socket.set_max_message_size(LARGEST_MESSAGE);
    let (reader, writer) = socket.split(tokio::io::split);
    let writer = Rc::new(Mutex::new(writer));
    let mut failed = None;
    {
        let reading = read(FragmentCollectorRead::new(reader), &peer, &writer);
        let writing = write(&peer, &writer);
        let alive = ping(&writer);
        let (mut reading, mut writing, mut alive) =
            (std::pin::pin!(reading), std::pin::pin!(writing), std::pin::pin!(alive));
        let mut end_asked = std::pin::pin!(async {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        let (mut is_over, mut is_told) = (false, false);
        loop {
            tokio::select! {
                biased;
                () = &mut reading => break,
                () = &mut writing => {
                    // The client says goodbye, too.
                    let _ = time::timeout(CLOSE_TIME, &mut reading).await;
                    break;
                }
                error = &mut rest, if !is_over => {
                    is_over = true;
                    let (code, reason) = if error.is_some() { (1011, "Internal Error") } else { (1000, "") };
                    peer.end(SocketClose { code, reason: reason.to_owned() });
                    failed = error;
                }
                () = &mut alive => break,
                () = &mut end_asked, if !is_told => {
                    is_told = true;
                    peer.end(SocketClose { code: 1012, reason: String::new() });
                }
            }
        }
        if is_over {
            return failed;
        }
    }
    drop(peer);
    rest.await
}

/// Reads messages for the application until the end.
async fn read(
    mut reader: FragmentCollectorRead<ReadHalf<TokioIo<Upgraded>>>,
    peer: &SocketPeer,
    writer: &Writer,
) {
    loop {
        let mut answer = |frame: Frame<'_>| {
            let frame = Frame::new(frame.fin, frame.opcode, None, frame.payload.to_vec().into());
            let writer = writer.clone();
            async move { writer.lock().await.write_frame(frame).await }
        };
        let frame = reader.read_frame::<_, WebSocketError>(&mut answer).await;
        let message = match frame {
            Ok(frame) => match frame.opcode {
                OpCode::Text => {
                    SocketMessage::Text(String::from_utf8_lossy(&frame.payload).into_owned())
                }
                OpCode::Binary => SocketMessage::Binary(Bytes::from(frame.payload.to_vec())),
                OpCode::Close => {
                    peer.close(close_of(&frame.payload));
                    return;
                }
                _ => continue,
            },
            Err(error) => {
                let code = match error {
                    WebSocketError::FrameTooLarge => 1009,
                    WebSocketError::InvalidUTF8 => 1007,
                    WebSocketError::UnexpectedEOF
                    | WebSocketError::ConnectionClosed
                    | WebSocketError::IoError(_)
                    | WebSocketError::SendError(_) => 1006,
                    _ => 1002,
                };
                if code != 1006 {
                    let _ = writer.lock().await.write_frame(Frame::close(code, b"")).await;
                }
                peer.close(SocketClose { code, reason: String::new() });
                return;
            }
        };
        if peer.deliver(message) == Written::Full {
            peer.room().await;
        }
    }
}

fn close_of(payload: &[u8]) -> SocketClose {
    match payload {
        [high, low, reason @ ..] => SocketClose {
            code: CloseCode::from(u16::from_be_bytes([*high, *low])).into(),
            reason: String::from_utf8_lossy(reason).into_owned(),
        },
        _ => SocketClose { code: 1005, reason: String::new() },
    }
}

/// Writes the application's messages until its end.
async fn write(peer: &SocketPeer, writer: &Writer) {
    loop {
        let (frame, is_last) = match poll_fn(|cx| peer.poll_outgoing(cx)).await {
            FromSocket::Message(SocketMessage::Text(text)) => {
                (Frame::text(Content::Owned(text.into_bytes())), false)
            }
            FromSocket::Message(SocketMessage::Binary(bytes)) => {
                (Frame::binary(Content::Owned(bytes.to_vec())), false)
            }
            FromSocket::Close(SocketClose { code: 1005, .. }) => {
                (Frame::close_raw(Content::Owned(Vec::new())), true)
            }
            FromSocket::Close(close) => (Frame::close(close.code, close.reason.as_bytes()), true),
        };
        if writer.lock().await.write_frame(frame).await.is_err() || is_last {
            return;
        }
    }
}

/// Asks again and again whether the client is there; ends when it cannot be asked any more.
async fn ping(writer: &Writer) {
    loop {
        time::sleep(PING_INTERVAL).await;
        let frame = Frame::new(true, OpCode::Ping, None, Content::Owned(Vec::new()));
        if writer.lock().await.write_frame(frame).await.is_err() {
            return;
        }
    }
}

/// Passes bytes both ways until both have ended.
async fn pass_bytes(
    connection: TokioIo<Upgraded>,
    incoming: ResponseStream,
    mut outgoing: StreamReader,
) {
    let (mut reader, mut writer) = tokio::io::split(connection);
    let inwards = async {
        let mut piece = vec![0; READ_SIZE];
        loop {
            match reader.read(&mut piece).await {
                Ok(0) => return incoming.finish(Ok(())),
                Ok(length) => {
                    let sent = incoming.send(Bytes::copy_from_slice(&piece[..length])).await;
                    if !matches!(sent, Ok(true)) {
                        return;
                    }
                }
                Err(e) => {
                    let message = format!("the connection is lost: {e}");
                    return incoming.finish(Err(Error::new(ErrorKind::Unmarshal, message)));
                }
            }
        }
    };
    let outwards = async {
        while let Some(chunk) = outgoing.chunk().await {
            if writer.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = writer.shutdown().await;
    };
    let mut inwards = std::pin::pin!(inwards);
    tokio::select! {
        () = outwards => {}
        // The application may have more to say.
        () = async {
            inwards.as_mut().await;
            std::future::pending::<()>().await;
        } => {}
    }
}
