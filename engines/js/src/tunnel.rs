//! Connections for `fetch` to servers whose certificates Node trusts and Deno's client does not.
//!
//! That client makes its own connections, and cannot be told how to verify a certificate. It can be told to send what
//! it would encrypt through a socket of this machine, in the clear; from there we pass it on, encrypted and verified.

#![allow(
    clippy::result_large_err,
    reason = "the operation that gives the response waits for this very error"
)]

use crate::{
    certificates::{self, Extra},
    fetch::Message,
    host::Host,
};
use deno_runtime::{
    deno_core::OpState,
    deno_fetch::{
        Client, CreateHttpClientOptions, FetchError, Options, ResBody, create_http_client,
    },
    deno_permissions::{PermissionCheckError, PermissionsContainer},
    deno_tls::{
        Proxy, TlsStream,
        rustls::{self, ClientConfig, ClientConnection, pki_types::ServerName},
    },
};
use http::{HeaderValue, Response, Uri, header::HOST, uri::Authority};
use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    io,
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpStream, UnixListener, UnixStream, lookup_host},
    task::AbortHandle,
};

/// The server that requests through tunnels are for, from the point of view of Deno's client.
const NOWHERE: &str = "tunnel.invalid";

/// An isolate's knowledge of the servers that it has fetched from.
pub(crate) struct Servers {
    extra: &'static Arc<Extra>,
    user_agent: String,
    permissions: PermissionsContainer,
    /// The servers that were reached: with a tunnel where one is needed.
    known: RefCell<HashMap<Authority, Option<Tunnel>>>,
}

/// A way to one server.
#[derive(Clone)]
pub(crate) struct Tunnel {
    client: Client,
    _listening: Rc<Listening>,
}

/// The task of the listener, which ends with this.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Servers {
    /// Returns the servers of the isolate; `None` where Deno's own client trusts what Node does.
    pub(crate) fn of(state: &mut OpState) -> Option<Rc<Self>> {
        if let Some(servers) = state.try_borrow::<Rc<Self>>() {
            return Some(servers.clone());
        }
        let extra = certificates::extra(&state.borrow::<Rc<Host>>().environment.log)?;
        // A proxy makes connections of its own.
        let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        if proxies.iter().any(|name| std::env::var_os(name).is_some()) {
            return None;
        }
        let user_agent = state.borrow::<Options>().user_agent.clone();
        let permissions = state.borrow::<PermissionsContainer>().clone();
        let servers = Rc::new(Self { extra, user_agent, permissions, known: RefCell::default() });
        state.put(servers.clone());
        Some(servers)
    }

    /// Sends a message, through a tunnel where its server needs one: where its certificate is otherwise refused. For a
    /// message that can be sent only once, the server is asked first.
    pub(crate) async fn send(
        &self,
        client: Client,
        message: Message,
    ) -> Result<Response<ResBody>, FetchError> {
        let Some(authority) = message.uri.authority().cloned() else {
            return message.send(client).await;
        };
        let known = self.known.borrow().get(&authority).cloned();
        match (known, message.again()) {
            (Some(Some(tunnel)), _) => message.send_through(&tunnel).await,
            (Some(None), _) => message.send(client).await,
            (None, None) => match self.ask(&authority).await {
                Some(tunnel) => message.send_through(&tunnel).await,
                None => message.send(client).await,
            },
            (None, Some(again)) => match message.send(client).await {
                Err(error) if is_about_a_certificate(&error) => match self.ask(&authority).await {
                    Some(tunnel) => again.send_through(&tunnel).await,
                    None => Err(error),
                },
                sent => {
                    if sent.is_ok() {
                        self.known.borrow_mut().insert(authority, None);
                    }
                    sent
                }
            },
        }
    }

    /// Asks a server for its certificate; makes the tunnel that it needs.
    async fn ask(&self, authority: &Authority) -> Option<Tunnel> {
        let server = Server::new(self.extra, authority, self.permissions.clone())?;
        // Other problems come to light in the ordinary way.
        server.connect().await.ok()?;
        let tunnel = match server.leniency.was_needed() {
            true => Some(server.tunnel(&self.user_agent).ok()?),
            false => None,
        };
        self.known.borrow_mut().insert(authority.clone(), tunnel.clone());
        tunnel
    }
}

