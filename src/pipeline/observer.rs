//! Who is told of the calls that a pipeline makes, such as whoever writes down how long they take.

use trine_engine::{Error, Hook};

/// A function that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called<'a> {
    /// The handler, with what wraps it.
    Handler,
    /// A hook of the middleware of this name.
    Hook(Hook, &'a str),
}

/// What is called at the end of a call, with its error if it has failed; dropped where the call is left in the middle.
pub(crate) type Ends = Box<dyn FnOnce(Option<&Error>)>;

/// Who is told of calls.
pub(crate) trait Observer {
    /// Called when a call begins. A streamed answer is part of its call.
    fn begins(&self, called: Called<'_>) -> Ends;
}
