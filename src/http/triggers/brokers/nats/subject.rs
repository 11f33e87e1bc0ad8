//! The messages of a subject without a stream. Nobody keeps them: each comes once, whatever becomes of it. One that asks for
//! an answer gets the function's.

use super::{
    Seat,
    connection::{Connection, causes},
};
use crate::http::{ErrorDetail, triggers::source::NatsSource};
use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::Map;
use std::{rc::Rc, sync::Arc};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use trine_engine::{Error, Level};

/// What messages of a subject have in common.
struct Subject {
    servers: String,
    client: Client,
    seat: Seat,
}

/// Takes messages until the server is asked to stop, and finishes those that have come by then.
pub(super) async fn work(source: NatsSource, seat: Seat, mut connection: Connection) {
    let name = source.subject.clone().unwrap_or_default();
    let mut messages = loop {
        let client = &connection.client;
        let subscribed = match &source.queue_group {
            Some(group) => client.queue_subscribe(name.clone(), group.clone()).await,
            None => client.subscribe(name.clone()).await,
        };
        match subscribed {
            Ok(messages) => break messages,
            Err(error) => {
                let why = format!("the subject {name} cannot be listened to: {}", causes(&error));
                if !seat.is_away(&why).await {
                    return;
                }
            }
        }
    };
    // That it listens is known when the servers have heard it.
    if let Err(error) = connection.client.flush().await {
        seat.note_away(&format!("{} cannot be reached: {error}", connection.servers));
    } else {
        seat.is_there();
    }
    let subject = Rc::new(Subject {
        servers: connection.servers.clone(),
        client: connection.client.clone(),
        seat,
    });
    let seat = &subject.seat;
    let places = Arc::new(Semaphore::new(source.delivery.concurrency));
    let mut runs = JoinSet::new();
    let mut is_draining = false;
    loop {
        while runs.try_join_next().is_some() {}
        let place = tokio::select! {
            biased;
            () = seat.until_end() => break,
            () = seat.until_stop(), if !is_draining => {
                is_draining = true;
                // What has come is finished, and nothing else comes.
                if messages.drain().await.is_err() {
                    break;
                }
                continue;
            }
            () = connection.follow(seat) => continue,
            place = places.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let message = tokio::select! {
            biased;
            () = seat.until_end() => break,
            () = seat.until_stop(), if !is_draining => continue,
            () = connection.follow(seat) => continue,
            message = messages.next() => message,
        };
        let Some(message) = message else { break };
        let subject = subject.clone();
        runs.spawn_local(async move { subject.deliver(message, place).await });
    }
    while runs.join_next().await.is_some() {}
    connection.close(&subject.seat).await;
}

impl Subject {
    async fn deliver(&self, message: Message, _place: OwnedSemaphorePermit) {
        let seat = &self.seat;
        seat.counts.received.inc();
        let Message { subject, reply, payload, headers, .. } = &message;
        let mut more = Map::new();
        if let Some(reply) = reply {
            more.insert("reply".to_owned(), reply.as_str().into());
        }
        let event = super::message(&self.servers, subject, payload, headers.as_ref(), more);
        let result = tokio::select! {
            biased;
            result = seat.invoke(event.event(seat.format()), 1) => result,
            () = seat.until_end() => {
                let text = format!("a message of {subject} was {}", seat.around.left());
                seat.tell(Level::Warn, &text, &[]);
                Err(Error::internal("the server has ended"))
            }
        };
        match &result {
            Ok(_) => seat.counts.succeeded.inc(),
            Err(_) => {
                seat.counts.failed.inc();
                seat.tell_failed(&format!("of {subject}"), 1, "it does not come again");
                seat.counts.dropped.inc()
            }
        };
        let Some(reply) = reply.clone() else { return };
        let said = match result {
            Ok(answer) => self.client.publish(reply, answer).await,
            Err(error) => {
                self.client.publish_with_headers(reply, self.refusal(&error), Bytes::new()).await
            }
        };
        if let Err(error) = said {
            let text = format!("the answer to a message of {subject} cannot be sent: {error}");
            seat.tell(Level::Error, &text, &[]);
        }
    }

    /// Returns the headers by which services of NATS say that they have failed.
    fn refusal(&self, error: &Error) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let text = match self.seat.around.options.error_detail {
            ErrorDetail::Full => error.message().replace(['\r', '\n'], " "),
            ErrorDetail::Hidden => "Internal Server Error".to_owned(),
        };
        headers.insert("Nats-Service-Error", text.as_str());
        headers.insert("Nats-Service-Error-Code", "500");
        headers
    }
}
