//! Asynchronous invocations: accepted at once, run when there is room, and tried again after errors.
//! Contract: AWS Lambda developer guide, asynchronous invocation: two retries, a minute and then two minutes after the
//! error; then the event goes to a dead-letter queue or a destination, if there is one.

use super::{
    super::{
        console::Writer,
        directory::{Directory, Finished, print},
        options::EmulatorOptions,
        outcome::{Answer, Event},
    },
    Called,
};
use std::time::Duration;

/// Starts an invocation that nobody waits for; returns its request id.
pub(super) fn begin(directory: &Directory, called: &Called<'_>, mut event: Event) -> String {
    let request_id = uuid::Uuid::new_v4().to_string();
    event.request_id = Some(request_id.clone());
    let run = Run {
        directory: directory.clone(),
        place: called.place,
        version: called.version.clone(),
        options: called.options.clone(),
        event,
        request_id: request_id.clone(),
    };
    directory.spawn(run.finish());
    request_id
}

/// An asynchronous invocation under way.
struct Run {
    directory: Directory,
    place: usize,
    version: String,
    options: EmulatorOptions,
    event: Event,
    request_id: String,
}

impl Run {
    async fn finish(self) {
        let mut failed = 0;
        loop {
            let event = self.event.clone();
            let submitted = self.directory.submit(self.place, event, &self.version, None, true);
            let Some(Finished { outcome, .. }) = submitted.pending.await else { return };
            if outcome.result == Answer::Throttled {
                // Lambda keeps what is turned away for hours: no attempt was made.
                tokio::time::sleep(self.options.retry_delay.max(Duration::from_millis(10))).await;
                continue;
            }
            let Some(error_type) = outcome.error_type() else {
                self.note("has succeeded; an on-success destination would be told");
                return;
            };
            failed += 1;
            if failed > self.options.retries {
                self.note(&format!(
                    "has failed for good ({error_type}, attempts: {failed}); a dead-letter queue or an on-failure \
                     destination would get its event"
                ));
                return;
            }
            let pause = self.options.retry_delay * failed;
            self.note(&format!(
                "has failed ({error_type}, attempt {failed} of {}); the next attempt follows in {pause:?}",
                self.options.retries + 1
            ));
            tokio::time::sleep(pause).await;
        }
    }

    fn note(&self, what: &str) {
        let line = format!("the asynchronous invocation {} {what}\n", self.request_id);
        print(&self.options, Writer::Note, &line);
    }
}
