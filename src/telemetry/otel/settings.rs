//! The settings, as OpenTelemetry's specification names them for every SDK, and Trine's own beside them.

use crate::telemetry::{Facts, Propagator};
use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::{fmt::Display, str::FromStr, time::Duration};

/// The variable that names the collector for what Trine itself tells, whatever SDKs in functions do.
const OWN: &str = "TRINE_OTLP";
/// The flag that does the same.
const FLAG: &str = "--otlp";
/// What turns everything off in the place of a URL.
const OFF: &str = "off";

const PROTOBUF: &str = "http/protobuf";

/// What is sent where, and how.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) traces: Option<Target>,
    pub(super) logs: Option<Target>,
    pub(super) sampling: Sampling,
    pub(super) propagators: Vec<Propagator>,
    /// What is sending, besides what is known anyway.
    pub(super) resource: Vec<(String, String)>,
    /// Maximum number of spans, and of messages, that wait.
    pub(super) queue: usize,
    /// Maximum number of them in one request.
    pub(super) batch: usize,
    /// The longest time for which they wait to be sent together.
    pub(super) delay: Duration,
}

/// Where one kind of data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: String,
    /// The time for a request, with all attempts.
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
}

/// Which traces are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampling {
    /// Whether a parent's decision counts where there is one.
    pub(super) by_parent: bool,
    /// The part of the others, from 0 to 1.
    pub(super) ratio: f64,
}

/// The two kinds of data.
#[derive(Clone, Copy)]
enum Signal {
    Traces,
    Logs,
}

impl Signal {
    /// Returns the name of the variable that has `rest` for this kind.
    fn variable(self, rest: &str) -> String {
        let signal = match self {
            Self::Traces => "TRACES",
            Self::Logs => "LOGS",
        };
        format!("OTEL_EXPORTER_OTLP_{signal}_{rest}")
    }

    fn exporter(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_TRACES_EXPORTER",
            Self::Logs => "OTEL_LOGS_EXPORTER",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Logs => "v1/logs",
        }
    }
}

/// Where settings are looked up.
struct Source<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Source<'_> {
    /// Returns a variable's text; an empty one counts as unset.
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Returns the variable for one kind of data, else that for all, with its name.
    fn of(&self, signal: Signal, rest: &str) -> Option<(String, String)> {
        let names = [signal.variable(rest), format!("OTEL_EXPORTER_OTLP_{rest}")];
        names.into_iter().find_map(|name| self.text(&name).map(|text| (name, text)))
    }

    /// Reads a variable, if it is set.
    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let text = self.text(name);
        text.map(|text| read(&text).map_err(|why| wrong(name, &text, &why))).transpose()
    }
}

fn wrong(name: &str, text: &str, why: &str) -> String {
    format!("the environment variable {name} is {text:?}: {why}")
}

impl Settings {
    /// Reads the settings. `None` where nothing says where to send anything, or that nothing is to be sent.
    ///
    /// # Errors
    /// What is wrong, in words, with what can be done.
    pub(super) fn read(
        flag: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let source = Source(variable);
        let own = match flag {
            Some(text) => Some((FLAG, text.to_owned())),
            None => source.text(OWN).map(|text| (OWN, text)),
        };
        if own.as_ref().is_some_and(|(_, text)| text == OFF) {
            return Ok(None);
        }
        let is_disabled = source.text("OTEL_SDK_DISABLED");
        if own.is_none() && is_disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let base = own.map(|(name, text)| match (url(&text), name) {
            (Ok(url), _) => Ok(url),
            (Err(why), FLAG) => Err(format!("{FLAG} {text:?}: {why}, or {OFF}")),
            (Err(why), name) => Err(wrong(name, &text, &format!("{why}, or {OFF}"))),
        });
        let base = base.transpose()?;
        let traces = target(&source, Signal::Traces, base.as_deref())?;
        let logs = target(&source, Signal::Logs, base.as_deref())?;
        if traces.is_none() && logs.is_none() {
            return Ok(None);
        }
        let queue = source.read("OTEL_BSP_MAX_QUEUE_SIZE", count)?.unwrap_or(2048);
        let batch = source.read("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", count)?.unwrap_or(512);
        let delay = source.read("OTEL_BSP_SCHEDULE_DELAY", milliseconds)?;
        Ok(Some(Self {
            traces,
            logs,
            sampling: sampling(&source)?,
            propagators: propagators(&source)?,
            resource: resource(&source)?,
            queue,
            batch: batch.min(queue),
            delay: delay.unwrap_or(Duration::from_secs(5)),
        }))
    }

