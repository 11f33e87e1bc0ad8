//! Topics of an MQTT broker, by version 3.1.1 of the protocol: every broker speaks it, and version 5 has nothing that would
//! be needed here. In both, a message is not given back: it comes again when the connection does. So what has failed is tried
//! again here, and until it is done the broker has no acknowledgement of it.
//!
//! Acknowledgements go out in the order in which messages came, as the protocol wants it.

use super::{Fate, Seat, again_after, message};
use crate::http::{
    triggers::source::{MqttSource, Secret},
    trust::client_tls,
};
use bytes::Bytes;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet,
    Publish, QoS, StateError, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time,
};
use trine_engine::Level;

/// Maximum number of messages that wait here, and of their bytes. With more, nothing is read from the connection: the broker
/// keeps them.
const MOST_HELD: usize = 1000;
/// See [`MOST_HELD`].
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Number of requests to the client that may wait: acknowledgements of all that is held, and what is published.
const REQUESTS: usize = 4 * MOST_HELD;
/// The largest message, in bytes: as much as the body of a request may have.
const LARGEST: usize = 6 * 1024 * 1024;
/// Time between two signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A session with a broker.
struct Session {
    source: MqttSource,
    broker: String,
    seat: Seat,
    client: AsyncClient,
    /// The number of the connection; 0 while there is none.
    connection: Cell<u64>,
    /// Messages that the broker waits for, in the order in which they came.
    unsettled: RefCell<VecDeque<Rc<Held>>>,
    places: Semaphore,
    /// Number of messages that are here, and of their bytes.
    held: Cell<(usize, usize)>,
    fewer: Notify,
}

/// A message that is here.
struct Held {
    publish: Publish,
    /// The connection on which it came last.
    connection: Cell<u64>,
    is_done: Cell<bool>,
}

/// Takes messages until the server is asked to stop, and waits for what is in flight then.
pub(super) async fn work(source: MqttSource, seat: Seat) {
    let mut connections = 0;
    let (session, mut events) = loop {
        match options(&source) {
            Ok(options) => {
                let (client, events) = AsyncClient::new(options, REQUESTS);
                let session = Session {
                    broker: source.broker.to_string(),
                    places: Semaphore::new(source.delivery.concurrency),
                    source,
                    seat,
                    client,
                    connection: Cell::new(0),
                    unsettled: RefCell::default(),
                    held: Cell::default(),
                    fewer: Notify::new(),
                };
                break (Rc::new(session), events);
            }
            Err(why) if seat.is_away(&why).await => {}
            Err(_) => return,
        }
    };
    let mut messages = JoinSet::new();
    loop {
        let event = tokio::select! {
            biased;
            () = session.seat.until_stop() => break,
            () = session.fewer.notified(), if session.is_full() => continue,
            event = events.poll(), if !session.is_full() => event,
        };
        while messages.try_join_next().is_some() {}
        match event {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => {
                connections += 1;
                session.connection.set(connections);
                if answer.session_present && session.source.qos > 1 {
                    know_all(&mut events);
                }
                if !answer.session_present || connections == 1 {
                    session.subscribe(answer.session_present);
                } else {
                    session.seat.is_there();
                }
            }
            Ok(Event::Incoming(Packet::SubAck(answer))) => session.subscribed(&answer.return_codes),
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                if let Some(held) = session.take(publish) {
                    let session = session.clone();
                    messages.spawn_local(async move { session.deliver(held).await });
                }
            }
            Ok(_) => {}
            Err(error) => {
                session.connection.set(0);
                if !session.seat.is_away(&session.told(&error)).await {
                    break;
                }
                // What it needs to know may have changed meanwhile.
                if let Ok(options) = options(&session.source) {
                    events.mqtt_options = options;
                }
            }
        }
    }
    session.finish(&mut events, messages).await;
}

impl Session {
    /// Asks for the topics. What a session has that was there is asked for again, because the topics may be others.
    fn subscribe(&self, is_present: bool) {
        if !is_present {
            self.unsettled.borrow_mut().clear();
        }
        let qos = qos(self.source.qos);
        let topics = self.source.topics.iter();
        let filters = topics.map(|topic| SubscribeFilter::new(topic.clone(), qos));
        if self.client.try_subscribe_many(filters).is_err() {
            self.seat.tell(Level::Error, "the topics cannot be asked for", &[]);
        }
    }

    fn is_full(&self) -> bool {
        let (messages, bytes) = self.held.get();
        messages >= MOST_HELD || bytes >= MOST_BYTES
    }

