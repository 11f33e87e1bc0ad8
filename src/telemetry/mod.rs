//! The destination of guests' output and of the runtime's own lines.

mod frames;
mod log;
mod sink;

pub use frames::FrameSink;
pub use log::Log;
pub use sink::{ErrorSink, LambdaSink, ProcessSink};