    /// Returns the attributes of what is sending: what is set comes before what is known anyway.
    pub(super) fn describe(&self, known: Facts) -> Vec<(String, Value)> {
        let is_set = |name: &str| self.resource.iter().any(|(set, _)| set == name);
        let known = known.into_iter().filter(|(name, _)| !is_set(name));
        let known = known.map(|(name, value)| (name.to_owned(), value));
        let set = self.resource.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        known.chain(set).collect()
    }
}

/// Returns where one kind of data goes, if it is sent.
fn target(
    source: &Source<'_>,
    signal: Signal,
    base: Option<&str>,
) -> Result<Option<Target>, String> {
    let is_sent = source.read(signal.exporter(), |text| match text {
        "otlp" => Ok(true),
        "none" => Ok(false),
        _ => Err(format!("use otlp or none; for what Trine tells alone, set {OWN}={OFF}")),
    });
    if is_sent? == Some(false) {
        return Ok(None);
    }
    let below = |base: &str| format!("{}/{}", base.trim_end_matches('/'), signal.path());
    let url = match base {
        Some(base) => below(base),
        None => {
            let exact = signal.variable("ENDPOINT");
            let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
            let found = match source.read(&exact, url)? {
                Some(exact) => Some(exact),
                None => source.read(all, url)?.map(|base| below(&base)),
            };
            let Some(found) = found else { return Ok(None) };
            check_protocol(source, signal)?;
            found
        }
    };
    let timeout = match source.of(signal, "TIMEOUT") {
        Some((name, text)) => milliseconds(&text).map_err(|why| wrong(&name, &text, &why))?,
        None => Duration::from_secs(10),
    };
    let gzip = match source.of(signal, "COMPRESSION") {
        None => false,
        Some((_, text)) if text == "none" => false,
        Some((_, text)) if text == "gzip" => true,
        Some((name, text)) => return Err(wrong(&name, &text, "use gzip or none")),
    };
    if let Some((name, text)) = source.of(signal, "HEADERS") {
        // It may hold secrets, which no message repeats.
        check_headers(&text).map_err(|why| format!("the environment variable {name}: {why}"))?;
    }
    Ok(Some(Target { url, timeout, gzip }))
}

fn check_protocol(source: &Source<'_>, signal: Signal) -> Result<(), String> {
    match source.of(signal, "PROTOCOL") {
        Some((name, text)) if text != PROTOBUF => {
            let own = signal.variable("PROTOCOL");
            let why = format!(
                "Trine speaks {PROTOBUF} alone, which collectors take on port 4318: set {own}={PROTOBUF} and the endpoint \
                 for it; where this is meant for an SDK in a function, set {OWN} to a URL for what Trine tells, or to {OFF}"
            );
            Err(wrong(&name, &text, &why))
        }
        _ => Ok(()),
    }
}

fn check_headers(text: &str) -> Result<(), String> {
    let form = "write name=value, with commas between";
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, value) = entry.split_once('=').ok_or_else(|| format!("{form}: one has no ="))?;
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        if HeaderName::from_str(name.trim()).is_err() || HeaderValue::from_str(&value).is_err() {
            return Err(format!("{form}: {:?} is no header that can be sent", name.trim()));
        }
    }
    Ok(())
}

/// Reads a URL of a collector.
fn url(text: &str) -> Result<String, String> {
    let parsed = text.parse::<Uri>().ok();
    let is_one = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "write a URL with http or https, such as http://localhost:4318".to_owned())
}

fn count(text: &str) -> Result<usize, String> {
    number(text, 1, 1 << 20)
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    number(text, 1, 3_600_000)
        .map(Duration::from_millis)
        .map_err(|why| format!("{why}, in milliseconds"))
}

