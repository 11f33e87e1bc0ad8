//! The engine of native code through `trine_engine`'s traits, as the worker uses it, with libraries that are compiled here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod ends;
mod examples;
mod go;
mod header;
mod hooks;
mod lifecycle;
mod loading;
mod rust;
mod support;
mod threads;
