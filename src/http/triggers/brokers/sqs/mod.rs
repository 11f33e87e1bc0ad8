//! Queues of Amazon SQS, as Lambda's event source mapping takes their messages.
//!
//! One request waits for messages; what it brings is a batch, which runs while the next one is waited for, up to as many as
//! may run at a time. While a batch runs, nobody else gets its messages. What went well is deleted. What failed comes again
//! after a pause that grows with the number of times that it came, or goes to the dead-letter queue.

mod event;
mod failures;
mod http;
mod queue;

use super::{Fate, Seat, again_after};
use crate::http::triggers::source::SqsSource;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use queue::Queue;
use std::{collections::BTreeSet, convert::Infallible, rc::Rc, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time};
use trine_engine::{Level, Payload};

/// What the batches of a queue have in common.
struct Mapping {
    source: SqsSource,
    seat: Seat,
    queue: Queue,
}

/// Takes messages until the server is asked to stop, and waits for what is in flight then.
pub(super) async fn work(source: SqsSource, seat: Seat) {
    let queue = loop {
        let opened = tokio::select! {
            opened = Queue::open(&source) => opened,
            () = seat.until_stop() => return,
        };
        match opened {
            Ok(queue) => break queue,
            Err(why) if seat.is_away(&why).await => {}
            Err(_) => return,
        }
    };
    seat.is_there();
    let places = Arc::new(Semaphore::new(source.delivery.concurrency));
    let mapping = Rc::new(Mapping { source, seat, queue });
    let mut batches = JoinSet::new();
    loop {
        let place = tokio::select! {
            biased;
            () = mapping.seat.until_stop() => break,
            place = places.clone().acquire_owned() => place,
        };
        while batches.try_join_next().is_some() {}
        let received = tokio::select! {
            biased;
            received = mapping.queue.receive(&mapping.source) => received,
            () = mapping.seat.until_stop() => break,
        };
        match received {
            Ok(messages) => {
                mapping.seat.is_there();
                if mapping.seat.is_stopped() {
                    mapping.release(&messages).await;
                    break;
                }
                let mapping = mapping.clone();
                if !messages.is_empty() {
                    batches.spawn_local(async move {
                        let _place = place;
                        mapping.batch(messages).await;
                    });
                }
            }
            Err(why) => {
                if !mapping.seat.is_away(&why).await {
                    break;
                }
            }
        }
    }
    while batches.join_next().await.is_some() {}
}

impl Mapping {
    /// Has the function work at a batch, and settles what becomes of its messages.
    async fn batch(&self, messages: Vec<Message>) {
        self.seat.counts.received.inc_by(messages.len() as u64);
        let messages = self.without_dead(messages).await;
        if messages.is_empty() {
            return;
        }
        let event = Payload::from(&event::of(&self.queue, &messages));
        let result = tokio::select! {
            biased;
            result = self.seat.invoke(event, messages.len()) => result,
            never = self.keep(&messages) => match never {},
            () = self.seat.until_end() => {
                for message in &messages {
                    let text = format!("the message {} was {}", id(message), self.seat.around.left());
                    self.seat.tell(Level::Warn, &text, &[("messageId", id(message).into())]);
                    self.seat.counts.failed.inc();
                }
                return self.release(&messages).await;
            }
        };
        let failed = match result {
            Ok(result) if self.source.reports_failures => {
                let ids: Vec<&str> = messages.iter().map(id).collect();
                failures::read(&result, &ids).unwrap_or_else(|why| {
                    let text = format!("the whole batch has failed, because {why}");
                    self.seat.tell(Level::Error, &text, &[]);
                    (0..messages.len()).collect()
                })
            }
            Ok(_) => BTreeSet::new(),
            Err(_) => (0..messages.len()).collect(),
        };
        tokio::select! {
            biased;
            () = self.settle(&messages, failed) => {}
            () = self.seat.until_silence() => {}
        }
    }

    /// Keeps messages from being received by others.
    async fn keep(&self, messages: &[Message]) -> Infallible {
        loop {
            time::sleep(self.queue.visibility / 2).await;
            let all: Vec<_> =
                messages.iter().map(|message| (message, self.queue.visibility)).collect();
            if let Err(why) = self.queue.show_after(&all).await {
                let text = format!("messages that are worked at may come again meanwhile: {why}");
                self.seat.tell(Level::Warn, &text, &[]);
            }
        }
    }

