//! The destination of guests' output and of the runtime's own lines, and of spans.

mod census;
mod frames;
mod log;
#[cfg_attr(not(feature = "otel"), path = "no_otel.rs")]
mod otel;
mod sink;
mod trace;

pub use census::{Census, Enrolled, Figures};
pub use frames::FrameSink;
pub use log::Log;
pub use sink::{ErrorSink, LambdaSink, ProcessSink};
pub use trace::{
    Backend, Facts, NewSpan, Opening, Part, Propagator, Record, Role, Root, Span, TraceContext,
    Tracer, Trail, Watcher,
};

/// What a thread without guests is to do, until the process ends.
pub type Background = Box<dyn FnOnce() + Send>;
