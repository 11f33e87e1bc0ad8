//! The destination of guests' output and of the runtime's own lines.

mod log;
mod sink;

pub use log::Log;
pub use sink::{ErrorSink, LambdaSink, ProcessSink};
