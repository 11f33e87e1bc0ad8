//! Triggers that take messages from a broker: what all kinds of brokers have in common. Each has a folder or a file of its
//! own for its client.
//!
//! A message is acknowledged when the function's answer is there, so that a process that ends in the middle loses none: what
//! was not acknowledged comes again, here or elsewhere.

#[cfg(any(feature = "mqtt", feature = "nats"))]
mod message;
#[cfg_attr(not(feature = "mqtt"), path = "no_client.rs")]
mod mqtt;
#[cfg_attr(not(feature = "nats"), path = "no_client.rs")]
mod nats;
#[cfg_attr(not(feature = "sqs"), path = "no_client.rs")]
mod sqs;

use super::{
    Trigger,
    calls::Around,
    counts::TriggerCounts,
    source::{Delivery, Source},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time};
use trine_engine::{Error, Level, Payload};

/// The first pause after a broker could not be reached, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Time for the last words to brokers, after the grace.
#[cfg(any(feature = "mqtt", feature = "sqs"))]
const LAST_WORDS: Duration = Duration::from_millis(750);

/// Begins the triggers that take messages from brokers.
pub(super) fn begin(around: &Rc<Around>, all: &mut JoinSet<()>) {
    for (index, trigger) in around.site.triggers().iter().enumerate() {
        let seat = Seat {
            around: around.clone(),
            trigger: trigger.clone(),
            counts: around.counts(index),
            trouble: RefCell::default(),
        };
        match trigger.source.clone() {
            Source::Cron(_) => {}
            Source::Sqs(source) => drop(all.spawn_local(sqs::work(*source, seat))),
            Source::Mqtt(source) => drop(all.spawn_local(mqtt::work(*source, seat))),
            Source::Nats(source) => drop(all.spawn_local(nats::work(*source, seat))),
        }
    }
}

/// What a trigger's client has of the server.
struct Seat {
    around: Rc<Around>,
    trigger: Trigger,
    counts: TriggerCounts,
    trouble: RefCell<Option<Trouble>>,
}

/// Why the broker cannot be reached.
struct Trouble {
    why: String,
    pause: Duration,
}

/// What becomes of a message that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is tried again after this pause.
    Again(Duration),
    /// It has failed for good.
    Dead,
}

impl Seat {
    fn delivery(&self) -> Option<&Delivery> {
        match &self.trigger.source {
            Source::Cron(_) => None,
            Source::Sqs(source) => Some(&source.delivery),
            Source::Mqtt(source) => Some(&source.delivery),
            Source::Nats(source) => Some(&source.delivery),
        }
    }

    fn tell(&self, level: Level, message: &str, more: &[(&str, Value)]) {
        self.around.tell(&self.trigger, level, message, more);
    }

    /// Returns the form of the function's events.
    #[cfg(any(feature = "mqtt", feature = "nats"))]
    fn format(&self) -> crate::http::EventFormat {
        let function = self.around.site.functions().get(self.trigger.function);
        function.map_or_else(Default::default, |function| self.around.options.format_of(function))
    }

    fn is_stopped(&self) -> bool {
        *self.around.stopped.borrow()
    }

    /// Waits until the server is asked to stop.
    async fn until_stop(&self) {
        self.around.until_stop().await;
    }

    /// Waits until what is in flight has had its grace.
    async fn until_end(&self) {
        self.around.until_end().await;
    }

    /// Waits until nothing can be said to the broker any more.
    #[cfg(any(feature = "mqtt", feature = "sqs"))]
    async fn until_silence(&self) {
        self.around.until_stop().await;
        time::sleep_until(self.around.end() + LAST_WORDS).await;
    }

    /// Notes that the broker can be reached.
    fn is_there(&self) {
        self.counts.connected.set(1);
        if self.trouble.take().is_some() {
            self.tell(Level::Info, "the broker is there again", &[]);
        }
    }

    /// Notes why the broker cannot be reached, tells it unless that was the last that was told, and waits before the next
    /// attempt. Returns whether there is to be one.
    async fn is_away(&self, why: &str) -> bool {
        let pause = self.note_away(why);
        tokio::select! {
            () = self.until_stop() => false,
            () = time::sleep(pause) => true,
        }
    }

    /// Notes why the broker cannot be reached, and tells it unless that was the last that was told. Returns the pause before
    /// the next attempt.
    fn note_away(&self, why: &str) -> Duration {
        self.counts.connected.set(0);
        let mut trouble = self.trouble.borrow_mut();
        let (is_new, pause) = match &*trouble {
            Some(known) => (known.why != why, (known.pause * 2).min(PAUSES.1)),
            None => (true, PAUSES.0),
        };
        if is_new {
            self.tell(Level::Error, why, &[]);
        }
        *trouble = Some(Trouble { why: why.to_owned(), pause });
        pause
    }

    /// Invokes the function with an event of this number of messages. What goes wrong is logged.
    async fn invoke(&self, event: Payload, messages: usize) -> Result<Bytes, Error> {
        let _in_flight = self.counts.begin(messages);
        let call = self.around.call(&self.trigger);
        let call = call.ok_or_else(|| Error::internal("the function does not exist"))?;
        let (begun, id, function) = (Instant::now(), call.id, call.function);
        let answer = call.answer(event).await;
        if self.around.options.log_requests {
            let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
            let number = match messages {
                1 => "1 message".to_owned(),
                _ => format!("{messages} messages"),
            };
            let message = format!("{number}: {} {milliseconds:.2} ms", function.name);
            self.tell(Level::Info, &message, &[("requestId", id.to_string().into())]);
        }
        answer
    }

    /// Counts an attempt at a message that has failed, and says what becomes of it.
    fn fate(&self, attempts: u32) -> Fate {
        self.counts.failed.inc();
        let pause = self.delivery().and_then(|delivery| delivery.pause_after(attempts));
        pause.map_or(Fate::Dead, Fate::Again)
    }

    /// Tells that a message has failed, by its id, and what becomes of it.
    fn tell_failed(&self, id: &str, attempts: u32, then: &str) {
        let message = format!("the message {id} has failed (attempt {attempts}); {then}");
        let facts = [("messageId", id.into()), ("attempt", attempts.into())];
        self.tell(Level::Warn, &message, &facts);
    }
}

/// Returns the sentence about a message that comes again after a pause.
fn again_after(pause: Duration) -> String {
    format!("it comes again in {} s", pause.as_secs_f64())
}
