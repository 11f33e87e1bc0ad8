//! The setting `[auth]` of `trine.toml`: whose tokens let a request in.
//!
//! ```toml
//! [auth]
//! issuer = "https://login.example.com/"   # `iss` of tokens
//! audience = ["https://api.example.com"]  # one of these is in `aud`, or is `client_id`
//! jwks = "https://login.example.com/.well-known/jwks.json"  # or a file
//! # key = "login.pem"                     # a public key instead
//! algorithms = ["RS256"]                  # all of public keys when it is left out
//! scopes = ["orders"]                     # one of these is in `scope`, or any will do
//! ```

use super::{
    keys::{Key, KeySet},
    source::{Source, Unavailable},
    times::Times,
    token::{RSA, Signed},
};
use crate::http::response::{Reply, finish};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{fs, path::Path, sync::Arc};

/// The algorithms of public keys. A shared secret would be one that every function's operator knows.
const OF_PUBLIC_KEYS: [Algorithm; 9] = [
    RSA[0],
    RSA[1],
    RSA[2],
    RSA[3],
    RSA[4],
    RSA[5],
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Whose tokens let a request in.
#[derive(Debug)]
pub struct Auth {
    issuer: Option<String>,
    /// One of these has to be a token's; any will do where there is none.
    audience: Vec<String>,
    /// The same of its scopes.
    scopes: Vec<String>,
    algorithms: Vec<Algorithm>,
    keys: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: Option<String>,
    audience: Option<OneOrMore>,
    jwks: Option<String>,
    key: Option<String>,
    algorithms: Option<OneOrMore>,
    scopes: Option<OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(all) => all,
        }
    }
}

/// The reason why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Refused {
    /// There is no token.
    NoToken,
    /// The token is not valid, for this reason.
    Invalid(String),
    /// The token is valid and has none of these scopes.
    Scope(String),
    /// Nothing is known about the token, because there are no keys to check it with.
    Unavailable(String),
}

