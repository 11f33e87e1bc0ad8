//! Where the runs of triggers come from, as `trine.toml` says it.

use super::Schedule;
use serde_json::Value;
use std::{env, fmt, fs, path::PathBuf, time::Duration};

/// The source of a trigger's runs.
#[derive(Debug, Clone)]
pub enum Source {
    /// The clock.
    Cron(Box<Clock>),
    /// A queue of Amazon SQS.
    Sqs(Box<SqsSource>),
    /// Topics of an MQTT broker.
    Mqtt(Box<MqttSource>),
    /// A subject of NATS, or a stream of its JetStream.
    Nats(Box<NatsSource>),
}

impl Source {
    /// Returns its kind, as `trine.toml` names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cron(_) => "cron",
            Self::Sqs(_) => "sqs",
            Self::Mqtt(_) => "mqtt",
            Self::Nats(_) => "nats",
        }
    }

    /// Returns the clock, if it is one.
    pub fn clock(&self) -> Option<&Clock> {
        match self {
            Self::Cron(clock) => Some(clock),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(clock) => clock.schedule.fmt(f),
            Self::Sqs(sqs) => write!(f, "messages of the queue {}", sqs.queue),
            Self::Mqtt(mqtt) => {
                write!(f, "messages of {} at {}", mqtt.topics.join(", "), mqtt.broker)
            }
            Self::Nats(nats) => nats.fmt(f),
        }
    }
}

/// A schedule and the events of its runs.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The times at which it is due.
    pub schedule: Schedule,
    /// The event; `None` for that of an EventBridge schedule.
    pub input: Option<Value>,
}

/// How a source's messages are delivered to the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Maximum number of invocations at a time.
    pub concurrency: usize,
    /// The number of attempts after which a message has failed for good; `None` without a limit.
    pub attempts: Option<u32>,
    /// The pause before the second attempt. Each further one is twice as long.
    pub backoff: Duration,
    /// The longest such pause.
    pub longest_backoff: Duration,
    /// Where what has failed for good goes.
    pub dead_letter: Option<String>,
}

impl Delivery {
    /// Returns the pause after this number of attempts; `None` when there is to be no further one.
    pub fn pause_after(&self, attempts: u32) -> Option<Duration> {
        if self.attempts.is_some_and(|most| attempts >= most) {
            return None;
        }
        let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(self.backoff.saturating_mul(factor).min(self.longest_backoff))
    }
}

/// A queue of Amazon SQS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqsSource {
    /// Its name, its URL or its ARN.
    pub queue: String,
    /// Its region, where the file or the environment tells.
    pub region: Option<String>,
    /// The URL of the service, where the file tells or the queue's URL does.
    pub endpoint: Option<String>,
    /// Maximum number of messages for one invocation.
    pub batch_size: u8,
    /// Time for which the service waits for a message.
    pub wait: Duration,
    /// Time for which nobody else gets what was received; `None` for the queue's own.
    pub visibility: Option<Duration>,
    /// Whether the function's result says which messages have failed.
    pub reports_failures: bool,
    /// How its messages are delivered.
    pub delivery: Delivery,
}

/// Topics of an MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttSource {
    /// The broker.
    pub broker: Address,
    /// Who says to be there.
    pub login: Login,
    /// A file of certificates that are trusted, in the place of the system's.
    pub authorities: Option<PathBuf>,
    /// The topics.
    pub topics: Vec<String>,
    /// The quality of service that is asked for.
    pub qos: u8,
    /// The name of the session.
    pub client_id: String,
    /// Whether the broker forgets the session when the connection ends.
    pub clean_session: bool,
    /// How its messages are delivered.
    pub delivery: Delivery,
}

/// A subject of NATS, or a stream of its JetStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSource {
    /// The servers of a cluster.
    pub servers: Vec<Address>,
    /// Who says to be there.
    pub login: NatsLogin,
    /// A file of certificates that are trusted, in the place of the system's.
    pub authorities: Option<PathBuf>,
    /// The subject; of a stream `None` for all.
    pub subject: Option<String>,
    /// The group of servers of which one gets each message, without a stream.
    pub queue_group: Option<String>,
    /// The stream and its consumer, if it is one.
    pub stream: Option<(String, String)>,
    /// How its messages are delivered.
    pub delivery: Delivery,
}

impl fmt::Display for NatsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages of ")?;
        match (&self.stream, &self.subject) {
            (Some((stream, durable)), _) => write!(f, "the stream {stream} for {durable}")?,
            (None, subject) => f.write_str(subject.as_deref().unwrap_or_default())?,
        }
        let servers = self.servers.iter().map(Address::to_string);
        write!(f, " at {}", servers.collect::<Vec<_>>().join(", "))
    }
}

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The name of the protocol.
    pub scheme: &'static str,
    /// The host, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken there.
    pub is_secured: bool,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, .. } = self;
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// A user and a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: Option<String>,
    /// Where the password comes from.
    pub password: Option<Secret>,
}

/// How a server of NATS lets its clients in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsLogin {
    /// By a user and a password, or anybody.
    Password(Login),
    /// By a token.
    Token(Secret),
    /// By a file with a token and a seed.
    Credentials(PathBuf),
    /// By the seed of an NKey.
    Key(Secret),
}

/// Something that nobody else is to see, and where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Itself.
    Text(String),
    /// A file, which is read whenever it is needed: it may change.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

impl Secret {
    /// Returns it.
    ///
    /// # Errors
    /// The reason why it cannot be had, in words.
    pub fn read(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
            },
            Self::Variable(name) => env::var(name)
                .map_err(|_| format!("the environment variable {name} is not set, or no text")),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_last_attempt() {
        let seconds = Duration::from_secs;
        let delivery = Delivery {
            concurrency: 1,
            attempts: Some(6),
            backoff: seconds(2),
            longest_backoff: seconds(10),
            dead_letter: None,
        };
        let pauses: Vec<_> = (1..=6).map(|attempts| delivery.pause_after(attempts)).collect();
        let expected = [2, 4, 8, 10, 10].map(|pause| Some(seconds(pause)));
        assert_eq!(pauses[..5], expected);
        assert_eq!(pauses[5], None);
        let forever = Delivery { attempts: None, ..delivery };
        assert_eq!(forever.pause_after(u32::MAX), Some(seconds(10)));
    }

    #[test]
    fn a_secret_does_not_show() {
        let login =
            Login { user: Some("me".into()), password: Some(Secret::Text("s3cret".into())) };
        assert!(!format!("{login:?}").contains("s3cret"));
    }
}
