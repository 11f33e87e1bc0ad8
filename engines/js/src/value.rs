//! A value of an isolate, held for the next function in it or for readers elsewhere.

use crate::{
    ID,
    convert::{read_or_fail, read_text},
    error::During,
    instance::Shared,
    isolate::Prelude,
};
use bytes::Bytes;
use deno_runtime::deno_core::v8;
use std::{any::Any, rc::Rc};
use trine_engine::{NativeValue, Result};

/// A value of an isolate.
pub(crate) struct JsValue {
    pub(crate) shared: Rc<Shared>,
    pub(crate) value: v8::Global<v8::Value>,
}

impl JsValue {
    pub(crate) fn new(shared: Rc<Shared>, value: v8::Global<v8::Value>) -> Self {
        Self { shared, value }
    }

    fn to_text(&self, function: fn(&Prelude) -> &v8::Global<v8::Function>) -> Result<Bytes> {
        let mut isolate = self.shared.isolate()?;
        let mut isolate = isolate.enter();
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let value = v8::Local::new(scope, &self.value);
        let undefined = v8::undefined(scope).into();
        let function = v8::Local::new(scope, function(prelude));
        match function.call(scope, undefined, &[value]) {
            Some(text) => read_or_fail(scope, text, During::Call, read_text),
            None => Err(self.shared.stopped(scope, None)),
        }
    }
}

impl NativeValue for JsValue {
    fn engine(&self) -> &'static str {
        ID
    }

    fn to_json(&self) -> Result<Bytes> {
        self.to_text(|prelude| &prelude.stringify)
    }

    fn to_plain_json(&self) -> Result<Bytes> {
        self.to_text(|prelude| &prelude.stringify_plain)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
