//! The HTTP client of AWS's SDK: reqwest, which trusts what the system trusts.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use std::{error::Error, fs, time::Duration};
use trine_process::tree;

/// Time for a connection, where the SDK names none.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for a whole exchange, beyond the longest for which a queue is waited for.
const EXCHANGE: Duration = Duration::from_secs(40);

/// The client. All its connectors share their connections.
#[derive(Debug, Clone)]
pub(super) struct Client(reqwest::Client);

impl Client {
    /// Makes one.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn new() -> Result<Self, String> {
        let builder = || reqwest::Client::builder().connect_timeout(CONNECT).timeout(EXCHANGE);
        let client = builder().build().or_else(|_| {
            let shipped = tree::certificates().and_then(|file| fs::read(file).ok());
            let authorities = reqwest::Certificate::from_pem_bundle(&shipped.unwrap_or_default())?;
            builder().tls_certs_only(authorities).build()
        });
        client.map(Self).map_err(|error| format!("no HTTP client can be made: {error}"))
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request =
            request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.bytes().map(<[u8]>::to_vec);
        let body =
            body.ok_or_else(|| ConnectorError::user("the request's body is a stream".into()))?;
        let request = http::Request::from_parts(parts, reqwest::Body::from(body));
        let request = reqwest::Request::try_from(request);
        let request = request.map_err(|error| ConnectorError::user(error.into()))?;
        let response = self.0.execute(request).await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(failed)?;
        let mut response = http::Response::new(SdkBody::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn failed(error: reqwest::Error) -> ConnectorError {
    // The URL is told by whoever tells the error.
    let error = error.without_url();
    let why = causes(&error).into();
    match error {
        error if error.is_timeout() => ConnectorError::timeout(why),
        error if error.is_connect() || error.is_request() || error.is_body() => {
            ConnectorError::io(why)
        }
        _ => ConnectorError::other(why, None),
    }
}

/// Returns an error with its causes, as one text.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
