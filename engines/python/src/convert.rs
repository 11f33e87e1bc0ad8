//! The conversion of JSON text to Python values and back, without a detour through another tree.

mod build;
mod http_result;
mod keys;
mod read;
mod scan;
mod write;

pub(crate) use build::build;
pub(crate) use http_result::http_result;
pub(crate) use keys::Keys;
pub(crate) use read::{Failure as ReadFailure, read};
pub(crate) use write::{Failure, Settings, write, write_plain};

use crate::error;
use pyo3::prelude::*;
use trine_engine::Error;

/// Maximum nesting of arrays and objects, in both directions: the part of the stock interpreter's recursion limit of
/// 1000 that is left to `json`.
const DEPTH: usize = 990;

impl Failure {
    /// Returns the failure of a value that was to be passed to another language.
    pub(crate) fn into_plain_error(self) -> Error {
        let message = match self {
            Self::Refused { message, path } if path.is_empty() => message,
            Self::Refused { message, path } => {
                format!("{message} (at {})", path.into_iter().rev().collect::<String>())
            }
            Self::Raised(raised) => Python::attach(|py| error::message(py, &raised)),
        };
        Error::new(trine_engine::ErrorKind::Marshal, message)
    }

    /// Returns the failure as the caller sees it.
    pub(crate) fn into_error(self, py: Python<'_>) -> Error {
        match self {
            Self::Refused { message, path } => {
                let place = if path.is_empty() {
                    String::new()
                } else {
                    format!(" (at result{})", path.into_iter().rev().collect::<String>())
                };
                Error::new(
                    trine_engine::ErrorKind::Marshal,
                    format!("Unable to marshal response: {message}{place}"),
                )
            }
            Self::Raised(raised) if error::is_warning(py, &raised) => {
                error::raised(py, &raised, "")
            }
            Self::Raised(raised) => Error::new(
                trine_engine::ErrorKind::Marshal,
                format!("Unable to marshal response: {}", error::message(py, &raised)),
            )
            .with_cause(error::raised(py, &raised, "")),
        }
    }
}
