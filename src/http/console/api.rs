//! The console's paths: the page, and the API behind it.

use super::{Console, guard, invocation::whole, page};
use crate::{
    http::{
        arrival::Arrival,
        error::refusal,
        response::{Reply, finish},
        service::{Service, only},
        wire::Hold,
    },
    sample_events::{self, Field, Kind, samples},
    telemetry::{Opening, Role},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{rc::Rc, sync::Arc};
use trine_engine::Payload;

/// The path of the page, without the slash at its end.
const ROOT: &str = "/.trine";

/// What a path of the console's is for.
#[derive(Debug, PartialEq, Eq)]
enum Place<'p> {
    /// The page, by its path without the slash.
    Door,
    Page,
    File(&'p str),
    Functions,
    Samples,
    Sample(&'p str),
    Invoke(&'p str),
    Live,
}

impl<'p> Place<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let Some(path) = path.strip_prefix(ROOT)?.strip_prefix('/') else {
            return (path == ROOT).then_some(Self::Door);
        };
        Some(match path {
            "" => Self::Page,
            name if page::has(name) => Self::File(name),
            "api/functions" => Self::Functions,
            "api/samples" => Self::Samples,
            "api/live" => Self::Live,
            _ => match path.strip_prefix("api/")?.split_once('/')? {
                ("samples", name) => Self::Sample(name),
                ("invoke", name) => Self::Invoke(name),
                _ => return None,
            },
        })
    }

    /// Whether only who has the token may go there.
    fn is_api(&self) -> bool {
        !matches!(self, Self::Door | Self::Page | Self::File(_))
    }
}

/// What the page asks for when it invokes a function.
#[derive(Deserialize)]
struct Asked {
    event: Box<RawValue>,
}

/// Whether a path is one of the console's.
pub(in crate::http) fn is_its(path: &str) -> bool {
    Place::of(path).is_some()
}

impl Service {
    /// Answers a request for the console.
    pub(in crate::http) async fn answer_console(
        &self,
        console: &Arc<Console>,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Incoming,
    ) -> Reply {
        let mut reply = match self.check(console, parts) {
            Ok(place) => self.go(console, place, arrival, hold, parts, body).await,
            Err(reply) => *reply,
        };
        page::protect(&mut reply);
        reply
    }

