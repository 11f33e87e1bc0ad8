//! The messages of a stream of JetStream: each comes until it is acknowledged.
//!
//! As many are asked for as have a place, so that none waits here while its time to be acknowledged runs out. While the
//! function works at a message, the server is told so. What has failed is given back with a pause, or taken out of the stream's
//! consumer for good.

use super::{
    Seat,
    connection::{Connection, causes},
    message,
};
use crate::http::triggers::{
    brokers::{Fate, again_after},
    source::NatsSource,
};
use async_nats::jetstream::{
    self, AckKind, Message,
    consumer::{AckPolicy, PullConsumer, pull},
};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt;
use serde_json::{Map, Value, json};
use std::{convert::Infallible, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time,
};
use trine_engine::Level;

/// Time for which the server waits for messages before it answers that there are no more.
const WAIT: Duration = Duration::from_secs(20);
/// Time between two signs that a request for messages is still known.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Time in which a message has to be acknowledged, for a consumer that is made here.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// What messages of a stream have in common.
struct Delivering {
    source: NatsSource,
    servers: String,
    client: async_nats::Client,
    seat: Seat,
}

/// Takes messages until the server is asked to stop, and waits for what is in flight then.
pub(super) async fn work(
    source: NatsSource,
    seat: Seat,
    mut connection: Connection,
    stream: &str,
    durable: &str,
) {
    let places = Arc::new(Semaphore::new(source.delivery.concurrency));
    let delivering = Rc::new(Delivering {
        source,
        servers: connection.servers.clone(),
        client: connection.client.clone(),
        seat,
    });
    let seat = &delivering.seat;
    let mut runs = JoinSet::new();
    'anew: while !seat.is_stopped() {
        let opened = tokio::select! {
            opened = delivering.open(stream, durable) => opened,
            () = seat.until_stop() => break,
        };
        let consumer = match opened {
            Ok(consumer) => consumer,
            Err(why) if seat.is_away(&why).await => continue,
            Err(_) => break,
        };
        seat.is_there();
        loop {
            while runs.try_join_next().is_some() {}
            let place = tokio::select! {
                biased;
                () = seat.until_stop() => break 'anew,
                () = connection.follow(seat) => continue,
                place = places.clone().acquire_owned() => place,
            };
            let Ok(place) = place else { break 'anew };
            let mut taken = vec![place];
            while let Ok(place) = places.clone().try_acquire_owned() {
                taken.push(place);
            }
            let asked =
                consumer.batch().max_messages(taken.len()).expires(WAIT).heartbeat(HEARTBEAT);
            let mut batch = match asked.messages().await {
                Ok(batch) => batch,
                Err(error) => {
                    let why = format!(
                        "the consumer {durable} of the stream {stream} gives no messages: {}",
                        causes(&error)
                    );
                    if !seat.is_away(&why).await {
                        break 'anew;
                    }
                    continue 'anew;
                }
            };
            loop {
                let message = tokio::select! {
                    biased;
                    message = batch.next() => message,
                    () = seat.until_stop() => break,
                    () = connection.follow(seat) => continue,
                };
                match message {
                    None => break,
                    Some(Ok(message)) => {
                        let Some(place) = taken.pop() else { break };
                        if seat.is_stopped() {
                            delivering.say(&message, AckKind::Nak(None)).await;
                            continue;
                        }
                        let delivering = delivering.clone();
                        let wait = consumer.cached_info().config.ack_wait;
                        runs.spawn_local(async move {
                            delivering.deliver(message, wait, place).await;
                        });
                    }
                    Some(Err(error)) => {
                        // The consumer may be gone, or the connection; the next look shows which.
                        let why = format!(
                            "the consumer {durable} of the stream {stream} gives no messages: {}",
                            causes(error.as_ref())
                        );
                        if !seat.is_away(&why).await {
                            break 'anew;
                        }
                        continue 'anew;
                    }
                }
            }
        }
    }
    while runs.join_next().await.is_some() {}
    connection.close(&delivering.seat).await;
}

