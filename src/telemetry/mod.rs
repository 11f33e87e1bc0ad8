//! The destination of guests' output and of the runtime's own lines.

mod census;
mod frames;
mod log;
mod sink;

pub use census::{Census, Enrolled, Figures};
pub use frames::FrameSink;
pub use log::Log;
pub use sink::{ErrorSink, LambdaSink, ProcessSink};
