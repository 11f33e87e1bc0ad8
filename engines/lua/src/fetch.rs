//! HTTP requests by `trine.fetch`, for which the calling coroutine waits.

use bytes::Bytes;
use mlua::{Lua, Table, Value};
use reqwest::{
    Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
    redirect::Policy,
};
use std::{cell::RefCell, fs, future::Future, net::SocketAddr, sync::Arc, time::Duration};
use trine_engine::{Permits, Refusal};
use trine_process::tree;

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// The sender of requests. Its connections are made on first use, because most functions need none.
#[derive(Default)]
pub(crate) struct Client {
    client: RefCell<Option<reqwest::Client>>,
    /// The guests' permits, where these are narrowed.
    permits: Option<Arc<Permits>>,
}

/// A request that the guest wants sent, checked.
pub(crate) struct Request {
    method: Method,
    url: reqwest::Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    timeout: Option<Duration>,
}

/// The response to a request.
pub(crate) struct Response {
    status: u16,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// Makes a client for guests with these permits.
    pub(crate) fn new(permits: Option<Arc<Permits>>) -> Self {
        Self { client: RefCell::default(), permits }
    }

    /// Reads a request that a guest may send; the error says what is wrong.
    pub(crate) fn request(&self, table: &Table) -> Result<Request, String> {
        let request = Request::from_lua(table)?;
        if let Some(permits) = &self.permits {
            let url = &request.url;
            ask(permits, url).map_err(|refusal| format!("cannot fetch {url}: {refusal}"))?;
        }
        Ok(request)
    }

