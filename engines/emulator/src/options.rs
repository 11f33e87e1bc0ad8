//! Options of an emulated function: its names, its limits and which parts of the platform surround it.
//! Contract: AWS Lambda quotas and the environment variables that Lambda reserves.

use super::{
    console::Console,
    durable::DurableOptions,
    fault::Injection,
    report::LogForm,
    source::{Observer, Source},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Largest buffered response: 6 MiB and 100 bytes.
pub const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024 + 100;
/// Largest streamed response: 200 MB.
pub const MAX_STREAMED_BYTES: usize = 200 * 1024 * 1024;
/// Largest event of a synchronous invoke: 6 MiB.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// Largest event of an asynchronous invoke: 1 MiB.
pub const MAX_ASYNC_EVENT_BYTES: usize = 1024 * 1024;
/// Largest error document where several invocations are in flight: 1 MiB.
pub const MAX_ERROR_BYTES: usize = 1024 * 1024;

/// The settings of an [`Emulator`](super::Emulator).
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// Address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// The function's timeout, counted from the moment in which the runtime is given the event.
    pub timeout: Duration,
    /// Longest time until the first `/next` before waiting callers get a timeout. Lambda's own limit is 10 s.
    pub init_timeout: Duration,
    /// `AWS_LAMBDA_FUNCTION_NAME`, also the last part of the ARN.
    pub function_name: String,
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    pub function_version: String,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB.
    pub memory_mb: u32,
    /// Region in the ARN.
    pub region: String,
    /// Account in the ARN.
    pub account: String,
    /// Value of `_HANDLER` in [`Emulator::environment`](super::Emulator::environment); none when empty.
    pub handler: String,
    /// Whether each attempt gets a `Lambda-Runtime-Invocation-Id`, which the runtime must send back.
    pub invocation_id_header: bool,
    /// Maximum number of invocations in flight; above 1 the emulator behaves as the multi-concurrency platform does.
    pub concurrency: usize,
    /// Whether the runtime takes part in SnapStart: `/restore/next` exists, and blocks until the first event.
    pub snap_start: bool,
    /// Maximum number of waiting events before callers are turned away with status 429.
    pub queue_length: usize,
    /// Number of the latest requests that [`Emulator::log`](super::Emulator::log) remembers; 0 for none.
    pub log_length: usize,
    /// Number of the latest request ids that [`Emulator::records`](super::Emulator::records) counts; 0 for none.
    pub records_length: usize,
    /// Number of the latest outcomes that [`Emulator::outcomes`](super::Emulator::outcomes) remembers; 0 for none.
    pub outcomes_length: usize,
    /// Source of events for when none waits.
    pub source: Option<Source>,
    /// Observer of every outcome.
    pub observer: Option<Observer>,
    /// Where lines about invocations go.
    pub console: Option<Console>,
    /// Form of these lines.
    pub log_form: LogForm,
    /// Number of times that an asynchronous invocation is tried again after an error.
    pub retries: u32,
    /// Time before the first of these times; the later ones wait as many times as long. Lambda waits for a minute.
    pub retry_delay: Duration,
    /// Settings of a durable function; `None` for an ordinary one.
    pub durable: Option<DurableOptions>,
    /// Address under which functions find the Lambda API, where they are to use the emulator's: that of the
    /// [`Platform`](super::Platform) that runs them, or else, for a durable function, the emulator's own.
    pub lambda_api: Option<SocketAddr>,
    /// Faults planned from the start; [`Emulator::inject`](super::Emulator::inject) plans more.
    pub faults: Vec<Injection>,
}

impl Default for EmulatorOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            function_name: "test_function".into(),
            function_version: "$LATEST".into(),
            memory_mb: 128,
            region: "us-east-1".into(),
            account: "012345678912".into(),
            handler: String::new(),
            invocation_id_header: true,
            concurrency: 1,
            snap_start: false,
            queue_length: 1000,
            log_length: 1000,
            records_length: 1000,
            outcomes_length: 0,
            source: None,
            observer: None,
            console: None,
            log_form: LogForm::Text,
            retries: 2,
            retry_delay: Duration::from_secs(1),
            durable: None,
            lambda_api: None,
            faults: Vec::new(),
        }
    }
}

impl EmulatorOptions {
    /// Returns the function's ARN, without alias or version.
    pub fn function_arn(&self) -> String {
        let Self { region, account, function_name, .. } = self;
        format!("arn:aws:lambda:{region}:{account}:function:{function_name}")
    }

    /// Returns the version that runs for a qualifier: a version is itself, an alias names the function's own.
    pub(super) fn executed_version<'v>(&'v self, qualifier: Option<&'v str>) -> &'v str {
        let is_version = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        qualifier.filter(is_version).unwrap_or(&self.function_version)
    }

    /// Whether several invocations may be in flight.
    pub fn is_concurrent(&self) -> bool {
        self.concurrency > 1
    }

    /// Returns the variables that Lambda would set for a runtime at `runtime_api`.
    pub(super) fn environment(&self, runtime_api: SocketAddr) -> Vec<(&'static str, String)> {
        let start = match (self.is_concurrent(), self.snap_start) {
            (true, _) => "lambda-managed-instances",
            (false, true) => "snap-start",
            (false, false) => "on-demand",
        };
        let mut variables = vec![
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.function_name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", self.function_version.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.function_name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("{}/emulator", self.function_version)),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", start.into()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
        ];
        if !self.handler.is_empty() {
            variables.push(("_HANDLER", self.handler.clone()));
        }
        let own = self.durable.as_ref().map(|_| runtime_api);
        if let Some(mut address) = self.lambda_api.or(own) {
            if address.ip().is_unspecified() {
                address.set_ip(Ipv4Addr::LOCALHOST.into());
            }
            variables.push(("AWS_ENDPOINT_URL_LAMBDA", format!("http://{address}")));
        }
        if self.is_concurrent() {
            variables.push(("AWS_LAMBDA_MAX_CONCURRENCY", self.concurrency.to_string()));
        }
        variables
    }
}
