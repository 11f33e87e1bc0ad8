//! A connection to the servers of a cluster, which is made again by itself.

use super::Seat;
use crate::http::{
    triggers::source::{Address, NatsLogin, NatsSource, Secret},
    trust::client_tls,
};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use std::{error::Error, time::Duration};
use tokio::{sync::mpsc, time};
use trine_engine::Level;

/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for what leaves at the end.
const LAST_FLUSH: Duration = Duration::from_millis(500);
/// Messages of a subject that may wait for a place here.
const WAITING: usize = 4096;

/// A connection, and what becomes of it.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The servers, as they are told.
    pub(super) servers: String,
    news: mpsc::UnboundedReceiver<Event>,
}

/// Connects, as often as it takes. `None` when the server is asked to stop meanwhile.
pub(super) async fn open(source: &NatsSource, seat: &Seat) -> Option<Connection> {
    let servers: Vec<String> = source.servers.iter().map(Address::to_string).collect();
    let servers = servers.join(", ");
    loop {
        let connected = tokio::select! {
            connected = connect(source, &servers) => connected,
            () = seat.until_stop() => return None,
        };
        match connected {
            Ok((client, news)) => return Some(Connection { client, servers, news }),
            Err(why) if seat.is_away(&why).await => {}
            Err(_) => return None,
        }
    }
}

async fn connect(
    source: &NatsSource,
    servers: &str,
) -> Result<(Client, mpsc::UnboundedReceiver<Event>), String> {
    let wrong = |why: String| format!("{servers} cannot be reached: {why}");
    let mut options = ConnectOptions::new()
        .name("trine")
        .connection_timeout(CONNECT)
        .subscription_capacity(WAITING);
    options = match &source.login {
        NatsLogin::Password(login) => match &login.user {
            Some(user) => {
                let password = login.password.as_ref().map(Secret::read).transpose()?;
                options.user_and_password(user.clone(), password.unwrap_or_default())
            }
            None => options,
        },
        NatsLogin::Token(token) => options.token(token.read()?),
        NatsLogin::Key(seed) => options.nkey(seed.read()?.trim().to_owned()),
        NatsLogin::Credentials(file) => {
            let read = options.credentials_file(file).await;
            read.map_err(|error| format!("{} cannot be read: {error}", file.display()))?
        }
    };
    if source.servers.iter().any(|server| server.is_secured) {
        options = options.require_tls(true);
    }
    options = options.tls_client_config(client_tls(source.authorities.as_deref())?);
    let (told, news) = mpsc::unbounded_channel();
    options = options.event_callback(move |event| {
        // Nobody listens any more at the end.
        let _ = told.send(event);
        std::future::ready(())
    });
    let addresses: Result<Vec<ServerAddr>, _> =
        source.servers.iter().map(|server| server.to_string().parse()).collect();
    let addresses = addresses.map_err(|error| wrong(error.to_string()))?;
    match options.connect(addresses).await {
        Ok(client) => Ok((client, news)),
        Err(error) => Err(wrong(refused(&error))),
    }
}

fn refused(error: &ConnectError) -> String {
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            "the login is refused: look at 'user', 'password-file', 'token-file', 'credentials' and 'nkey-file'".to_owned()
        }
        ConnectErrorKind::TimedOut => "no answer in time".to_owned(),
        _ => causes(error),
    }
}

/// Returns an error with its causes, on one line.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace(['\r', '\n'], " ")
}

impl Connection {
    /// Waits until something has become of the connection, and tells it.
    pub(super) async fn follow(&mut self, seat: &Seat) {
        let Some(event) = self.news.recv().await else { return std::future::pending().await };
        match event {
            Event::Connected => seat.is_there(),
            Event::Disconnected => {
                let why = format!("{} cannot be reached: the connection has ended", self.servers);
                seat.note_away(&why);
            }
            Event::SlowConsumer(_) => {
                let message = "a message was lost, because as many as may wait for the function";
                seat.tell(Level::Error, message, &[]);
                seat.counts.dropped.inc();
            }
            Event::ServerError(error) => {
                let message = format!("{} says: {error}", self.servers);
                seat.tell(Level::Warn, &message.replace(['\r', '\n'], " "), &[]);
            }
            _ => {}
        }
    }

    /// Lets what was said leave, at the end.
    pub(super) async fn close(self, seat: &Seat) {
        // Without a connection there is nobody to hear it.
        let _ = time::timeout(LAST_FLUSH, self.client.flush()).await;
        seat.counts.connected.set(0);
    }
}