    /// Lets others have messages at once.
    async fn release(&self, messages: &[Message]) {
        let all: Vec<_> = messages.iter().map(|message| (message, Duration::ZERO)).collect();
        tokio::select! {
            // What cannot be said now will be so when their time is over.
            _ = self.queue.show_after(&all) => {}
            () = self.seat.until_silence() => {}
        }
    }

    /// Buries what came more often than it may: whoever had it last did not live to say that it has failed. What has an order
    /// may have come so often because others of its group have failed.
    async fn without_dead(&self, messages: Vec<Message>) -> Vec<Message> {
        let Some(most) = self.source.delivery.attempts else { return messages };
        let (dead, alive): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|m| attempts(m) > most && group(m).is_none());
        for message in &dead {
            self.seat.counts.failed.inc();
            self.bury(message, attempts(message) - 1).await;
        }
        alive
    }

    async fn settle(&self, messages: &[Message], mut failed: BTreeSet<usize>) {
        let groups: Vec<Option<&str>> = messages.iter().map(group).collect();
        let named = failed.clone();
        failures::spread(&mut failed, &groups);
        let done = messages.iter().enumerate().filter(|(index, _)| !failed.contains(index));
        let done: Vec<&Message> = done.map(|(_, message)| message).collect();
        self.seat.counts.succeeded.inc_by(done.len() as u64);
        for (message, why) in self.queue.delete(&done).await {
            let text = format!(
                "the message {} was worked at and cannot be deleted, so that it comes again: {why}",
                id(message)
            );
            self.seat.tell(Level::Error, &text, &[("messageId", id(message).into())]);
        }
        let mut again = Vec::new();
        for index in failed {
            let (message, attempts) = (&messages[index], attempts(&messages[index]));
            match self.seat.fate(attempts) {
                Fate::Dead if named.contains(&index) => self.bury(message, attempts).await,
                // One that has not failed itself waits with its group.
                Fate::Dead => again.push((message, self.source.delivery.backoff)),
                Fate::Again(pause) => {
                    let then = match named.contains(&index) {
                        true => again_after(pause),
                        false => {
                            format!("another one of its group has, and {}", again_after(pause))
                        }
                    };
                    self.seat.tell_failed(id(message), attempts, &then);
                    again.push((message, pause));
                }
            }
        }
        if let Err(why) = self.queue.show_after(&again).await {
            let text =
                format!("messages that have failed come again when their time is over: {why}");
            self.seat.tell(Level::Warn, &text, &[]);
        }
    }

    /// Sends a message where those go that have failed for good. One that cannot be sent comes again.
    async fn bury(&self, message: &Message, attempts: u32) {
        let id = id(message);
        if !self.queue.has_dead_letter() {
            return;
        }
        match self.queue.bury(message).await {
            Ok(()) => {
                self.seat.tell_failed(id, attempts, "it goes to the dead-letter queue");
                self.seat.counts.dead_lettered.inc();
                for (_, why) in self.queue.delete(&[message]).await {
                    let text = format!("the message {id} stays in the queue as well: {why}");
                    self.seat.tell(Level::Error, &text, &[("messageId", id.into())]);
                }
            }
            Err(why) => {
                let then = format!("it cannot go to the dead-letter queue, and comes again: {why}");
                self.seat.tell_failed(id, attempts, &then);
            }
        }
    }
}

fn id(message: &Message) -> &str {
    message.message_id().unwrap_or_default()
}

fn attribute(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes()?.get(&name).map(String::as_str)
}

fn group(message: &Message) -> Option<&str> {
    // Queues without an order have groups as well, for fairness alone; those with one number their messages.
    attribute(message, MessageSystemAttributeName::SequenceNumber)?;
    attribute(message, MessageSystemAttributeName::MessageGroupId)
}

/// Returns the number of times that a message has come.
fn attempts(message: &Message) -> u32 {
    let count = attribute(message, MessageSystemAttributeName::ApproximateReceiveCount);
    count.and_then(|text| text.parse().ok()).unwrap_or(1)
}
