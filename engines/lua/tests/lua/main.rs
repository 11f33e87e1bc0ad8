//! The Lua engine through `trine_engine`'s traits, as the worker uses it.

mod errors;
mod loading;
mod output;
mod speed;
mod stopping;
mod support;
mod values;
mod waiting;
