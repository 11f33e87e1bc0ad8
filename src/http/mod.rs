//! The HTTP front door: listens, turns requests into events, and results into responses.
//!
//! The way of a request:
//!
//! 1. `server` has bound the port once (`socket`); workers accept from it, speak `tls` where there is a certificate, and
//!    HTTP/1.1 or HTTP/2 (`connection`, `http2`). `duties` says which thread does what.
//! 2. `service` refuses what `target` finds invalid, finds the function with the [`Site`]'s routes, or answers itself:
//!    health, index, 404, and `files` of folders that are served as they are.
//! 3. `admission` asks for a token where the function does (`auth`). `scaleway` is the way of a request to a function that
//!    was written for that platform.
//! 4. `event` writes the request as an event in the function's [`EventFormat`], straight into JSON text. What comes by
//!    Lambda's Invoke API (`invocations`) is one already.
//! 5. `functions` hands it to the function's pipeline, loaded at its first request; `handover` takes it to the main
//!    thread if that is where the function lives, or to one of its `threads`.
//! 6. `response` makes a response of the result; `error` of what went wrong.
//!
//! What a folder serves stands in its `trine.toml` (`route_file`); `triggers` there invoke functions as requests do, from
//! step 5 on.
//!
//! A front door of one's own, in front of another HTTP library or none, can use the two halves of the mapping alone:
//! [`write_event`] and [`response_of`].
//!
//! The server promises that every request that it read gets exactly one answer, and that [`serve`] returns when the
//! requests in flight have theirs.

mod access_log;
mod account;
mod admission;
mod arrival;
mod auth;
mod body;
mod check;
mod closing;
mod cloudevents;
mod connection;
mod console;
mod cors;
mod duties;
mod error;
mod event;
mod files;
mod format;
mod forwarded;
mod functions;
mod generation;
mod handover;
mod http2;
mod invocations;
mod lifeline;
mod limits;
mod metrics;
mod metrics_port;
mod options;
mod own;
mod pace;
mod queue;
mod reported;
mod request_id;
mod response;
mod result;
mod room;
mod route;
mod route_file;
mod scaleway;
mod server;
mod service;
mod shared;
mod site;
mod socket;
mod spans;
mod supervisor;
mod target;
mod template;
mod threads;
mod tls;
mod triggers;
mod trust;
mod upgrade;
mod web;
mod wire;

#[cfg(test)]
mod tests;

pub use access_log::AccessLog;
pub use auth::Auth;
pub use body::{FileBody, ReplyBody, StreamedBody};
pub use check::{Checked, Flaw, check};
pub use console::ConsoleOptions;
pub use error::{ServeError, status};
pub use event::{EventContext, Mount, NoEvent, write as write_event};
pub use format::EventFormat;
pub use forwarded::TrustedProxies;
pub use generation::{Generation, GenerationChannel};
pub use limits::Limits;
pub use metrics::MetricsPlace;
pub use options::{ErrorDetail, Listen, MOST_CONCURRENT, MOST_THREADS, ServeOptions};
pub use response::{Malformed, Reply, of as response_of};
pub use route::Route;
pub use route_file::schema;
pub use scaleway::{Access, Scaleway, SubRuntime, TokenCheck};
pub use server::{Ended, Running, Server, Stop, serve};
pub use site::{Asked, ServedFunction, Site};
pub use socket::Endpoint;
pub use supervisor::Supervisor;
pub use tls::{TlsError, TlsFiles};
pub use triggers::{
    Address as BrokerAddress, Clock, Delivery, Login as BrokerLogin, MqttSource, NatsLogin,
    NatsSource, Schedule, Secret, Source as TriggerSource, SqsSource, Trigger,
};