    fn subscribed(&self, codes: &[SubscribeReasonCode]) {
        let topics = self.source.topics.iter().zip(codes);
        let refused = topics.filter(|(_, code)| **code == SubscribeReasonCode::Failure);
        let refused: Vec<&str> = refused.map(|(topic, _)| topic.as_str()).collect();
        if refused.is_empty() {
            return self.seat.is_there();
        }
        let message = format!(
            "{} refuses the topics {}: look at what the user may read there",
            self.broker,
            refused.join(", ")
        );
        self.seat.tell(Level::Error, &message, &[]);
    }

    /// Takes a message that has come, unless it is here already: one that comes again because its acknowledgement did not go
    /// out on the connection before.
    fn take(&self, publish: Publish) -> Option<Rc<Held>> {
        self.seat.counts.received.inc();
        let connection = self.connection.get();
        let is_kept = publish.qos != QoS::AtMostOnce;
        if is_kept && publish.dup {
            let unsettled = self.unsettled.borrow();
            let same = unsettled.iter().find(|held| {
                let known = &held.publish;
                (known.pkid, &known.topic, &known.payload)
                    == (publish.pkid, &publish.topic, &publish.payload)
            });
            if let Some(held) = same.cloned() {
                drop(unsettled);
                held.connection.set(connection);
                self.acknowledge();
                return None;
            }
        }
        let held =
            Rc::new(Held { publish, connection: Cell::new(connection), is_done: Cell::new(false) });
        if is_kept {
            self.unsettled.borrow_mut().push_back(held.clone());
        }
        let (messages, bytes) = self.held.get();
        self.held.set((messages + 1, bytes + held.publish.payload.len()));
        Some(held)
    }

    /// Has the function work at a message, as often as it needs.
    async fn deliver(&self, held: Rc<Held>) {
        if self.attempts(&held).await {
            held.is_done.set(true);
            self.acknowledge();
        }
        let (messages, bytes) = self.held.get();
        self.held.set((messages - 1, bytes - held.publish.payload.len()));
        self.fewer.notify_one();
    }

    /// Returns whether the message is done, be it that it is given up.
    async fn attempts(&self, held: &Held) -> bool {
        let mut attempts = 0;
        let id = self.name(held);
        loop {
            let Ok(place) = self.places.acquire().await else { return false };
            if self.seat.is_stopped() {
                // It has not begun, and comes again.
                return false;
            }
            let form = self.seat.format();
            let result = tokio::select! {
                biased;
                result = self.seat.invoke(self.event(held).event(form), 1) => result,
                () = self.seat.until_end() => {
                    let text = format!("the message {id} was {}", self.seat.around.left());
                    self.seat.tell(Level::Warn, &text, &[("messageId", id.as_str().into())]);
                    self.seat.counts.failed.inc();
                    return false;
                }
            };
            drop(place);
            attempts += 1;
            if result.is_ok() {
                self.seat.counts.succeeded.inc();
                return true;
            }
            match self.seat.fate(attempts) {
                Fate::Again(pause) => {
                    self.seat.tell_failed(&id, attempts, &again_after(pause));
                    tokio::select! {
                        () = time::sleep(pause) => {}
                        () = self.seat.until_stop() => return false,
                    }
                }
                Fate::Dead => {
                    self.bury(&id, attempts, &held.publish.payload).await;
                    return true;
                }
            }
        }
    }

    /// Sends a message where those go that have failed for good.
    async fn bury(&self, id: &str, attempts: u32, payload: &Bytes) {
        let Some(topic) = &self.source.delivery.dead_letter else {
            self.seat.tell_failed(
                id,
                attempts,
                "it is given up: set 'dead-letter' to keep such ones",
            );
            self.seat.counts.dropped.inc();
            return;
        };
        self.seat.tell_failed(id, attempts, &format!("it goes to the topic {topic}"));
        // The client keeps it until the broker has it, across connections, and sends it before what follows.
        let qos = QoS::AtLeastOnce;
        match self.client.publish(topic, qos, false, payload.to_vec()).await {
            Ok(()) => drop(self.seat.counts.dead_lettered.inc()),
            Err(error) => {
                let text = format!("the message {id} cannot go to the topic {topic}: {error}");
                self.seat.tell(Level::Error, &text, &[("messageId", id.into())]);
                self.seat.counts.dropped.inc();
            }
        }
    }

    /// Acknowledges what is done, up to the first message that is not.
    fn acknowledge(&self) {
        let mut unsettled = self.unsettled.borrow_mut();
        let connection = self.connection.get();
        while let Some(held) = unsettled.front() {
            // What came on a connection that is gone comes again, and is acknowledged then.
            if !held.is_done.get() || connection == 0 || held.connection.get() != connection {
                return;
            }
            if self.client.try_ack(&held.publish).is_err() {
                return;
            }
            unsettled.pop_front();
        }
    }

