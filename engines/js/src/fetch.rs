//! The operation behind `fetch`, where Deno's own differs from Node's: a request is sent only once, and Node's
//! certificates and settings count.

#![allow(
    clippy::result_large_err,
    reason = "the operation that gives the response waits for this very error"
)]

use crate::{
    fetch_failure::into_node_error,
    host::{Host, warn},
    tunnel::Servers,
    variables::variable,
};
use bytes::Bytes;
use deno_runtime::{
    deno_core::{
        CancelFuture as _, CancelHandle, OpState, Resource, ResourceId,
        convert::{ByteString, Uint8Array},
        op2,
        url::Url,
    },
    deno_fetch::{
        Client, CreateHttpClientOptions, FetchCancelHandle, FetchError, FetchRequestResource,
        FetchReturn, HttpClientResource, Options, ReqBody, ResBody, ResourceToBodyAdapter,
        basic_auth, create_http_client, data_url::DataUrl, extract_authority,
        get_or_create_client_from_state,
    },
    deno_permissions::PermissionsContainer,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use std::{
    error::Error,
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
};

/// Begins a request; `op_fetch_send` returns its response.
#[op2]
#[allow(clippy::too_many_arguments, reason = "as Deno's JavaScript calls it")]
pub(crate) fn op_trine_fetch(
    state: &mut OpState,
    #[scoped] method: ByteString,
    #[string] url: String,
    #[scoped] headers: Vec<(ByteString, ByteString)>,
    #[smi] client_rid: Option<u32>,
    has_body: bool,
    data: Option<Uint8Array>,
    #[smi] resource: Option<ResourceId>,
) -> Result<FetchReturn, FetchError> {
    let method = Method::from_bytes(&method)?;
    let url = Url::parse(&url)?;
    match url.scheme() {
        "http" | "https" => {
            let client = client_rid
                .map(|rid| state.resource_table.get::<HttpClientResource>(rid))
                .transpose()?;
            let body = match (has_body, data, resource) {
                (false, ..) => Body::None,
                (true, Some(data), _) => Body::Bytes(Bytes::from(data.0)),
                (true, None, Some(rid)) => Body::Stream(state.resource_table.take_any(rid)?),
                (true, None, None) => return Err(FetchError::NetworkError),
            };
            send(state, client.as_deref(), method, url, headers, body)
        }
        "data" => data_response(state, url),
        "file" => {
            if method != Method::GET {
                return Err(FetchError::FsNotGet(method));
            }
            let handler = state.borrow::<Options>().file_fetch_handler.clone();
            let (future, cancel) = handler.fetch_file(state, &url);
            let request_rid = state.resource_table.add(FetchRequestResource { future, url });
            let cancel = cancel.map(|cancel| state.resource_table.add(FetchCancelHandle(cancel)));
            Ok(FetchReturn { request_rid, cancel_handle_rid: cancel })
        }
        // Existing ones were looked up in JavaScript.
        "blob" => Err(FetchError::BlobNotFound),
        scheme => Err(FetchError::SchemeNotSupported(scheme.to_owned())),
    }
}

fn data_response(state: &mut OpState, url: Url) -> Result<FetchReturn, FetchError> {
    let data = DataUrl::process(url.as_str()).map_err(FetchError::DataUrl)?;
    let (bytes, _) = data.decode_to_vec().map_err(FetchError::Base64)?;
    let response = Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_TYPE, data.mime_type().to_string())
        .body(Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed())?;
    let future = Box::pin(async move { Ok(Ok(response)) });
    let request_rid = state.resource_table.add(FetchRequestResource { future, url });
    Ok(FetchReturn { request_rid, cancel_handle_rid: None })
}

fn send(
    state: &mut OpState,
    client: Option<&HttpClientResource>,
    method: Method,
    mut url: Url,
    given: Vec<(ByteString, ByteString)>,
    body: Body,
) -> Result<FetchReturn, FetchError> {
    state.borrow_mut::<PermissionsContainer>().check_net_url(&url, "fetch()")?;
    let authority = extract_authority(&mut url);
    let uri = url.as_str().parse::<Uri>().map_err(|_| FetchError::InvalidUrl(url.clone()))?;
    let mut headers = HeaderMap::new();
    if let Some((name, password)) = authority {
        headers.insert(AUTHORIZATION, basic_auth(&name, password.as_deref()));
    }
    if let Some(length) = body.length(&method) {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    let allow_host = client.is_some_and(|client| client.allow_host);
    for (name, value) in given {
        let name = HeaderName::from_bytes(&name)?;
        if name != CONTENT_LENGTH && (name != HOST || allow_host) {
            headers.append(name, HeaderValue::from_bytes(&value)?);
        }
    }
    // A client that was requested by name is used as it is.
    let (client, servers) = match client {
        Some(client) => (client.client.clone(), None),
        None if uri.scheme_str() != Some("https") => {
            (get_or_create_client_from_state(state)?, None)
        }
        None if verifies_nothing(state) => (insecure_client(state)?, None),
        None => (get_or_create_client_from_state(state)?, Servers::of(state)),
    };
    let message = Message { method, uri, headers, body };
    let cancel = CancelHandle::new_rc();
    let handle = FetchCancelHandle(cancel.clone());
    let asked = url.clone();
    let sending = async move {
        let sent = match servers {
            Some(servers) => servers.send(client, message).await,
            None => message.send(client).await,
        };
        sent.map_err(|error| into_node_error(error, &asked))
    };
    let future = Box::pin(sending.or_cancel(cancel));
    let request_rid = state.resource_table.add(FetchRequestResource { future, url });
    let cancel_handle_rid = Some(state.resource_table.add(handle));
    Ok(FetchReturn { request_rid, cancel_handle_rid })
}

/// Whether the environment turns verification off. Node reads it each time.
fn verifies_nothing(state: &OpState) -> bool {
    variable(state, "NODE_TLS_REJECT_UNAUTHORIZED").is_some_and(|value| value == "0")
}

/// A client that verifies no certificates.
struct Insecure(Client);

fn insecure_client(state: &mut OpState) -> Result<Client, FetchError> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        let message = "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and \
                       HTTPS requests insecure by disabling certificate verification.";
        warn(&state.borrow::<Rc<Host>>().environment.log, message);
    }
    if let Some(Insecure(client)) = state.try_borrow() {
        return Ok(client.clone());
    }
    let options = CreateHttpClientOptions {
        unsafely_ignore_certificate_errors: Some(Vec::new()),
        ..CreateHttpClientOptions::default()
    };
    let client = create_http_client(&state.borrow::<Options>().user_agent, options)?;
    state.put(Insecure(client.clone()));
    Ok(client)
}

