//! The binary as Lambda's bootstrap, under the strict emulator.

use super::{Folder, Language, Process, eventually, process::command};
use serde_json::{Value, json};
use std::{os::unix::process::ExitStatusExt, process::Command, time::Duration};
use trine_emulator::{Answer, Emulator, EmulatorOptions, Endpoint, Event, Outcome, RuntimeExit};

/// A bootstrap and the Runtime API that it serves.
pub(crate) struct Lambda {
    pub(crate) emulator: Emulator,
    pub(crate) process: Process,
}

/// Makes an event that asks a probe to do this.
pub(crate) fn ask(what: &str) -> Value {
    json!({"do": what})
}

impl Lambda {
    /// Starts `bootstrap` in the folder for this handler.
    pub(crate) fn start(folder: &Folder, handler: &str) -> Self {
        Self::with(folder, |command| {
            command.env("_HANDLER", handler);
        })
    }

    /// Starts the probe of a language, by its whole file name.
    pub(crate) fn probe(language: Language) -> (Folder, Self) {
        let folder = Folder::probe(language);
        let lambda = Self::start(&folder, "probe.handler");
        (folder, lambda)
    }

    /// Starts `bootstrap` in the folder, after `change` has adapted the command.
    pub(crate) fn with(folder: &Folder, change: impl FnOnce(&mut Command)) -> Self {
        let options = EmulatorOptions {
            timeout: super::LIMIT,
            init_timeout: super::LIMIT,
            ..EmulatorOptions::default()
        };
        Self::under(options, folder, change)
    }

    /// Starts `bootstrap` in the folder under an emulator with these options.
    pub(crate) fn under(
        options: EmulatorOptions,
        folder: &Folder,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let emulator = Emulator::spawn_thread(options).unwrap();
        let mut command = command(folder.bootstrap(), folder);
        command.envs(emulator.environment()).env("LAMBDA_TASK_ROOT", folder.task());
        change(&mut command);
        let process = Process::start(command);
        let told = emulator.clone();
        process.when_ended(move |status| {
            // Whoever still waits for an answer then learns that there will be none.
            told.runtime_exited(&match (status.code(), status.signal()) {
                (Some(code), _) => RuntimeExit::Status(code),
                (None, signal) => RuntimeExit::Signal(signal.unwrap_or_default().to_string()),
            });
        });
        Self { emulator, process }
    }

    /// Invokes and returns the outcome, whatever it is.
    pub(crate) fn outcome(&self, event: impl Into<Event>) -> Outcome {
        self.emulator.invoke_blocking(event)
    }

    /// Invokes and returns the response.
    #[track_caller]
    pub(crate) fn invoke(&self, event: impl Into<Event>) -> Value {
        let outcome = self.outcome(event);
        assert!(outcome.is_response(), "{outcome:?}\n{:?}", self.process);
        outcome.json()
    }

    /// Invokes and returns the outcome with its error document.
    #[track_caller]
    pub(crate) fn fail(&self, event: impl Into<Event>) -> (Outcome, Value) {
        let outcome = self.outcome(event);
        let is_error = matches!(outcome.result, Answer::Error { .. });
        assert!(is_error, "{outcome:?}\n{:?}", self.process);
        let document = outcome.json();
        (outcome, document)
    }

    /// Waits until the process has asked for its first event.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        let ready = || self.emulator.wait_for_next_blocking(Duration::ZERO).then_some(());
        eventually(&format!("it asks for an event\n{:?}", self.process), ready);
    }

    /// Waits for the failure to start; returns the exit code, the error-type header and the document,
    /// after checking that it was posted once and that callers get it.
    #[track_caller]
    pub(crate) fn init_error(self) -> (Option<i32>, String, Value) {
        let outcome = self.outcome(json!({}));
        let Answer::InitError(failure) = &outcome.result else {
            panic!("{outcome:?}\n{:?}", self.process)
        };
        let code = self.process.wait();
        assert_eq!(self.emulator.init_error().as_ref(), Some(failure));
        let log = self.emulator.log();
        let posts = log.iter().filter(|entry| entry.endpoint == Endpoint::InitError).count();
        assert_eq!((posts, log.len()), (1, 1), "{log:?}");
        self.emulator.assert_clean();
        (code, failure.type_header.clone().unwrap_or_default(), outcome.json())
    }

    /// Waits until `text` has been logged; returns the whole log.
    #[track_caller]
    pub(crate) fn logged(&self, text: &str) -> String {
        eventually(&format!("{text:?} is logged\n{:?}", self.process), || {
            let all = self.process.stdout() + &*self.process.stderr();
            all.contains(text).then_some(all)
        })
    }

    /// Waits until `text` has been logged; returns the log without times, and with `/task` and `ID` in the place of the
    /// function's folder and of this request id.
    #[track_caller]
    pub(crate) fn told(&self, text: &str, folder: &Folder, request_id: &str) -> String {
        let log = super::timeless(&self.logged(text));
        log.replace(folder.task().to_str().unwrap(), "/task").replace(request_id, "ID")
    }
}
