//! The HTTP client of the exporters: what can be tried again is, for as long as a request may take.

use super::{queue::Queue, settings::Target};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, Request, Response, StatusCode, header};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use std::{
    error::Error,
    fmt, fs,
    future::Future,
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout_at};
use trine_process::tree;

/// The pause before the second attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The largest part of an answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// The reason why the last request has failed, for whoever tells of it.
#[derive(Clone, Default)]
pub(super) struct Reason(Arc<Mutex<String>>);

impl Reason {
    fn set(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    pub(super) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The connections of all exporters, made when they are first needed.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<OnceLock<reqwest::Client>>);

impl Connections {
    /// Returns what makes them. The first call takes its time: it reads certificates.
    pub(super) fn get(&self) -> Result<&reqwest::Client, String> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let client = new_client().map_err(|error| whole(&error))?;
        Ok(self.0.get_or_init(|| client))
    }
}

/// The client of one exporter.
pub(super) struct Client {
    connections: Connections,
    timeout: Duration,
    gzip: bool,
    queue: Arc<Queue>,
    reason: Reason,
}

impl Client {
    pub(super) fn new(
        connections: Connections,
        to: &Target,
        queue: Arc<Queue>,
        reason: Reason,
    ) -> Self {
        Self { connections, timeout: to.timeout, gzip: to.gzip, queue, reason }
    }

    /// Sends a request until it is answered, its time is up, or it is plain that another attempt would not help.
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        if self.gzip {
            compress(&mut request).map_err(|error| error.to_string())?;
        }
        let until = Instant::now() + self.timeout;
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = timeout_at(until, self.attempt(&request)).await;
            let (why, wait) = match attempt {
                Ok(Ok((response, _))) if response.status().is_success() => return Ok(response),
                Ok(Ok((response, after))) => {
                    let why = format!("it has answered with status {}", response.status());
                    if !is_passing(response.status()) {
                        return Err(why);
                    }
                    (why, after.unwrap_or(pause))
                }
                Ok(Err(why)) => (why, pause),
                Err(_) => {
                    return Err(format!("it has not answered in {} ms", self.timeout.as_millis()));
                }
            };
            // Nobody need wait for what does not work at the first attempt.
            self.queue.fails();
            if Instant::now() + wait >= until {
                return Err(why);
            }
            sleep(wait).await;
            pause *= 2;
        }
    }

    /// Sends a request once. Also returns the time after which the collector wants to be asked again, if it says so.
    async fn attempt(
        &self,
        request: &Request<Bytes>,
    ) -> Result<(Response<Bytes>, Option<Duration>), String> {
        let request = request.clone().try_into().map_err(|error: reqwest::Error| whole(&error))?;
        let mut answer =
            self.connections.get()?.execute(request).await.map_err(|error| whole(&error))?;
        let status = answer.status();
        let after = answer.headers().get(header::RETRY_AFTER);
        let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| whole(&error))? {
            if body.len() + part.len() > LARGEST {
                // No collector has so much to say. The connection ends with it.
                break;
            }
            body.extend_from_slice(&part);
        }
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        Ok((response, after.map(Duration::from_secs)))
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'sending>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'client: 'sending,
        Self: 'sending,
    {
        Box::pin(async move {
            let sent = self.send(request).await;
            sent.map_err(|why| {
                self.reason.set(why.clone());
                why.into()
            })
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Whether another attempt may be answered otherwise. Contract: "Failures" of OTLP over HTTP.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// Makes a client that trusts the system's authorities, or those that were shipped with the binary where it has none.
fn new_client() -> reqwest::Result<reqwest::Client> {
    let builder = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder().build().or_else(|_| {
        let shipped = tree::certificates().and_then(|file| fs::read(file).ok());
        let authorities = reqwest::Certificate::from_pem_bundle(&shipped.unwrap_or_default())?;
        builder().tls_certs_only(authorities).build()
    })
}

fn compress(request: &mut Request<Bytes>) -> io::Result<()> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(request.body())?;
    *request.body_mut() = packed.finish()?.into();
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    Ok(())
}

/// Returns an error with its causes, which is where the library says what went wrong. URLs are left out: they may hold
/// secrets.
fn whole(error: &reqwest::Error) -> String {
    let mut text = match error.is_connect() {
        true => "cannot connect".to_owned(),
        false => "the exchange has failed".to_owned(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
