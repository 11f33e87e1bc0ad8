//! The forms that events and results have.

use std::{fmt, str::FromStr};

/// The form of a function's events, and with it of its results: that of the service for which the function was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventFormat {
    /// Payload format 2.0 of API Gateway's HTTP APIs.
    #[default]
    AwsV2,
    /// Payload format 1.0, as API Gateway's REST APIs have it.
    AwsV1,
    /// Application Load Balancer, names with one value each.
    Alb,
    /// Application Load Balancer whose target group has lists of values (`lambda.multi_value_headers.enabled`).
    AlbMultiValue,
    /// Lambda function URL: payload format 2.0 without routes.
    FunctionUrl,
    /// Scaleway's functions.
    Scaleway,
    /// CloudEvents 1.0 in the binary and the structured mode of its HTTP binding.
    CloudEvents,
    /// The body is the event, and the result the response's body: for functions that answer no web requests.
    Raw,
}

impl EventFormat {
    /// All of them, the usual one first.
    pub const ALL: [Self; 8] = [
        Self::AwsV2,
        Self::AwsV1,
        Self::Alb,
        Self::AlbMultiValue,
        Self::FunctionUrl,
        Self::Scaleway,
        Self::CloudEvents,
        Self::Raw,
    ];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsV2 => "aws-v2",
            Self::AwsV1 => "aws-v1",
            Self::Alb => "alb",
            Self::AlbMultiValue => "alb-multi-value",
            Self::FunctionUrl => "function-url",
            Self::Scaleway => "scaleway",
            Self::CloudEvents => "cloudevents",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for EventFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let near = trine_engine::nearest(text, names);
            let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            format!("use one of {}{near}", names.join(", "))
        })
    }
}
