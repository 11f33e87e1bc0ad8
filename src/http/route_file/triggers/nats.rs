//! `kind = "nats"`: a subject of NATS, or a stream of its JetStream.

use super::{
    Entry, Fault, Login, Place, Source,
    address::{self, Scheme},
    delivery, file, login, secret,
};
use crate::http::triggers::{NatsLogin, NatsSource};

const SCHEMES: &[Scheme] = &[("nats", false, 4222), ("tls", true, 4222)];

/// Reads the source.
pub(super) fn read(
    entry: &mut Entry,
    place: &Place<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Source> {
    let line = entry.line;
    let urls = entry.texts("server");
    let (subject, group) = (entry.text("subject"), entry.text("queue-group"));
    let (stream, durable) = (entry.text("stream"), entry.text("durable"));
    let delivery_lines: Vec<usize> = ["max-attempts", "dead-letter", "backoff", "longest-backoff"]
        .into_iter()
        .filter_map(|key| entry.line_of(key))
        .collect();
    let delivery = delivery(entry, true, faults);
    let (mut servers, mut of_url) = (Vec::new(), Login::default());
    for url in urls.iter().flat_map(|urls| &urls.value) {
        match address::parse(&url.value, SCHEMES) {
            Ok((server, login)) => {
                servers.push(server);
                of_url = if login.user.is_some() { login } else { of_url };
            }
            Err(why) => faults.push(Fault { line: url.line, message: format!("server: {why}") }),
        }
    }
    let login = nats_login(entry, place, of_url, faults);
    let authorities = file(entry, "ca-file", place, faults);
    let mut wrong = |line: usize, message: &str| {
        faults.push(Fault { line, message: message.to_owned() });
    };
    for text in [&subject, &group].into_iter().flatten() {
        if text.value.is_empty() || text.value.contains(char::is_whitespace) {
            wrong(text.line, "a subject, or a group, has no white space and is not empty");
        }
    }
    for text in [&stream, &durable].into_iter().flatten() {
        let fits = |c: char| !c.is_whitespace() && !matches!(c, '.' | '*' | '>' | '/' | '\\');
        if text.value.is_empty() || !text.value.chars().all(fits) {
            wrong(
                text.line,
                "a stream, or a consumer, has a name without white space, dots, * and >",
            );
        }
    }
    let stream = match (stream, durable) {
        (Some(stream), Some(durable)) => {
            if let Some(group) = &group {
                wrong(
                    group.line,
                    "queue-group: the servers of a stream share its consumer, 'durable'",
                );
            }
            Some((stream.value, durable.value))
        }
        (Some(stream), None) => {
            wrong(stream.line, "stream: its consumer is missing: name it with 'durable'");
            return None;
        }
        (None, durable) => {
            if let Some(durable) = durable {
                wrong(durable.line, "durable: its stream is missing: name it with 'stream'");
            }
            // Nobody can ask for a message once more without a stream.
            if let Some(line) = delivery_lines.first() {
                wrong(
                    *line,
                    "without a stream a message comes once, whatever becomes of it: attempts are for those of a 'stream'",
                );
            }
            if subject.is_none() {
                wrong(line, "the trigger has neither 'subject' nor 'stream'");
            }
            None
        }
    };
    (!servers.is_empty()).then(|| {
        Source::Nats(Box::new(NatsSource {
            servers,
            login,
            authorities,
            subject: subject.map(|subject| subject.value),
            queue_group: group.map(|group| group.value),
            stream,
            delivery,
        }))
    })
}

fn nats_login(
    entry: &mut Entry,
    place: &Place<'_>,
    of_url: Login,
    faults: &mut Vec<Fault>,
) -> NatsLogin {
    let credentials = file(entry, "credentials", place, faults);
    let key = entry.text("nkey-file").and_then(|file| secret(&file, place, faults));
    let token = entry.text("token-file").and_then(|file| secret(&file, place, faults));
    let login = login(entry, place, of_url, faults);
    match (credentials, key, token) {
        (Some(file), ..) => NatsLogin::Credentials(file),
        (None, Some(key), _) => NatsLogin::Key(key),
        (None, None, Some(token)) => NatsLogin::Token(token),
        _ => NatsLogin::Password(login),
    }
}