fn number<T: FromStr + PartialOrd + Display>(text: &str, least: T, most: T) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| format!("write a whole number from {least} to {most}"))
}

fn sampling(source: &Source<'_>) -> Result<Sampling, String> {
    let name = source.text("OTEL_TRACES_SAMPLER");
    let name = name.as_deref().unwrap_or("parentbased_always_on");
    let (by_parent, rest) = match name.strip_prefix("parentbased_") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let ratio = match rest {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => {
            let ratio = source.read("OTEL_TRACES_SAMPLER_ARG", |text| {
                let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
                ratio.ok_or_else(|| "write a number from 0 to 1".to_owned())
            })?;
            ratio.unwrap_or(1.0)
        }
        _ => {
            let why =
                "use always_on, always_off or traceidratio, or one of them behind parentbased_";
            return Err(wrong("OTEL_TRACES_SAMPLER", name, why));
        }
    };
    Ok(Sampling { by_parent, ratio })
}

fn propagators(source: &Source<'_>) -> Result<Vec<Propagator>, String> {
    let all = || vec![Propagator::TraceContext, Propagator::Baggage, Propagator::XRay];
    let named = source.read("OTEL_PROPAGATORS", |text| {
        let mut named = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            named.push(match name {
                "tracecontext" => Propagator::TraceContext,
                "baggage" => Propagator::Baggage,
                "xray" | "xray-lambda" => Propagator::XRay,
                "none" => continue,
                _ => {
                    let known = "tracecontext, baggage, xray or none";
                    return Err(format!("{name:?} is not known here: use {known}"));
                }
            });
        }
        Ok(named)
    })?;
    Ok(named.unwrap_or_else(all))
}

