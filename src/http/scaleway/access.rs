//! Who may call a private function: whoever brings a token for it, or for its namespace.

use super::told;
use crate::http::{
    auth::{self, Key, Signed, Times},
    response::Reply,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The headers that may have a token: the first that is there counts. There is no word before it.
const TOKEN_HEADERS: [&str; 3] = ["scw-functions-token", "scw_functions_token", "x-auth-token"];

/// Who may call functions.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever has a token.
    Private(Arc<TokenCheck>),
}

/// What a token is checked with.
#[derive(Debug)]
pub struct TokenCheck {
    /// The platform's key, or the reason why there is none.
    key: Result<Key, String>,
    namespace_id: String,
    application_id: String,
}

impl Access {
    /// Returns the access to private functions: the platform's public key as PEM, and the ids that tokens are for.
    pub fn of(public_key: &str, namespace_id: &str, application_id: &str) -> Self {
        Self::Private(Arc::new(TokenCheck {
            key: Key::of_rsa_pem(public_key),
            namespace_id: namespace_id.to_owned(),
            application_id: application_id.to_owned(),
        }))
    }

    /// Returns what keeps everybody from calling private functions, if anything does: what is missing, in words.
    pub fn problem(&self) -> Option<String> {
        let Self::Private(check) = self else { return None };
        match &check.key {
            Err(why) => Some(format!("SCW_PUBLIC_KEY: {why}")),
            Ok(_) if check.application_id.is_empty() => {
                Some("SCW_APPLICATION_ID is not set".to_owned())
            }
            Ok(_) if check.namespace_id.is_empty() => {
                Some("SCW_NAMESPACE_ID is not set".to_owned())
            }
            Ok(_) => None,
        }
    }

    /// Checks the token of a request.
    pub(in crate::http) fn check(&self, headers: &HeaderMap, now: u64) -> Result<(), Denied> {
        match self {
            Self::Public => Ok(()),
            Self::Private(check) => check.check(headers, now),
        }
    }
}

/// The reason why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Denied {
    /// There is no token.
    NoToken,
    /// The platform has given no key, or none that can be read.
    NoKey,
    /// The token is not valid, for this reason.
    Invalid(String),
    /// The token is valid, and for something else.
    Forbidden,
}

impl Denied {
    /// Returns the response that says so.
    pub(in crate::http) fn reply(&self, method: &Method) -> Reply {
        let (status, text) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::NoKey => {
                (StatusCode::INTERNAL_SERVER_ERROR, "function runtime not setup correctly")
            }
            Self::Invalid(_) => (StatusCode::UNAUTHORIZED, "authorization token not valid"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
        };
        told(method, status, text)
    }
}

impl TokenCheck {
    fn check(&self, headers: &HeaderMap, now: u64) -> Result<(), Denied> {
        let invalid = |why: &str| Denied::Invalid(why.to_owned());
        let mut names = TOKEN_HEADERS.into_iter();
        let name = names.find(|name| headers.contains_key(*name)).ok_or(Denied::NoToken)?;
        let mut values = headers.get_all(name).iter();
        let token = match (values.next(), values.next()) {
            (Some(token), None) => token.to_str().map_err(|_| invalid("it is no text"))?,
            _ => return Err(invalid("there are two")),
        };
        if token.is_empty() {
            return Err(Denied::NoToken);
        }
        let key = self.key.as_ref().map_err(|_| Denied::NoKey)?;
        let signed = Signed::parse(token).map_err(Denied::Invalid)?;
        if signed.key_id().is_some() {
            return Err(invalid("it names a key, and there is one only"));
        }
        signed.verify(key, &auth::RSA).map_err(Denied::Invalid)?;
        let claims = signed.into_claims();
        Times { zero_is_absent: true }.check(&claims, now).map_err(Denied::Invalid)?;
        let claim = only_claim(&claims).map_err(invalid)?;
        if self.application_id.is_empty() || self.namespace_id.is_empty() {
            return Err(Denied::Forbidden);
        }
        let is = |name: &str, id: &str| claim.get(name).and_then(Value::as_str) == Some(id);
        let is_of_it = is("namespace_id", &self.namespace_id)
            || is("application_id", &self.application_id)
            // The platform's documentation has called it so.
            || is("function_id", &self.application_id);
        if is_of_it { Ok(()) } else { Err(Denied::Forbidden) }
    }
}

/// Returns what a token is for, of which there is exactly one.
fn only_claim(claims: &Map<String, Value>) -> Result<&Map<String, Value>, &'static str> {
    let claims = claims.get("application_claim").and_then(Value::as_array);
    match claims.map(Vec::as_slice) {
        None | Some([]) => Err("it is for nothing"),
        Some([Value::Object(claim)]) => Ok(claim),
        Some([_]) => Err("its application_claim is no list of objects"),
        Some(_) => Err("it is for several"),
    }
}

#[cfg(test)]
mod tests;
