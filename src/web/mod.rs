//! Web applications as functions: events of API Gateway, load balancers and function URLs become requests, and responses
//! become the results that the sender of the event expects.
//!
//! Contracts: AWS's payload formats 2.0 and 1.0 and the events of load balancers' targets.

mod request;
mod result;
#[cfg(test)]
mod tests;

pub(crate) use request::request_of;
pub(crate) use result::{is_its_own, metadata_of, response_of_failure};

/// The form of an event that is a web request, by which its result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum WebForm {
    /// Payload format 2.0, of HTTP APIs and function URLs.
    #[default]
    V2,
    /// Payload format 1.0, of REST APIs.
    V1,
    /// The event of a load balancer, which has single values.
    Alb,
    /// The event of a load balancer that is set up to send lists of values.
    AlbMultiValue,
}
