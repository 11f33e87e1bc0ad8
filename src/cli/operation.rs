//! The flags of `trine serve` for whoever operates a server: what clients are granted, what is told of their requests.

use super::{Usage, address};
use crate::{
    config::{self, CountForm},
    http::{
        AccessLog, ErrorDetail, Limits, Listen, MetricsPlace, ServeOptions, TlsFiles,
        TrustedProxies,
    },
};
use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process,
    time::Duration,
};

/// Valid numbers of requests that wait.
const QUEUE: CountForm = CountForm { least: 0, most: 1 << 20 };
/// Valid numbers of connections.
const CONNECTIONS: CountForm = CountForm { least: 1, most: 1 << 20 };

/// The flags.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OperationFlags {
    /// Where to listen instead of --host and --port: unix:/run/trine.sock, or an address with a port [default: the socket
    /// that systemd hands over in LISTEN_FDS, if it does]
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["host", "port", "share_port"], value_parser = place)]
    listen: Option<Place>,
    /// Speak TLS with this certificate: a PEM file, followed by those that lead to one that clients know
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key: a PEM file without a passphrase
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
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

/// What `--listen` names.
#[derive(Debug, Clone)]
enum Place {
    Unix(PathBuf),
    Port(String, u16),
}

/// Reads where a server listens.
fn place(text: &str) -> Result<Place, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return match path {
            "" => Err("write a path after unix:, such as unix:/run/trine.sock".to_owned()),
            path => Ok(Place::Unix(path.into())),
        };
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => {
            Ok(Place::Port(host.to_owned(), address::port(port)?))
        }
        _ => {
            Err("write unix: and a path, or an address with a port, such as 127.0.0.1:9000".into())
        }
    }
}

/// Whether a service manager has handed sockets over to this very process.
fn is_handed_a_socket() -> bool {
    let variable = |name| env::var(name).ok().and_then(|text| text.trim().parse::<u32>().ok());
    variable("LISTEN_PID") == Some(process::id()) && variable("LISTEN_FDS").is_some_and(|n| n > 0)
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
    ///
    /// # Errors
    /// [`Usage`] for a host without an address.
    pub(super) fn apply_to(&self, options: &mut ServeOptions) -> Result<(), Usage> {
        match &self.listen {
            Some(Place::Unix(path)) => options.listen = Listen::Unix(path.clone()),
            Some(Place::Port(host, port)) => {
                options.address = address::resolve(host, *port)?;
            }
            None if is_handed_a_socket() => options.listen = Listen::Inherited,
            None => {}
        }
        // Who can reach it shows in an address alone.
        if options.listen != Listen::Address || !options.address.ip().is_loopback() {
            options.error_detail = ErrorDetail::Hidden;
        }
        options.tls = self
            .tls_cert
            .clone()
            .zip(self.tls_key.clone())
            .map(|(certificate, key)| TlsFiles { certificate, key });
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
        Ok(())
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
        #[arg(long)]
        host: Option<String>,
        #[arg(long)]
        port: Option<u16>,
        #[arg(long)]
        share_port: bool,
    }

    fn options(line: &[&str]) -> Result<ServeOptions, clap::Error> {
        let line = Line::try_parse_from([&["serve"], line].concat())?;
        let mut options = ServeOptions::new("127.0.0.1:0".parse().expect("it is an address"));
        line.flags.apply_to(&mut options).expect("the host has an address");
        Ok(options)
    }

    #[test]
    fn what_nobody_sets_is_as_the_server_has_it() {
        let (plain, standard) = (options(&[]).unwrap(), Limits::default());
        assert_eq!((plain.limits, plain.access_log), (standard, None));
        assert_eq!(plain.proxies, TrustedProxies::default());
    }

    #[test]
    fn a_server_listens_at_a_path_or_an_address() {
        let of = |text| {
            let options = options(&["--listen", text]).unwrap();
            (options.listen, options.address.to_string(), options.error_detail)
        };
        let unix = Listen::Unix("/run/a.sock".into());
        assert_eq!(of("unix:/run/a.sock"), (unix, "127.0.0.1:0".into(), ErrorDetail::Hidden));
        assert_eq!(of("[::1]:80"), (Listen::Address, "[::1]:80".into(), ErrorDetail::Full));
        assert_eq!(of("0.0.0.0:80").2, ErrorDetail::Hidden);
        assert!(options(&["--listen", "unix:/a", "--port", "1"]).is_err());
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
            ("--listen", "unix:", "such as unix:/run/trine.sock"),
            ("--listen", "9000", "an address with a port"),
            ("--listen", "127.0.0.1:x", "write a whole number from 0 to 65535"),
            ("--tls-cert", "a.pem", "--tls-key"),
            ("--tls-key", "a.pem", "--tls-cert"),
            ("--access-log", "apache", "use json or common"),
            ("--metrics", "everywhere", "such as 127.0.0.1:9090"),
            ("--metrics", "70000", "such as 127.0.0.1:9090"),
        ] {
            let why = options(&[&format!("{flag}={value}")]).unwrap_err().to_string();
            assert!(why.contains(part) && why.contains(flag), "{why}");
        }
    }
}