    /// Waits for what is in flight, and leaves the broker.
    async fn finish(&self, events: &mut EventLoop, mut messages: JoinSet<()>) {
        let ended = async { while messages.join_next().await.is_some() {} };
        // Meanwhile acknowledgements go out. What comes now is for the next session.
        let polled = async {
            loop {
                if events.poll().await.is_err() {
                    self.connection.set(0);
                    time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        tokio::select! {
            biased;
            () = ended => {}
            () = polled => {}
            () = self.seat.until_silence() => return,
        }
        if self.connection.get() == 0 || self.client.try_disconnect().is_err() {
            return;
        }
        let said = async {
            // It is said after all that was said before.
            while let Ok(event) = events.poll().await {
                if event == Event::Outgoing(rumqttc::Outgoing::Disconnect) {
                    return;
                }
            }
        };
        tokio::select! {
            () = said => {}
            () = self.seat.until_silence() => {}
        }
        self.seat.counts.connected.set(0);
    }

    /// Returns what stands for a message in the log.
    fn name(&self, held: &Held) -> String {
        match held.publish.pkid {
            0 => held.publish.topic.clone(),
            id => format!("{} {id}", held.publish.topic),
        }
    }

    fn event<'m>(&'m self, held: &'m Held) -> message::Message<'m> {
        let Publish { dup, qos, retain, topic, pkid, payload } = &held.publish;
        let more = json!({
            "qos": *qos as u8,
            "retain": retain,
            "duplicate": dup,
            "packetId": Some(*pkid).filter(|id| *id > 0),
        });
        let more = match more {
            Value::Object(more) => more,
            _ => Map::new(),
        };
        message::Message {
            broker: &self.broker,
            place: ("topic", topic),
            payload,
            more,
            headers: Vec::new(),
            id: None,
        }
    }

    /// Tells why the connection has ended, in one line.
    fn told(&self, error: &ConnectionError) -> String {
        let broker = &self.broker;
        let why = match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => {
                return format!(
                    "{broker} lets nobody in with this login: look at 'user' and 'password-file'"
                );
            }
            ConnectionError::ConnectionRefused(ConnectReturnCode::BadClientId) => {
                return format!(
                    "{broker} refuses the session '{}': set another 'client-id'",
                    self.source.client_id
                );
            }
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
                "no answer in time".to_owned()
            }
            ConnectionError::MqttState(StateError::AwaitPingResp) => "no sign of life".to_owned(),
            ConnectionError::MqttState(StateError::ConnectionAborted) => {
                "it has closed the connection; another client with the same 'client-id' is one reason".to_owned()
            }
            other => other.to_string(),
        };
        format!("{broker} cannot be reached: {why}").replace(['\r', '\n'], " ")
    }
}

/// Makes up for what the client forgets with a connection: that messages of quality 2 have come, of which the broker says that
/// they may be forgotten now. The protocol wants that confirmed whatever is known here; the client ends each connection on
/// which the broker says it of a message that it does not know.
fn know_all(events: &mut EventLoop) {
    for id in 1..=u16::MAX {
        let mut known = Publish::from_bytes("", QoS::ExactlyOnce, Bytes::new());
        known.pkid = id;
        let before = events.state.events.len();
        // It makes an event as well, as if the message had come.
        let _ = events.state.handle_incoming_packet(Packet::Publish(known));
        events.state.events.truncate(before);
    }
}

fn options(source: &MqttSource) -> Result<MqttOptions, String> {
    let mut options =
        MqttOptions::new(source.client_id.clone(), source.broker.host.clone(), source.broker.port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(source.clean_session)
        .set_manual_acks(true)
        .set_max_packet_size(LARGEST + 65_536, LARGEST + 65_536)
        // What of the session before has to be said again is said at once.
        .set_pending_throttle(Duration::ZERO);
    if let Some(user) = &source.login.user {
        let password = source.login.password.as_ref().map(Secret::read).transpose()?;
        options.set_credentials(user.clone(), password.unwrap_or_default());
    }
    if source.broker.is_secured {
        let tls = client_tls(source.authorities.as_deref())?;
        let tls = TlsConfiguration::Rustls(Arc::new(tls));
        options.set_transport(Transport::tls_with_config(tls));
    }
    Ok(options)
}

fn qos(number: u8) -> QoS {
    match number {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}
