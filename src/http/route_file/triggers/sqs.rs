//! `kind = "sqs"`: a queue of Amazon SQS.

use super::{Entry, Fault, Placed, Source, delivery};
use crate::http::triggers::SqsSource;
use http::Uri;
use std::{env, time::Duration};

/// Number of messages for one invocation where nothing else is set, as in Lambda.
const BATCH_SIZE: u8 = 10;
/// Time for which the service waits for a message where nothing else is set.
const WAIT: Duration = Duration::from_secs(20);

/// Reads the source.
pub(super) fn read(entry: &mut Entry, faults: &mut Vec<Fault>) -> Option<Source> {
    let queue = entry.text("queue");
    let (region, endpoint) = (entry.text("region"), entry.text("endpoint"));
    let batch_size = entry.count("batch-size").and_then(|count| u8::try_from(count.value).ok());
    let wait = entry.time("wait").map_or(WAIT, |wait| wait.value);
    let visibility = entry.time("visibility-timeout").map(|time| time.value);
    let reports_failures = entry.truth("report-batch-item-failures").is_some_and(|it| it.value);
    let delivery = delivery(entry, false, faults);
    if let Some(endpoint) = &endpoint
        && let Err(why) = url(&endpoint.value)
    {
        let message = format!("endpoint = {:?}: {why}", endpoint.value);
        faults.push(Fault { line: endpoint.line, message });
    }
    let queue = queue?;
    let known = match Known::of(&queue.value) {
        Ok(known) => known,
        Err(why) => {
            let message = format!("queue = {:?}: {why}", queue.value);
            faults.push(Fault { line: queue.line, message });
            return None;
        }
    };
    // What the process makes up for functions comes later, and is no answer to where a queue is.
    let of_environment = || {
        let mut names = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
        names.find_map(|name| env::var(name).ok().filter(|region| !region.is_empty()))
    };
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_endpoint = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"].into_iter().any(is_set);
    let value = |placed: Placed<String>| placed.value;
    Some(Source::Sqs(Box::new(SqsSource {
        queue: queue.value,
        region: region.map(value).or(known.region).or_else(of_environment),
        endpoint: endpoint.map(value).or(known.endpoint.filter(|_| !has_endpoint)),
        batch_size: batch_size.unwrap_or(BATCH_SIZE),
        wait,
        visibility,
        reports_failures,
        delivery,
    })))
}

/// What the name of a queue says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    region: Option<String>,
    endpoint: Option<String>,
}

impl Known {
    fn of(queue: &str) -> Result<Self, String> {
        if queue.starts_with("arn:") {
            return match queue.split(':').collect::<Vec<_>>().as_slice() {
                ["arn", _, "sqs", region, account, name]
                    if ![region, account, name].iter().any(|part| part.is_empty()) =>
                {
                    Ok(Self { region: Some((*region).to_owned()), endpoint: None })
                }
                _ => Err("the ARN of a queue is arn:aws:sqs:REGION:ACCOUNT:NAME".to_owned()),
            };
        }
        if !queue.contains("://") {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let is_name = !queue.is_empty() && queue.chars().all(fits);
            let why = "it is no name of a queue: use letters, digits, hyphens and underscores, or its URL or ARN";
            return if is_name { Ok(Self::default()) } else { Err(why.to_owned()) };
        }
        let (uri, host) = url(queue)?;
        let parts: Vec<&str> = host.split('.').collect();
        let region = match parts.as_slice() {
            ["sqs" | "sqs-fips", region, "amazonaws", "com", ..]
            | [region, "queue", "amazonaws", "com", ..]
            | ["sqs" | "sqs-fips", region, "api", "aws"] => Some((*region).to_owned()),
            _ => None,
        };
        let is_of_aws = host.contains("amazonaws.com") || host.ends_with(".api.aws");
        let origin = || match uri.port() {
            Some(port) => format!("{}://{host}:{port}", uri.scheme_str().unwrap_or("http")),
            None => format!("{}://{host}", uri.scheme_str().unwrap_or("http")),
        };
        Ok(Self { region, endpoint: (!is_of_aws).then(origin) })
    }
}

fn url(text: &str) -> Result<(Uri, String), String> {
    let uri: Uri = text.parse().map_err(|error| format!("it is no URL: {error}"))?;
    let host = uri.host().unwrap_or_default().to_owned();
    match uri.scheme_str() {
        Some("http" | "https") if !host.is_empty() => Ok((uri, host)),
        _ => Err("it is no URL: write https://HOST or http://HOST".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_queue_may_say_where_it_is() {
        let known = |region: Option<&str>, endpoint: Option<&str>| Known {
            region: region.map(str::to_owned),
            endpoint: endpoint.map(str::to_owned),
        };
        for (queue, expected) in [
            ("orders", known(None, None)),
            ("orders.fifo", known(None, None)),
            ("arn:aws:sqs:eu-west-1:123456789012:orders", known(Some("eu-west-1"), None)),
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
                known(Some("eu-west-1"), None),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders",
                known(Some("cn-north-1"), None),
            ),
            ("https://us-east-2.queue.amazonaws.com/1/orders", known(Some("us-east-2"), None)),
            ("https://sqs.eu-west-1.api.aws/1/orders", known(Some("eu-west-1"), None)),
            ("https://queue.amazonaws.com/1/orders", known(None, None)),
            ("http://127.0.0.1:5000/1/orders", known(None, Some("http://127.0.0.1:5000"))),
            ("https://queues.example.com/1/o", known(None, Some("https://queues.example.com"))),
        ] {
            assert_eq!(Known::of(queue).unwrap(), expected, "{queue}");
        }
        for (queue, part) in [
            ("", "no name of a queue"),
            ("my orders", "no name of a queue"),
            ("arn:aws:sns:eu-west-1:1:orders", "the ARN of a queue is"),
            ("arn:aws:sqs:eu-west-1:1:", "the ARN of a queue is"),
            ("ftp://host/1/orders", "write https://HOST"),
        ] {
            let why = Known::of(queue).unwrap_err();
            assert!(why.contains(part), "{queue}: {why}");
        }
    }
}