impl Delivering {
    /// Finds the consumer, or makes it.
    async fn open(&self, stream: &str, durable: &str) -> Result<PullConsumer, String> {
        let context = jetstream::new(self.client.clone());
        let found = context.get_stream(stream).await.map_err(|error| {
            format!("the stream {stream} cannot be used at {}: {}", self.servers, causes(&error))
        })?;
        let config = pull::Config {
            durable_name: Some(durable.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: self.source.subject.clone().unwrap_or_default(),
            ..pull::Config::default()
        };
        let consumer = found.get_or_create_consumer(durable, config).await.map_err(|error| {
            format!(
                "the consumer {durable} of the stream {stream} cannot be used: {}",
                causes(&error)
            )
        })?;
        if consumer.cached_info().config.ack_policy == AckPolicy::Explicit {
            return Ok(consumer);
        }
        Err(format!(
            "the consumer {durable} of the stream {stream} wants no acknowledgement of each message: make it one with the \
             policy 'explicit', or name another 'durable'"
        ))
    }

    /// Has the function work at a message, and says what becomes of it.
    async fn deliver(&self, message: Message, wait: Duration, _place: OwnedSemaphorePermit) {
        let seat = &self.seat;
        seat.counts.received.inc();
        let (id, attempts, more) = known(&message);
        let most = self.source.delivery.attempts;
        if most.is_some_and(|most| attempts > most) {
            // Whoever had it last did not live to say that it has failed.
            seat.counts.failed.inc();
            return self.bury(&message, &id, attempts - 1).await;
        }
        let (payload, headers) = (&message.payload, message.headers.as_ref());
        let event = super::message(&self.servers, &message.subject, payload, headers, more);
        let event = message::Message { id: Some(id.clone()), ..event };
        let result = tokio::select! {
            biased;
            result = seat.invoke(event.event(seat.format()), 1) => result,
            never = self.keep(&message, wait) => match never {},
            () = seat.until_end() => {
                let text = format!("the message {id} was {}", seat.around.left());
                seat.tell(Level::Warn, &text, &[("messageId", id.as_str().into())]);
                seat.counts.failed.inc();
                return self.say(&message, AckKind::Nak(None)).await;
            }
        };
        if result.is_ok() {
            seat.counts.succeeded.inc();
            return self.say(&message, AckKind::Ack).await;
        }
        match seat.fate(attempts) {
            Fate::Again(pause) => {
                seat.tell_failed(&id, attempts, &again_after(pause));
                self.say(&message, AckKind::Nak(Some(pause))).await;
            }
            Fate::Dead => self.bury(&message, &id, attempts).await,
        }
    }

    /// Tells the server that a message is worked at.
    async fn keep(&self, message: &Message, wait: Duration) -> Infallible {
        let pause = (wait / 2).max(Duration::from_millis(100));
        loop {
            time::sleep(pause).await;
            self.say(message, AckKind::Progress).await;
        }
    }

    async fn say(&self, message: &Message, kind: AckKind) {
        if let Err(error) = message.ack_with(kind).await {
            let text = format!("a message of {} comes again: {error}", message.subject);
            self.seat.tell(Level::Warn, &text, &[]);
        }
    }

    /// Takes a message out of the consumer for good, once it is where such ones go.
    async fn bury(&self, message: &Message, id: &str, attempts: u32) {
        let seat = &self.seat;
        let Some(subject) = &self.source.delivery.dead_letter else {
            seat.tell_failed(id, attempts, "it is given up: set 'dead-letter' to keep such ones");
            seat.counts.dropped.inc();
            return self.say(message, AckKind::Term).await;
        };
        let headers = message.headers.clone().unwrap_or_default();
        let sent = async {
            let payload = message.payload.clone();
            self.client
                .publish_with_headers(subject.clone(), headers, payload)
                .await
                .map_err(|error| error.to_string())?;
            self.client.flush().await.map_err(|error| error.to_string())
        };
        match sent.await {
            Ok(()) => {
                seat.tell_failed(id, attempts, &format!("it goes to the subject {subject}"));
                seat.counts.dead_lettered.inc();
                self.say(message, AckKind::Term).await;
            }
            Err(why) => {
                let then = format!("it cannot go to the subject {subject}, and comes again: {why}");
                seat.tell_failed(id, attempts, &then);
                self.say(message, AckKind::Nak(Some(self.source.delivery.backoff))).await;
            }
        }
    }
}

/// Returns the id of a message, the number of times that it came, and what its event tells of it.
fn known(message: &Message) -> (String, u32, Map<String, Value>) {
    let Ok(info) = message.info() else { return (message.subject.to_string(), 1, Map::new()) };
    let attempts = u32::try_from(info.delivered).unwrap_or(1).max(1);
    let nanoseconds = i64::try_from(info.published.unix_timestamp_nanos()).unwrap_or_default();
    let time: DateTime<Utc> = DateTime::from_timestamp_nanos(nanoseconds);
    let more = json!({
        "stream": info.stream,
        "consumer": info.consumer,
        "sequence": info.stream_sequence,
        "attempt": attempts,
        "time": time.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    let more = match more {
        Value::Object(more) => more,
        _ => Map::new(),
    };
    (format!("{}/{}", info.stream, info.stream_sequence), attempts, more)
}
