//! A new process for each invocation: nothing is left for the next one. Its hooks are functions in that process.

use crate::function::{Function, run_to_end};
use bytes::Bytes;

/// A starter of one process for each event.
pub(crate) struct ProcessPerCall {
    function: Function,
}

impl ProcessPerCall {
    pub(crate) fn new(function: Function) -> Self {
        Self { function }
    }

    /// Returns the answer of a new process to an event.
    pub(crate) fn answer(&self, event: &[u8]) -> anyhow::Result<Bytes> {
        let Function { file, name, hooks, .. } = &self.function;
        let mut command = self.function.command("once")?;
        command.arg(file).arg(name);
        for hook in hooks {
            command.arg(self.function.hook_file(hook)?);
        }
        run_to_end(&mut command, event)
    }
}
