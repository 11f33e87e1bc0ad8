//! The keys of `[[trigger]]`: some that every kind of trigger has, and those of each kind.

use super::keys::{Key, Kind, Table};
use crate::config::{CountForm, PlainTime, TimeForm};
use std::time::Duration;

/// The kinds of triggers.
pub(super) const KINDS: &[&str] = &["cron", "sqs", "mqtt", "nats"];

const CRON: &[&str] = &["cron"];
const SQS: &[&str] = &["sqs"];
const MQTT: &[&str] = &["mqtt"];
const NATS: &[&str] = &["nats"];
const WITH_LOGIN: &[&str] = &["mqtt", "nats"];
const BROKERS: &[&str] = &["sqs", "mqtt", "nats"];

const HALF_A_DAY: Duration = Duration::from_secs(12 * 3600);

const fn up_to(most: Duration) -> Kind {
    Kind::Time(TimeForm { plain: PlainTime::Seconds, least: Duration::ZERO, most })
}

const fn count(least: u64, most: u64) -> Kind {
    Kind::Count(CountForm { least, most })
}

/// `[[trigger]]`.
pub(super) const TRIGGER: Table = Table {
    name: "trigger",
    about: "What invokes a function beside requests: a schedule, or messages of a queue or a broker.",
    one_of: &["function", "handler"],
    keys: &[
        Key::new("kind", Kind::Choice(KINDS), "The kind of trigger.").required(),
        Key::new("name", Kind::Text, "Its name in the log and in events [default: the function's]."),
        Key::new("function", Kind::Text, "A function of the folder, by name."),
        Key::new("handler", Kind::Text, "Any handler: report.py:nightly, src/app.handler."),
        Key::new(
            "cron",
            Kind::Text,
            "When: minute, hour, day of the month, month and day of the week, as \"*/5 * * * *\", with \
             the second in front of them if there are six; or @hourly, @daily, @weekly, @monthly, \
             @yearly.",
        )
        .required()
        .of(CRON),
        Key::new(
            "timezone",
            Kind::Text,
            "The time zone of the schedule, such as Europe/Berlin [default: UTC].",
        )
        .of(CRON),
        Key::new(
            "input",
            Kind::Anything,
            "The event; that of an EventBridge schedule when it is left out.",
        )
        .of(CRON),
        Key::new("queue", Kind::Text, "The queue: its name, its URL or its ARN.").required().of(SQS),
        Key::new(
            "region",
            Kind::Text,
            "The region of the queue [default: that of its URL or ARN, else that of the environment].",
        )
        .of(SQS),
        Key::new(
            "endpoint",
            Kind::Text,
            "The URL of the service, where it is not AWS's [default: AWS_ENDPOINT_URL_SQS, \
             AWS_ENDPOINT_URL].",
        )
        .of(SQS),
        Key::new(
            "batch-size",
            count(1, 10),
            "Maximum number of messages for one invocation [default: 10].",
        )
        .of(SQS),
        Key::new(
            "wait",
            up_to(Duration::from_secs(20)),
            "Time for which the service waits for a message before it answers that there is none \
             [default: 20s].",
        )
        .of(SQS),
        Key::new(
            "visibility-timeout",
            Kind::Time(TimeForm {
                plain: PlainTime::Seconds,
                least: Duration::from_secs(2),
                most: HALF_A_DAY,
            }),
            "Time for which nobody else gets what was received; it is extended while the function \
             runs [default: the queue's].",
        )
        .of(SQS),
        Key::new(
            "report-batch-item-failures",
            Kind::Truth,
            "Whether the function's result says which messages have failed [default: false].",
        )
        .of(SQS),
        Key::new("broker", Kind::Text, "The broker: mqtt://host:1883 or mqtts://host:8883.")
            .required()
            .of(MQTT),
        Key::new(
            "topic",
            Kind::OneOrMore,
            "The topics, with + and # as wildcards; $share/GROUP/TOPIC shares the messages of a topic \
             with other servers.",
        )
        .required()
        .of(MQTT),
        Key::new("qos", count(0, 2), "The quality of service that is asked for [default: 1].")
            .of(MQTT),
        Key::new(
            "client-id",
            Kind::Text,
            "The name of the session at the broker; another one for each server [default: of the \
             host's name and the trigger's].",
        )
        .of(MQTT),
        Key::new(
            "clean-session",
            Kind::Truth,
            "Whether the broker forgets the session when the connection ends [default: false].",
        )
        .of(MQTT),
        Key::new(
            "server",
            Kind::OneOrMore,
            "The servers: nats://host:4222, or tls://host:4222; several of one cluster as a list.",
        )
        .required()
        .of(NATS),
        Key::new(
            "subject",
            Kind::Text,
            "The subject, with * and > as wildcards; with a stream, what of it is wanted.",
        )
        .of(NATS),
        Key::new(
            "queue-group",
            Kind::Text,
            "The group of servers of which one gets each message, without a stream.",
        )
        .of(NATS),
        Key::new("stream", Kind::Text, "The JetStream stream.").of(NATS),
        Key::new(
            "durable",
            Kind::Text,
            "The stream's consumer, which is made if there is none of this name.",
        )
        .of(NATS),
        Key::new("credentials", Kind::Text, "A file of credentials, with a token and a seed.").of(NATS),
        Key::new("nkey-file", Kind::Text, "A file with the seed of an NKey.").of(NATS),
        Key::new("token-file", Kind::Text, "A file with a token.").of(NATS),
        Key::new("user", Kind::Text, "The user, if the URL names none.").of(WITH_LOGIN),
        Key::new("password-file", Kind::Text, "A file with the user's password.").of(WITH_LOGIN),
        Key::new("password-env", Kind::Text, "An environment variable with it.").of(WITH_LOGIN),
        Key::new(
            "ca-file",
            Kind::Text,
            "A file of certificates that are trusted [default: the system's].",
        )
        .of(WITH_LOGIN),
        Key::new(
            "max-concurrency",
            count(1, 1000),
            "Maximum number of its invocations at a time [default: 5].",
        )
        .of(BROKERS),
        Key::new(
            "max-attempts",
            count(1, 1000),
            "The number of attempts after which a message has failed for good [default: 5; without a \
             limit in SQS unless there is a dead-letter].",
        )
        .of(BROKERS),
        Key::new(
            "backoff",
            up_to(HALF_A_DAY),
            "The pause before the second attempt; each further one is twice as long [default: 1s].",
        )
        .of(BROKERS),
        Key::new("longest-backoff", up_to(HALF_A_DAY), "The longest such pause [default: 5m].")
            .of(BROKERS),
        Key::new(
            "dead-letter",
            Kind::Text,
            "Where what has failed for good goes: a queue, a topic or a subject.",
        )
        .of(BROKERS),
    ],
};
