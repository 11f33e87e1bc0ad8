//! Where guests' output and the runtime's own lines go.

mod log;
mod sink;

pub use log::Log;
pub use sink::{ErrorSink, LambdaSink, ProcessSink};
