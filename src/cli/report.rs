//! What Lambda's platform says about an invocation, for one that runs without it: START, END and REPORT.

use super::print_beside;
use crate::{config::Settings, diagnostic::error_type_header};
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};
use trine_emulator::{LogForm, Status, Usage, peak_memory};
use trine_engine::{Error, ErrorKind};

/// The platform's voice in one invocation. The process's start counts as the function's.
pub(super) struct Reporter {
    form: LogForm,
    request_id: String,
    version: String,
    memory_mb: u32,
    begun: Instant,
    /// The moment in which the function has been loaded.
    loaded: OnceLock<Instant>,
}

impl Reporter {
    /// Makes a reporter of an invocation whose function is about to be loaded.
    pub(super) fn new(settings: &Settings, request_id: &str) -> Self {
        let function = &settings.function;
        let memory_mb = function.memory_mb.as_deref().and_then(|text| text.parse().ok());
        Self {
            form: settings.log_format.value.of_platform(),
            request_id: request_id.to_owned(),
            version: function.version.clone().unwrap_or_else(|| "$LATEST".to_owned()),
            memory_mb: memory_mb.unwrap_or(128),
            begun: Instant::now(),
            loaded: OnceLock::new(),
        }
    }

    /// Tells that the function has been loaded, and that its invocation begins.
    pub(super) fn start(&self) {
        // It begins once.
        let _ = self.loaded.set(Instant::now());
        print_beside(&self.form.start(&self.request_id, &self.version));
    }

    /// Tells how it has ended: with an answer, or with an error, which is a timeout's after `limit`.
    pub(super) fn end(&self, error: Option<&Error>, limit: Duration) {
        let Some(loaded) = self.loaded.get() else {
            let error_type = error.map_or_else(String::new, error_type_header);
            return print_beside(&self.form.failed_init(self.begun.elapsed(), &error_type));
        };
        let status = match error {
            None => Status::Success,
            Some(error) if error.kind() == ErrorKind::Timeout => Status::Timeout { after: limit },
            Some(error) => {
                Status::Error { error_type: error_type_header(error), message: String::new() }
            }
        };
        let usage = Usage {
            memory_mb: self.memory_mb,
            used_mb: peak_memory(std::process::id()),
            init: Some(loaded.duration_since(self.begun)),
        };
        print_beside(&self.form.end(&self.request_id, loaded.elapsed(), &status, &usage));
    }
}
