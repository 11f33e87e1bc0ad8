//! NATS: subjects, whose messages come once (`subject`), and streams of its JetStream, whose messages come until they are
//! acknowledged (`stream`). `connection` is what both have in common.

mod connection;
mod stream;
mod subject;

use super::{Seat, message};
use crate::http::triggers::source::NatsSource;
use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value};

/// Takes messages until the server is asked to stop, and waits for what is in flight then.
pub(super) async fn work(source: NatsSource, seat: Seat) {
    let Some(connection) = connection::open(&source, &seat).await else { return };
    match source.stream.clone() {
        Some((name, durable)) => stream::work(source, seat, connection, &name, &durable).await,
        None => subject::work(source, seat, connection).await,
    }
}

/// Returns what an event of a message is made of.
fn message<'m>(
    broker: &'m str,
    subject: &'m str,
    payload: &'m Bytes,
    headers: Option<&HeaderMap>,
    mut more: Map<String, Value>,
) -> message::Message<'m> {
    let mut all: Vec<(String, Vec<String>)> = headers
        .into_iter()
        .flat_map(HeaderMap::iter)
        .map(|(name, values)| {
            (name.to_string(), values.iter().map(|value| value.as_str().to_owned()).collect())
        })
        .collect();
    all.sort_unstable();
    let known: Map<String, Value> =
        all.iter().map(|(name, values)| (name.clone(), values.clone().into())).collect();
    more.insert("headers".to_owned(), known.into());
    let headers = all
        .into_iter()
        .filter_map(|(name, values)| Some((name.to_ascii_lowercase(), values.into_iter().next()?)));
    let headers = headers.collect();
    message::Message { broker, place: ("subject", subject), payload, more, headers, id: None }
}
