//! Trine runs functions written in JavaScript, TypeScript, Python and Lua inside one process.
//!
//! ```no_run
//! use std::{env, rc::Rc};
//! use tokio::{runtime::Builder, task::LocalSet};
//! use trine::{
//!     config::Settings,
//!     engines::Registry,
//!     handler::locate,
//!     telemetry::ErrorSink,
//!     worker::{Function, Worker},
//! };
//! use trine_engine::{Invocation, Payload};
//!
//! let settings = Settings::from_environment(|name| env::var(name).ok())?;
//! let registry = Registry::built_in();
//! let handler = locate("app.handler", &settings.search_paths(), &registry)?;
//! let plan = settings.plan(handler, &registry)?;
//!
//! // Interpreters never change threads: a worker stays on this one.
//! let runtime = Builder::new_current_thread().enable_all().build()?;
//! LocalSet::new().block_on(&runtime, async {
//!     let log = settings.log(ErrorSink);
//!     let worker = Rc::new(Worker::new(settings.sequential_worker(log)));
//!     let function = Function::new(worker.clone(), plan);
//!     let invocation = Rc::new(Invocation { event_is_json: true, ..Invocation::default() });
//!     let answer = function.invoke(Payload::json(r#"{"name": "you"}"#), &invocation, || None);
//!     let (result, _) = answer.await.into_parts();
//!     println!("{}", String::from_utf8_lossy(&result?.into_bytes()?.0));
//!     worker.shutdown().await;
//!     Ok::<(), trine_engine::Error>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of an event, and with it the tour of this crate:
//!
//! 1. A front door takes it in: [`lambda`] polls the Runtime API, [`http`] listens.
//! 2. [`handler`] has found the function's file and engine before, from a handler string and [`engines`].
//! 3. A [`worker`] has loaded it into one of its instances; its [`pipeline`] runs the invocation.
//! 4. The front door sends the answer; [`diagnostic`] gives an error the form that its caller expects.
//!
//! [`telemetry`] writes what guests log and what happens to the runtime itself; [`config`] gathers the settings;
//! [`folder`] knows what is shipped of a function, [`doctor`] whether that is fit, [`package`] makes it; [`cli`] is the
//! command line. Languages live in crates of their own, behind the traits of [`trine_engine`].

mod aws_events;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod doctor;
pub mod engines;
pub mod folder;
pub mod handler;
mod heap;
pub mod http;
pub mod lambda;
pub mod package;
pub mod pipeline;
mod signals;
pub mod telemetry;
mod watchdog;
pub mod worker;
