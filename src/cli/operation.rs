//! The flags of `trine serve` for whoever operates a server: what clients are granted, what is told of their requests.

use crate::{
    config::{self, CountForm},
    http::{AccessLog, Limits, MetricsPlace, ServeOptions, TrustedProxies},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Valid numbers of requests that wait.
const QUEUE: CountForm = CountForm { least: 0, most: 1 << 20 };
/// Valid numbers of connections.
const CONNECTIONS: CountForm = CountForm { least: 1, most: 1 << 20 };

/// The flags.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OperationFlags {
    /// Time for a client to send the head of a request that it has begun; then it gets 408
    #[arg(long, value_name = "TIME", default_value = "60s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    header_timeout: Duration,
    /// Time that may pass without a byte of a request's body; then it gets 408
    #[arg(long, value_name = "TIME", default_value = "60s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    body_timeout: Duration,
    /// Time for which a connection without a request is kept
    #[arg(long, value_name = "TIME", default_value = "75s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    idle_timeout: Duration,
    /// Requests that may wait for each function where --concurrency of them are in flight; one more gets 503
    /// [default: no limit]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| QUEUE.parse(text))]
    queue: Option<u64>,
    /// Connections at a time; more are accepted when others end [default: no limit]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| CONNECTIONS.parse(text))]
    max_connections: Option<u64>,
    /// Proxies in front of this server, as networks or addresses (10.0.0.0/8,192.0.2.1): what they say of their clients
    /// counts [default: none]
    #[arg(long, value_name = "CIDR,…")]
    trust_proxy: Option<TrustedProxies>,
    /// Write a line for each request to standard output, without its query: as JSON or in the common log format
    #[arg(long, value_name = "json|common")]
    access_log: Option<AccessLog>,
    /// Count requests, errors, durations and interpreters for Prometheus: at /.trine/metrics, or at /metrics on an address
    /// (127.0.0.1:9090) or a port of their own
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, value_parser = metrics_place)]
    metrics: Option<Option<MetricsPlace>>,
}

/// Reads where metrics are served; a port alone is one of this machine alone.
fn metrics_place(text: &str) -> Result<MetricsPlace, String> {
    let port = || text.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let address = text.parse().ok().or_else(port);
    address.map(MetricsPlace::Port).ok_or_else(|| {
        "write an address with a port, such as 127.0.0.1:9090 or 0.0.0.0:9090, or a port".to_owned()
    })
}

impl OperationFlags {
    /// Applies the flags to the options of a server.
    pub(super) fn apply_to(&self, options: &mut ServeOptions) {
        options.limits = Limits {
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
            idle_timeout: self.idle_timeout,
            queue: self.queue.map(|most| most as usize),
            max_connections: self.max_connections.map(|most| most as usize),
        };
        options.proxies = self.trust_proxy.clone().unwrap_or_default();
        options.access_log = self.access_log;
        options.metrics = self.metrics.map(|place| place.unwrap_or(MetricsPlace::Path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: OperationFlags,
    }

    fn options(line: &[&str]) -> Result<ServeOptions, clap::Error> {
        let line = Line::try_parse_from([&["serve"], line].concat())?;
        let mut options = ServeOptions::new("127.0.0.1:0".parse().expect("it is an address"));
        line.flags.apply_to(&mut options);
        Ok(options)
    }

    #[test]
    fn what_nobody_sets_is_as_the_server_has_it() {
        let (plain, standard) = (options(&[]).unwrap(), Limits::default());
        assert_eq!((plain.limits, plain.access_log), (standard, None));
        assert_eq!(plain.proxies, TrustedProxies::default());
    }

    #[test]
    fn metrics_have_a_path_or_a_port() {
        let place = |line: &[&str]| options(line).unwrap().metrics;
        let port = |address: &str| Some(MetricsPlace::Port(address.parse().unwrap()));
        assert_eq!(place(&[]), None);
        assert_eq!(place(&["--metrics"]), Some(MetricsPlace::Path));
        assert_eq!(place(&["--metrics=9090"]), port("127.0.0.1:9090"));
        assert_eq!(place(&["--metrics=[::]:0"]), port("[::]:0"));
    }

    #[test]
    fn a_value_without_sense_is_told_with_its_form() {
        for (flag, value, part) in [
            ("--header-timeout", "0", "the least is 1ms"),
            ("--body-timeout", "soon", "such as 500ms, 30s or 5m"),
            ("--idle-timeout", "-1", "such as 500ms, 30s or 5m"),
            ("--queue", "-1", "write a whole number from 0 to 1048576"),
            ("--max-connections", "0", "write a whole number from 1 to 1048576"),
            ("--trust-proxy", "10.0.0.0/33", "write addresses such as 10.0.0.0/8"),
            ("--trust-proxy", "", "write addresses such as 10.0.0.0/8"),
            ("--access-log", "apache", "use json or common"),
            ("--metrics", "everywhere", "such as 127.0.0.1:9090"),
            ("--metrics", "70000", "such as 127.0.0.1:9090"),
        ] {
            let why = options(&[&format!("{flag}={value}")]).unwrap_err().to_string();
            assert!(why.contains(part) && why.contains(flag), "{why}");
        }
    }
}
