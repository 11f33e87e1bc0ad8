//! Tokens that callers show: JSON Web Tokens, checked with the keys of whoever issues them. Contracts: RFC 7519, RFC 7515,
//! RFC 6750.
//!
//! [`Signed`] takes a token apart and checks its signature; cryptography is that of the `jsonwebtoken` crate. [`Auth`] is
//! the setting `[auth]` of `trine.toml`.

mod fetch;
mod keys;
mod settings;
mod source;
#[cfg(test)]
pub(super) mod tests;
mod times;
mod token;
mod unique;

pub(super) use keys::Key;
pub use settings::Auth;
pub(super) use settings::Refused;
pub(super) use times::Times;
pub(super) use token::{RSA, Signed};
