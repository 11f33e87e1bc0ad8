//! A signed token, taken apart strictly. Contract: RFC 7515, the compact form.

use super::{keys::Key, unique};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Map, Value};

/// The longest token, in bytes. Real ones have a tenth of that, and each is parsed before it is known to be genuine.
pub(super) const LONGEST: usize = 16 * 1024;

/// The algorithms of RSA keys.
pub(in crate::http) const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Members of a header that say where the key is to be had. Whoever forges a token writes them too.
const KEYS_FROM_ELSEWHERE: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// A token whose signature has not been checked yet.
#[derive(Debug)]
pub(in crate::http) struct Signed<'a> {
    /// What is signed: the first two parts.
    message: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
}

impl<'a> Signed<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// The reason why it is none that could be checked.
    pub(in crate::http) fn parse(token: &'a str) -> Result<Self, String> {
        if token.len() > LONGEST {
            return Err(format!("it has {} bytes, and {LONGEST} are allowed", token.len()));
        }
        let parts: Vec<&str> = token.splitn(4, '.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err("it has not three parts".to_owned());
        };
        let message = &token[..header.len() + 1 + claims.len()];
        let object = |part: &str, name: &str| {
            let json = URL_SAFE_NO_PAD.decode(part);
            let json = json.map_err(|error| format!("its {name} is no base64url: {error}"))?;
            unique::object(&json).map_err(|why| format!("its {name} cannot be read: {why}"))
        };
        let header = object(header, "header")?;
        if let Some(name) = KEYS_FROM_ELSEWHERE.iter().find(|name| header.contains_key(**name)) {
            return Err(format!("its header brings a key along ('{name}')"));
        }
        if header.contains_key("crit") {
            return Err("its header asks for an extension ('crit')".to_owned());
        }
        let algorithm = match header.get("alg") {
            Some(Value::String(name)) => name.parse().map_err(|_| refused(name))?,
            _ => return Err("its header names no algorithm".to_owned()),
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err("'kid' of its header is no text".to_owned()),
        };
        Ok(Self { message, signature, algorithm, key_id, claims: object(claims, "payload")? })
    }

    /// Returns the id of the key with which it says it was signed.
    pub(in crate::http) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the algorithm by which it says it was signed.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks its signature with a key, by one of these algorithms.
    ///
    /// # Errors
    /// The reason why it is not genuine.
    pub(in crate::http) fn verify(&self, key: &Key, allowed: &[Algorithm]) -> Result<(), String> {
        // The token does not decide how it is checked: a public key is no shared secret, whatever it says.
        if !allowed.contains(&self.algorithm) || !key.is_for(self.algorithm) {
            return Err(refused(&format!("{:?}", self.algorithm)));
        }
        let message = self.message.as_bytes();
        match crypto::verify(self.signature, message, key.decoding(), self.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err("its signature is not that of the key".to_owned()),
        }
    }

    /// Returns its claims, which hold only if its signature does.
    pub(in crate::http) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

fn refused(algorithm: &str) -> String {
    let shown: String = algorithm.chars().take(20).collect();
    format!("its algorithm '{shown}' is not accepted")
}