impl Auth {
    /// Reads the setting as it stands in a file of this folder: a table, or `false` for a function that asks for no token.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub(in crate::http) fn read(value: &Value, folder: &Path) -> Result<Option<Arc<Self>>, String> {
        let written = match value {
            Value::Bool(false) => return Ok(None),
            Value::Object(_) => value.clone(),
            other => {
                return Err(format!("auth = {other}: use a table, or false for no authentication"));
            }
        };
        let written: Written =
            serde_json::from_value(written).map_err(|error| format!("auth: {error}"))?;
        let keys = match (written.jwks, written.key) {
            (Some(place), None) => Source::of_set(&place, folder)
                .map_err(|why| format!("auth: jwks = {place:?}: {why}"))?,
            (None, Some(file)) => {
                let wrong = |why: String| format!("auth: key = {file:?}: {why}");
                let text = fs::read_to_string(folder.join(&file))
                    .map_err(|error| wrong(format!("it cannot be read: {error}")))?;
                Source::Fixed(Arc::new(KeySet::only(Key::of_pem(&text).map_err(wrong)?)))
            }
            (Some(_), Some(_)) => {
                return Err("auth: it has 'jwks' and 'key': keys come from one place".into());
            }
            (None, None) => {
                let needed = "auth: it names no keys: set jwks = \"FILE or URL\" or key = \"FILE\"";
                return Err(needed.into());
            }
        };
        let algorithms = match written.algorithms {
            None => OF_PUBLIC_KEYS.to_vec(),
            Some(names) => algorithms(&names.all())?,
        };
        let all = |names: Option<OneOrMore>| names.map(OneOrMore::all).unwrap_or_default();
        Ok(Some(Arc::new(Self {
            issuer: written.issuer,
            audience: all(written.audience),
            scopes: all(written.scopes),
            algorithms,
            keys,
        })))
    }

    /// Checks the token of a request at this second since the epoch. Returns what an event tells of the caller: the value of
    /// `requestContext.authorizer`, as API Gateway's HTTP APIs have it.
    ///
    /// # Errors
    /// The reason why it is not let in.
    pub(in crate::http) async fn check(
        &self,
        headers: &HeaderMap,
        now: u64,
    ) -> Result<Value, Refused> {
        let token = bearer(headers)?;
        let signed = Signed::parse(token).map_err(Refused::Invalid)?;
        if !self.algorithms.contains(&signed.algorithm()) {
            return Err(Refused::Invalid(format!(
                "its algorithm '{:?}' is not accepted",
                signed.algorithm()
            )));
        }
        let keys = self.keys.find(signed.key_id()).await;
        let keys = keys.map_err(|Unavailable(why)| Refused::Unavailable(why))?;
        let mut outcome = Err("it was signed with a key that is not known".to_owned());
        for key in keys.named(signed.key_id()) {
            outcome = signed.verify(key, &self.algorithms);
            if outcome.is_ok() {
                break;
            }
        }
        outcome.map_err(Refused::Invalid)?;
        let claims = signed.into_claims();
        self.check_claims(&claims, now).map_err(Refused::Invalid)?;
        let scopes = self.check_scopes(&claims)?;
        let claims: Map<String, Value> =
            claims.iter().map(|(name, value)| (name.clone(), as_text(value).into())).collect();
        Ok(json!({ "jwt": { "claims": claims, "scopes": scopes } }))
    }

    fn check_claims(&self, claims: &Map<String, Value>, now: u64) -> Result<(), String> {
        if !claims.contains_key("exp") {
            return Err("it has no end ('exp')".to_owned());
        }
        Times { zero_is_absent: false }.check(claims, now)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if let Some(issuer) = &self.issuer
            && text("iss") != Some(issuer)
        {
            return Err("it was issued by somebody else".to_owned());
        }
        let known = |name: &str| self.audience.iter().any(|known| known == name);
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(known),
            Some(one) => one.as_str().is_some_and(known),
            None => text("client_id").is_some_and(known),
        };
        match self.audience.is_empty() || is_for_us {
            true => Ok(()),
            false => Err("it is for somebody else".to_owned()),
        }
    }

    /// Returns those of the token's scopes that let it in; `None` where none is asked for.
    fn check_scopes(&self, claims: &Map<String, Value>) -> Result<Option<Vec<String>>, Refused> {
        if self.scopes.is_empty() {
            return Ok(None);
        }
        let own = match claims.get("scope").or_else(|| claims.get("scp")) {
            Some(Value::String(scopes)) => scopes.split(' ').map(str::to_owned).collect(),
            Some(Value::Array(scopes)) => {
                scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        let matching: Vec<String> =
            own.into_iter().filter(|scope| self.scopes.contains(scope)).collect();
        match matching.is_empty() {
            true => Err(Refused::Scope(self.scopes.join(" "))),
            false => Ok(Some(matching)),
        }
    }
}

impl Refused {
    /// Returns the response that says so.
    pub(in crate::http) fn reply(&self, method: &Method) -> Reply {
        let (status, message) = match self {
            Self::NoToken | Self::Invalid(_) => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Scope(_) => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let challenge = match self {
            Self::NoToken => Some("Bearer".to_owned()),
            Self::Invalid(why) => Some(format!(
                "Bearer error=\"invalid_token\", error_description=\"{}\"",
                quotable(&format!("the token is not valid: {why}"))
            )),
            Self::Scope(scopes) => {
                Some(format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", quotable(scopes)))
            }
            Self::Unavailable(_) => None,
        };
        let mut headers = HeaderMap::new();
        match challenge.map(|text| HeaderValue::from_str(&text)) {
            Some(Ok(challenge)) => drop(headers.insert(header::WWW_AUTHENTICATE, challenge)),
            Some(Err(_)) => {
                let plain = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, plain);
            }
            None => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"))),
        }
        let body = Bytes::from(json!({ "message": message }).to_string());
        finish(method, status, headers, body, "application/json")
    }
}

/// Returns the token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Refused::NoToken),
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => return Err(Refused::Invalid("there are two".to_owned())),
    };
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(Refused::NoToken)?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim()),
        false => Err(Refused::NoToken),
    }
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, String> {
    let known = OF_PUBLIC_KEYS.map(|algorithm| format!("{algorithm:?}"));
    let find = |name: &String| {
        let algorithm = OF_PUBLIC_KEYS.iter().zip(&known).find(|(_, known)| *known == name);
        let algorithm = algorithm.map(|(algorithm, _)| *algorithm);
        algorithm.ok_or_else(|| format!("auth: algorithms: '{name}': use {}", known.join(", ")))
    };
    match names {
        [] => Err(format!("auth: algorithms is empty: use {}", known.join(", "))),
        names => names.iter().map(find).collect(),
    }
}

/// Returns a claim as a text, which is what API Gateway makes of all of them.
fn as_text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(as_text).collect();
            format!("[{}]", items.join(" "))
        }
        other => other.to_string(),
    }
}

/// Returns a text as it may stand between quotation marks in a header.
fn quotable(text: &str) -> String {
    let plain = |letter: char| match letter {
        '"' => '\'',
        '\\' => '/',
        letter if letter == ' ' || letter.is_ascii_graphic() => letter,
        _ => '?',
    };
    text.chars().take(200).map(plain).collect()
}

#[cfg(test)]
mod tests;