    /// Sends a request and reads the whole response.
    pub(crate) fn send(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, String>> + use<> {
        let client = self.client();
        async move {
            let client = client?;
            let mut builder = client.request(request.method, request.url).headers(request.headers);
            if let Some(body) = request.body {
                builder = builder.body(body);
            }
            if let Some(timeout) = request.timeout {
                builder = builder.timeout(timeout);
            }
            let response = builder.send().await.map_err(|error| whole(&error))?;
            let status = response.status().as_u16();
            let url = response.url().to_string();
            let headers = response.headers().clone();
            let body = response.bytes().await.map_err(|error| whole(&error))?;
            Ok(Response { status, url, headers, body })
        }
    }

    fn client(&self) -> Result<reqwest::Client, String> {
        if let Some(client) = &*self.client.borrow() {
            return Ok(client.clone());
        }
        let client = new_client(self.permits.as_ref()).map_err(|error| whole(&error))?;
        self.client.replace(Some(client.clone()));
        Ok(client)
    }

    /// Ends the connections that no request uses.
    pub(crate) fn disconnect(&self) {
        self.client.take();
    }
}

/// Makes a client that trusts the system's authorities. A system without any is no reason to refuse plain HTTP: then it
/// trusts those that were shipped with the binary, if there are any.
fn new_client(permits: Option<&Arc<Permits>>) -> reqwest::Result<reqwest::Client> {
    let builder = || match permits {
        Some(permits) => asking(permits),
        None => reqwest::Client::builder(),
    };
    builder().build().or_else(|_| {
        let shipped = tree::certificates().and_then(|file| fs::read(file).ok());
        let authorities = reqwest::Certificate::from_pem_bundle(&shipped.unwrap_or_default())?;
        builder().tls_certs_only(authorities).build()
    })
}

/// Asks for the host of a URL.
fn ask(permits: &Permits, url: &reqwest::Url) -> Result<(), Refusal> {
    permits.host(url.host_str().unwrap_or_default(), url.port_or_known_default())
}

/// Begins a client that asks for each host that a redirect leads to, and for the addresses behind names.
fn asking(permits: &Arc<Permits>) -> reqwest::ClientBuilder {
    let own = permits.clone();
    let policy = Policy::custom(move |attempt| match ask(&own, attempt.url()) {
        Err(refusal) => attempt.error(refusal),
        Ok(()) if attempt.previous().len() > MOST_REDIRECTS => attempt.error("too many redirects"),
        Ok(()) => attempt.follow(),
    });
    let builder = reqwest::Client::builder().redirect(policy);
    match permits.denies_addresses() {
        true => builder.dns_resolver(Arc::new(Resolver(permits.clone()))),
        false => builder,
    }
}

/// The look-up of names, as far as the addresses behind them are not denied.
struct Resolver(Arc<Permits>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let permits = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                permits.not_denied(address.ip(), None)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Returns an error with its causes, which is where reqwest says what went wrong.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Request {
    /// Reads `{url=, method=, headers=, body=, timeout=}`; the error says which member is wrong.
    pub(crate) fn from_lua(table: &Table) -> Result<Self, String> {
        let url = text(table, "url")?.ok_or("bad argument #1 to 'fetch' (string expected)")?;
        let url = String::from_utf8_lossy(&url).parse();
        let url = url.map_err(|error| format!("bad argument #1 to 'fetch' ({error})"))?;
        let method = text(table, "method")?.map_or(Ok(Method::GET), |name| {
            Method::from_bytes(&name.to_ascii_uppercase())
                .map_err(|_| "bad option 'method' of 'fetch' (not an HTTP method)".to_owned())
        })?;
        let timeout = match table.raw_get("timeout").map_err(|error| error.to_string())? {
            Value::Nil => None,
            value => {
                Some(seconds(&value).ok_or("bad option 'timeout' of 'fetch' (seconds expected)")?)
            }
        };
        Ok(Self { method, url, headers: headers(table)?, body: text(table, "body")?, timeout })
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_i64().map(|whole| whole as f64))?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn text(table: &Table, name: &str) -> Result<Option<Vec<u8>>, String> {
    match table.raw_get(name).map_err(|error| error.to_string())? {
        Value::Nil => Ok(None),
        Value::String(text) => Ok(Some(text.as_bytes().to_vec())),
        other => Err(format!(
            "bad option '{name}' of 'fetch' (string expected, got {})",
            other.type_name()
        )),
    }
}

fn headers(table: &Table) -> Result<HeaderMap, String> {
    let wrong = |what: String| format!("bad option 'headers' of 'fetch' ({what})");
    let mut headers = HeaderMap::new();
    let given = match table.raw_get("headers").map_err(|error| error.to_string())? {
        Value::Nil => return Ok(headers),
        Value::Table(given) => given,
        other => return Err(wrong(format!("table expected, got {}", other.type_name()))),
    };
    for pair in given.pairs::<Value, Value>() {
        let (name, value) = pair.map_err(|error| error.to_string())?;
        let (Some(name), Ok(value)) = (name.as_string(), value.to_string()) else {
            return Err(wrong("names and values must be strings".to_owned()));
        };
        let name = name.to_string_lossy();
        let Ok(key) = reqwest::header::HeaderName::from_bytes(name.as_bytes()) else {
            return Err(wrong(format!("{name:?} is no header name")));
        };
        let Ok(value) = value.parse() else {
            return Err(wrong(format!("{name} has a value that no header can have")));
        };
        headers.append(key, value);
    }
    Ok(headers)
}

impl Response {
    /// Makes `{status=, ok=, url=, headers=, body=}`. Header names are lower-case; values of one name are joined.
    pub(crate) fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        let table = lua.create_table()?;
        table.raw_set("status", self.status)?;
        table.raw_set("ok", (200..300).contains(&self.status))?;
        table.raw_set("url", self.url)?;
        let headers = lua.create_table()?;
        for name in self.headers.keys() {
            let values: Vec<_> =
                self.headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
            headers.raw_set(name.as_str(), lua.create_string(values.join(&b", "[..]))?)?;
        }
        table.raw_set("headers", headers)?;
        table.raw_set("body", lua.create_string(&self.body)?)?;
        Ok(Value::Table(table))
    }
}