/// The message to send.
pub(crate) struct Message {
    method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    body: Body,
}

pub(crate) enum Body {
    None,
    Bytes(Bytes),
    Stream(Rc<dyn Resource>),
}

impl Body {
    /// Copies the body; returns `None` for a stream.
    fn again(&self) -> Option<Self> {
        match self {
            Self::None => Some(Self::None),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(_) => None,
        }
    }

    fn length(&self, method: &Method) -> Option<u64> {
        match self {
            Self::None => matches!(*method, Method::POST | Method::PUT).then_some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => match stream.size_hint() {
                (least, Some(most)) if least == most && least > 0 => Some(least),
                _ => None,
            },
        }
    }
}

impl Message {
    /// Copies the message; returns `None` where its body is a stream.
    pub(crate) fn again(&self) -> Option<Self> {
        let body = self.body.again()?;
        let (method, uri, headers) = (self.method.clone(), self.uri.clone(), self.headers.clone());
        Some(Self { method, uri, headers, body })
    }

    /// Sends the message. Deno's client repeats a request whose connection breaks, unless it cannot repeat the body,
    /// and the bodies made here cannot be repeated: the server may well have acted on the first request.
    pub(crate) async fn send(self, client: Client) -> Result<Response<ResBody>, FetchError> {
        let again = self.again();
        match (client.clone().send(self.into_request()).await, again) {
            (Err(error), Some(again)) if was_refused(&error) => {
                Ok(client.send(again.into_request()).await?)
            }
            (sent, _) => Ok(sent?),
        }
    }

    fn into_request(self) -> Request<ReqBody> {
        let whole =
            |bytes: Bytes| ReqBody::streaming(Full::new(bytes).map_err(|never| match never {}));
        let mut request = Request::new(match self.body {
            Body::None => whole(Bytes::new()),
            Body::Bytes(bytes) => whole(bytes),
            Body::Stream(stream) => ReqBody::streaming(ResourceToBodyAdapter::new(stream)),
        });
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        request
    }
}

/// Whether an HTTP/2 server said that it has not looked at the request.
fn was_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let leaves = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            let refuses = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (leaves || refuses);
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use deno_runtime::{deno_core::url::Url, tokio_util::create_and_run_current_thread};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// Counts how often a request arrives over a connection that breaks after the request before it.
    async fn arrivals(bodies: [fn() -> ReqBody; 2]) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there are free ports");
        let address = listener.local_addr().expect("it is bound");
        let server = tokio::spawn(async move {
            let mut arrived = 0;
            let mut is_first = true;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 1024];
                while let Ok(1..) = stream.read(&mut bytes).await {
                    if bytes.starts_with(b"END") {
                        return arrived;
                    }
                    arrived += 1;
                    if !std::mem::take(&mut is_first) {
                        break;
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.expect("the client reads");
                }
            }
            arrived
        });
        let options = CreateHttpClientOptions::default();
        let client = create_http_client("test", options).expect("the options are the usual ones");
        for body in bodies {
            let mut request = Request::new(body());
            *request.method_mut() = Method::POST;
            let url = Url::parse(&format!("http://{address}/")).expect("it is a URL");
            *request.uri_mut() = url.as_str().parse().expect("it is one");
            // The second request fails.
            if let Ok(response) = client.clone().send(request).await {
                let _ = response.into_body().collect().await;
            }
        }
        let mut end = tokio::net::TcpStream::connect(address).await.expect("the server listens");
        end.write_all(b"END").await.expect("the server reads");
        server.await.expect("the server ends")
    }

    fn plain() -> ReqBody {
        ReqBody::full(Bytes::from_static(b"x"))
    }

    fn ours() -> ReqBody {
        Message {
            method: Method::POST,
            uri: Uri::default(),
            headers: HeaderMap::new(),
            body: Body::Bytes(Bytes::from_static(b"x")),
        }
        .into_request()
        .into_body()
    }

    #[test]
    fn a_request_is_sent_once_which_deno_does_not_see_to() {
        create_and_run_current_thread(async {
            assert_eq!(arrivals([ours, ours]).await, 2);
            let plain = arrivals([plain, plain]).await;
            assert_eq!(plain, 3, "Deno's client sends nothing twice any more: this file can go");
        });
    }
}
