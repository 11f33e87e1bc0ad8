//! What handlers expect that were written for another platform than Lambda.

/// The conventions of a platform whose handlers get plain data. Where an invocation has them:
///
/// - the context that a handler gets consists of the members of [`Conventions::context`], in JavaScript as an object, in
///   Python as a dictionary, in Lua as a table; what hooks need of a context (`state`, `reply`) is there all the same;
/// - names of HTTP headers are found in the event whatever their case ([`Conventions::headers`]);
/// - what a handler returns is its answer even where it declares a callback, and an answer by callback waits for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conventions {
    /// The context, as JSON text of an object.
    pub context: String,
    /// The member of the event whose keys are names of HTTP headers with a capital at the beginning of each word
    /// (`Content-Type`). A handler finds them as `content-type` as well; who goes through the members sees each once.
    pub headers: Option<String>,
}