impl Message {
    /// Sends the message through a tunnel, whatever `NO_PROXY` says about its server's name.
    async fn send_through(mut self, tunnel: &Tunnel) -> Result<Response<ResBody>, FetchError> {
        if let Some(authority) = self.uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            self.headers.entry(HOST).or_insert(host);
        }
        let mut parts = std::mem::take(&mut self.uri).into_parts();
        parts.authority = Some(Authority::from_static(NOWHERE));
        self.uri = Uri::from_parts(parts).map_err(http::Error::from)?;
        self.send(tunnel.client.clone()).await
    }
}

/// Whether a request failed because of its server's certificate, before anything was sent.
fn is_about_a_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // I/O errors do not name the errors that they wrap as their source.
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// A server, and the way in which a connection to it is verified.
struct Server {
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    leniency: certificates::Leniency,
    permissions: PermissionsContainer,
}

impl Server {
    fn new(
        extra: &Arc<Extra>,
        authority: &Authority,
        permissions: PermissionsContainer,
    ) -> Option<Self> {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).ok()?;
        let (config, leniency) = extra.lenient().ok()?;
        let port = authority.port_u16().unwrap_or(443);
        Some(Self { host, port, name, config, leniency, permissions })
    }

    async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let found: Vec<_> = lookup_host((self.host.as_str(), self.port)).await?.collect();
        for address in &found {
            // A name that is allowed may lead to an address that is denied.
            let checked =
                self.permissions.clone().check_net_resolved(&address.ip(), self.port, "fetch()");
            checked.map_err(PermissionCheckError::into_io_error)?;
        }
        let stream = TcpStream::connect(&*found).await?;
        stream.set_nodelay(true)?;
        let connection = ClientConnection::new(self.config.clone(), self.name.clone())
            .map_err(io::Error::other)?;
        let mut stream = TlsStream::new_client_side(stream, connection, None);
        stream.handshake().await?;
        Ok(stream)
    }

    /// Passes on a request, which names the server as requests to proxies do, and what follows it.
    async fn relay(&self, local: &mut UnixStream) -> io::Result<()> {
        let mut remote = self.connect().await?;
        let mut local = BufReader::new(local);
        let mut line = String::new();
        local.read_line(&mut line).await?;
        let target = line.replacen(&format!(" https://{NOWHERE}"), " ", 1);
        remote.write_all(target.as_bytes()).await?;
        copy_bidirectional(&mut local, &mut remote).await?;
        Ok(())
    }

    /// Listens for the connections of a dedicated client, and passes on what they carry.
    fn tunnel(self, user_agent: &str) -> io::Result<Tunnel> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let pid = std::process::id();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // An abstract name, not a file's: nothing is left behind.
        let path = PathBuf::from(format!("\0trine-fetch-{pid}-{number}"));
        let listener = UnixListener::bind(&path)?;
        let options = CreateHttpClientOptions {
            proxy: Some(Proxy::Unix { path: path.to_string_lossy().into_owned() }),
            http2: false,
            // One request for each connection: see `relay`.
            pool_max_idle_per_host: Some(0),
            ..CreateHttpClientOptions::default()
        };
        let client = create_http_client(user_agent, options).map_err(io::Error::other)?;
        let server = Arc::new(self);
        let listening = tokio::spawn(async move {
            while let Ok((mut local, _)) = listener.accept().await {
                let is_ours = local.peer_cred().is_ok_and(|peer| peer.pid() == Some(pid as i32));
                if !is_ours {
                    continue;
                }
                let server = Arc::clone(&server);
                // Where it fails, the client sees its connection end.
                tokio::spawn(async move { server.relay(&mut local).await });
            }
        });
        Ok(Tunnel { client, _listening: Rc::new(Listening(listening.abort_handle())) })
    }
}
