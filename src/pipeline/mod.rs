//! The way of an invocation through a function: today the handler alone, in its own engine.

use crate::handler::Located;
use std::rc::Rc;
use trine_engine::{
    Error, ErrorDialect, Exports, Form, FunctionId, Instance, Invocation, Payload, Result,
};

/// A function that one worker has loaded, ready to be invoked.
pub struct Pipeline {
    instance: Rc<dyn Instance>,
    handler: FunctionId,
    dialect: ErrorDialect,
}

impl Pipeline {
    pub(crate) fn new(
        instance: Rc<dyn Instance>,
        exports: &Exports,
        located: &Located,
    ) -> Result<Self> {
        let (_, handler) = *exports.functions.first().ok_or_else(|| {
            Error::internal(format!("{} was loaded without a function", located.module.name))
        })?;
        Ok(Self { instance, handler, dialect: located.engine.info().error_dialect })
    }

    /// Runs one invocation to its answer, which is in a form that can leave the process.
    ///
    /// # Errors
    /// What the handler raised, or what its event or result could not be.
    pub async fn run(&self, event: Payload, invocation: &Rc<Invocation>) -> Result<Payload> {
        self.instance.call(self.handler, event, Form::Json, invocation).await
    }

    /// How this function's errors look to a caller.
    pub fn dialect(&self) -> ErrorDialect {
        self.dialect
    }
}
