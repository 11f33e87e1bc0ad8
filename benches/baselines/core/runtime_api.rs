//! The two calls of Lambda's Runtime API that an invocation needs.

use crate::client::{Client, Response};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use std::env;

pub(crate) const BASE: &str = "/2018-06-01/runtime/invocation";
const USER_AGENT: &str = concat!("trine-baseline/", env!("CARGO_PKG_VERSION"));
/// Name of one attempt at an invocation; sent back if the platform sends it.
const ATTEMPT: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// The Runtime API.
pub(crate) struct RuntimeApi(Client);

/// An event and what is needed to answer it.
pub(crate) struct Invocation {
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    pub(crate) attempt: Option<HeaderValue>,
}

impl RuntimeApi {
    /// Connects to the API at `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let address =
            env::var("AWS_LAMBDA_RUNTIME_API").context("AWS_LAMBDA_RUNTIME_API is not set")?;
        Ok(Self(Client::new(address)?))
    }

    /// Waits for the next event.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Invocation> {
        let Response { status, headers, body } =
            self.call(Method::GET, format!("{BASE}/next"), None, Bytes::new()).await?;
        ensure!(status == StatusCode::OK, "the Runtime API answered /next with {status}");
        let request_id = headers
            .get("lambda-runtime-aws-request-id")
            .and_then(|id| id.to_str().ok())
            .context("an event came without a request id")?
            .to_owned();
        Ok(Invocation { event: body, request_id, attempt: headers.get(ATTEMPT).cloned() })
    }

    /// Posts the answer to an event.
    pub(crate) async fn respond(
        &mut self,
        invocation: &Invocation,
        answer: Bytes,
    ) -> anyhow::Result<()> {
        let path = format!("{BASE}/{}/response", invocation.request_id);
        let attempt = invocation.attempt.clone();
        let status = self.call(Method::POST, path, attempt, answer).await?.status;
        ensure!(status.is_success(), "the Runtime API answered /response with {status}");
        Ok(())
    }

    async fn call(
        &mut self,
        method: Method,
        path: String,
        attempt: Option<HeaderValue>,
        body: Bytes,
    ) -> anyhow::Result<Response> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::USER_AGENT, USER_AGENT);
        if let Some(attempt) = attempt {
            request = request.header(ATTEMPT, attempt);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.0.exchange(request.body(Full::new(body))?).await
    }
}
