//! The waits of a guest for something outside Lua: `trine.sleep`, `trine.fetch`, and room for a chunk.

use crate::fetch;
use mlua::{Lua, Table, Value};
use std::{cell::Cell, future::Future, rc::Rc, sync::Arc, time::Duration};
use trine_engine::{LocalFuture, Permits};

/// The end of a wait.
pub(crate) enum Outcome {
    /// The end of a sleep.
    Slept,
    /// A response, or the text of what went wrong.
    Fetched(Result<fetch::Response, String>),
    /// Room for another chunk, or none any more because nobody reads.
    Room(bool),
    /// A warning that the deadline is near.
    Warned,
}

/// The wait that one state's code has begun, and how the last one has ended.
#[derive(Default)]
pub(crate) struct Waits {
    begun: Cell<Option<LocalFuture<'static, Outcome>>>,
    outcome: Cell<Option<Outcome>>,
    client: fetch::Client,
}

impl Waits {
    /// Makes the waits of a state; without permits its guests may do everything.
    pub(crate) fn new(permits: Option<Arc<Permits>>) -> Self {
        Self { client: fetch::Client::new(permits), ..Self::default() }
    }

    /// Begins a wait, for code that then yields.
    pub(crate) fn begin(&self, wait: impl Future<Output = Outcome> + 'static) {
        self.begun.set(Some(Box::pin(wait)));
    }

    /// Takes the wait that has begun.
    pub(crate) fn take(&self) -> Option<LocalFuture<'static, Outcome>> {
        self.begun.take()
    }

    /// Lets go of the connections that requests have left open.
    pub(crate) fn disconnect(&self) {
        self.client.disconnect();
    }

    /// Notes how it has ended, for the code that continues.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.outcome.set(Some(outcome));
    }
}

/// Makes a table of the functions that the preludes build on and that wait.
pub(crate) fn functions(lua: &Lua, waits: &Rc<Waits>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let kept = waits.clone();
    table.set(
        "sleep",
        lua.create_function(move |_, seconds: f64| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            kept.begin(async move {
                tokio::time::sleep(time).await;
                Outcome::Slept
            });
            Ok(())
        })?,
    )?;

    let kept = waits.clone();
    table.set(
        "fetch",
        lua.create_function(move |_, request: Table| match kept.client.request(&request) {
            Ok(request) => {
                let response = kept.client.send(request);
                kept.begin(async move { Outcome::Fetched(response.await) });
                Ok(None)
            }
            Err(message) => Ok(Some(message)),
        })?,
    )?;

    let kept = waits.clone();
    table.set(
        "outcome",
        lua.create_function(move |lua, ()| {
            Ok(match kept.outcome.take() {
                Some(Outcome::Fetched(Ok(response))) => (response.into_lua(lua)?, Value::Nil),
                Some(Outcome::Fetched(Err(message))) => {
                    (Value::Nil, Value::String(lua.create_string(message)?))
                }
                Some(Outcome::Room(open)) => (Value::Boolean(open), Value::Nil),
                Some(Outcome::Warned) => (Value::Nil, Value::Boolean(true)),
                Some(Outcome::Slept) | None => (Value::Nil, Value::Nil),
            })
        })?,
    )?;
    Ok(table)
}
