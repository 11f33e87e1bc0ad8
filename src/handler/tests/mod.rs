//! Tests of how handlers are found, as far as they share something.

pub(crate) mod fixture;
mod yielding;