    /// Checks whether a request may go where it wants to.
    fn check<'p>(&self, console: &Console, parts: &'p Parts) -> Result<Place<'p>, Box<Reply>> {
        let (method, path) = (&parts.method, parts.uri.path());
        let refused = |status, why: &str| Box::new(refusal(method, status, why));
        let forbidden = |why: String| refused(StatusCode::FORBIDDEN, &why);
        guard::check_place(parts, self.scheme(), self.port).map_err(forbidden)?;
        let place = Place::of(path)
            .ok_or_else(|| refused(StatusCode::NOT_FOUND, "the console has no such path"))?;
        if place.is_api() {
            guard::check_token(&parts.headers, &console.token).map_err(forbidden)?;
        } else if place == Place::Page {
            guard::check_reader(&parts.headers).map_err(forbidden)?;
        }
        let (is_right, methods) = match place {
            Place::Invoke(_) => (*method == Method::POST, "POST"),
            _ => (matches!(*method, Method::GET | Method::HEAD), "GET, HEAD"),
        };
        if is_right { Ok(place) } else { Err(Box::new(only(method, path, methods))) }
    }

    async fn go(
        &self,
        console: &Arc<Console>,
        place: Place<'_>,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Incoming,
    ) -> Reply {
        let method = &parts.method;
        match place {
            Place::Door => {
                let mut headers = HeaderMap::new();
                headers.insert(header::LOCATION, HeaderValue::from_static("/.trine/"));
                finish(method, StatusCode::PERMANENT_REDIRECT, headers, Bytes::new(), "text/plain")
            }
            Place::Page => page::index(method, &console.token),
            Place::File(name) => page::file(method, name)
                .unwrap_or_else(|| refusal(method, StatusCode::NOT_FOUND, "there is no such file")),
            Place::Functions => answer(method, &console.functions(&self.site, &self.options)),
            Place::Samples => answer(method, &listed_samples()),
            Place::Sample(name) => {
                let name = match parts.uri.query() {
                    Some(query) => format!("{}?{query}", decoded(name)),
                    None => decoded(name),
                };
                match sample_events::named(&name) {
                    Ok(event) => answer(method, &event),
                    Err(why) => refusal(method, StatusCode::NOT_FOUND, &why),
                }
            }
            Place::Live if *method == Method::HEAD => {
                finish(method, StatusCode::OK, HeaderMap::new(), Bytes::new(), "text/event-stream")
            }
            Place::Live => self.live(console, hold, parts),
            Place::Invoke(name) => {
                self.invoke_from_console(console, arrival, hold, parts, body, &decoded(name)).await
            }
        }
    }

    /// Invokes a function with an event, and answers with all that is known of the invocation.
    async fn invoke_from_console(
        &self,
        console: &Arc<Console>,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Incoming,
        name: &str,
    ) -> Reply {
        let method = &parts.method;
        let named = |function: &crate::http::ServedFunction| function.name == name;
        let Some(index) = self.site.functions().iter().position(named) else {
            let known = self.site.functions().iter().map(|function| function.name.as_str());
            let near = trine_engine::nearest(name, known);
            let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            let why = format!("no function '{name}' is served{near}");
            return refusal(method, StatusCode::NOT_FOUND, &why);
        };
        let body = match self.read(method, body, usize::MAX).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        hold.owe();
        let event = match serde_json::from_slice::<Asked>(&body) {
            Ok(Asked { event }) => Bytes::from(event.get().to_owned()),
            Err(error) => {
                let why = format!("the request is no object {{\"event\": …}}: {error}");
                return refusal(method, StatusCode::BAD_REQUEST, &why);
            }
        };
        let function = &self.site.functions()[index];
        let Ok(admission) = self.take_place(index) else { return self.busy(method, function) };
        arrival.is_for(index, self.shared.readiness.is_warm(index));
        let id = arrival.id.clone();
        let (_, trace_id) = arrival.begin(parts);
        let mut invocation = self.options.invocation(function, id.clone(), trace_id.into_owned());
        // Nobody reads the answer piece by piece.
        invocation.exchange.buffer();
        let awaited = console.watch.awaits(&id);
        let span = self.functions.tracer().open(|| Opening {
            name: function.name.clone().into(),
            role: Role::Server,
            facts: vec![("faas.trigger", "console".into())],
            ..Opening::default()
        });
        if let Some(span) = &span {
            span.carry(&mut invocation);
        }
        let invocation = Rc::new(invocation);
        let event = Payload::Json(event);
        let result = self.run(hold, method, index, event, &invocation, admission).await;
        let result = match result.map(Payload::into_bytes) {
            Ok(Ok((bytes, content_type))) => whole(&bytes, content_type),
            _ => Value::Null,
        };
        drop(span);
        let mut told = awaited.take().unwrap_or_else(|| json!({"id": id}));
        told["result"] = result;
        answer(method, &told)
    }
}

fn answer(method: &Method, value: &Value) -> Reply {
    let body = Bytes::from(value.to_string());
    finish(method, StatusCode::OK, HeaderMap::new(), body, "application/json")
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn listed_samples() -> Value {
    let option = |field: &Field| {
        json!({
            "name": field.name,
            "takes": match field.kind {
                Kind::Choice(words) => json!(words),
                kind => json!(kind.placeholder()),
            },
            "about": field.about,
        })
    };
    let samples = samples().map(|sample| {
        json!({
            "name": sample.name,
            "about": sample.about,
            "options": sample.fields.iter().map(option).collect::<Vec<_>>(),
        })
    });
    json!({ "samples": samples.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_places() {
        for (path, place) in [
            ("/.trine", Some(Place::Door)),
            ("/.trine/", Some(Place::Page)),
            ("/.trine/console.js", Some(Place::File("console.js"))),
            ("/.trine/api/functions", Some(Place::Functions)),
            ("/.trine/api/samples/s3", Some(Place::Sample("s3"))),
            ("/.trine/api/invoke/pets%2Fjs", Some(Place::Invoke("pets%2Fjs"))),
            ("/.trine/api/live", Some(Place::Live)),
            ("/.trine/health", None),
            ("/.trine/ready", None),
            ("/.trine/metrics", None),
            ("/.trinex", None),
            ("/.trine/api/other", None),
            ("/", None),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }
}
