//! WASI preview 1, in safe Rust and without V8: a guest's descriptors, and one call of a function of WASI.

pub(crate) mod clocks;
pub(crate) mod descriptors;
pub(crate) mod errno;
pub(crate) mod files;
pub(crate) mod memory;
pub(crate) mod paths;
pub(crate) mod place;
pub(crate) mod process;
mod stat;
pub(crate) mod table;

use crate::limits::Stop;
use bytes::Bytes;
use descriptors::{Descriptor, Descriptors};
use errno::{Errno, Result};
use memory::Memory;
use place::Folder;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, sync::Arc, time::Instant};
use table::Function;
use trine_engine::{GuestOutput, Invocation, Permits, Refusal, Stream};

/// Maximum number of different refusals that are logged.
const MOST_REFUSALS: usize = 32;

/// What all calls of a module have in common.
pub(crate) struct Program {
    /// The arguments; the first is the name of the file.
    pub(crate) arguments: Vec<Vec<u8>>,
    /// The variables of the environment, name and value.
    pub(crate) variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// The folders that are open from the start.
    pub(crate) folders: Vec<Rc<Folder>>,
    pub(crate) permits: Option<Permits>,
    pub(crate) output: Rc<GuestOutput>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) started: Instant,
    /// Maximum number of bytes that a command may print.
    pub(crate) most_printed: usize,
    pub(crate) refused: RefCell<BTreeSet<String>>,
}

impl Program {
    /// Returns what an access leads to: `refused` is logged, so that a developer learns what would have to be allowed.
    fn permit(&self, asks: impl FnOnce(&Permits) -> Result<(), Refusal>) -> Result<()> {
        let Some(permits) = &self.permits else { return Ok(()) };
        asks(permits).map_err(|refusal| {
            let text = refusal.to_string();
            let mut refused = self.refused.borrow_mut();
            if refused.len() < MOST_REFUSALS && !refused.contains(&text) {
                self.output.line(Stream::Stderr, format!("{text}\n").as_bytes());
                refused.insert(text);
            }
            Errno::Access
        })
    }
}

/// A guest's side of the system: from its start to its end for a command, for as long as its instance lives for a reactor.
pub(crate) struct Wasi {
    pub(crate) program: Rc<Program>,
    /// The number of interrupts at the start of the call; see [`Stop`].
    pub(crate) epoch: u64,
    /// The status that the guest has passed to `proc_exit`.
    pub(crate) exit: Option<u32>,
    /// The invocation that runs.
    pub(crate) invocation: Option<Rc<Invocation>>,
    descriptors: Descriptors,
    input: Bytes,
    /// What was printed, where that is the answer.
    printed: Option<Vec<u8>>,
    /// Whether more was printed than may be.
    pub(crate) printed_too_much: bool,
}

impl Wasi {
    /// Makes the system of a command, which reads `input` and prints its answer.
    pub(crate) fn command(program: Rc<Program>, input: Bytes) -> Self {
        Self { input, printed: Some(Vec::new()), ..Self::reactor(program) }
    }

    /// Makes the system of a reactor, which has no input and prints to the log.
    pub(crate) fn reactor(program: Rc<Program>) -> Self {
        let descriptors = Descriptors::new(&program.folders);
        Self {
            program,
            epoch: 0,
            exit: None,
            invocation: None,
            descriptors,
            input: Bytes::new(),
            printed: None,
            printed_too_much: false,
        }
    }

    /// Whether the call has been interrupted or has ended itself.
    pub(crate) fn is_stopped(&self) -> bool {
        self.exit.is_some() || self.program.stop.epoch() != self.epoch
    }

    /// Takes what a command has printed.
    pub(crate) fn take_printed(&mut self) -> Bytes {
        self.printed.take().unwrap_or_default().into()
    }

    /// Returns the variables of the environment as a guest reads them: `NAME=value`.
    fn variables(&self) -> Vec<Vec<u8>> {
        let own = self.invocation.as_deref().map(invocation_variables).unwrap_or_default();
        let is_own = |name: &[u8]| own.iter().any(|(own, _)| own.as_bytes() == name);
        let given = self.program.variables.iter().filter(|(name, _)| !is_own(name));
        let given = given.map(|(name, value)| [name, &b"="[..], value].concat());
        given
            .chain(own.iter().map(|(name, value)| format!("{name}={value}").into_bytes()))
            .collect()
    }

    /// Takes what a guest writes to an output.
    fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        match &mut self.printed {
            Some(printed) if stream == Stream::Stdout => {
                if printed.len() + bytes.len() > self.program.most_printed {
                    self.printed_too_much = true;
                    return Err(Errno::NoSpace);
                }
                printed.extend_from_slice(bytes);
            }
            _ => self.program.output.write(stream, bytes),
        }
        Ok(())
    }

    /// Returns how many bytes a descriptor has to read at once, or whether it can be written.
    fn ready(&self, descriptor: u32, writes: bool) -> Result<u64> {
        match self.descriptors.get(descriptor)? {
            Descriptor::Input if !writes => Ok(self.input.len() as u64),
            Descriptor::Output(_) if writes => Ok(0),
            Descriptor::File(file) if writes && file.writes || !writes && file.reads => Ok(1),
            _ => Err(Errno::BadDescriptor),
        }
    }
}

/// Returns the variables that tell a guest of its invocation, named after the headers in which Lambda tells a runtime.
fn invocation_variables(invocation: &Invocation) -> Vec<(&'static str, String)> {
    let deadline = invocation.deadline_ms.map(|deadline| deadline.to_string());
    let known = [
        ("LAMBDA_RUNTIME_AWS_REQUEST_ID", Some(invocation.request_id.clone())),
        ("LAMBDA_RUNTIME_DEADLINE_MS", deadline),
        ("LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN", invocation.invoked_function_arn.clone()),
        ("LAMBDA_RUNTIME_CLIENT_CONTEXT", invocation.client_context.clone()),
        ("LAMBDA_RUNTIME_COGNITO_IDENTITY", invocation.identity.clone()),
        ("LAMBDA_RUNTIME_TENANT_ID", invocation.tenant_id.clone()),
        ("_X_AMZN_TRACE_ID", invocation.trace_id.clone()),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.filter(|(_, value)| !value.contains('\0')).collect()
}

/// One call of a function of WASI.
pub(crate) struct Call<'c> {
    pub(crate) wasi: &'c mut Wasi,
    pub(crate) memory: Memory<'c>,
    pub(crate) arguments: [u64; 9],
}

impl Call<'_> {
    /// Runs the function; returns the error's number, 0 for none. A guest that has ended or was stopped does nothing more.
    pub(crate) fn run(mut self, function: &Function) -> u16 {
        if self.wasi.is_stopped() {
            return Errno::Interrupted as u16;
        }
        (function.run)(&mut self).map_or_else(|error| error as u16, |()| 0)
    }

    fn u32(&self, at: usize) -> u32 {
        self.arguments[at] as u32
    }

    fn u64(&self, at: usize) -> u64 {
        self.arguments[at]
    }
}

#[cfg(test)]
mod tests;