fn resource(source: &Source<'_>) -> Result<Vec<(String, String)>, String> {
    let attributes = source.read("OTEL_RESOURCE_ATTRIBUTES", |text| {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let (name, value) = entry.split_once('=').ok_or_else(|| {
                format!("write name=value, with commas between: {entry:?} has no =")
            })?;
            let decoded =
                |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
            Ok((decoded(name), decoded(value)))
        };
        entries.map(read).collect::<Result<Vec<_>, String>>()
    })?;
    let mut attributes = attributes.unwrap_or_default();
    if let Some(name) = source.text("OTEL_SERVICE_NAME") {
        attributes.retain(|(known, _)| known != "service.name");
        attributes.push(("service.name".to_owned(), name));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::read(flag, &|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    fn urls(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<[Option<String>; 2]> {
        let settings = read(flag, variables).unwrap()?;
        Some([settings.traces, settings.logs].map(|target| target.map(|target| target.url)))
    }

    #[test]
    fn nothing_is_sent_unless_somebody_says_where() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert_eq!(
            urls(None, &[("OTEL_SERVICE_NAME", "x"), ("OTEL_TRACES_EXPORTER", "otlp")]),
            None
        );
        assert_eq!(urls(None, &[(endpoint.0, "")]), None);
        assert_eq!(urls(None, &[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), None);
        assert_eq!(urls(None, &[endpoint, ("TRINE_OTLP", "off")]), None);
        assert_eq!(urls(Some("off"), &[endpoint]), None);
        let none = [("OTEL_TRACES_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none"), endpoint];
        assert_eq!(urls(None, &none), None);
    }

    #[test]
    fn endpoints_have_paths_below_the_common_one_and_are_exact_of_their_own() {
        let both =
            |base: &str| Some([Some(format!("{base}/v1/traces")), Some(format!("{base}/v1/logs"))]);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert_eq!(urls(None, &[endpoint]), both("http://c:4318"));
        assert_eq!(urls(None, &[(endpoint.0, "https://c/otlp/")]), both("https://c/otlp"));
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x");
        assert_eq!(urls(None, &[traces]), Some([Some("http://t/x".into()), None]));
        let logs = Some("http://c:4318/v1/logs".into());
        assert_eq!(urls(None, &[endpoint, traces]), Some([Some("http://t/x".into()), logs]));
        let off = ("OTEL_LOGS_EXPORTER", "none");
        assert_eq!(
            urls(None, &[endpoint, off]),
            Some([both("http://c:4318").unwrap()[0].clone(), None])
        );
        // What is said to Trine itself comes before what is said to every SDK.
        let own = ("TRINE_OTLP", "http://own");
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let disabled = ("OTEL_SDK_DISABLED", "true");
        assert_eq!(urls(None, &[endpoint, traces, own, grpc, disabled]), both("http://own"));
        assert_eq!(urls(Some("http://flag"), &[endpoint, own]), both("http://flag"));
    }

    #[test]
    fn what_is_set_is_what_every_sdk_understands() {
        let settings = read(
            None,
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
                ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "500"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
                ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, a=b"),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
                ("OTEL_PROPAGATORS", "xray, none,baggage"),
                ("OTEL_SERVICE_NAME", "named"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other, a.b=c%2Cd ,team=x"),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
                ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ],
        );
        let settings = settings.unwrap().unwrap();
        let (traces, logs) = (settings.traces.as_ref().unwrap(), settings.logs.as_ref().unwrap());
        assert_eq!((traces.timeout, traces.gzip), (Duration::from_secs(3), true));
        assert_eq!((logs.timeout, logs.gzip), (Duration::from_millis(500), false));
        assert_eq!(settings.sampling, Sampling { by_parent: true, ratio: 0.25 });
        assert_eq!(settings.propagators, [Propagator::XRay, Propagator::Baggage]);
        assert_eq!((settings.queue, settings.batch), (100, 100));
        assert_eq!(settings.delay, Duration::from_millis(50));
        let known = vec![("service.name", "function".into()), ("faas.name", "f".into())];
        let described: Vec<String> = settings
            .describe(known)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        assert_eq!(described, ["faas.name=f", "a.b=c,d", "team=x", "service.name=named"]);
    }

    #[test]
    fn samplers_have_their_names() {
        let of = |name| {
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
            let settings = read(None, &[endpoint, ("OTEL_TRACES_SAMPLER", name)]);
            let sampling = settings.unwrap().unwrap().sampling;
            (sampling.by_parent, sampling.ratio)
        };
        assert_eq!(of(""), (true, 1.0));
        assert_eq!(of("always_on"), (false, 1.0));
        assert_eq!(of("always_off"), (false, 0.0));
        assert_eq!(of("traceidratio"), (false, 1.0));
        assert_eq!(of("parentbased_always_off"), (true, 0.0));
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_would() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        for (name, value, part) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "such as http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "/v1", "such as http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://c", "such as http://localhost:4318"),
            ("TRINE_OTLP", "on", "such as http://localhost:4318, or off"),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "grpc",
                "set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
            ),
            (
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
                "http/json",
                "set OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf",
            ),
            (
                "OTEL_EXPORTER_OTLP_TIMEOUT",
                "10s",
                "a whole number from 1 to 3600000, in milliseconds",
            ),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "use gzip or none"),
            ("OTEL_TRACES_EXPORTER", "zipkin", "use otlp or none"),
            ("OTEL_LOGS_EXPORTER", "console", "use otlp or none"),
            ("OTEL_TRACES_SAMPLER", "sometimes", "use always_on"),
            ("OTEL_PROPAGATORS", "b3", "\"b3\" is not known here"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c", "\"c\" has no ="),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number from 1"),
            ("OTEL_BSP_SCHEDULE_DELAY", "soon", "in milliseconds"),
        ] {
            let why = read(None, &[(name, value), endpoint]).unwrap_err();
            assert!(
                why.contains(part)
                    && why.starts_with(&format!("the environment variable {name} is ")),
                "{why}"
            );
        }
        for (value, part) in [("hidden", "one has no ="), ("a b=hidden", "\"a b\" is no header")] {
            let why = read(None, &[("OTEL_EXPORTER_OTLP_HEADERS", value), endpoint]).unwrap_err();
            assert!(why.contains(part) && !why.contains("hidden"), "{why}");
        }
        let ratio =
            [endpoint, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")];
        assert!(read(None, &ratio).unwrap_err().contains("a number from 0 to 1"));
        let flag = read(Some("c:4318"), &[]).unwrap_err();
        assert!(flag.starts_with("--otlp \"c:4318\": write a URL"), "{flag}");
    }
}
