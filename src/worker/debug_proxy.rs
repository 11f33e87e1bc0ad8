//! Events that name a place from which a debugger attaches. Contract: `_debugProxy` of the Serverless Open Runtime.
//!
//! The connection is made from here, because nothing reaches a function on Lambda. Whoever may invoke a function could have
//! it run any code this way, so only places that its owner has listed count.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    net::TcpStream,
    time::{Duration, Instant},
};
use trine_engine::{Error, ErrorKind, Invocation, Payload, Result};

/// The member of an event that names the place.
const MEMBER: &str = "_debugProxy";
/// The time between two attempts to connect: whoever is at the other end may not be there yet.
const PAUSE: Duration = Duration::from_millis(250);
/// The time for which a place is tried where the invocation has no deadline.
const PATIENCE: Duration = Duration::from_secs(900);
/// The part of the invocation's time, in milliseconds, that is left for the function.
const MARGIN_MS: u64 = 500;

#[derive(Deserialize)]
struct Event<'e> {
    #[serde(borrow, rename = "_debugProxy")]
    place: Option<&'e RawValue>,
}

/// Returns the place that an event names; `None` where it names none.
pub(super) fn named(event: &Payload) -> Option<String> {
    let Payload::Json(text) = event else { return None };
    // Most events have no such member, and need not be looked through twice.
    let has_it = text.windows(MEMBER.len()).any(|part| part == MEMBER.as_bytes());
    let event: Event<'_> = has_it.then(|| serde_json::from_slice(text).ok())??;
    let place: String = serde_json::from_str(event.place?.get()).ok()?;
    (!place.is_empty()).then_some(place)
}

/// Connects to a place, if it is one of those that are allowed.
///
/// # Errors
/// When it is not, or nobody is there in time.
pub(super) async fn connect(
    place: &str,
    allowed: &[String],
    invocation: &Invocation,
) -> Result<TcpStream> {
    let refuse =
        |why: String| Error::new(ErrorKind::Unsupported, format!("{MEMBER} {place:?}: {why}"));
    if !allowed.iter().any(|known| known == place) {
        return Err(refuse("TRINE_DEBUG_PROXY does not list it".to_owned()));
    }
    let left = invocation.remaining_ms().map(|left| u64::try_from(left).unwrap_or(0));
    let given = left.map_or(PATIENCE, |left| Duration::from_millis(left.saturating_sub(MARGIN_MS)));
    let until = Instant::now() + given;
    loop {
        let error = match tokio::net::TcpStream::connect(place).await {
            Ok(connection) => {
                let connection = connection.into_std().and_then(|connection| {
                    connection.set_nonblocking(false)?;
                    Ok(connection)
                });
                return connection.map_err(|error| refuse(error.to_string()));
            }
            Err(error) => error,
        };
        if Instant::now() + PAUSE > until {
            return Err(refuse(format!("nobody is there: {error}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_the_event_itself() {
        let of = |text: &'static str| named(&Payload::json(text));
        assert_eq!(of(r#"{"a":1,"_debugProxy":"h:1"}"#).as_deref(), Some("h:1"));
        for text in [
            "{}",
            r#"{"a":"_debugProxy"}"#,
            r#"{"a":{"_debugProxy":"h:1"}}"#,
            r#"{"_debugProxy":""}"#,
            r#"{"_debugProxy":1}"#,
            r#"{"_debugProxy":"h:1""#,
            "7",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
