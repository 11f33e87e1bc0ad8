//! wrk: its input and its output.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;

/// The script without its body.
const SCRIPT: &str = include_str!("post.lua");

/// Returns a script that posts `body`, which is JSON.
pub(crate) fn script(body: &str) -> String {
    format!("wrk.body = [==[{body}]==]\n{SCRIPT}")
}

/// The results of a run of wrk.
#[derive(Debug, PartialEq)]
pub(crate) struct Load {
    /// Answers per second.
    pub(crate) rate: f64,
    /// Median latency in µs.
    pub(crate) p50: f64,
    /// 99th percentile in µs.
    pub(crate) p99: f64,
}

/// Reads the script's line in wrk's output.
///
/// # Errors
/// When there is none, or it reports errors.
pub(crate) fn parse(output: &str) -> anyhow::Result<Load> {
    let line = output
        .lines()
        .find_map(|line| line.strip_prefix("trine-bench "))
        .with_context(|| format!("wrk told nothing: {}", output.trim()))?;
    let pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    let numbers: BTreeMap<&str, f64> =
        pairs.filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect();
    let number = |name| {
        numbers.get(name).copied().with_context(|| format!("wrk did not tell {name}: {line}"))
    };
    for kind in ["connect", "read", "write", "status", "timeout"] {
        let count = number(kind)?;
        ensure!(count == 0.0, "wrk counted {count} errors ({kind})");
    }
    let (requests, micros) = (number("requests")?, number("duration")?);
    ensure!(requests > 0.0 && micros > 0.0, "nothing was answered under load");
    Ok(Load { rate: requests / micros * 1e6, p50: number("p50")?, p99: number("p99")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Running 1s test @ http://127.0.0.1:8080/\n  1 threads and 8 connections\n\
        Requests/sec:  20000.00\ntrine-bench requests=20000 duration=1000000 p50=350 p99=900 \
        connect=0 read=0 write=0 status=0 timeout=0\n";

    #[test]
    fn figures_are_read() {
        let load = parse(OUTPUT).unwrap();
        assert_eq!(load, Load { rate: 20_000.0, p50: 350.0, p99: 900.0 });
    }

    #[test]
    fn errors_are_no_figures() {
        let error = parse(&OUTPUT.replace("status=0", "status=12")).unwrap_err();
        assert_eq!(error.to_string(), "wrk counted 12 errors (status)");
        let error = parse(&OUTPUT.replace("requests=20000", "requests=0")).unwrap_err();
        assert_eq!(error.to_string(), "nothing was answered under load");
        let error = parse("unable to connect to 127.0.0.1:1 Connection refused\n").unwrap_err();
        assert!(error.to_string().contains("unable to connect"));
        let error = parse(&OUTPUT.replace("timeout=0", "")).unwrap_err();
        assert!(error.to_string().starts_with("wrk did not tell timeout"));
    }

    #[test]
    fn the_body_stands_in_the_script() {
        assert!(script(r#"{"a":"]]"}"#).starts_with("wrk.body = [==[{\"a\":\"]]\"}]==]\n"));
    }
}
