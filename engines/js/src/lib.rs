#![doc = include_str!("../docs.md")]

mod convert;
mod engine;
mod error;
mod host;
mod instance;
mod isolate;
mod limits;
mod loader;
mod transpile;
mod wakers;

pub use engine::{JavaScript, engine};
