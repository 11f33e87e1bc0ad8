//! What debuggers ask for over HTTP: the list of targets, in Node's form, and connections to them.

use super::{server::Server, session, target::Target};
use bytes::Bytes;
use deno_runtime::{
    deno_inspector_server::{ValidatedHost, validated_host_header},
    deno_node::NODE_VERSION,
};
use fastwebsockets::upgrade;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{oneshot, watch},
};
use uuid::Uuid;

/// The time that a peer has for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(20);

/// What can be asked for on a connection.
#[derive(Clone)]
pub(super) enum Place {
    /// The targets of a server.
    Server(Arc<Server>),
    /// One target, which the peer has been called for: every path leads to it.
    One(Arc<Target>, Arc<Hearing>),
}

/// Who is to hear that a client lets guests run, and hears of the end when this is gone; and how long the connection may
/// last.
pub(super) struct Hearing {
    released: Mutex<Option<oneshot::Sender<()>>>,
    held: watch::Receiver<()>,
}

impl Hearing {
    pub(super) fn new(released: oneshot::Sender<()>, held: watch::Receiver<()>) -> Arc<Self> {
        Arc::new(Self { released: Mutex::new(Some(released)), held })
    }

    pub(super) fn tell(&self) {
        if let Some(sender) = self.released.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = sender.send(());
        }
    }

    /// Waits until nobody holds the connection any more.
    pub(super) async fn let_go(&self) {
        // Nothing is ever sent.
        let _ = self.held.clone().changed().await;
    }
}

/// Serves a connection until its peer has enough of it, or a debugger's session has begun, which goes on by itself.
pub(super) async fn serve(stream: TcpStream, place: Place) {
    let _ = stream.set_nodelay(true);
    let hearing = place.hearing();
    let service = service_fn(move |request| {
        let answer = answer(request, &place);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let serving = server.serve_connection(TokioIo::new(stream), service).with_upgrades();
    match hearing {
        // What a peer sends that is no HTTP ends its own connection alone.
        None => drop(serving.await),
        Some(hearing) => tokio::select! {
            _ = serving => {}
            () = hearing.let_go() => {}
        },
    }
}

impl Place {
    fn hearing(&self) -> Option<Arc<Hearing>> {
        match self {
            Self::One(_, hearing) => Some(hearing.clone()),
            Self::Server(_) => None,
        }
    }
}

type Answer = Response<Full<Bytes>>;

fn answer(request: Request<Incoming>, place: &Place) -> Answer {
    let host = match (place, validated_host_header(&request)) {
        (_, Ok(host)) => host,
        // A page of a foreign site whose name leads here must not reach a server; whoever was called is no such page.
        (Place::Server(_), Err(_)) => {
            return refusal(StatusCode::BAD_REQUEST, "Invalid Host header");
        }
        (Place::One(..), Err(_)) => None,
    };
    if request.method() != Method::GET {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "GET requests are expected");
    }
    match request.uri().path() {
        "/json" | "/json/list" => json_answer(&list(place, host.as_ref())),
        "/json/version" => json_answer(&json!({
            "Browser": format!("node.js/v{NODE_VERSION}"),
            "Protocol-Version": "1.1",
        })),
        path => match (find(place, path), upgrade::is_upgrade_request(&request)) {
            (Some(target), true) => open(request, target, place),
            (Some(_), false) => refusal(StatusCode::BAD_REQUEST, "WebSockets request was expected"),
            (None, _) => refusal(StatusCode::NOT_FOUND, "Not Found"),
        },
    }
}

/// Returns the target that a path means.
fn find(place: &Place, path: &str) -> Option<Arc<Target>> {
    let server = match place {
        Place::One(target, _) => return Some(target.clone()),
        Place::Server(server) => server,
    };
    let id = Uuid::parse_str(path.strip_prefix('/')?).ok()?;
    server.targets().into_iter().find(|target| target.id == id)
}

/// Begins a debugger's session.
fn open(mut request: Request<Incoming>, target: Arc<Target>, place: &Place) -> Answer {
    let Ok((head, upgraded)) = upgrade::upgrade(&mut request) else {
        return refusal(StatusCode::BAD_REQUEST, "WebSockets request was expected");
    };
    let Some(client) = target.connect() else {
        return refusal(StatusCode::NOT_FOUND, "Not Found");
    };
    let hearing = place.hearing();
    tokio::spawn(async move {
        let session = session::Session::new(target, client, hearing);
        if let Ok(socket) = upgraded.await {
            session.run(socket).await;
        }
    });
    head.map(|_| Full::default())
}

fn list(place: &Place, host: Option<&ValidatedHost>) -> Value {
    let (targets, address) = match place {
        Place::Server(server) => (server.targets(), server.address.to_string()),
        Place::One(target, _) => (vec![target.clone()], "localhost".to_owned()),
    };
    let address = host.map_or(&*address, ValidatedHost::authority);
    targets.iter().map(|target| describe(target, address)).collect()
}

fn describe(target: &Target, address: &str) -> Value {
    let (id, url) = (target.id, target.url());
    let frontend = |page: &str| {
        format!("devtools://devtools/bundled/{page}?experiments=true&v8only=true&ws={address}/{id}")
    };
    let title = match url.strip_prefix("file://") {
        Some(path) if !path.is_empty() => path.to_owned(),
        _ => format!("node[{}]", std::process::id()),
    };
    json!({
        "description": "node.js instance",
        "devtoolsFrontendUrl": frontend("js_app.html"),
        "devtoolsFrontendUrlCompat": frontend("inspector.html"),
        "faviconUrl": "https://nodejs.org/static/images/favicons/favicon.ico",
        "id": id.to_string(),
        "title": title,
        "type": "node",
        "url": url,
        "webSocketDebuggerUrl": format!("ws://{address}/{id}"),
    })
}

fn json_answer(value: &Value) -> Answer {
    let mut answer = Response::new(Full::new(value.to_string().into()));
    let kind = header::HeaderValue::from_static("application/json; charset=UTF-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    let fresh = header::HeaderValue::from_static("no-cache");
    answer.headers_mut().insert(header::CACHE_CONTROL, fresh);
    answer
}

fn refusal(status: StatusCode, why: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(why.as_bytes())));
    *answer.status_mut() = status;
    answer
}
