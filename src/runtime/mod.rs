//! Functions inside of another program: loaded from a folder, invoked from async code of any executor.
//!
//! ```no_run
//! # async fn example() -> trine_engine::Result<()> {
//! use serde_json::{Value, json};
//! use trine::Runtime;
//!
//! let runtime = Runtime::builder("functions").middlewares("audit").build()?;
//! let greet = runtime.load("greet.handler").await?;
//! let answer: Value = greet.invoke(&json!({ "name": "you" })).await?;
//! println!("{answer}");
//! runtime.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Interpreters never change threads, so a runtime has a thread of its own on which everything of its functions runs, and
//! what the program holds are handles to it. JavaScript and `async def` interleave there while they wait; what holds its
//! thread holds up the others. CPython has one interpreter per process: have one runtime with Python in it.

mod builder;
mod call;
mod handler;
mod thread;

#[cfg(test)]
mod tests;

pub use builder::RuntimeBuilder;
pub use call::{Answer, AnswerStream, Call};
pub use handler::Handler;

use std::{path::PathBuf, sync::Arc};
use thread::{Job, Jobs};
use tokio::sync::oneshot;
use trine_engine::Result;

/// Functions of a folder, on a thread of their own. Cheap to clone; the thread ends, after the `shutdown` hooks, with the
/// last of the handles, handlers included, or with [`Runtime::shutdown`].
#[derive(Debug, Clone)]
pub struct Runtime {
    jobs: Arc<Jobs>,
}

impl Runtime {
    /// Makes a runtime for the functions of a folder, with every language of this build and without limits.
    ///
    /// # Errors
    /// As [`RuntimeBuilder::build`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(folder).build()
    }

    /// Begins a runtime for the functions of a folder.
    pub fn builder(folder: impl Into<PathBuf>) -> RuntimeBuilder {
        RuntimeBuilder::new(folder.into())
    }

    /// Loads the function that a handler string names, in any of its forms: `app.handler`, `src/app.py:main`, `app.lua`.
    /// Runs the module's top-level code, after the `init` hooks of the middlewares around it. A function that is loaded
    /// twice is two handlers of one module.
    ///
    /// # Errors
    /// What was not found, with what was; whatever the module's own code raised.
    pub async fn load(&self, handler: impl Into<String>) -> Result<Handler> {
        let (loaded, answer) = oneshot::channel();
        self.jobs.send(Job::Load { handler: handler.into(), loaded })?;
        let function = answer.await.map_err(|_| self.jobs.over())??;
        Ok(Handler::new(self.jobs.clone(), function))
    }

    /// Ends the runtime: waits for what is in flight, runs `shutdown` hooks, ends the interpreters. Whoever calls a
    /// handler afterwards gets an error.
    pub async fn shutdown(&self) {
        let (ended, answer) = oneshot::channel();
        if self.jobs.send(Job::End { ended }).is_ok() {
            // Its sender is dropped when the thread has ended, one way or the other.
            let _ = answer.await;
        }
    }
}
