//! The traits and the vocabulary that a Trine language engine is written against.
//!
//! An [`Engine`] is a language. It starts [`Instance`]s: one interpreter heap each, confined to the thread that
//! started it. An instance loads [`Module`]s and hands out [`FunctionId`]s; calling one takes a [`Payload`] and an
//! [`Invocation`] and gives a payload back. Everything else in this crate is the plain data those four exchange.
//!
//! The crate knows no async runtime, no HTTP and no language: calls return local futures that any executor may poll,
//! and an engine that needs a reactor brings its own.
//!
//! # Architecture invariants
//! - An [`Instance`] never leaves its thread; only an [`Interrupter`] may be used from another one.
//! - A value stays in its engine's own form ([`Payload::Native`]) until it crosses to another engine or leaves the
//!   process; it is serialised then, once.
//! - Bad input is an [`Error`], never a panic.
#![doc = include_str!("../docs/add-an-engine.md")]

mod about;
mod conventions;
mod debug;
mod dialect;
mod end;
mod engine;
mod error;
mod examine;
mod exchange;
mod fields;
mod handler;
mod hint;
mod hook;
mod http_result;
mod instance;
mod interface;
mod invocation;
mod loaded;
mod log;
mod nearest;
mod output;
mod payload;
mod permissions;
mod permits;
mod presence;
mod shaped;
mod simple;
mod stream;
mod stream_place;
mod web;
mod websocket;

pub use about::{TypeFile, VariableInfo};
pub use conventions::Conventions;
pub use debug::{AttachedDebugger, DebugListener, DebugSession, Debuggers, Profile, debugged_time};
pub use dialect::{ErrorDialect, ErrorRecord, json_string};
pub use end::{End, timed_out};
pub use engine::{
    CHILD_MARK, Capabilities, Engine, EngineInfo, Environment, Lookup, PlaceSettings, Search,
};
pub use error::{Error, ErrorKind, Frame, Result};
pub use examine::{
    Candidate, ElfFacts, Examination, Finding, LayerPlace, MachineCode, PackedFile, PackedFolder,
    Verdict,
};
pub use exchange::Exchange;
pub use fields::Fields;
pub use handler::{
    APPLICATION_NAMES, HANDLER_NAMES, alternatives, nearest_written, unnamed_handler,
};
pub use hint::Hint;
pub use hook::Hook;
pub use http_result::HttpResult;
pub use instance::{
    Exports, FunctionId, Instance, Interrupter, LocalFuture, Module, Usage, Wanted,
};
pub use interface::Interface;
pub use invocation::{FunctionInfo, Invocation, UNLIMITED_MS};
pub use loaded::LoadedFunctions;
pub use log::{
    Level, LogFormat, LogSettings, LogSink, Message, NullSink, Stream, json_line, timestamp,
};
pub use nearest::{ALIKE, likeness, nearest};
pub use output::GuestOutput;
pub use payload::{Form, NativeValue, Payload, RawPayload};
pub use permissions::{Access, Extent, Permissions, Refusal};
pub use permits::Permits;
pub use presence::Presence;
pub use shaped::{Beside, Leaf, Part, Shape, Shaped};
pub use simple::{Output, Simple, SimpleEnvironment, SimpleRuntime};
pub use stream::{
    BYTE_CHUNKS, HTTP_INTEGRATION, JSON_LINES, PRELUDE_END, ResponseStream, STREAM_CAPACITY,
    StreamHead, StreamReader, TEXT_CHUNKS, Written,
};
pub use stream_place::StreamPlace;
pub use web::{RequestBody, ResponseHead, WebRequest, WebResponse};
pub use websocket::{FromSocket, SocketAnswer, SocketClose, SocketMessage, SocketPeer, WebSocket};
